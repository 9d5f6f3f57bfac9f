"""Cost forwarded along applications (reference d.4, d.7).

A decrease costs its share of each increase it is applied to, what waits for
supply the unit cost it was recorded at. An increase that takes its cost from a
decrease (an exact return, a transfer's arrival) passes that cost on.
"""

from collections import defaultdict

from .applications import net_applications
from .layers import first_cost, layer_of, recorded_cost, reversals_of
from .records import DIRECT_COST, REVALUATION, ROUNDING, CostLoopError
from .rounding import amount_of, share

PURCHASE = "purchase"
TRANSFER = "transfer"


class Forwarding:
    """The cost of each entry of a book, worked out once, in the order needed.

    ``costs``: entry id to the entry's cost as it should be (signed, actual +
    expected; of an increase without rounding entries). ``computed``: ids of the
    entries whose own cost the engine derives, in an order in which what they
    depend on comes first. ``residues``: rounding an average pool left without
    quantity needs, on the entry that emptied it.
    """

    def __init__(self, book):
        self.book = book
        self.entries = book.entries
        self.affected = _affected(book)
        self.costs = {}
        self.computed = []
        self.causes = {}
        self.residues = {}
        self.supplies = defaultdict(list)
        self.uses = defaultdict(list)
        for application in net_applications(book.applications):
            if application.cost_follows:
                self.supplies[application.outbound_id].append(application)
                self.uses[application.inbound_id].append(application)
        self.reversals = reversals_of(self.entries.values())
        self._layers = {}
        self._arrivals = None

    # -- what is derived ---------------------------------------------------

    def is_derived(self, entry):
        """Does the engine work out the entry's own cost?

        True for affected decreases and increases that take a decrease's cost;
        the others carry what their sources stated.
        """
        if self.affected is not None and entry.id not in self.affected:
            return False
        return entry.quantity < 0 or entry.source in self.entries

    # -- resolving ---------------------------------------------------------

    def settle_all(self):
        """Work out every cost of the book that is not known yet."""
        costs = self.costs
        for entry_id, entry in self.entries.items():
            if entry_id not in costs and not self._settle_if_ready(entry):
                self._resolve(entry_id)

    def cost(self, entry_id):
        """The entry's cost, after that of everything it depends on."""
        if entry_id not in self.costs:
            self._resolve(entry_id)
        return self.costs[entry_id]

    def _resolve(self, entry_id):
        stack, open_ids = [entry_id], {}
        while stack:
            current = stack[-1]
            if current in self.costs or self._settle_if_ready(self.entries[current]):
                open_ids.pop(stack.pop(), None)
                continue
            open_ids[current] = None
            missing = [e for e in self._needed(current) if e not in self.costs]
            looped = [other for other in missing if other in open_ids]
            if looped:
                path = list(open_ids)
                raise CostLoopError(path[path.index(looped[0]) :] + looped[:1])
            stack.extend(missing)

    def _needed(self, entry_id):
        """What has to be known before a derived entry's cost can be."""
        entry = self.entries[entry_id]
        if entry.quantity > 0:
            return [entry.source]
        return [application.inbound_id for application in self.supplies[entry_id]]

    def _settle_if_ready(self, entry):
        """Settle an entry unless it depends on one that is not known; done?"""
        if not self.is_derived(entry):
            self.costs[entry.id] = recorded_cost(entry)
            return True
        if entry.quantity > 0:
            ready = self._known(entry.source)
            cost = self._increase_cost(entry) if ready else None
        else:
            ready = True
            for application in self.supplies.get(entry.id, ()):
                ready &= self._known(application.inbound_id)
            cost = self._decrease_cost(entry) if ready else None
        if ready:
            self.settle(entry, cost)
        return ready

    def _known(self, entry_id):
        """Is the cost known? What a source states is, as soon as it is asked for."""
        if entry_id in self.costs:
            return True
        entry = self.entries[entry_id]
        if self.is_derived(entry):
            return False
        self.costs[entry_id] = recorded_cost(entry)
        return True

    def settle(self, entry, cost):
        """Fix a derived entry's cost (the average passes fix theirs here)."""
        self.costs[entry.id] = cost
        self.computed.append(entry.id)

    # -- decreases ---------------------------------------------------------

    def layer(self, increase_id):
        """The :class:`~.layers.Layer` of an increase whose cost is known."""
        layer = self._layers.get(increase_id)
        if layer is None:
            # An increase from before an average pool's opening was not met yet.
            self._known(increase_id)
            entry, total = self.entries[increase_id], self.costs[increase_id]
            uses, reversals = self.uses[increase_id], self.reversals.get(increase_id)
            layer = layer_of(entry, total, uses, self.entries, reversals)
            self._layers[increase_id] = layer
        return layer

    def applied_cost(self, entry):
        """Cost (positive) of the decrease's quantity that is applied with cost."""
        total = 0
        for application in self.supplies.get(entry.id, ()):
            layer = self._layers.get(application.inbound_id)
            if layer is None:
                layer = self.layer(application.inbound_id)
            total += layer.cost(entry.id, application.quantity)
        return total

    def _decrease_cost(self, entry):
        cost = -self.applied_cost(entry) if entry.id in self.supplies else 0
        return cost + self.waiting_cost(entry, entry.remaining)

    def waiting_cost(self, entry, quantity):
        """Cost (negative) of the part of a decrease that waits for supply.

        It is its share of what the decrease was first recorded at, to the cent: a
        decrease just recorded is at the item's unit cost.
        """
        if not quantity:
            return 0
        if entry.costs:
            first = first_cost(entry)
        else:
            first = amount_of(entry.quantity, self.book.item.unit_cost)
        return share(first, quantity, entry.quantity)

    # -- increases that take a decrease's cost -------------------------------

    def _increase_cost(self, entry):
        return self.derived_cost(entry) + stated_cost(entry)

    def derived_cost(self, entry):
        """The part of an increase's cost that it takes from its source.

        A transfer's arrivals add up to the cent to what they carry over.
        """
        source = self.entries[entry.source]
        if entry.entry_type != TRANSFER:
            return share(-self.costs[source.id], entry.quantity, -source.quantity)
        arrivals = self._arrivals_of(source.id)
        layer = entry.transferred_from if entry.transferred_from in arrivals else 0
        carried, whole = self._carried(source, layer, arrivals)
        before = sum(
            arrival.quantity for arrival in arrivals[layer] if arrival.id < entry.id
        )
        cost = share(carried, before + entry.quantity, whole)
        return cost - share(carried, before, whole)

    def _carried(self, source, layer, arrivals):
        """Cost and quantity of one layer of a departure.

        Layer 0 is whatever of it has no arrival of its own.
        """
        if layer:
            return self._layer_cost(source, layer)
        cost, quantity = -self.costs[source.id], -source.quantity
        for other, rows in arrivals.items():
            if other:
                carried, whole = self._layer_cost(source, other)
                arrived = sum(arrival.quantity for arrival in rows)
                cost -= share(carried, arrived, whole)
                quantity -= arrived
        return cost, quantity

    def _layer_cost(self, source, layer):
        """Cost and quantity a departure took from a layer."""
        cost = quantity = 0
        for application in self.supplies.get(source.id, ()):
            if application.inbound_id == layer:
                self.cost(layer)
                cost += self.layer(layer).cost(source.id, application.quantity)
                quantity += application.quantity
        return cost, quantity

    def _arrivals_of(self, source_id):
        """A departure's arrivals by the layer they carry.

        Once some of a layer was taken back from the departure they all carry their
        share of the whole.
        """
        if self._arrivals is None:
            self._arrivals = defaultdict(lambda: defaultdict(list))
            for entry in self.entries.values():
                if entry.source and entry.entry_type == TRANSFER:
                    rows = self._arrivals[entry.source][entry.transferred_from]
                    rows.append(entry)
            for departure_id, layers in self._arrivals.items():
                if self._lost_a_layer(departure_id, layers):
                    rows = [arrival for rows in layers.values() for arrival in rows]
                    layers.clear()
                    layers[0] = rows
        return self._arrivals[source_id]

    def _lost_a_layer(self, departure_id, arrivals):
        """Did more of a layer arrive than the departure takes from it now?"""
        if len(arrivals) == (0 in arrivals):
            return False
        taken = defaultdict(int)
        for application in self.supplies.get(departure_id, ()):
            taken[application.inbound_id] += application.quantity
        return any(
            layer and sum(arrival.quantity for arrival in rows) > taken[layer]
            for layer, rows in arrivals.items()
        )

    # -- purchase returns, rounding ------------------------------------------

    def split_cost(self, entry):
        """A purchase return fixed to what it returns reverses it type by type.

        ``{(entry type, variance type): signed amount}`` that adds up to the
        entry's cost; None for every other decrease (reference d.4).
        """
        inbound = self.entries.get(entry.fixed_to)
        if inbound is None or not entry.entry_type == inbound.entry_type == PURCHASE:
            return None
        if entry.reverses == inbound.id:
            # What a correction takes back was not billed.
            return None
        split = {}
        for application in self.supplies[entry.id]:
            if application.inbound_id == inbound.id:
                for cost in inbound.costs:
                    if cost.entry_type in (DIRECT_COST, REVALUATION, ROUNDING):
                        continue
                    key = cost.entry_type, cost.variance_type
                    split[key] = split.get(key, 0) + cost.actual + cost.expected
                split = {
                    key: -share(amount, application.quantity, inbound.quantity)
                    for key, amount in split.items()
                }
        split[DIRECT_COST, ""] = self.costs[entry.id] - sum(split.values())
        return split

    def rounding(self, entry):
        """Rounding cost an increase should have: minus what its cents leave over.

        0 unless the whole quantity went to decreases that took its cost and all
        of it is invoiced (reference d.7).
        """
        uses = self.uses.get(entry.id)
        if not uses or entry.remaining or entry.invoiced < entry.quantity:
            return 0
        if sum(application.quantity for application in uses) < entry.quantity:
            return 0
        cost = self.cost(entry.id)
        layer = self.layer(entry.id)
        return sum(layer.cost(a.outbound_id, a.quantity) for a in uses) - cost

    # -- causes ------------------------------------------------------------

    def cause(self, entry_id):
        """Id of the newest cost upstream of an entry that is no adjustment."""
        stack = [] if entry_id in self.causes else [entry_id]
        while stack:
            current = stack[-1]
            upstream = self._upstream(self.entries[current])
            missing = [other for other in upstream if other not in self.causes]
            if current not in self.causes and not missing:
                self.causes[current] = self._cause(self.entries[current], upstream)
            if current in self.causes:
                stack.pop()
            else:
                stack.extend(missing)
        return self.causes[entry_id]

    def _cause(self, entry, upstream):
        newest = max([self.causes[other] for other in upstream], default=0)
        if entry.quantity < 0 and self.is_derived(entry):
            return newest
        return max(newest, newest_cost(entry, stated_only=bool(upstream)))

    def _upstream(self, entry):
        if not self.is_derived(entry):
            return []
        if entry.quantity < 0:
            return [a.inbound_id for a in self.supplies.get(entry.id, ())]
        return [entry.source]


def _affected(book):
    """Ids of the entries whose cost may be computed anew, None for all.

    What an average book's opening holds is context.
    """
    first_day = book.opening_date
    if first_day is None:
        return book.affected
    ids = book.entries if book.affected is None else book.affected
    entries = book.entries
    return {i for i in ids if i in entries and entries[i].valuation_date >= first_day}


def newest_cost(entry, stated_only=False):
    """Id of an entry's newest cost that is no adjustment, 0 if none.

    ``stated_only``: leave out what the engine itself recorded on a derived entry.
    """
    newest = 0
    for cost in entry.costs:
        stated = not stated_only or is_stated(cost)
        if stated and not cost.adjustment and cost.id > newest:
            newest = cost.id
    return newest


def is_stated(cost):
    """Does a source state this cost of an entry whose own cost is derived?

    A charge, its variance on a standard item, a revaluation: all but the goods'
    own direct cost and rounding.
    """
    return cost.charge or cost.entry_type not in (DIRECT_COST, ROUNDING)


def stated_cost(entry):
    """What sources stated on an increase beside the cost it takes over."""
    total = 0
    for cost in entry.costs:
        if is_stated(cost):
            total += cost.actual + cost.expected
    return total
