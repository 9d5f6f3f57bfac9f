"""Loads what explanations of a cost need."""

from odoo.tools import SQL

from ..costing.layers import is_partial
from ..costing.records import Book
from .load import Loader


class ExplanationLoader(Loader):
    """Recorded costs only: nothing is worked out anew."""

    def __init__(self, company, units):
        super().__init__(company, units)
        self.loaded, self.costed = set(), set()

    def load_entries(self, book, entry_ids):
        """Add entries to a book, with what they took from and what took from them."""
        new = set(entry_ids) - self.loaded
        if not new:
            return
        self.loaded |= new
        book.affected = set()
        self._add(book, new)
        takers = {
            application.outbound_id
            for application in book.applications
            if any(
                is_partial(cost, book.entries[application.inbound_id])
                for cost in book.entries[application.inbound_id].costs
            )
        }
        # The order in which a partly revalued layer was taken from matters.
        self._add(book, takers - book.entries.keys())

    def _add(self, book, entry_ids):
        if not entry_ids:
            return
        books = {book.item.id: book}
        before = set(book.entries)
        self._load_entries(books, self._affected_query(entry_ids))
        self._load_applications(books, inbound=set(book.entries) - before)
        fresh = {i: book.entries[i] for i in book.entries if i not in self.costed}
        self._load_costs({book.item.id: Book(self.settings, book.item, fresh)})
        self.costed |= fresh.keys()

    # -- Pools of average cost -----------------------------------------------------

    def last_increase(self, item, location_id, before):
        """Return the valuation date of a pool's last increase before a day, if any."""
        query = SQL(
            "SELECT max(e.valuation_date) FROM stock_ledger_entry e "
            "WHERE e.quantity > 0 AND %s %s",
            self._pool(item, location_id),
            SQL("AND e.valuation_date < %s", before) if before else SQL(),
        )
        [(day,)] = self._rows(query)
        return day

    def opening(self, item, location_id, before):
        """Return quantity and amount of what of a pool is valued before a day."""
        query = SQL(
            """
            SELECT sum(v.ledger_entry_quantity),
                   sum(v.cost_amount_actual + v.cost_amount_expected)
            FROM stock_value_entry v JOIN stock_ledger_entry e
              ON e.id = v.ledger_entry_id
            WHERE %s AND greatest(v.valuation_date, e.valuation_date) < %s
            """,
            self._pool(item, location_id),
            before,
        )
        [(quantity, amount)] = self._rows(query)
        return self.units.quantity(quantity), self.units.amount(amount)

    def valued(self, item, location_id, since, before=None):
        """Return ``[(entry id, quantity, amount)]`` of what is valued in some days."""
        query = SQL(
            """
            SELECT e.id, sum(v.ledger_entry_quantity),
                   sum(v.cost_amount_actual + v.cost_amount_expected)
            FROM stock_value_entry v JOIN stock_ledger_entry e
              ON e.id = v.ledger_entry_id
            WHERE %s AND (v.valuation_date >= %s OR e.valuation_date >= %s) %s
            GROUP BY e.id ORDER BY e.valuation_date, e.id
            """,
            self._pool(item, location_id),
            since,
            since,
            SQL("AND greatest(v.valuation_date, e.valuation_date) < %s", before)
            if before
            else SQL(),
        )
        return [
            (entry_id, self.units.quantity(quantity), self.units.amount(amount))
            for entry_id, quantity, amount in self._rows(query)
        ]

    def _pool(self, item, location_id):
        """Return the condition of a pool's ledger entries."""
        of_item = SQL(
            "e.product_id = %s AND e.company_id = %s",
            item.product_id.id,
            item.company_id.id,
        )
        if not location_id:
            return of_item
        return SQL("%s AND e.cost_location_id = %s", of_item, location_id)
