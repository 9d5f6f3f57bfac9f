"""Revaluation: the quantity it covers and its amounts (reference h.1, rule 8)."""

from dataclasses import dataclass
from fractions import Fraction

from .applications import net_applications
from .average import later_revaluations
from .layers import layer_of, recorded_cost
from .periods import period_end
from .records import AVERAGE, QUANTITY_SCALE, STANDARD, Balance
from .rounding import divide, share


@dataclass(slots=True)
class RevaluedEntry:
    """The revaluation of one increase.

    ``quantity`` is what was left of it at the date, ``amount`` what the
    revaluation adds; of it ``expected`` is the expected part (a standard item
    received but not invoiced). ``partial``: less than the whole entry was left.
    """

    entry_id: int
    quantity: int
    amount: int
    expected: int
    partial: bool


class RevaluationError(ValueError):
    """The revaluation cannot be made; the message says why."""


def remaining_at(book, day):
    """``{entry id: quantity}`` left of the increases at the end of ``day``.

    Applications of decreases valued later are ignored.
    """
    left = {
        entry.id: entry.quantity
        for entry in book.entries.values()
        if entry.quantity > 0 and entry.valuation_date <= day
    }
    for application in net_applications(book.applications):
        decrease = book.entries.get(application.outbound_id)
        valued = decrease is None or decrease.valuation_date <= day
        if application.inbound_id in left and valued:
            left[application.inbound_id] -= application.quantity
    return left


def revaluable(book, day, entry_ids=None, locations=None):
    """``[(entry, quantity)]`` a revaluation dated ``day`` covers, in entry order.

    Only increases completely invoiced by that day count, but for standard items,
    whose expected cost is revalued too. ``entry_ids`` and ``locations`` narrow it
    down.
    """
    standard = book.item.costing_method == STANDARD
    rows = []
    for entry_id, quantity in sorted(remaining_at(book, day).items()):
        entry = book.entries[entry_id]
        wanted = entry_ids is None or entry_id in entry_ids
        wanted = wanted and (locations is None or entry.location in locations)
        counts = standard or _is_invoiced(entry, day)
        if wanted and counts and quantity > 0:
            rows.append((entry, quantity))
    return rows


def _is_invoiced(entry, day):
    """Is the increase completely invoiced, the last time on ``day`` at the latest?"""
    invoiced_on = [cost.posting_date for cost in entry.costs if cost.invoiced_quantity]
    return entry.invoiced >= entry.quantity and max(invoiced_on, default=day) <= day


def balance_at(book, day, locations=None):
    """Invoiced quantity and actual value of an average item at the end of ``day``.

    ``locations`` None: the whole item. The book must hold the whole history.
    """
    balance = Balance()
    for entry in book.entries.values():
        if locations is not None and entry.location not in locations:
            continue
        later = later_revaluations(entry) if entry.quantity > 0 else []
        if entry.valuation_date <= day:
            balance.quantity += entry.invoiced
            balance.value += sum(cost.actual for cost in entry.costs)
            balance.value -= sum(cost.actual for cost, _day in later)
        balance.value += sum(cost.actual for cost, valued in later if valued <= day)
    return balance


def check_period(book, day):
    """An average item is revalued per item on the last day of a period only."""
    period = book.settings.average_cost_period
    if book.item.costing_method == AVERAGE and period_end(day, period) != day:
        raise RevaluationError(
            "An average item can only be revalued at the end of an average period."
        )


def revalue(
    rows, unit_cost=None, value=None, amount=None, balance=None, reversals=None
):
    """The :class:`RevaluedEntry` rows of a revaluation.

    ``rows`` come from :func:`revaluable`. Exactly one of ``unit_cost`` (new, in
    amount units), ``value`` (new, of all rows) and ``amount`` (to add) is given.
    Each entry goes to the new unit cost, the last takes the cents left over.

    ``balance``: an average item revalued per item, see :func:`balance_at`. Its
    value before is its average unit cost on the quantity revalued, so the last
    entry takes also what the entries' own cost differs from that. ``reversals``:
    what reverses the entries, see :func:`~.layers.reversals_of`.
    Raises :class:`RevaluationError` when nothing is left to revalue.
    """
    if not rows or (balance is not None and balance.quantity <= 0):
        raise RevaluationError("There is no invoiced quantity left to revalue.")
    own = _layer_values(rows, reversals or {})
    quantity = sum(part for _entry, part in rows)
    before = sum(own)
    if balance is not None:
        before = Fraction(balance.value * quantity, balance.quantity)
    if unit_cost is not None:
        after = Fraction(unit_cost) * quantity / QUANTITY_SCALE
    else:
        after = Fraction(value) if value is not None else before + amount
    parts = [
        _round(after * part / quantity - old)
        for (_entry, part), old in zip(rows, own, strict=True)
    ]
    parts[-1] += _round(after) - _round(before) - sum(parts)
    return [
        _revalued(entry, part, added)
        for (entry, part), added in zip(rows, parts, strict=True)
    ]


def _round(fraction):
    return divide(fraction.numerator, fraction.denominator)


def _revalued(entry, quantity, amount):
    uninvoiced = entry.quantity - entry.invoiced
    expected = share(amount, uninvoiced, entry.quantity)
    partial = quantity < entry.quantity
    return RevaluedEntry(entry.id, quantity, amount, expected, partial)


def _layer_values(rows, reversals):
    """What the quantity left of each entry is worth: its cost behind what is gone."""
    return [
        layer_of(entry, recorded_cost(entry), (), {}, reversals.get(entry.id, ())).rest(
            quantity
        )
        for entry, quantity in rows
    ]
