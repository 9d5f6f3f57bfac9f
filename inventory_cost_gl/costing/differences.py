"""An entry's cost as it should be against what is recorded (rule 5, reference d.9)."""

from .records import DIRECT_COST, REVALUATION, ROUNDING, Adjustment
from .rounding import share


def direct_difference(entry, total, settings):
    """Adjustments that bring an entry's own direct cost to ``total`` (signed).

    The invoiced share of it is actual, the rest expected. Nothing recorded yet:
    one first cost.
    """
    actual = share(total, entry.invoiced, entry.quantity)
    expected = total - actual
    for cost in entry.costs:
        if cost.entry_type == DIRECT_COST and not cost.charge:
            actual -= cost.actual
            expected -= cost.expected
    if not entry.costs:
        return [_adjustment(entry, settings, None, actual, expected)]
    if not actual and not expected:
        return []
    return _by_document(entry, total, actual, expected, settings)


def first_costs(entry, first, total, settings):
    """First cost of a decrease that is partly covered, and what adjusts it at once."""
    (row,) = direct_difference(entry, first, settings)
    (whole,) = direct_difference(entry, total, settings)
    whole.actual -= row.actual
    whole.expected -= row.expected
    whole.first = False
    return [row, whole] if whole.actual or whole.expected else [row]


def _by_document(entry, total, actual, expected, settings):
    """The difference on the cost of each document it corrects, with its date."""
    own = [c for c in entry.costs if c.entry_type == DIRECT_COST and not c.charge]
    documents = [cost for cost in own if not cost.adjustment]
    if len(documents) == 1:
        return [_adjustment(entry, settings, documents[0], actual, expected)]
    delivery = next((c for c in documents if c.expected_only), None)
    invoices = [c for c in documents if not c.expected_only] or documents
    parts = []
    if actual:
        for cost, amount in _per_invoice(entry, own, invoices, total, actual):
            parts.append([cost, amount, 0])
    if expected:
        target = delivery or (invoices[-1] if invoices else None)
        same = [p for p in parts if _date(entry, p[0]) == _date(entry, target)]
        if same:
            same[-1][2] = expected
        else:
            parts.append([target, 0, expected])
    return [_adjustment(entry, settings, *part) for part in parts]


def _per_invoice(entry, own, invoices, total, actual):
    """``[(cost, amount)]``: the actual difference split over the invoices."""
    if len({_date(entry, cost) for cost in invoices}) < 2:
        return [(invoices[-1] if invoices else None, actual)]
    rows, before, left = [], 0, actual
    for invoice in invoices:
        after = before + invoice.invoiced_quantity
        target = share(total, after, entry.quantity)
        target -= share(total, before, entry.quantity)
        before = after
        carried = invoice.actual
        carried += sum(c.actual for c in own if c.applies_to == invoice.id)
        if target != carried:
            rows.append([invoice, target - carried])
            left -= target - carried
    if left:
        # recorded against no document: settle it on the last one
        if rows and rows[-1][0] is invoices[-1]:
            rows[-1][1] += left
        else:
            rows.append([invoices[-1], left])
    return [row for row in rows if row[1]]


def _date(entry, cost):
    return cost.posting_date if cost else entry.posting_date


def _adjustment(entry, settings, cost, actual, expected, key=(DIRECT_COST, "")):
    day = cost.posting_date if cost else entry.posting_date
    first_open = settings.first_open_date
    if first_open and day < first_open and entry.costs:
        day = first_open
    return Adjustment(
        entry.id,
        key[0],
        key[1],
        actual,
        expected,
        entry.valuation_date,
        day,
        0,
        cost.id if cost else 0,
        not entry.costs,
    )


def split_difference(entry, split, settings):
    """Like :func:`direct_difference` for a cost split by type.

    ``split``: ``{(entry type, variance type): total}``. Only the invoiced share of
    it is split: expected cost is direct cost whole, as on a receipt.
    """
    adjustments = []
    recorded = {(c.entry_type, c.variance_type) for c in entry.costs}
    recorded.discard((REVALUATION, ""))
    recorded.discard((ROUNDING, ""))
    invoiced = {
        key: share(total, entry.invoiced, entry.quantity)
        for key, total in split.items()
    }
    waiting = sum(split.values()) - sum(invoiced.values())
    for key in [*split, *sorted(recorded - set(split))]:
        own = [c for c in entry.costs if (c.entry_type, c.variance_type) == key]
        actual = invoiced.get(key, 0) - sum(c.actual for c in own)
        expected = waiting if key == (DIRECT_COST, "") else 0
        expected -= sum(c.expected for c in own)
        if actual or expected or (not entry.costs and key == (DIRECT_COST, "")):
            cost = next((c for c in reversed(own) if not c.adjustment), None)
            cost = cost or last_direct_cost(entry)
            part = _adjustment(entry, settings, cost, actual, expected, key)
            adjustments.append(part)
    return adjustments


def rounding_difference(entry, target, settings):
    """The rounding entry that brings an entry's rounding to ``target``.

    It is dated like the entry's last direct cost that is no adjustment (rule 6).
    """
    recorded = sum(c.actual for c in entry.costs if c.entry_type == ROUNDING)
    if target == recorded:
        return []
    cost = last_direct_cost(entry)
    key = ROUNDING, ""
    part = _adjustment(entry, settings, cost, target - recorded, 0, key)
    part.first = False
    return [part]


def last_direct_cost(entry):
    """The entry's last direct cost that is no adjustment, None if none."""
    documents = (
        cost
        for cost in reversed(entry.costs)
        if cost.entry_type == DIRECT_COST and not cost.adjustment
    )
    return next(documents, None)
