"""The item's unit cost (reference d.10)."""

from decimal import ROUND_HALF_UP, Decimal

from .layers import first_cost
from .records import AVERAGE, QUANTITY_SCALE
from .rounding import share

UNIT_COST_PRECISION = Decimal("0.00001")


def unit_cost(quantity, value, open_quantity, open_value, current, precision=None):
    """Unit cost after adjustment of an item that has no standard cost.

    ``quantity`` and ``value`` (actual + expected): all that is recorded;
    ``open_quantity`` and ``open_value`` (both negative or 0): the decreases not
    covered yet, which are left out. ``current`` stays where there is no stock or
    the average is zero; a negative average gives 0. ``precision`` is the step of
    unit costs in amount units, see :func:`round_unit_cost`.
    """
    on_hand = quantity - open_quantity
    if on_hand <= 0:
        return current
    average = Decimal(value - open_value) * QUANTITY_SCALE / on_hand
    if not average:
        return current
    return round_unit_cost(max(average, Decimal(0)), precision)


def round_unit_cost(amount, precision=None):
    """Round to the unit-amount precision (0.00001 amount units by default)."""
    step = precision or UNIT_COST_PRECISION
    return (amount / step).to_integral_value(rounding=ROUND_HALF_UP) * step


def unit_cost_while_posting(current, last_direct_cost, invoiced_before, invoiced_after):
    """Unit cost when an increase is recorded, before any adjustment.

    The increase's own unit cost counts where there is none yet, or when the
    invoiced quantity in stock turns from nothing or less to more than nothing.
    """
    if not current or invoiced_before <= 0 < invoiced_after:
        return last_direct_cost
    return current


def open_decreases(entries, item):
    """Quantity and cost (both <= 0) of what of the decreases is not covered yet.

    The open part stands at the unit cost the decrease was first recorded at (see
    forwarding.py); of an average item it is its share of the decrease's cost.
    """
    quantity = value = 0
    for entry in entries:
        if entry.remaining < 0 and entry.costs:
            cost = first_cost(entry)
            if item.costing_method == AVERAGE:
                cost = sum(c.actual + c.expected for c in entry.costs)
            quantity += entry.remaining
            value += share(cost, entry.remaining, entry.quantity)
    return quantity, value
