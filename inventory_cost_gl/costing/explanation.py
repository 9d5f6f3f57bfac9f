"""What a cost is made of: the amounts behind an amount, which add up to it exactly.

Parts are rounded one after the other, so that what is rounded off one is in the next.
"""

from fractions import Fraction

from .rounding import divide


def parts(amounts, start, end, whole):
    """The part of each amount that the units from ``start`` to ``end`` carry.

    ``amounts``: ``[(amount, last units)]``; an amount is spread over so many of the
    last units of the ``whole``: all of them, or those a partial revaluation covers.
    The parts add up to their exact sum, rounded once.
    """
    result, exact, given = [], Fraction(0), 0
    for amount, last in amounts:
        first = max(start, whole - last)
        exact += Fraction(amount * max(0, end - first), last)
        rounded = divide(exact.numerator, exact.denominator)
        result.append(rounded - given)
        given = rounded
    return result


def spread(amounts, part, whole):
    """The share of each amount that falls on ``part`` of ``whole``, as ``parts``."""
    return parts([(amount, whole) for amount in amounts], 0, part, whole)


def remaining_cost(entry, layer, applications):
    """What is left of an increase's cost: all of it less what the decreases took.

    ``applications``: those in force that take cost from it. The decreases took rounded
    amounts; what that left over stays in the rest.
    """
    total = sum(cost.actual + cost.expected for cost in entry.costs)
    taken = (layer.cost(use.outbound_id, use.quantity) for use in applications)
    return total - sum(taken)
