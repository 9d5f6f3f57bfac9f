"""Revaluation: the quantity it covers and its amounts (reference h.1, rule 8)."""

from dataclasses import dataclass

from .applications import net_applications
from .average import later_revaluations
from .layers import layer_of, recorded_cost
from .periods import period_end
from .receipts import split_amount
from .records import AVERAGE, STANDARD
from .rounding import amount_of, share


@dataclass(slots=True)
class RevaluedEntry:
    """The revaluation of one increase.

    ``quantity`` is what was left of it at the date, ``value`` what that is worth,
    ``amount`` what the revaluation adds; of it ``expected`` is the expected part
    (a standard item received but not invoiced).
    """

    entry_id: int
    quantity: int
    value: int
    amount: int
    expected: int
    partial: bool


class RevaluationError(ValueError):
    """The revaluation cannot be made; the message says why."""


def remaining_at(book, day, entries=None):
    """``{entry id: quantity}`` left of the increases at the end of ``day``.

    Applications of decreases valued later are ignored.
    """
    left = {
        entry.id: entry.quantity
        for entry in (entries or book.entries.values())
        if entry.quantity > 0 and entry.valuation_date <= day
    }
    for application in net_applications(book.applications):
        decrease = book.entries.get(application.outbound_id)
        if application.inbound_id in left and decrease.valuation_date <= day:
            left[application.inbound_id] -= application.quantity
    return left


def revaluable(book, day, entry_ids=None, locations=None, per_item=False):
    """``[(entry, quantity)]`` a revaluation dated ``day`` covers.

    Only completely invoiced increases count; of a standard item, revalued per
    item, also those that are not.
    """
    uninvoiced = per_item and book.item.costing_method == STANDARD
    rows = []
    for entry_id, quantity in remaining_at(book, day).items():
        entry = book.entries[entry_id]
        if entry_ids is not None and entry_id not in entry_ids:
            continue
        if locations is not None and entry.location not in locations:
            continue
        if quantity > 0 and (uninvoiced or entry.invoiced >= entry.quantity):
            rows.append((entry, quantity))
    return sorted(rows, key=lambda row: row[0].id)


def revalue(book, day, rows, unit_cost=None, value=None, amount=None, per_item=False):
    """The :class:`RevaluedEntry` rows of a revaluation.

    ``rows`` come from :func:`revaluable`. Exactly one of ``unit_cost`` (new, in
    amount units), ``value`` (new, of all rows) and ``amount`` (to add) is given.
    An average item revalued per item starts from its average unit cost at the
    date. Raises :class:`RevaluationError` when nothing is left to revalue or an
    average period forbids the date.
    """
    if not rows:
        raise RevaluationError("There is no invoiced quantity left to revalue.")
    average = book.item.costing_method == AVERAGE and per_item
    period = book.settings.average_cost_period
    if average and period_end(day, period) != day:
        raise RevaluationError(
            "An average item can only be revalued at the end of an average period."
        )
    values = _average_values(book, day, rows) if average else _layer_values(book, rows)
    amounts = _amounts(rows, values, unit_cost, value, amount, average)
    return [
        _revalued(entry, quantity, old, added)
        for (entry, quantity), old, added in zip(rows, values, amounts, strict=True)
    ]


def _revalued(entry, quantity, value, amount):
    uninvoiced = entry.quantity - entry.invoiced
    expected = share(amount, uninvoiced, entry.quantity)
    partial = quantity < entry.quantity
    return RevaluedEntry(entry.id, quantity, value, amount, expected, partial)


def _layer_values(book, rows):
    """What the quantity left of each entry is worth: its cost behind what is gone."""
    uses = {entry.id: [] for entry, _quantity in rows}
    for application in net_applications(book.applications):
        if application.inbound_id in uses and application.cost_follows:
            uses[application.inbound_id].append(application)
    values = []
    for entry, quantity in rows:
        layer = layer_of(entry, recorded_cost(entry), uses[entry.id], book.entries)
        values.append(layer.rest(quantity))
    return values


def _average_values(book, day, rows):
    """The average unit cost at the date on each row's quantity."""
    total, value = balance_at(book, day, {entry.location for entry, _q in rows})
    if total <= 0:
        raise RevaluationError("There is no quantity in stock to revalue.")
    quantities = [quantity for _entry, quantity in rows]
    return split_amount(share(value, sum(quantities), total), quantities)


def balance_at(book, day, locations):
    """Quantity and value of an average item's pool at the end of ``day``."""
    per_item = book.settings.average_cost_calc_type == "item"
    quantity = value = 0
    for key, balance in book.opening.items():
        if per_item or key in locations:
            quantity += balance.quantity
            value += balance.value
    opening = book.opening_date
    for entry in book.entries.values():
        if not per_item and entry.location not in locations:
            continue
        later = later_revaluations(entry) if entry.quantity > 0 else []
        for cost, valued in later:
            if valued <= day and (opening is None or valued >= opening):
                value += cost.actual + cost.expected
        counted = opening is None or entry.valuation_date >= opening
        if counted and entry.valuation_date <= day:
            quantity += entry.quantity
            value += sum(c.actual + c.expected for c in entry.costs)
            value -= sum(c.actual + c.expected for c, _valued in later)
    return quantity, value


def _amounts(rows, values, unit_cost, value, amount, together):
    """What each row gets; per unit cost entry by entry, else spread by quantity."""
    quantities = [quantity for _entry, quantity in rows]
    total = sum(quantities)
    if unit_cost is not None and not together:
        return [
            amount_of(quantity, unit_cost) - old
            for quantity, old in zip(quantities, values, strict=True)
        ]
    if unit_cost is not None:
        value = amount_of(total, unit_cost)
    if value is not None and not together:
        new = split_amount(value, quantities)
        return [part - old for part, old in zip(new, values, strict=True)]
    if value is not None:
        amount = value - sum(values)
    return split_amount(amount, quantities)
