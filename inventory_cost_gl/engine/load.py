"""Loads what the cost rules need: a few queries for any number of products."""

from decimal import Decimal
from operator import itemgetter

from odoo.tools import SQL

from ..costing.periods import average_start
from ..costing.records import (
    AVERAGE,
    SPECIFIC,
    Application,
    Balance,
    Book,
    Cost,
    Entry,
    Item,
    Settings,
)

ENTRY_COLUMNS = SQL(
    """e.id, e.product_id, e.entry_type, e.quantity, e.remaining_quantity,
       e.posting_date, e.valuation_date, e.cost_location_id, COALESCE(e.lot_id, 0),
       COALESCE(e.applies_to_entry_id, 0), COALESCE(e.applies_from_entry_id, 0),
       COALESCE(e.transferred_from_entry_id, 0), COALESCE(e.reverses_entry_id, 0),
       e.order_id"""
)

# What states the cost of bills, and of write-offs.
INVOICE_SOURCES = ("account.move.line", "purchase.order", "purchase.order.line")


class Loader:
    """Loads books of products of one company.

    ``setting``: an ``AverageSetting`` that ended on the day ``until``; None: the
    company's own.
    """

    def __init__(self, company, units, first_open_date=None, setting=None, until=None):
        self.env = company.env
        self.company = company
        self.units = units
        self.settings = Settings(
            average_cost_period=(setting or company).average_cost_period,
            average_cost_calc_type=(setting or company).average_cost_calc_type,
            first_open_date=first_open_date,
            average_cost_since=(
                setting.since if setting else company.average_cost_since or None
            ),
            average_cost_until=until,
        )

    def new_books(self, items):
        """Return ``{product id: empty Book}`` of the ``stock.cost.item`` records."""
        return {
            item.product_id.id: Book(self.settings, self.item(item)) for item in items
        }

    def item(self, item):
        """Return the costing ``Item`` of a ``stock.cost.item`` record."""
        product = item.product_id.with_company(self.company)
        return Item(
            id=product.id,
            costing_method=SPECIFIC if product.lot_valuated else product.cost_method,
            unit_cost=self.units.unit_cost(item._current_unit_cost()),
            indirect_cost_pct=Decimal(str(product.indirect_cost_pct)),
            overhead_rate=self.units.unit_cost(product.overhead_rate),
        )

    def load_with_costs(self, entries):
        """Return ``{id: Entry}`` of ``stock.ledger.entry`` records, with costs."""
        books = {
            product.id: Book(self.settings, Item(product.id))
            for product in entries.product_id
        }
        self._load_entries(
            books,
            SQL(
                "SELECT %s FROM stock_ledger_entry e WHERE e.id IN %s",
                ENTRY_COLUMNS,
                tuple(entries.ids) or (0,),
            ),
        )
        self._load_costs(books)
        return _entries_by_id(books)

    def load_history(self, items):
        """Return ``{product id: Book}`` with everything recorded of the items."""
        books = self.new_books(items)
        products = tuple(books) or (0,)
        self._load_entries(
            books,
            SQL(
                "SELECT %s FROM stock_ledger_entry e "
                "WHERE e.product_id IN %s AND e.company_id = %s ORDER BY e.id",
                ENTRY_COLUMNS,
                products,
                self.company.id,
            ),
        )
        self._load_applications(books, inbound=_entries_by_id(books))
        self._load_costs(books)
        return books

    # ------------------------------------------------------------------
    # Applying
    # ------------------------------------------------------------------

    def waiting(self, items):
        """Return the ids of products of which something has to be applied.

        Increases wait for nothing, but those that give back a decrease may have to
        follow its valuation date.
        """
        rows = self._rows(
            SQL(
                """
                SELECT DISTINCT product_id FROM stock_ledger_entry
                WHERE open AND (quantity < 0 OR applies_from_entry_id IS NOT NULL)
                  AND company_id = %s AND product_id = ANY(%s)
                """,
                self.company.id,
                list(items.product_id.ids),
            )
        )
        return {product_id for (product_id,) in rows}

    def load_open(self, books):
        """Load the open entries, what they take their cost from, and their links.

        Also whatever took cost from decreases that wait for supply, however many steps
        on and though it is not open itself: it is valued when they are, and none of it
        can supply them.
        """
        self._load_entries(
            books,
            SQL(
                """
                WITH RECURSIVE waiting AS (
                    SELECT * FROM stock_ledger_entry
                    WHERE product_id IN %(products)s AND company_id = %(company)s
                      AND open
                ), downstream(id) AS (
                    SELECT id FROM waiting WHERE quantity < 0
                    UNION
                    SELECT step.id FROM downstream CROSS JOIN LATERAL (
                        SELECT id FROM stock_ledger_entry
                        WHERE applies_from_entry_id = downstream.id
                        UNION ALL
                        SELECT outbound_entry_id FROM stock_cost_application
                        WHERE inbound_entry_id = downstream.id
                    ) AS step
                )
                SELECT %(columns)s FROM waiting e
                UNION
                SELECT %(columns)s FROM waiting
                JOIN stock_ledger_entry e ON e.id = waiting.applies_from_entry_id
                UNION
                -- one by one: a join would read the whole table if many wait
                SELECT %(columns)s FROM downstream CROSS JOIN LATERAL (
                    SELECT * FROM stock_ledger_entry WHERE id = downstream.id OFFSET 0
                ) AS e
                UNION
                SELECT %(columns)s FROM waiting
                JOIN stock_ledger_entry e ON e.id = waiting.reverses_entry_id
                UNION
                -- what a correction takes back is freed of what took it
                SELECT %(columns)s FROM waiting
                JOIN stock_cost_application a
                  ON a.inbound_entry_id = waiting.reverses_entry_id
                JOIN stock_ledger_entry e ON e.id = a.outbound_entry_id
                """,
                columns=ENTRY_COLUMNS,
                products=tuple(books),
                company=self.company.id,
            ),
        )
        self._load_revaluation_dates(books)
        entries = _entries_by_id(books)
        self._load_applications(
            books,
            outbound=entries,
            inbound=[
                *(e.id for e in entries.values() if e.applies_from),
                *(
                    e.reverses
                    for e in entries.values()
                    if e.remaining < 0 and e.reverses
                ),
            ],
        )

    def _load_revaluation_dates(self, books):
        """Load the dates of revaluations: a decrease is not valued before them."""
        entries = _entries_by_id(books)
        rows = self._rows(
            SQL(
                """
                SELECT ledger_entry_id, max(valuation_date) FROM stock_value_entry
                WHERE ledger_entry_id IN %s AND entry_type = 'revaluation'
                GROUP BY 1
                """,
                tuple(entries) or (0,),
            )
        )
        for entry_id, valuation_date in rows:
            entries[entry_id].costs.append(Cost(valuation_date=valuation_date))

    # ------------------------------------------------------------------
    # Adjusting
    # ------------------------------------------------------------------

    def load_affected(self, books, seeds, from_dates):
        """Load the entries whose cost may change, and what their cost comes from.

        ``seeds``: ids of the ledger entries that changed; ``from_dates``: the earliest
        valuation date that changed, per product. Average products are loaded from
        that date (its average period) on, the others along their applications.
        """
        average = self._average_starts(books, from_dates)
        affected = self.affected_ids(books, seeds, from_dates)
        revalued = self._revalued_later_query(average)
        self._load_entries(books, self._affected_query(affected, revalued))
        for product_id, book in books.items():
            book.opening_date = start = average.get(product_id)
            # What an average pool valued before its opening is context.
            book.affected = {
                entry_id
                for entry_id, entry in book.entries.items()
                if entry_id in affected
                and (start is None or entry.valuation_date >= start)
                and (start is None or self.settings.counts_on(entry.valuation_date))
            }
        self._load_costs(books)
        entries = _entries_by_id(books)
        self._load_applications(
            books,
            outbound=entries,
            inbound=affected.union(
                entry.id
                for entry in entries.values()
                if any(cost.partial_revaluation for cost in entry.costs)
            ),
            with_cost=True,
        )
        self._load_openings(books, average)

    def _average_starts(self, books, from_dates):
        """Return ``{product id: day}`` from which average products are loaded."""
        return {
            product_id: average_start(from_dates[product_id], self.settings)
            for product_id, book in books.items()
            if book.item.costing_method == AVERAGE and product_id in from_dates
        }

    def affected_ids(self, books, seeds, from_dates, limit=None):
        """Return the ids of the entries whose cost may change.

        With a ``limit`` one more than that at most.
        """
        average = self._average_starts(books, from_dates)
        dated = SQL(" UNION ").join(
            SQL(
                "SELECT id FROM stock_ledger_entry WHERE product_id = %s "
                "AND company_id = %s AND valuation_date >= %s",
                product_id,
                self.company.id,
                start,
            )
            for product_id, start in average.items()
        )
        rows = self._rows(
            SQL(
                """
                WITH RECURSIVE start(id) AS (
                    SELECT unnest(%s::integer[]) %s
                ), affected(id) AS (
                    SELECT id FROM start
                    UNION
                    -- what a decrease used up may need a rounding entry
                    SELECT a.inbound_entry_id FROM start
                    JOIN stock_cost_application a ON a.outbound_entry_id = start.id
                    JOIN stock_ledger_entry e ON e.id = a.inbound_entry_id
                    WHERE a.cost_follows AND NOT e.open
                    UNION
                    SELECT step.id FROM affected CROSS JOIN LATERAL (
                        SELECT outbound_entry_id AS id FROM stock_cost_application
                        WHERE inbound_entry_id = affected.id AND cost_follows
                        UNION ALL
                        SELECT id FROM stock_ledger_entry
                        WHERE applies_from_entry_id = affected.id
                        UNION ALL
                        SELECT applies_from_entry_id FROM stock_ledger_entry
                        WHERE id = affected.id AND applies_from_entry_id IS NOT NULL
                    ) AS step
                )
                SELECT id FROM affected LIMIT %s
                """,
                list(seeds),
                SQL("UNION %s", dated) if average else SQL(),
                limit and limit + 1,
            )
        )
        return {entry_id for (entry_id,) in rows}

    def _revalued_later_query(self, average):
        """Return the query of what average products revalued on their start or later.

        The increases may have come long before: such a revaluation is no part of the
        opening, and what is valued before it must not see it.
        """
        return SQL("").join(
            SQL(
                "UNION SELECT ledger_entry_id FROM stock_value_entry "
                "WHERE entry_type = 'revaluation' AND product_id = %s "
                "AND company_id = %s AND valuation_date >= %s ",
                product_id,
                self.company.id,
                start,
            )
            for product_id, start in average.items()
        )

    def _affected_query(self, affected, revalued=None):
        """Return the query of the affected entries and their increases.

        ``revalued``: a query of others that is added with UNION.
        """
        return SQL(
            """
            SELECT %(columns)s FROM (
                SELECT unnest(%(ids)s::int[]) AS id
                UNION
                SELECT inbound_entry_id FROM stock_cost_application
                WHERE outbound_entry_id = ANY(%(ids)s::int[])
                %(revalued)s
            ) AS wanted JOIN stock_ledger_entry e USING (id)
            """,
            columns=ENTRY_COLUMNS,
            ids=list(affected),
            revalued=revalued or SQL(),
        )

    def _load_openings(self, books, average):
        """Set the openings: today's balances less whatever is loaded."""
        if not average:
            return
        by_item = self.settings.average_cost_calc_type == "item"
        for product_id, location_id, quantity, value in self._rows(
            SQL(
                """
                SELECT product_id, cost_location_id, sum(quantity),
                       sum(value_actual + value_expected)
                FROM stock_cost_balance WHERE company_id = %s AND product_id IN %s
                GROUP BY 1, 2
                """,
                self.company.id,
                tuple(average),
            )
        ):
            key = None if by_item else location_id
            opening = books[product_id].opening.setdefault(key, Balance())
            opening.quantity += self.units.quantity(quantity)
            opening.value += self.units.amount(value)
        for product_id, start in average.items():
            self._take_loaded_off(books[product_id], start, by_item)

    def _take_loaded_off(self, book, start, by_item):
        for entry in book.entries.values():
            loaded = entry.valuation_date >= start
            opening = book.opening.setdefault(
                None if by_item else entry.location, Balance()
            )
            if loaded and entry.costs:
                opening.quantity -= entry.quantity
            for cost in entry.costs:
                if loaded or cost.valuation_date >= start:
                    opening.value -= cost.actual + cost.expected

    # ------------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------------

    def _rows(self, query):
        self.env.cr.execute(query)
        return self.env.cr.fetchall()

    def _load_entries(self, books, query):
        quantity = self.units.quantity
        # In order of recording, whatever order the database reads them in.
        for row in sorted(self._rows(_with_reversals(query)), key=itemgetter(0)):
            book = books.get(row[1])
            if book is None or row[0] in book.entries:
                continue
            book.entries[row[0]] = Entry(
                id=row[0],
                entry_type=row[2],
                quantity=quantity(row[3]),
                remaining=quantity(row[4]),
                posting_date=row[5],
                valuation_date=row[6],
                location=row[7],
                lot=row[8],
                applies_to=row[9],
                applies_from=row[10],
                transferred_from=row[11],
                reverses=row[12],
                order=row[13],
            )

    def _load_applications(self, books, outbound=(), inbound=(), with_cost=False):
        """Load the applications of the decreases and of the increases, by their ids.

        A query along each index: PostgreSQL would read the whole table for an OR.
        ``with_cost``: of the increases only those that cost follows. An average
        product's others may be many, and matter to nothing that is valued.
        """
        rows = self._rows(
            SQL(
                """
                SELECT %(columns)s FROM stock_cost_application
                WHERE outbound_entry_id = ANY(%(outbound)s::int[])
                UNION
                SELECT %(columns)s FROM stock_cost_application
                WHERE inbound_entry_id = ANY(%(inbound)s::int[]) %(narrowed)s
                ORDER BY id
                """,
                columns=SQL(
                    "id, inbound_entry_id, outbound_entry_id, quantity, cost_follows"
                ),
                outbound=list(outbound),
                inbound=list(inbound),
                narrowed=SQL("AND cost_follows" if with_cost else ""),
            )
        )
        book_of = {
            entry_id: book for book in books.values() for entry_id in book.entries
        }
        for _id, inbound_id, outbound_id, quantity, cost_follows in rows:
            book = book_of.get(inbound_id) or book_of.get(outbound_id)
            if book:
                book.applications.append(
                    Application(
                        inbound_id,
                        outbound_id,
                        self.units.quantity(quantity),
                        cost_follows,
                    )
                )

    def _load_costs(self, books):
        entries = _entries_by_id(books)
        if not entries:
            return
        amount, quantity = self.units.amount, self.units.quantity
        rows = self._rows(
            SQL(
                """
                SELECT ledger_entry_id, id, entry_type, COALESCE(variance_type, ''),
                       cost_amount_actual, cost_amount_expected, posting_date,
                       valuation_date, adjustment, valued_quantity,
                       partial_revaluation, expected, invoiced_quantity,
                       COALESCE(applies_to_value_entry_id, 0),
                       charge_product_id IS NOT NULL, source_model = ANY(%s)
                FROM stock_value_entry WHERE ledger_entry_id = ANY(%s) ORDER BY id
                """,
                list(INVOICE_SOURCES),
                list(entries),
            )
        )
        for row in rows:
            entry = entries[row[0]]
            invoiced = quantity(row[12])
            entry.invoiced += invoiced
            entry.costs.append(
                Cost(
                    id=row[1],
                    entry_type=row[2],
                    variance_type=row[3],
                    actual=amount(row[4]),
                    expected=amount(row[5]),
                    posting_date=row[6],
                    valuation_date=row[7],
                    adjustment=row[8],
                    valued_quantity=quantity(row[9]),
                    partial_revaluation=row[10],
                    expected_only=row[11],
                    invoiced_quantity=invoiced,
                    applies_to=row[13],
                    charge=row[14],
                    invoice=row[15],
                )
            )


def _with_reversals(query):
    """Return the query of ledger entries with the decreases that reverse them."""
    return SQL(
        """
        WITH found AS (%s)
        SELECT * FROM found UNION ALL
        SELECT %s FROM found JOIN stock_ledger_entry e
            ON e.applies_to_entry_id = found.id AND e.reverses_entry_id = found.id
        """,
        query,
        ENTRY_COLUMNS,
    )


def _entries_by_id(books):
    return {
        entry_id: entry
        for book in books.values()
        for entry_id, entry in book.entries.items()
    }
