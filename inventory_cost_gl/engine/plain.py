"""Loads the books of plain documents: few rows, however long the history is.

A receipt that nobody waits for changes nothing but its own entry. A delivery takes the
first open layers of its place, or its share of the average of today; a return the cost
of what it gives back. Everything else (transfers, corrections, dates in the past) is
not plain: for that the open entries and whatever their cost flows to are loaded
(``Loader``).
"""

from odoo.tools import SQL

from ..costing.records import AVERAGE, LIFO, Balance, Book, Entry
from .load import ENTRY_COLUMNS, Loader

# Layers loaded at first for each place goods are taken from; ten times as many when
# they do not suffice.
FIRST_LAYERS = 10


class PlainLoader(Loader):
    """Loads what a plain document needs beside its own new entries."""

    def plain_books(self, items, entries):
        """Return ``{product id: Book}`` of the items whose new entries are plain.

        ``entries``: the ``stock.ledger.entry`` records just recorded. A book has the
        new entries and the open layers that decreases are going to take; its
        ``affected`` are the new entries.
        """
        by_product = entries.grouped("product_id")
        books = {}
        for item in items:
            own = by_product.get(item.product_id)
            if own and _is_plain(own, item._is_average()):
                book = books[item.product_id.id] = Book(self.settings, self.item(item))
                book.entries = {entry.id: self._entry(entry) for entry in own}
                book.affected = set(book.entries)
        self._leave_out_past_dates(books, items)
        increases = {key: book for key, book in books.items() if _increases(book)}
        self._leave_out_awaited(books, increases)
        self._load_tied(books)
        self._load_first_layers(
            {key: book for key, book in books.items() if key not in increases}
        )
        self._load_context_costs(books)
        return {
            product_id: book
            for product_id, book in books.items()
            if not any(
                cost.partial_revaluation
                for entry in book.entries.values()
                for cost in entry.costs
            )
        }

    def ready_for_costing(self, books, adjusted):
        """Complete the books once their entries are applied.

        ``adjusted``: ids of the products whose layers may get a rounding entry when
        they are used up now.
        """
        self._load_used_up({i: book for i, book in books.items() if i in adjusted})
        for book in books.values():
            if book.item.costing_method == AVERAGE and not _increases(book):
                # The opening holds the layers.
                book.entries = {i: book.entries[i] for i in book.affected}

    def _load_used_up(self, books):
        """Load the applications of invoiced layers that are used up now.

        Their cents may not add up: the layers are affected too.
        """
        used_up = {
            application.inbound_id: book
            for book in books.values()
            if book.item.costing_method != AVERAGE
            for application in book.applications
            for layer in [book.entries[application.inbound_id]]
            if not layer.remaining
            and layer.invoiced >= layer.quantity > application.quantity
        }
        if not used_up:
            return
        new = {entry_id for book in books.values() for entry_id in book.affected}
        for entry_id, book in used_up.items():
            book.affected.add(entry_id)
            book.applications = []
        self._load_applications(
            {book.item.id: book for book in used_up.values()},
            outbound=new,
            inbound=used_up,
        )

    def _entry(self, record):
        quantity = self.units.quantity(record.quantity)
        return Entry(
            id=record.id,
            entry_type=record.entry_type,
            quantity=quantity,
            remaining=quantity,
            posting_date=record.posting_date,
            valuation_date=record.valuation_date,
            location=record.cost_location_id.id,
            lot=record.lot_id.id or 0,
            applies_to=record.applies_to_entry_id.id or 0,
            applies_from=record.applies_from_entry_id.id or 0,
            order=record.order_id or None,
        )

    def _leave_out_past_dates(self, books, items):
        """Set the openings of average books; drop those dated before what is valued.

        Also those whose period's earlier decreases a new increase changes.
        """
        average = {
            item.id: books[item.product_id.id]
            for item in items
            if item.product_id.id in books
            and books[item.product_id.id].item.costing_method == AVERAGE
        }
        if not average:
            return
        last = {}
        by_item = self.settings.average_cost_calc_type == "item"
        for item_id, day, location_id, quantity, value in self._rows(
            SQL(_BALANCES_AND_LAST_DATE, items=tuple(average))
        ):
            last[item_id] = day
            if location_id:
                key = None if by_item else location_id
                opening = average[item_id].opening.setdefault(key, Balance())
                opening.quantity += self.units.quantity(quantity)
                opening.value += self.units.amount(value)
        running = self.settings.average_cost_period == "transaction"
        for item_id, book in average.items():
            first = min(entry.valuation_date for entry in book.entries.values())
            shared = _increases(book) and not running
            if shared or first < last[item_id] or not self.settings.counts_on(first):
                del books[book.item.id]

    def _leave_out_awaited(self, books, increases):
        """Drop the books of increases that decreases of the product wait for."""
        if not increases:
            return
        for (product_id,) in self._rows(
            SQL(
                """
                SELECT DISTINCT product_id FROM stock_ledger_entry
                WHERE open AND quantity < 0
                  AND company_id = %s AND product_id IN %s
                """,
                self.company.id,
                tuple(increases),
            )
        ):
            del books[product_id]

    # -- Layers --------------------------------------------------------------------

    def _load_first_layers(self, books):
        """Load the first open increases, with their costs, that cover the decreases."""
        missing = {}
        for book in books.values():
            for entry in book.entries.values():
                key = (book.item.id, entry.location, entry.lot)
                missing[key] = missing.get(key, 0) - entry.quantity
        limit = FIRST_LAYERS
        while missing:
            self._load_layers(books, missing, limit)
            missing = {
                key: quantity
                for key, quantity in missing.items()
                for layers in [_layers(books[key[0]], *key[1:])]
                if len(layers) >= limit and sum(e.remaining for e in layers) < quantity
            }
            limit *= 10

    def _load_tied(self, books):
        """Load what returns are tied to: the sale or the receipt they give back."""
        tied = {
            entry.applies_to or entry.applies_from
            for book in books.values()
            for entry in book.entries.values()
        } - {0}
        if tied:
            self._load_entries(
                books,
                SQL(
                    "SELECT %s FROM stock_ledger_entry e WHERE e.id IN %s",
                    ENTRY_COLUMNS,
                    tuple(tied),
                ),
            )

    def _load_context_costs(self, books):
        """Load the costs of what is not new, but for the layers of average products:
        their decreases take the average, which the opening holds."""
        self._load_costs(
            {
                product_id: book
                for product_id, book in books.items()
                if len(book.entries) > len(book.affected)
                and (book.item.costing_method != AVERAGE or _increases(book))
            }
        )

    def _load_layers(self, books, pools, limit):
        """Load the first open increases of the pools: ``(product, location, lot)``."""
        kinds = {}
        for product_id, location_id, lot_id in pools:
            newest_first = books[product_id].item.costing_method == LIFO
            pool = (product_id, location_id, lot_id)
            kinds.setdefault((newest_first, bool(lot_id)), []).append(pool)
        query = SQL(" UNION ALL ").join(
            self._layers_query(pools_of_kind, *kind, limit)
            for kind, pools_of_kind in kinds.items()
        )
        layers = SQL("(SELECT l.* FROM (%s) AS l) AS e", query)
        self._load_entries(books, SQL("SELECT %s FROM %s", ENTRY_COLUMNS, layers))

    def _layers_query(self, pools, newest_first, with_lot, limit):
        """Return the query of the first open increases of pools of one kind.

        It reads the index of open entries in its own order, as far as the limit.
        """
        products, locations, lots = map(list, zip(*pools, strict=True))
        direction = SQL("DESC" if newest_first else "ASC")
        return SQL(
            """
            SELECT layer.* FROM unnest(%(products)s, %(locations)s, %(lots)s)
                AS pool(product_id, location_id, lot_id)
            CROSS JOIN LATERAL (
                SELECT * FROM stock_ledger_entry o
                WHERE o.open AND o.quantity > 0 AND o.company_id = %(company)s
                  AND o.product_id = pool.product_id
                  AND o.cost_location_id = pool.location_id AND %(lot)s
                ORDER BY o.lot_id %(d)s, o.posting_date %(d)s, o.id %(d)s
                LIMIT %(limit)s
            ) AS layer
            """,
            products=products,
            locations=locations,
            lots=lots,
            company=self.company.id,
            lot=SQL("o.lot_id = pool.lot_id" if with_lot else "o.lot_id IS NULL"),
            d=direction,
            limit=limit,
        )


_BALANCES_AND_LAST_DATE = """
    SELECT i.id, GREATEST(
               (SELECT max(valuation_date) FROM stock_ledger_entry
                WHERE product_id = i.product_id AND company_id = i.company_id),
               (SELECT max(valuation_date) FROM stock_value_entry
                WHERE product_id = i.product_id AND company_id = i.company_id
                  AND entry_type = 'revaluation')),
           b.cost_location_id, b.quantity, b.value_actual + b.value_expected
    FROM stock_cost_item i LEFT JOIN stock_cost_balance b ON b.item_id = i.id
    WHERE i.id IN %(items)s
"""


def _is_plain(entries, average):
    """Can the new entries of a product be costed with little else?

    They are of one direction; transfers and corrections are not plain, nor average
    decreases that take the cost of one receipt.
    """
    return len({entry.quantity > 0 for entry in entries}) == 1 and not any(
        entry.entry_type == "transfer"
        or entry.reverses_entry_id
        or (average and entry.applies_to_entry_id)
        for entry in entries
    )


def _increases(book):
    return next(iter(book.entries.values())).quantity > 0


def _layers(book, location, lot):
    return [
        entry
        for entry in book.entries.values()
        if entry.quantity > 0 and (entry.location, entry.lot) == (location, lot)
    ]
