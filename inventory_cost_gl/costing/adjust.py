"""Cost adjustment: what each entry should cost now against what is recorded."""

from .average import RunningAverage
from .average_period import PeriodAverage
from .differences import (
    direct_difference,
    first_costs,
    rounding_difference,
    split_difference,
)
from .forwarding import Forwarding, stated_cost
from .records import AVERAGE, ROUNDING


def adjust(book):
    """The value entries that bring every affected entry to its right cost.

    Decreases and increases that take a decrease's cost are worked out by the
    costing method, other increases keep what sources stated and only get
    rounding entries. The list is in an order safe to append: what an entry's
    cost comes from stands before it. The book is not changed. Adjusting again
    after appending gives nothing.

    Raises :class:`~.records.CostLoopError` where a cost depends on itself.
    """
    forwarding = work_out(book)
    adjustments = []
    for entry_id in forwarding.computed:
        adjustments += _entry_difference(book, forwarding, book.entries[entry_id])
    for entry in _may_need_rounding(book, forwarding):
        target = forwarding.residues.get(entry.id, 0)
        if entry.quantity > 0:
            target += forwarding.rounding(entry)
        adjustments += rounding_difference(entry, target, book.settings)
    for adjustment in adjustments:
        adjustment.cause = forwarding.cause(adjustment.entry_id)
    return adjustments


def work_out(book):
    """The :class:`~.forwarding.Forwarding` of a book with every cost settled."""
    forwarding = Forwarding(book)
    if book.item.costing_method == AVERAGE:
        running = book.settings.average_cost_period == "transaction"
        (RunningAverage if running else PeriodAverage)(book, forwarding).run()
    forwarding.settle_all()
    return forwarding


def _entry_difference(book, forwarding, entry):
    total = forwarding.costs[entry.id]
    if entry.quantity > 0:
        total -= stated_cost(entry)
    elif entry.fixed_to:
        split = forwarding.split_cost(entry)
        if split:
            return split_difference(entry, split, book.settings)
    if not entry.costs and entry.remaining < 0 and entry.id in forwarding.supplies:
        # what waits keeps the unit cost of the first entry, which is the item's
        first = forwarding.waiting_cost(entry, entry.quantity)
        return first_costs(entry, first, total, book.settings)
    return direct_difference(entry, total, book.settings)


def _may_need_rounding(book, forwarding):
    """Affected entries that have or may get a rounding entry, in entry order."""
    entries = book.entries
    uses, residues = forwarding.uses, forwarding.residues
    affected = forwarding.affected
    candidates = entries if affected is None else affected & entries.keys()
    for entry_id in sorted(candidates):
        entry = entries[entry_id]
        used_up = not entry.remaining and entry_id in uses
        if used_up or entry_id in residues or _has_rounding(entry):
            yield entry


def _has_rounding(entry):
    for cost in entry.costs:
        if cost.entry_type == ROUNDING:
            return True
    return False
