"""Changing how average cost is worked out (reference a.11).

A setting counts from the first open day of its change on; what is valued before stays
under the setting it was closed with.
"""

from dataclasses import dataclass
from datetime import date

from .rounding import amount_of, share


@dataclass(slots=True)
class AverageSetting:
    """Average Cost Period and Calc. Type, and from which day on they count.

    ``since`` None: from the first entry on.
    """

    id: int
    since: date | None
    average_cost_period: str
    average_cost_calc_type: str


def in_force(settings):
    """The settings that count, oldest first, of all that were ever made.

    ``settings`` in the order they were made: each replaces what began on its day or
    later.
    """
    rows = []
    for new in settings:
        rows = [row for row in rows if new.since and _begins_before(row, new.since)]
        rows.append(new)
    return rows


def _begins_before(setting, day):
    return setting.since is None or setting.since < day


def pool_values(pools, unit_cost):
    """Value of each location's own pool when one pool of the item is divided.

    ``pools``: location to the :class:`~.records.Balance` recorded there. Each gets its
    quantity at the item's average, or at ``unit_cost`` where there is none; the largest
    takes the cents left over, so that the item's value stays.
    """
    quantity = sum(pool.quantity for pool in pools.values())
    value = sum(pool.value for pool in pools.values())
    has_average = quantity > 0 and value >= 0
    values = {
        location: share(value, pool.quantity, quantity)
        if has_average
        else amount_of(pool.quantity, unit_cost)
        for location, pool in pools.items()
    }
    if values:
        largest = max(pools, key=lambda key: abs(pools[key].quantity))
        values[largest] += value - sum(values.values())
    return values
