"""The table from movements to entry types, cell by cell."""

import pytest
from costing.entry_types import NOTHING, ORDERS, PLACES, EntryTypes, entry_types

OWN, SUPPLIER, CUSTOMER = "own", "supplier", "customer"
INVENTORY, PRODUCTION = "inventory", "production"
INTERCOMPANY, NONE = "intercompany", "none"

# Written out from DESIGN, one row per source, one column per destination. Each cell:
# the decrease at the source / the increase at the destination; "-" is no entry.
# Shorts: pu purchase, sa sale, p+ positive adjustment, n- negative adjustment,
# tr transfer, co consumption, ou output.
COLUMNS = (OWN, SUPPLIER, CUSTOMER, INVENTORY, PRODUCTION, INTERCOMPANY, NONE)
COMMON = {
    OWN: "tr/tr pu/- sa/- n-/- n-/- sa/- -/-",
    SUPPLIER: "-/pu -/- sa/pu -/- -/- sa/pu -/-",
    CUSTOMER: "-/sa pu/sa -/- -/- -/- pu/sa -/-",
    INVENTORY: "-/p+ -/- -/- -/- -/- -/- -/-",
    PRODUCTION: "-/p+ -/- -/- -/- -/- -/- -/-",
    INTERCOMPANY: "-/pu pu/sa sa/pu -/- -/- -/- -/-",
    NONE: "-/- -/- -/- -/- -/- -/- -/-",
}
# The order makes a difference between stock and production only.
TABLE = {
    "": COMMON,
    "production": {
        **COMMON,
        OWN: "tr/tr pu/- sa/- n-/- co/- sa/- -/-",
        PRODUCTION: "-/ou -/- -/- -/- -/- -/- -/-",
    },
    "customer_repair": {
        **COMMON,
        OWN: "tr/tr pu/- sa/- n-/- sa/- sa/- -/-",
        PRODUCTION: "-/sa -/- -/- -/- -/- -/- -/-",
    },
}
NAMES = {
    "-": None,
    "pu": "purchase",
    "sa": "sale",
    "p+": "positive_adjustment",
    "n-": "negative_adjustment",
    "tr": "transfer",
    "co": "consumption",
    "ou": "output",
}
CELLS = [
    (source, destination, order, cell)
    for order, rows in TABLE.items()
    for source, row in rows.items()
    for destination, cell in zip(COLUMNS, row.split(), strict=True)
]


def test_the_table_is_total():
    """Every pair of places and every order has its cell here: a place or an order that
    is added later must be added to the table."""
    assert {(source, dest, order) for source, dest, order, _cell in CELLS} == {
        (source, dest, order)
        for source in PLACES
        for dest in PLACES
        for order in ORDERS
    }
    assert len(CELLS) == 7 * 7 * 3


@pytest.mark.parametrize("same_cost_location", [False, True])
@pytest.mark.parametrize(("source", "destination", "order", "cell"), CELLS)
def test_cell(source, destination, order, cell, same_cost_location):
    expected = EntryTypes(*(NAMES[name] for name in cell.split("/")))
    if same_cost_location and source == destination == OWN:
        expected = NOTHING  # inside one cost location goods only change their shelf
    assert entry_types(source, destination, order, same_cost_location) == expected


@pytest.mark.parametrize(("source", "destination", "order", "cell"), CELLS)
def test_the_way_back_undoes_the_way(source, destination, order, cell):
    """A movement back makes the same entry with the other sign, so that a return nets
    what it returns; adjustments have a type for each sign. Goods of a sister company
    are sold to it and bought from it, whichever way they went before."""
    if {source, destination} == {OWN, INTERCOMPANY}:
        assert cell in ("sa/-", "-/pu")
        return
    there = entry_types(source, destination, order)
    back = entry_types(destination, source, order)
    signed = {
        "positive_adjustment": "adjustment",
        "negative_adjustment": "adjustment",
        "consumption": "production",
        "output": "production",
    }
    assert signed.get(there.decrease, there.decrease) == signed.get(
        back.increase, back.increase
    )


@pytest.mark.parametrize("order", ORDERS)
def test_only_own_goods_are_adjusted_consumed_or_made(order):
    for source in PLACES:
        for destination in PLACES:
            types = entry_types(source, destination, order)
            if types.decrease in ("consumption", "negative_adjustment"):
                assert source == OWN
            if types.increase in ("output", "positive_adjustment"):
                assert destination == OWN


def test_unknown_places_make_nothing():
    assert entry_types("moon", OWN) == NOTHING
    assert entry_types(OWN, "moon") == NOTHING


def test_two_places_are_two_cost_locations_unless_it_is_said():
    assert entry_types(OWN, OWN) == EntryTypes("transfer", "transfer")
