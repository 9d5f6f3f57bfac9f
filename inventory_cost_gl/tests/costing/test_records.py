"""What a record says where nothing is given."""

from datetime import date
from decimal import Decimal

from costing.records import (
    AVERAGE,
    FIFO,
    LIFO,
    QUANTITY_SCALE,
    SPECIFIC,
    STANDARD,
    Adjustment,
    Application,
    Balance,
    Book,
    Cost,
    CostLoopError,
    Entry,
    Item,
    Settings,
)

DAY = date(2024, 1, 1)


def fields(record):
    return {name: getattr(record, name) for name in record.__slots__}


def test_quantities_are_millionths():
    assert QUANTITY_SCALE == 1_000_000


def test_costing_methods():
    methods = (FIFO, LIFO, AVERAGE, STANDARD, SPECIFIC)
    assert methods == ("fifo", "lifo", "average", "standard", "specific")


def test_settings():
    assert fields(Settings()) == {
        "average_cost_period": "transaction",
        "average_cost_calc_type": "item",
        "first_open_date": None,
        "average_cost_since": None,
        "average_cost_until": None,
    }


def test_an_item_is_fifo_without_cost_or_overhead():
    assert fields(Item()) == {
        "id": 0,
        "costing_method": "fifo",
        "unit_cost": Decimal(0),
        "indirect_cost_pct": Decimal(0),
        "overhead_rate": Decimal(0),
    }


def test_a_cost_is_a_direct_cost_of_nothing():
    assert fields(Cost()) == {
        "id": 0,
        "entry_type": "direct_cost",
        "variance_type": "",
        "actual": 0,
        "expected": 0,
        "posting_date": None,
        "valuation_date": None,
        "adjustment": False,
        "valued_quantity": 0,
        "partial_revaluation": False,
        "expected_only": False,
        "invoiced_quantity": 0,
        "applies_to": 0,
        "charge": False,
        "invoice": False,
    }


def test_an_entry_has_no_cost_and_applies_to_nothing():
    assert fields(Entry(5, "sale", -2, -1, DAY, DAY)) == {
        "id": 5,
        "entry_type": "sale",
        "quantity": -2,
        "remaining": -1,
        "posting_date": DAY,
        "valuation_date": DAY,
        "location": 0,
        "lot": 0,
        "invoiced": 0,
        "applies_to": 0,
        "applies_from": 0,
        "transferred_from": 0,
        "reverses": 0,
        "order": None,
        "costs": [],
    }


def test_what_an_entry_is_fixed_to_and_takes_its_cost_from():
    def links(quantity, **fields):
        entry = Entry(5, "purchase", quantity, 0, DAY, DAY, **fields)
        return entry.fixed_to, entry.source

    assert links(-1) == links(1) == (0, 0)
    assert links(-1, applies_to=3) == (3, 0)
    assert links(-1, reverses=4) == (4, 0)
    assert links(-1, applies_to=3, reverses=4) == (3, 0)
    assert links(1, applies_from=3) == (0, 3)
    assert links(1, reverses=4) == (0, 4)
    assert links(1, applies_from=3, reverses=4) == (0, 3)


def test_other_records():
    assert fields(Balance()) == {"quantity": 0, "value": 0}
    assert Application(1, 2, 3).cost_follows is True
    adjustment = Adjustment(1, "direct_cost", "", 10, 0, DAY, DAY)
    assert (adjustment.cause, adjustment.applies_to_cost) == (0, 0)
    assert adjustment.first is False
    book = Book(Settings(), Item())
    assert (book.entries, book.applications, book.opening) == ({}, [], {})
    assert book.affected is None and book.opening_date is None


def test_a_loop_names_its_entries_in_order():
    error = CostLoopError((7, 3, 7))
    assert error.entry_ids == [7, 3, 7]
    assert "7 → 3 → 7" in str(error)
