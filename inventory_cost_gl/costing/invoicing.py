"""Expected cost becomes actual when a decrease is invoiced (reference c.9)."""

from dataclasses import dataclass

from .rounding import share


@dataclass(slots=True)
class InvoicedCost:
    """Amounts to add to an entry when its invoiced quantity changes (signed)."""

    actual: int
    expected: int


def invoicing(entry, invoiced_after):
    """What moves from expected to actual when a decrease, or a return of one, gets
    ``invoiced_after`` of its quantity invoiced (same sign as the quantity).

    The cost as a whole does not change, its invoiced share is actual; the last
    invoice leaves nothing expected. Less than before (an invoice reset) moves the
    same amount back.
    """
    actual = expected = 0
    for cost in entry.costs:
        actual += cost.actual
        expected += cost.expected
    target = share(actual + expected, invoiced_after, entry.quantity)
    return InvoicedCost(target - actual, actual - target)
