"""What a production order's output costs (reference a.8, d.6, h.4)."""

from dataclasses import dataclass
from decimal import Decimal

from .receipts import indirect_cost, overhead_on, split_amount
from .records import DIRECT_COST, INDIRECT_COST, STANDARD, VARIANCE
from .rounding import amount_of

MATERIAL = "material"
CAPACITY = "capacity"
SUBCONTRACTED = "subcontracted"
CAPACITY_OVERHEAD = "capacity_overhead"
MANUFACTURING_OVERHEAD = "manufacturing_overhead"
SHARES = (MATERIAL, CAPACITY, SUBCONTRACTED, CAPACITY_OVERHEAD, MANUFACTURING_OVERHEAD)


@dataclass(slots=True)
class OrderCost:
    """What went into an order so far: positive amounts, actual + expected."""

    material: int = 0
    capacity: int = 0
    subcontracted: int = 0
    capacity_overhead: int = 0

    @property
    def direct(self):
        """The direct cost of the order's output."""
        return (
            self.material + self.capacity + self.subcontracted + self.capacity_overhead
        )


def capacity_cost(
    minutes, unit_cost, indirect_pct=Decimal(0), overhead_rate=Decimal(0)
):
    """``(direct, overhead)`` of time at a work centre.

    ``minutes`` in millionths, ``unit_cost`` and ``overhead_rate`` in amount units
    per minute.
    """
    direct = amount_of(minutes, unit_cost)
    return direct, overhead_on(direct, minutes, indirect_pct, overhead_rate)


def manufacturing_overhead(item, order_cost, quantity):
    """The produced item's overhead on all direct shares of an order."""
    return indirect_cost(item, order_cost.direct, quantity)


def standard_shares(item, quantity):
    """Standard cost of an output by share; set by hand, it is all material."""
    return {MATERIAL: amount_of(quantity, item.unit_cost)}


def output_cost(item, order_cost, quantities, standard=None):
    """Actual cost of each output entry of a finished order.

    ``quantities``: of the output entries, in entry order. ``standard``: cost by
    share of the whole output of a standard item, see :func:`standard_shares`.
    Returns one ``{(entry type, variance type): amount}`` per entry: direct cost,
    manufacturing overhead, and for a standard item a variance per share so that
    output stays at standard. Cents left over go to the last entry. No output: the
    cost stays in WIP, an empty list.
    """
    total = sum(quantities)
    if not quantities or total <= 0:
        return []
    overhead = manufacturing_overhead(item, order_cost, total)
    amounts = {(DIRECT_COST, ""): order_cost.direct, (INDIRECT_COST, ""): overhead}
    if item.costing_method == STANDARD:
        standard = standard or standard_shares(item, total)
        amounts |= variances(order_cost, overhead, standard)
    rows = [{} for _quantity in quantities]
    for key, amount in amounts.items():
        for row, part in zip(rows, split_amount(amount, quantities), strict=True):
            row[key] = part
    return rows


def variances(order_cost, overhead, standard):
    """Variance per share: standard less actual (positive is a gain)."""
    actual = {
        MATERIAL: order_cost.material,
        CAPACITY: order_cost.capacity,
        SUBCONTRACTED: order_cost.subcontracted,
        CAPACITY_OVERHEAD: order_cost.capacity_overhead,
        MANUFACTURING_OVERHEAD: overhead,
    }
    return {
        (VARIANCE, share): standard.get(share, 0) - actual[share] for share in SHARES
    }
