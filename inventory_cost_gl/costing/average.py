"""Perpetual average cost: one running average per pool (rule 4, ``transaction``).

Everything is taken in the order of its place: valuation date, then entry. A
decrease that a later receipt covers comes right after that receipt, one fixed to
an increase right after it (it takes that increase's cost and leaves the pool),
an increase that takes a decrease's cost not before that decrease.
"""

from collections import defaultdict

from .layers import recorded_cost
from .records import REVALUATION, CostLoopError

LAST = float("inf")


class Pool:
    """What is left of a pool, and the newest cost that went into it (its id)."""

    __slots__ = ("cause", "quantity", "value")

    def __init__(self, value=0, quantity=0):
        self.value = value
        self.quantity = quantity
        self.cause = 0


def pools_of(book):
    """The pools at the opening, created empty when first met."""
    pools = defaultdict(Pool)
    for key, balance in book.opening.items():
        pools[key] = Pool(balance.value, balance.quantity)
    return pools


def average_share(pool, quantity):
    """Value a decrease of ``quantity`` takes from the pool, None if it cannot tell.

    There is no average without quantity or with a negative value (reference
    d.5); the last quantity takes the last cent.
    """
    left = pool.quantity
    if left == quantity:
        return pool.value
    if left <= 0 or pool.value < 0:
        return None
    return (2 * pool.value * quantity + left) // (2 * left)


def decrease_cost(forwarding, entry, pool):
    """Cost (negative) of a decrease that takes from an average pool.

    What of it is fixed to an increase costs what that increase does.
    """
    fixed = fixed_quantity(forwarding, entry)
    if fixed == -entry.quantity:
        return -forwarding.applied_cost(entry)
    cost = average_share(pool, -entry.quantity - fixed)
    if cost is None:
        return forwarding.waiting_cost(entry, entry.quantity)
    return -cost - (forwarding.applied_cost(entry) if fixed else 0)


def fixed_quantity(forwarding, entry):
    """The quantity of a decrease that is applied with cost."""
    supplies = forwarding.supplies.get(entry.id)
    return sum(a.quantity for a in supplies) if supplies else 0


def later_revaluations(entry):
    """``[(cost, date)]``: revaluations valued later than the entry itself."""
    return [
        (cost, cost.valuation_date)
        for cost in entry.costs
        if cost.entry_type == REVALUATION and cost.valuation_date > entry.valuation_date
    ]


def add(forwarding, entry, pool, later):
    """Bring an increase into its pool, without its later revaluations."""
    cost = forwarding.cost(entry.id) + forwarding.rounding(entry)
    for revaluation, _day in later:
        cost -= revaluation.actual + revaluation.expected
    pool.value += cost
    pool.quantity += entry.quantity
    pool.cause = max(pool.cause, forwarding.cause(entry.id))


def revalue(pool, revaluation):
    """Bring a revaluation of an increase into its pool."""
    pool.value += revaluation.actual + revaluation.expected
    pool.cause = max(pool.cause, revaluation.id)


def take(forwarding, entry, pool, emptied=True):
    """Value a decrease from its pool and take it out.

    ``emptied``: a pool it leaves without quantity is left without value too.
    """
    if forwarding.is_derived(entry):
        forwarding.settle(entry, decrease_cost(forwarding, entry, pool))
    else:
        forwarding.costs[entry.id] = recorded_cost(entry)
    forwarding.causes.setdefault(entry.id, pool.cause)
    pool.value += forwarding.costs[entry.id]
    pool.quantity += entry.quantity
    if emptied and not pool.quantity and pool.value:
        forwarding.residues[entry.id] = -pool.value
        pool.value = 0


class RunningAverage:
    """Values the decreases of an average item with a perpetual average."""

    def __init__(self, book, forwarding):
        self.book = book
        self.forwarding = forwarding
        self.entries = book.entries
        self._by_day = None

    def run(self):
        """Settle the cost of every decrease of the book."""
        pools = pools_of(self.book)
        per_item = self.book.settings.average_cost_calc_type == "item"
        for _place, entry, event in self.events():
            pool = pools[None if per_item else entry.location]
            if event is None:
                take(self.forwarding, entry, pool)
            elif isinstance(event, list):
                add(self.forwarding, entry, pool, event)
            else:
                revalue(pool, event)

    def events(self):
        """``(place, entry, event)`` in order: event None for a decrease, the list
        of its later revaluations for an increase, else one such revaluation."""
        events = []
        opening = self.book.opening_date
        places = self._places()
        for entry in self.entries.values():
            loaded = opening is None or entry.valuation_date >= opening
            place = places.get(entry.id) or (entry.valuation_date, entry.id)
            if entry.quantity < 0:
                if loaded:
                    events.append((place, entry, None))
                continue
            later = later_revaluations(entry)
            if loaded:
                events.append((place, entry, later))
            for cost, day in later:
                if opening is None or day >= opening:
                    events.append((self._revaluation_place(cost, day), entry, cost))
        events.sort(key=lambda event: event[0])
        return events

    def _revaluation_place(self, revaluation, day):
        """After everything of that day that was recorded before it."""
        if self._by_day is None:
            self._by_day = defaultdict(list)
            for entry in self.entries.values():
                self._by_day[entry.valuation_date].append(entry)
        before = [
            entry.id
            for entry in self._by_day.get(day, ())
            if first_cost_id(entry) < revaluation.id
        ]
        return day, max(before, default=0), LAST, revaluation.id

    # -- places --------------------------------------------------------------

    def _places(self):
        """Places of the entries that may stand behind another than their own id."""
        needed = self._dependencies()
        places, stack, waiting = {}, [], set()
        for entry_id in needed:
            stack.append(entry_id)
            while stack:
                current = stack[-1]
                missing = [
                    other
                    for other in needed.get(current, ())
                    if other in needed and other not in places
                ]
                if current in places or not missing:
                    if current not in places:
                        places[current] = self._place(current, needed, places)
                    stack.pop()
                    continue
                if waiting.intersection(missing):
                    raise CostLoopError([*missing, current])
                waiting.add(current)
                stack.extend(missing)
        return places

    def _dependencies(self):
        """Entry id to the ids of the entries it must not come before."""
        needed = defaultdict(list)
        for application in self.book.applications:
            later = application.inbound_id > application.outbound_id
            if application.inbound_id not in self.entries:
                continue
            if later or application.cost_follows:
                needed[application.outbound_id].append(application.inbound_id)
        for entry in self.entries.values():
            if entry.source in self.entries:
                needed[entry.id].append(entry.source)
        return {key: ids for key, ids in needed.items() if key in self.entries}

    def _place(self, entry_id, needed, places):
        entry = self.entries[entry_id]
        place = entry.valuation_date, entry_id
        for other_id in needed[entry_id]:
            other = self.entries[other_id]
            behind = places.get(other_id) or (other.valuation_date, other_id)
            fixed = entry.quantity < 0 and self._fixed(entry, other_id)
            if behind > place or (fixed and entry.valuation_date == behind[0]):
                place = *behind, entry_id
        return place

    def _fixed(self, entry, increase_id):
        supplies = self.forwarding.supplies.get(entry.id, ())
        return any(
            a.inbound_id == increase_id and a.quantity == -entry.quantity
            for a in supplies
        )


def first_cost_id(entry):
    """Id of the first cost recorded on an entry, infinite before there is one."""
    return min((cost.id for cost in entry.costs if cost.id), default=LAST)
