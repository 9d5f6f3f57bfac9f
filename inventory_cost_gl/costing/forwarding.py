"""Cost forwarded along applications (reference d.4, d.7).

A decrease costs its share of each increase it is applied to, what waits for
supply the item's unit cost. An increase that takes its cost from a decrease (an
exact return, a transfer's arrival) passes that cost on.
"""

from collections import defaultdict

from .applications import net_applications
from .layers import layer_of, recorded_cost
from .records import DIRECT_COST, REVALUATION, ROUNDING, CostLoopError
from .rounding import amount_of, share

PURCHASE = "purchase"


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
        self._layers = {}
        self._derived_from = None

    # -- what is derived ---------------------------------------------------

    def is_derived(self, entry):
        """Does the engine work out the entry's own cost?

        True for affected decreases and increases that take a decrease's cost;
        the others carry what their sources stated.
        """
        affected = self.book.affected
        if affected is not None and entry.id not in affected:
            return False
        return entry.quantity < 0 or entry.source in self.entries

    # -- resolving ---------------------------------------------------------

    def cost(self, entry_id):
        """The entry's cost, after that of everything it depends on."""
        if entry_id not in self.costs:
            self._resolve(entry_id)
        return self.costs[entry_id]

    def _resolve(self, entry_id):
        stack, open_ids = [entry_id], {}
        while stack:
            current = stack[-1]
            if current in self.costs:
                open_ids.pop(stack.pop(), None)
                continue
            missing = self._missing(current)
            if not missing:
                self._settle(self.entries[current])
                continue
            open_ids[current] = None
            looped = [other for other in missing if other in open_ids]
            if looped:
                path = list(open_ids)
                raise CostLoopError(path[path.index(looped[0]) :] + looped[:1])
            stack.extend(missing)

    def _missing(self, entry_id):
        """What has to be known before the entry's cost can be."""
        entry = self.entries[entry_id]
        if not self.is_derived(entry):
            return ()
        if entry.quantity < 0:
            needed = [a.inbound_id for a in self.supplies[entry_id]]
        else:
            needed = [entry.source]
        return [other for other in needed if other not in self.costs]

    def _settle(self, entry):
        if not self.is_derived(entry):
            self.costs[entry.id] = recorded_cost(entry)
        elif entry.quantity < 0:
            self.settle(entry, self._decrease_cost(entry))
        else:
            self.settle(entry, self._increase_cost(entry))

    def settle(self, entry, cost):
        """Fix a derived entry's cost (the average passes fix theirs here)."""
        self.costs[entry.id] = cost
        self.computed.append(entry.id)

    # -- decreases ---------------------------------------------------------

    def layer(self, increase_id):
        """The :class:`~.layers.Layer` of an increase whose cost is known."""
        layer = self._layers.get(increase_id)
        if layer is None:
            entry = self.entries[increase_id]
            layer = self._layers[increase_id] = layer_of(
                entry, self.costs[increase_id], self.uses[increase_id], self.entries
            )
        return layer

    def applied_cost(self, entry):
        """Cost (positive) of the decrease's quantity that is applied with cost."""
        total = 0
        for application in self.supplies[entry.id]:
            layer = self.layer(application.inbound_id)
            total += layer.cost(entry.id, application.quantity)
        return total

    def _decrease_cost(self, entry):
        waiting = -entry.remaining
        if waiting == -entry.quantity:
            return self.provisional_cost(entry)
        cost = self.applied_cost(entry)
        if waiting:
            cost += amount_of(waiting, self.book.item.unit_cost)
        return -cost

    def provisional_cost(self, entry):
        """What goods sold before they came cost until supply arrives.

        The cost they were recorded at stays, at first it is the item's unit cost.
        """
        if entry.costs:
            return recorded_cost(entry)
        return -amount_of(-entry.quantity, self.book.item.unit_cost)

    # -- increases that take a decrease's cost -------------------------------

    def _increase_cost(self, entry):
        return self.derived_cost(entry) + stated_cost(entry)

    def derived_cost(self, entry):
        """The part of an increase's cost that it takes from its source."""
        source = self.entries[entry.source]
        if entry.transferred_from:
            return self._layer_carried(source, entry)
        arrivals = self._arrivals(source.id)
        if not arrivals:
            return share(-self.costs[source.id], entry.quantity, -source.quantity)
        rest = -self.costs[source.id]
        quantity = -source.quantity
        for arrival in arrivals:
            rest -= self._layer_carried(source, arrival)
            quantity -= arrival.quantity
        return share(rest, entry.quantity, quantity) if quantity > 0 else 0

    def _layer_carried(self, source, arrival):
        """Cost of the layer a transfer's arrival carries over."""
        for application in self.supplies[source.id]:
            if application.inbound_id == arrival.transferred_from:
                layer = self._known_layer(application.inbound_id)
                carried = layer.cost(source.id, application.quantity)
                return share(carried, arrival.quantity, application.quantity)
        return share(-self.costs[source.id], arrival.quantity, -source.quantity)

    def _known_layer(self, increase_id):
        self.cost(increase_id)
        return self.layer(increase_id)

    def _arrivals(self, source_id):
        """The arrivals of a departure that carry a layer of their own."""
        if self._derived_from is None:
            self._derived_from = defaultdict(list)
            for entry in self.entries.values():
                if entry.transferred_from:
                    self._derived_from[entry.applies_from].append(entry)
        return self._derived_from[source_id]

    # -- purchase returns, rounding ------------------------------------------

    def split_cost(self, entry):
        """A purchase return fixed to what it returns reverses it type by type.

        ``{(entry type, variance type): signed amount}`` that adds up to the
        entry's cost; None for every other decrease (reference d.4).
        """
        inbound = self.entries.get(entry.fixed_to)
        if inbound is None or not entry.entry_type == inbound.entry_type == PURCHASE:
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
        layer = self._known_layer(entry.id)
        taken = sum(layer.cost(a.outbound_id, a.quantity) for a in uses)
        return taken - self.costs[entry.id]

    # -- causes ------------------------------------------------------------

    def cause(self, entry_id):
        """Id of the newest cost upstream of an entry that is no adjustment."""
        if entry_id not in self.causes:
            self._trace(entry_id)
        return self.causes[entry_id]

    def _trace(self, entry_id):
        stack = [entry_id]
        while stack:
            entry = self.entries[stack[-1]]
            upstream = self._upstream(entry)
            missing = [other for other in upstream if other not in self.causes]
            if missing:
                stack.extend(missing)
                continue
            causes = [self.causes[other] for other in upstream]
            if entry.quantity > 0:
                causes.append(newest_cost(entry, stated_only=bool(upstream)))
            self.causes[stack.pop()] = max(causes, default=0)

    def _upstream(self, entry):
        if entry.quantity < 0:
            return [a.inbound_id for a in self.supplies[entry.id]]
        return [entry.source] if entry.source in self.entries else []


def newest_cost(entry, stated_only=False):
    """Id of an entry's newest cost that is no adjustment, 0 if none.

    ``stated_only``: leave out what the engine itself recorded on a derived entry.
    """
    return max(
        (
            cost.id
            for cost in entry.costs
            if not cost.adjustment
            and (not stated_only or cost.charge or cost.entry_type == REVALUATION)
        ),
        default=0,
    )


def stated_cost(entry):
    """What sources stated on an increase beside the cost it takes over."""
    total = 0
    for cost in entry.costs:
        if cost.entry_type == REVALUATION or cost.charge:
            total += cost.actual + cost.expected
    return total
