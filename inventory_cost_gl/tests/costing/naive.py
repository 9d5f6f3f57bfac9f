"""A second, deliberately simple reading of the cost rules.

It works every entry's cost out from nothing, by definition, with fractions and
without caching anything. It is slow, and there to disagree with ``costing/``.
"""

from fractions import Fraction

from costing.periods import period_end


def rounded(number):
    """Half away from zero."""
    number = Fraction(number)
    floor = int(abs(number) + Fraction(1, 2))
    return floor if number >= 0 else -floor


def is_own(cost):
    """A direct cost that belongs to the goods, no item charge."""
    return cost.entry_type == "direct_cost" and not cost.charge


class Naive:
    """Cost of the entries of one fully loaded book."""

    def __init__(self, book):
        self.book = book
        self.entries = book.entries
        self.known = {}

    def links(self, **which):
        """Cost applications of one increase or decrease."""
        return [
            application
            for application in self.book.applications
            if application.cost_follows
            and all(getattr(application, key) == value for key, value in which.items())
        ]

    # -- applied methods ---------------------------------------------------------

    def cost(self, entry_id):
        """Cost of an entry without its rounding entries, signed."""
        entry = self.entries[entry_id]
        if entry_id in self.known:
            return self.known[entry_id]
        if entry.quantity < 0:
            return self.decrease(entry)
        if entry.applies_from:
            return self.taken_over(entry) + self.stated(entry)
        return sum(
            c.actual + c.expected for c in entry.costs if c.entry_type != "rounding"
        )

    def stated(self, entry):
        return sum(
            c.actual + c.expected
            for c in entry.costs
            if not is_own(c) and c.entry_type != "rounding"
        )

    def decrease(self, entry):
        assert entry.remaining == 0, "only histories in which nothing waits"
        return -sum(self.taken(link) for link in self.links(outbound_id=entry.id))

    def taken(self, link):
        """Cost of what one application takes, unit by unit of the layer."""
        layer = self.entries[link.inbound_id]
        position = sum(
            other.quantity
            for other in self.consumption(layer)[: self.consumption(layer).index(link)]
        )
        whole = self.cost(layer.id)
        parts = [c for c in layer.costs if c.entry_type == "revaluation"]
        parts = [c for c in parts if c.valued_quantity < layer.quantity]
        whole -= sum(c.actual + c.expected for c in parts)
        value = Fraction(whole, layer.quantity) * link.quantity
        for part in parts:
            first = layer.quantity - part.valued_quantity
            inside = position + link.quantity - max(position, first)
            if inside > 0:
                amount = part.actual + part.expected
                value += Fraction(amount, part.valued_quantity) * inside
        return rounded(value)

    def consumption(self, layer):
        """The layer's applications in the order in which they used it up."""
        links = self.links(inbound_id=layer.id)
        return sorted(
            links, key=lambda link: self.entries[link.outbound_id].valuation_date
        )

    def taken_over(self, entry):
        source = self.entries[entry.applies_from]
        if entry.entry_type != "transfer":
            share = Fraction(entry.quantity, -source.quantity)
            return rounded(-self.cost(source.id) * share)
        links = self.links(outbound_id=source.id, inbound_id=entry.transferred_from)
        if links:
            return sum(self.taken(link) for link in links)
        return -self.cost(source.id)

    # -- average -------------------------------------------------------------------

    def averages(self):
        """``{id: cost}`` of an item with one average pool per period.

        None where a pool runs dry within a period: then there is no average.
        """
        period = self.book.settings.average_cost_period
        ends = {period_end(e.valuation_date, period) for e in self.entries.values()}
        for end in sorted(ends):
            own = [
                e
                for e in self.entries.values()
                if e.quantity < 0 and period_end(e.valuation_date, period) == end
            ]
            for entry in sorted(own, key=lambda e: e.id):
                if not self.links(outbound_id=entry.id):
                    self.known[entry.id] = self.average(entry, end)
                    if self.known[entry.id] is None:
                        return None
        return self.known

    def average(self, entry, end):
        """Share of all that is known up to the period's end."""
        quantity = value = 0
        for other in self.entries.values():
            if other.valuation_date > end or not self.is_known(other):
                continue
            quantity += other.quantity
            value += self.cost(other.id)
        if quantity <= 0 or value < 0:
            return None
        return -rounded(Fraction(value, quantity) * -entry.quantity)

    def is_known(self, entry):
        if entry.quantity > 0:
            source = entry.applies_from
            return not source or self.is_known(self.entries[source])
        links = self.links(outbound_id=entry.id)
        fixed = [self.is_known(self.entries[link.inbound_id]) for link in links]
        return entry.id in self.known or (bool(fixed) and all(fixed))
