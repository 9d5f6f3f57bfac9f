"""Item applications: which increase supplies which decrease (reference a.5, a.9).

FIFO, standard and average take the oldest open increase of the same location
and lot, LIFO the newest, specific the lot's own. A fixed application goes first.
What is not in stock waits and is covered by the next increases, oldest first.
"""

from collections import defaultdict
from heapq import heappop, heappush

from .records import AVERAGE, LIFO, Application


def apply_open(book):
    """Apply every entry with an open remaining quantity; return the applications.

    Entries are taken in the order of recording, so the outcome is the same
    whether they are applied one by one or together. Remaining quantities and the
    valuation dates that move forward are updated in place, the applications
    returned are appended to ``book.applications`` too.
    """
    return _Applying(book).run()


def net_applications(applications):
    """The applications in force: rows that take one back are set off.

    Order of first recording; the records given are not changed.
    """
    if all(application.quantity > 0 for application in applications):
        return applications
    net = {}
    for application in applications:
        key = (
            application.inbound_id,
            application.outbound_id,
            application.cost_follows,
        )
        net[key] = net.get(key, 0) + application.quantity
        if not net[key]:
            # a later application of the same two counts from its own recording
            del net[key]
    return [
        Application(inbound, outbound, quantity, follows)
        for (inbound, outbound, follows), quantity in net.items()
    ]


def latest_valuation_date(entry):
    """The entry's valuation date or that of a later revaluation of it."""
    latest = entry.valuation_date
    for cost in entry.costs:
        if cost.valuation_date and cost.valuation_date > latest:
            latest = cost.valuation_date
    return latest


class _Applying:
    def __init__(self, book):
        self.book = book
        self.entries = book.entries
        self.average = book.item.costing_method == AVERAGE
        self.new = []
        self.open_increases = defaultdict(list)
        self.waiting_decreases = defaultdict(list)
        self.freed = []
        self.derived = defaultdict(list)
        for entry in book.entries.values():
            if entry.source:
                self.derived[entry.source].append(entry)
        self._by_increase = None
        self._by_decrease = None

    def run(self):
        for entry_id in sorted(self.entries):
            entry = self.entries[entry_id]
            if entry.remaining < 0:
                self._apply_decrease(entry)
            elif entry.remaining > 0:
                self._apply_increase(entry)
        for entry in sorted(self.freed, key=lambda entry: entry.id):
            key = entry.location, entry.lot
            self._take(self.open_increases[key], entry, lambda o, e=entry: (o, e))
        return self.new

    def _apply_decrease(self, entry):
        if entry.fixed_to:
            fixed = self.entries.get(entry.fixed_to)
            if fixed and entry.reverses == fixed.id:
                self._free(fixed, -entry.remaining)
            if fixed and fixed.remaining > 0:
                self._link(fixed, entry, fixed=True)
        key = entry.location, entry.lot
        if entry.remaining:
            self._take(self.open_increases[key], entry, lambda other: (other, entry))
        if entry.remaining:
            heappush(self.waiting_decreases[key], (entry.posting_date, entry.id, entry))

    def _free(self, increase, quantity):
        """Make room for a correction of an increase: what was taken of it last waits,
        first of all for what is recorded in its place."""
        if increase.remaining >= quantity:
            return
        for application in reversed(net_applications(self.book.applications)):
            taken = min(application.quantity, quantity - increase.remaining)
            decrease = self.entries.get(application.outbound_id)
            if application.inbound_id != increase.id or not decrease or taken <= 0:
                continue
            if decrease.fixed_to != increase.id:
                self._unapply(application, increase, decrease, taken)

    def _unapply(self, application, increase, decrease, quantity):
        increase.remaining += quantity
        decrease.remaining -= quantity
        back = Application(
            increase.id, decrease.id, -quantity, application.cost_follows
        )
        self.new.append(back)
        self.book.applications.append(back)
        self._by_increase = self._by_decrease = None
        if decrease.remaining == decrease.quantity:
            decrease.valuation_date = decrease.posting_date
        self.freed.append(decrease)
        key = decrease.location, decrease.lot
        row = decrease.posting_date, decrease.id, decrease
        heappush(self.waiting_decreases[key], row)

    def _apply_increase(self, entry):
        source = self.entries.get(entry.source)
        if source and source.valuation_date > entry.valuation_date:
            self._move(entry, source.valuation_date)
        key = entry.location, entry.lot
        self._take(self.waiting_decreases[key], entry, lambda other: (entry, other))
        if entry.remaining:
            heappush(self.open_increases[key], (*self._rank(entry), entry))

    def _rank(self, entry):
        if self.book.item.costing_method == LIFO:
            return -entry.posting_date.toordinal(), -entry.id
        return entry.posting_date.toordinal(), entry.id

    def _take(self, heap, entry, pair):
        """Apply ``entry`` to the open entries of a heap, best first."""
        set_aside = []
        while heap and entry.remaining:
            other = heap[0][-1]
            if not other.remaining:
                heappop(heap)
            elif self._depends(*pair(other)):
                set_aside.append(heappop(heap))
            else:
                self._link(*pair(other))
        for item in set_aside:
            heappush(heap, item)

    def _link(self, increase, decrease, fixed=False):
        quantity = min(increase.remaining, -decrease.remaining)
        increase.remaining -= quantity
        decrease.remaining += quantity
        application = Application(
            increase.id, decrease.id, quantity, fixed or not self.average
        )
        self.new.append(application)
        self.book.applications.append(application)
        if self._by_increase is not None:
            self._index(application)
        self._date(increase, decrease, fixed and self.average)

    def _date(self, increase, decrease, takes_date):
        """Cost cannot flow back in time: the decrease is valued with its increase.

        An average item's fully fixed decrease takes the increase's date outright.
        """
        day = latest_valuation_date(increase)
        if day > decrease.valuation_date or (takes_date and not decrease.remaining):
            self._move(decrease, day)

    def _move(self, entry, day):
        """Give an entry a valuation date and move on what its cost flows to."""
        entry.valuation_date = day
        todo = [entry]
        while todo:
            entry = todo.pop()
            for follower in self._followers(entry):
                if follower.valuation_date < entry.valuation_date:
                    follower.valuation_date = entry.valuation_date
                    todo.append(follower)

    def _followers(self, entry):
        """The entries whose cost comes from this one."""
        if entry.quantity < 0:
            return self.derived.get(entry.id, ())
        self._build_index()
        decreases = map(self.entries.get, self._by_increase[entry.id])
        return [decrease for decrease in decreases if decrease]

    def _depends(self, increase, decrease):
        """Does the increase's cost come from that very decrease?"""
        if decrease.id not in self.derived or not increase.source:
            return False
        self._build_index()
        seen, todo = set(), [increase.id]
        while todo:
            entry = self.entries.get(todo.pop())
            source = entry and entry.source
            if not source or source in seen:
                continue
            if source == decrease.id:
                return True
            seen.add(source)
            todo.extend(self._by_decrease[source])
        return False

    def _build_index(self):
        if self._by_increase is None:
            self._by_increase = defaultdict(list)
            self._by_decrease = defaultdict(list)
            for application in net_applications(self.book.applications):
                self._index(application)

    def _index(self, application):
        self._by_increase[application.inbound_id].append(application.outbound_id)
        self._by_decrease[application.outbound_id].append(application.inbound_id)
