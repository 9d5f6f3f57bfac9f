"""What a quantity taken from one increase (a layer) costs (rule h.1, rule 7)."""

from fractions import Fraction

from .records import REVALUATION, ROUNDING
from .rounding import divide


class Layer:
    """An increase as the source of cost of the decreases applied to it.

    ``quantity`` is the increase's own, ``base`` its cost that is spread over all
    of it: actual and expected, without rounding entries. A partial revaluation
    is spread over the quantity that was left at its date only.
    """

    __slots__ = ("base", "quantity", "revaluations", "starts")

    def __init__(self, quantity, base, revaluations=(), starts=None):
        self.quantity = quantity
        self.base = base
        self.revaluations = revaluations
        self.starts = starts

    def cost(self, outbound_id, quantity):
        """Cost of the quantity one decrease took: multiplied, divided, rounded once."""
        if self.revaluations:
            start = self.starts[outbound_id]
            exact = self.between(start, start + quantity)
            return divide(exact.numerator, exact.denominator)
        whole, base = self.quantity, self.base
        # share(), spelled out: this is the innermost step of forwarding
        if base < 0:
            return -((whole - 2 * base * quantity) // (2 * whole))
        return (2 * base * quantity + whole) // (2 * whole)

    def rest(self, quantity):
        """Value (exact) of the last ``quantity`` of the layer."""
        return self.between(self.quantity - quantity, self.quantity)

    def between(self, start, end):
        """Value (exact, a Fraction) of the units from ``start`` to ``end``.

        A partial revaluation covers the last ``revalued`` units of the layer, in
        the order the layer is consumed.
        """
        value = Fraction(self.base * (end - start), self.quantity)
        for amount, revalued in self.revaluations:
            first = max(start, self.quantity - revalued)
            value += Fraction(amount * max(0, end - first), revalued)
        return value


def is_partial(cost, entry):
    """Does this revaluation cover only what was left of the entry?"""
    return (
        cost.entry_type == REVALUATION
        and cost.partial_revaluation
        and 0 < cost.valued_quantity < entry.quantity
    )


def recorded_cost(entry):
    """Cost recorded on an increase that its decreases take over (actual + expected)."""
    total = 0
    for cost in entry.costs:
        if cost.entry_type != ROUNDING:
            total += cost.actual + cost.expected
    return total


def first_cost(entry):
    """The cost an entry was first recorded at (actual + expected)."""
    first = entry.costs[0]
    return first.actual + first.expected


def layer_of(entry, total, applications, entries):
    """The :class:`Layer` of an increase that costs ``total`` in all.

    ``applications``: the increase's own, in the order of recording; ``entries``
    by id, for the valuation dates of the decreases.
    """
    by_quantity = {}
    for cost in entry.costs:
        if cost.partial_revaluation and is_partial(cost, entry):
            amount = cost.actual + cost.expected
            quantity = cost.valued_quantity
            by_quantity[quantity] = by_quantity.get(quantity, 0) + amount
            total -= amount
    if not by_quantity:
        return Layer(entry.quantity, total)
    revaluations = [(amount, quantity) for quantity, amount in by_quantity.items()]
    starts = _starts(applications, entries)
    return Layer(entry.quantity, total, revaluations, starts)


def _starts(applications, entries):
    """Where in the layer each decrease began: by valuation date, then recording."""

    def valued_on(application):
        decrease = entries.get(application.outbound_id)
        return decrease.valuation_date if decrease else None

    dated = [(valued_on(a), index, a) for index, a in enumerate(applications)]
    known = [row for row in dated if row[0] is not None]
    known.sort(key=lambda row: row[:2])
    # a decrease that is not loaded lies before everything that is
    ordered = [row for row in dated if row[0] is None] + known
    starts, position = {}, 0
    for _day, _index, application in ordered:
        starts.setdefault(application.outbound_id, position)
        position += application.quantity
    return starts
