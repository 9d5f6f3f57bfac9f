"""Average cost of a day, week, month, quarter or year (reference d.5, rule 4).

All increases of a period count first; then its decreases are valued in entry
order, each at its share of what is left. An increase that takes its cost from a
decrease of the same period (an exact return, a transfer's arrival) joins its pool
once that decrease is valued, so the decrease itself is costed from the other
sources.
"""

from collections import defaultdict

from .average import (
    add,
    first_cost_id,
    fixed_quantity,
    later_revaluations,
    pools_of,
    revalue,
    take,
)
from .periods import period_end
from .records import pool_of


class PeriodAverage:
    """Values the decreases of an average item, period by period."""

    def __init__(self, book, forwarding):
        self.book = book
        self.forwarding = forwarding
        self.entries = book.entries

    def run(self):
        """Settle the cost of every decrease of the book."""
        pools = pools_of(self.book)
        for entries, revaluations in self._periods():
            _Period(self.book, self.forwarding, pools, entries, revaluations).run()

    def _periods(self):
        """The entries and later revaluations of each period, in order of periods."""
        opening = self.book.opening_date
        period = self.book.settings.average_cost_period
        ends, periods = {}, defaultdict(lambda: ([], []))

        def end_of(day):
            if day not in ends:
                ends[day] = period_end(day, period)
            return ends[day]

        for entry in self.entries.values():
            if opening is None or entry.valuation_date >= opening:
                periods[end_of(entry.valuation_date)][0].append(entry)
            if entry.quantity > 0:
                for cost, day in later_revaluations(entry):
                    if opening is None or day >= opening:
                        periods[end_of(day)][1].append((cost, entry))
        return [periods[end] for end in sorted(periods)]


class _Period:
    def __init__(self, book, forwarding, pools, entries, revaluations):
        self.book = book
        self.entries = book.entries
        self.forwarding = forwarding
        self.pools = pools
        self.revaluations = sorted(revaluations, key=lambda row: -row[0].id)
        self.decreases = defaultdict(list)
        self.others = []
        self.sources = set()
        for entry in sorted(entries, key=lambda entry: entry.id):
            if entry.quantity < 0 and self._takes_average(entry):
                self.decreases[pool_of(entry, book)].append(entry)
                self.sources.add(entry.id)
            else:
                self.others.append(entry)
        self.next = dict.fromkeys(self.decreases, 0)
        self.followers = defaultdict(list)
        self.feeds = defaultdict(list)
        self.busy = set()

    def run(self):
        self._take_known()
        order = [entry for rows in self.decreases.values() for entry in rows]
        for entry in sorted(order, key=lambda entry: entry.id):
            self._value_until(pool_of(entry, self.book), entry.id)
        for revaluation, entry in reversed(self.revaluations):
            self._revalue(revaluation, entry)
        self._clear_residues()

    def _takes_average(self, entry):
        return fixed_quantity(self.forwarding, entry) < -entry.quantity

    # -- entries whose cost is known -------------------------------------------

    def _take_known(self):
        """Increases and fixed decreases; those that hang on a decrease to be
        valued in this period wait for it."""
        todo = {entry.id: entry for entry in self.others}
        waits = {}
        for entry_id in todo:
            self._source_of(entry_id, todo, waits)
        for entry_id, entry in todo.items():
            source = waits[entry_id]
            if source is None:
                self._join(entry)
            else:
                self.followers[source].append(entry)
                if entry.quantity > 0:
                    self.feeds[pool_of(entry, self.book)].append(source)

    def _source_of(self, entry_id, todo, waits):
        """The decrease of this period the entry's cost comes from, None if none."""
        chain = []
        while entry_id in todo and entry_id not in waits:
            chain.append(entry_id)
            entry_id = self._direct_source(todo[entry_id])
        source = waits.get(entry_id)
        if entry_id in self.sources:
            source = entry_id
        for link in reversed(chain):
            waits[link] = source

    def _direct_source(self, entry):
        if entry.quantity < 0:
            supplies = self.forwarding.supplies[entry.id]
            return max((a.inbound_id for a in supplies), default=None)
        return entry.source if self.forwarding.is_derived(entry) else None

    def _join(self, entry):
        pool = self.pools[pool_of(entry, self.book)]
        if entry.quantity < 0:
            take(self.forwarding, entry, pool, emptied=False)
        else:
            add(self.forwarding, entry, pool, later_revaluations(entry))

    # -- decreases in entry order ------------------------------------------------

    def _value_until(self, key, entry_id):
        """Value a pool's decreases up to an entry, unless it is being done."""
        rows = self.decreases[key]
        if key in self.busy:
            return
        self.busy.add(key)
        while self.next[key] < len(rows) and rows[self.next[key]].id <= entry_id:
            entry = rows[self.next[key]]
            self._feed(key, entry)
            self.next[key] += 1
            self._value(key, entry)
        self.busy.discard(key)

    def _feed(self, key, entry):
        """First value what other pools send here, but for what flows back."""
        if not self.feeds[key]:
            return
        reached = self._reached_from(entry)
        for source_id in self.feeds[key]:
            source_key = pool_of(self.entries[source_id], self.book)
            if source_id not in self.forwarding.costs and source_key not in reached:
                self._value_until(source_key, source_id)

    def _reached_from(self, entry):
        """The pools the decrease's cost flows into within the period."""
        todo = [
            pool_of(follower, self.book)
            for follower in self.followers[entry.id]
            if follower.quantity > 0
        ]
        reached = set()
        while todo:
            key = todo.pop()
            if key in reached:
                continue
            reached.add(key)
            todo += [
                other
                for other, sources in self.feeds.items()
                if any(
                    pool_of(self.entries[source], self.book) == key
                    for source in sources
                )
            ]
        return reached

    def _value(self, key, entry):
        recorded = first_cost_id(entry)
        while self.revaluations and self.revaluations[-1][0].id < recorded:
            self._revalue(*self.revaluations.pop())
        take(self.forwarding, entry, self.pools[key], emptied=False)
        for follower in self.followers[entry.id]:
            self._join(follower)

    def _revalue(self, revaluation, entry):
        revalue(self.pools[pool_of(entry, self.book)], revaluation)

    # -- the last cent -------------------------------------------------------------

    def _clear_residues(self):
        """A pool left without quantity has no value: its last decrease takes it."""
        for key, pool in self.pools.items():
            if pool.quantity or not pool.value:
                continue
            last = self._last_absorber(key)
            if last is None:
                continue
            if last.quantity < 0 and self._takes_average(last):
                self.forwarding.costs[last.id] -= pool.value
            else:
                self.forwarding.residues[last.id] = -pool.value
            pool.value = 0

    def _last_absorber(self, key):
        """The pool's last decrease nothing takes its cost from; else a last fixed
        one, which gets a rounding entry."""
        for entry in reversed(self.decreases.get(key, [])):
            covered = not entry.remaining and self.forwarding.is_derived(entry)
            if covered and not self.followers[entry.id]:
                return entry
        fixed = [
            entry
            for entry in self.others
            if entry.quantity < 0 and pool_of(entry, self.book) == key
        ]
        return fixed[-1] if fixed else None
