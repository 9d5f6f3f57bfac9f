"""Exact money: integers only, rounded half away from zero."""

from decimal import ROUND_HALF_UP

from .records import QUANTITY_SCALE


def divide(numerator, denominator):
    """``numerator / denominator`` to the nearest integer, halves away from zero.

    Both are integers, the denominator is not zero.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    if numerator < 0:
        return -((denominator - 2 * numerator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def share(amount, part, whole):
    """The part of ``amount`` that falls on ``part`` of ``whole``.

    Multiplies before it divides, so the whole gets exactly the amount. Nothing
    (0) falls on a part of an empty whole.
    """
    if part == whole:
        return amount
    if not whole:
        return 0
    return divide(amount * part, whole)


def round_amount(amount):
    """A Decimal number of amount units as an integer."""
    return int(amount.to_integral_value(rounding=ROUND_HALF_UP))


def amount_of(quantity, unit_cost):
    """The amount of a quantity (millionths) at a unit cost (amount units per 1)."""
    return round_amount(quantity * unit_cost / QUANTITY_SCALE)
