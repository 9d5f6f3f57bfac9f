"""What a quantity taken from one increase (a layer) costs (rule h.1, rule 7)."""

from fractions import Fraction

from .records import DIRECT_COST, REVALUATION, ROUNDING
from .rounding import divide, share


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


class CorrectedLayer(Layer):
    """A layer of which corrections took something back.

    What they took back never came: it costs what the goods themselves were stated
    at. Bills and charges are for the quantity that stands, which is what the other
    decreases take from. ``taken_back``: ``{reversal id: (cost, quantity)}``.
    """

    __slots__ = ("taken_back",)

    def cost(self, outbound_id, quantity):
        """Cost of a quantity: what was taken back, or a share of what stands."""
        if outbound_id in self.taken_back:
            cost, whole = self.taken_back[outbound_id]
            return share(cost, quantity, whole)
        return super().cost(outbound_id, quantity)


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


def reversals_of(entries):
    """``{increase id: [decreases that reverse it]}``, in the order of recording."""
    reversals = {}
    for entry in entries:
        if entry.reverses and entry.quantity < 0 and entry.fixed_to == entry.reverses:
            reversals.setdefault(entry.reverses, []).append(entry)
    for rows in reversals.values():
        rows.sort(key=lambda entry: entry.id)
    return reversals


def layer_of(entry, total, applications, entries, reversals=()):
    """The :class:`Layer` of an increase that costs ``total`` in all.

    ``applications``: the increase's own, in the order of recording; ``entries``
    by id, for the valuation dates of the decreases. ``reversals``: what reverses
    the increase, see :func:`reversals_of`. One that takes a decrease's cost has
    nothing stated that would not be for all of its quantity.
    """
    if reversals and not entry.source:
        return _corrected_layer(entry, total, applications, entries, reversals)
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


def _corrected_layer(entry, total, applications, entries, reversals):
    partial = [
        [cost.id, cost.actual + cost.expected, cost.valued_quantity]
        for cost in entry.costs
        if is_partial(cost, entry)
    ]
    base = total - sum(amount for _id, amount, _quantity in partial)
    left, taken_back = entry.quantity, {}
    for reversal in reversals:
        quantity = -reversal.quantity
        before = reversal.costs[0].id if reversal.costs else 0
        own = share(_own_cost(entry, before), quantity, entry.quantity)
        if quantity >= left:
            # Nothing stands: nothing is left either.
            own = base
        base -= own
        cost = own + _take_revalued(partial, quantity, before, quantity >= left)
        left -= quantity
        taken_back[reversal.id] = cost, quantity
    others = [a for a in applications if a.outbound_id not in taken_back]
    revaluations = [(amount, quantity) for _id, amount, quantity in partial if quantity]
    starts = _starts(others, entries)
    layer = CorrectedLayer(max(left, 0), base, revaluations, starts)
    layer.taken_back = taken_back
    return layer


def _own_cost(entry, before):
    """What the goods themselves were stated at when a correction was recorded, with
    the revaluations of all of them.

    ``before``: id of the correction's first cost, 0 while there is none.
    """
    return sum(
        cost.actual + cost.expected
        for cost in entry.costs
        if cost.entry_type in (DIRECT_COST, REVALUATION)
        and not (cost.charge or cost.invoice or is_partial(cost, entry))
        and (not before or cost.id < before)
    )


def _take_revalued(partial, quantity, before, everything):
    """Take a correction's share off partial revaluations recorded before it."""
    taken = 0
    for row in partial:
        cost_id, amount, revalued = row
        if everything or not before or cost_id < before:
            share_of_it = min(quantity, revalued)
            part = share(amount, share_of_it, revalued) if revalued else 0
            part = amount if everything else part
            row[1:] = amount - part, revalued - share_of_it
            taken += part
    return taken


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
