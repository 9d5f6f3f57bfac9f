"""What applying entries changed."""


class Applied:
    """What applying changed beside the new entries: decreases covered now."""

    def __init__(self, env, entries=()):
        self.env = env
        self.new = {entry.id for entry in entries}
        self.arrivals = env["stock.ledger.entry"].sudo()
        self.covered = {}
        self.used_up = {}
        self.dates = []

    def note(self, book, applications, before):
        """Take note of what applying changed on a book; keep its new links only."""
        for application in applications:
            if not book.entries[application.inbound_id].remaining:
                self.used_up[application.inbound_id] = book.item.id
            if application.outbound_id not in self.new:
                outbound = book.entries[application.outbound_id]
                self.covered[application.outbound_id] = book.item.id
                days = before[application.outbound_id][1], outbound.valuation_date
                self.dates.append((book.item.id, min(days)))
        book.applications = applications

    def covered_of(self, products):
        """Return ``{entry id: product id}`` of what was covered of the products."""
        return _of_products(self.covered, products)

    def used_up_of(self, products):
        """Return ``{entry id: product id}`` of their layers that were used up."""
        return _of_products(self.used_up, products)


def _of_products(entries, products):
    ids = set(products.ids)
    return {
        entry_id: product_id
        for entry_id, product_id in entries.items()
        if product_id in ids
    }
