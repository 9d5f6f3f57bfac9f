"""Which ledger entries a stock movement makes: a total table (DESIGN § 5).

Places are seen from the company that moves the goods:

- ``own``: its internal and transit locations;
- ``supplier``, ``customer``, ``inventory`` (counts, losses, scrap), ``production``;
- ``intercompany``: transit that belongs to no company, or another company's stock;
- ``none``: whatever never holds goods (views).

A movement makes up to two entries: a decrease at its source, an increase at its
destination. ``None`` stands for no entry.
"""

from typing import NamedTuple

OWN, SUPPLIER, CUSTOMER = "own", "supplier", "customer"
INVENTORY, PRODUCTION = "inventory", "production"
INTERCOMPANY, NONE = "intercompany", "none"
PLACES = (OWN, SUPPLIER, CUSTOMER, INVENTORY, PRODUCTION, INTERCOMPANY, NONE)

# What the movement belongs to.
NO_ORDER, PRODUCTION_ORDER, CUSTOMER_REPAIR = "", "production", "customer_repair"
ORDERS = (NO_ORDER, PRODUCTION_ORDER, CUSTOMER_REPAIR)


class EntryTypes(NamedTuple):
    """Entry type of the decrease at the source and the increase at the destination."""

    decrease: str | None = None
    increase: str | None = None


NOTHING = EntryTypes()
_PURCHASE = EntryTypes(increase="purchase")
_PURCHASE_RETURN = EntryTypes(decrease="purchase")
_SALE = EntryTypes(decrease="sale")
_SALE_RETURN = EntryTypes(increase="sale")
_GAIN = EntryTypes(increase="positive_adjustment")
_LOSS = EntryTypes(decrease="negative_adjustment")
_TRANSFER = EntryTypes("transfer", "transfer")
_CONSUMPTION = EntryTypes(decrease="consumption")
_OUTPUT = EntryTypes(increase="output")
# A drop shipment is bought and sold at once; its return is given back on both sides.
_DROPSHIP = EntryTypes("sale", "purchase")
_DROPSHIP_RETURN = EntryTypes("purchase", "sale")

# (source, destination) -> entry types; transfers only between two cost locations.
_ENTRY_TYPES = {
    (OWN, OWN): _TRANSFER,
    (SUPPLIER, OWN): _PURCHASE,
    (OWN, SUPPLIER): _PURCHASE_RETURN,
    (INTERCOMPANY, OWN): _PURCHASE,
    (OWN, INTERCOMPANY): _SALE,
    (OWN, CUSTOMER): _SALE,
    (CUSTOMER, OWN): _SALE_RETURN,
    (INVENTORY, OWN): _GAIN,
    (OWN, INVENTORY): _LOSS,
    (SUPPLIER, CUSTOMER): _DROPSHIP,
    (SUPPLIER, INTERCOMPANY): _DROPSHIP,
    (INTERCOMPANY, CUSTOMER): _DROPSHIP,
    (CUSTOMER, SUPPLIER): _DROPSHIP_RETURN,
    (INTERCOMPANY, SUPPLIER): _DROPSHIP_RETURN,
    (CUSTOMER, INTERCOMPANY): _DROPSHIP_RETURN,
}
# (source, destination, order) -> entry types, where the order makes a difference.
_PRODUCTION_TYPES = {
    (OWN, PRODUCTION, NO_ORDER): _LOSS,
    (PRODUCTION, OWN, NO_ORDER): _GAIN,
    (OWN, PRODUCTION, CUSTOMER_REPAIR): _SALE,
    (PRODUCTION, OWN, CUSTOMER_REPAIR): _SALE_RETURN,
    (OWN, PRODUCTION, PRODUCTION_ORDER): _CONSUMPTION,
    (PRODUCTION, OWN, PRODUCTION_ORDER): _OUTPUT,
}


def entry_types(source, destination, order=NO_ORDER, same_cost_location=False):
    """Return the ``EntryTypes`` of a movement of the company's own goods.

    Every pair of places has an answer; goods owned by others make no entries and do
    not come here.
    """
    if same_cost_location and source == destination == OWN:
        return NOTHING
    by_order = _PRODUCTION_TYPES.get((source, destination, order))
    return by_order or _ENTRY_TYPES.get((source, destination), NOTHING)
