from collections import Counter
from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

from ..posting.grouping import POSTING_GROUP, Cost, Dimensions, journal_entries
from .posting_accounts import CostKey, PostingAccounts

# Value entries that are posted together, at least one date or document. Per posting
# group a date is never cut, so that it gets one journal entry.
CHUNK_SIZES = {"posting_group": 200_000, "document": 5_000, "entry": 1_000}
# Automatic runs: no transaction holds the journal's sequence for much over a second. A
# date is cut for that, a document is not.
AUTOMATIC_CHUNK_SIZES = {"posting_group": 10_000, "document": 1_000, "entry": 100}


class Chunk(NamedTuple):
    """Queue rows from one (date, document) to another, both included.

    Of a date or document that is cut, ``value_entries`` are the first and last id.
    """

    first: tuple
    last: tuple
    count: int
    value_entries: tuple | None = None


class Waiting(NamedTuple):
    """Queued value entries that share a key, and their amounts in currency units."""

    key: CostKey
    value_entry_ids: list
    units: list
    sign: int
    wanted: bool


class Skipped(NamedTuple):
    """Value entries that can't be posted, and why."""

    problem: object
    kind: str
    value_entry_ids: list


class Plan(NamedTuple):
    """What a run posts, what it skips, and what leaves the queue with nothing to post.

    ``settled`` holds ``(kind, value entry ids)``.
    """

    entries: list
    skipped: list
    settled: list


class InventoryCostRunQueue(models.Model):
    """What is waiting to be posted, read set-based from the queue."""

    _inherit = "inventory.cost.run"

    def _queue_filter(self, chunk=None, value_entries=None):
        """Return the SQL condition of the rows of ``queue`` (and ``entry``) to post."""
        conditions = [SQL("queue.company_id = %s", self.company_id.id)]
        if self.last_value_entry_id:
            conditions.append(
                SQL("queue.value_entry_id <= %s", self.last_value_entry_id.id)
            )
        if self.until_date:
            conditions.append(SQL("queue.posting_date <= %s", self.until_date))
        if self.product_ids or self.category_ids:
            conditions.append(self._product_filter())
        if value_entries is not None:
            conditions.append(
                SQL("queue.value_entry_id = ANY(%s)", list(value_entries.ids))
            )
        if chunk:
            conditions.append(self._chunk_filter(chunk))
        conditions.append(
            SQL(
                # A run that goes on after a pause has listed these already.
                "NOT EXISTS (SELECT FROM inventory_cost_run_line line "
                "WHERE line.value_entry_id = queue.value_entry_id "
                "AND line.run_id = %s)",
                self.id,
            )
        )
        if self.mode != "post":
            conditions.append(self._not_planned_yet())
        return SQL(" AND ").join(conditions)

    def _not_planned_yet(self):
        """Return the condition of what comes after the plan so far.

        A preview or test that goes on after a pause: its chunks are kept whole, in
        order.
        """
        return SQL(
            """
            (queue.posting_date, %s) > ALL (
                SELECT line.posting_date, COALESCE(line.document_ref, '')
                  FROM inventory_cost_plan_line line WHERE line.run_id = %s
                 ORDER BY 1 DESC, 2 DESC LIMIT 1)
            """,
            self._document(),
            self.id,
        )

    def _product_filter(self):
        """Return the condition of the run's products and categories."""
        products = self.product_ids.ids
        if self.category_ids:
            in_categories = self.env["product.product"].sudo()
            products += (
                in_categories.with_context(active_test=False)
                .search([("categ_id", "child_of", self.category_ids.ids)])
                .ids
            )
        return SQL("queue.product_id = ANY(%s)", products)

    def _chunk_filter(self, chunk):
        """Return the condition of a chunk's rows."""
        dates = SQL(
            "queue.posting_date BETWEEN %s AND %s", chunk.first[0], chunk.last[0]
        )
        if self.granularity != POSTING_GROUP:
            dates = SQL(
                "(queue.posting_date, COALESCE(entry.document_ref, '')) "
                "BETWEEN (%s, %s) AND (%s, %s)",
                *chunk.first,
                *chunk.last,
            )
        if not chunk.value_entries:
            return dates
        ids = SQL("queue.value_entry_id BETWEEN %s AND %s", *chunk.value_entries)
        return SQL("%s AND %s", dates, ids)

    def _document(self):
        """Return the SQL of what journal entries are kept apart by within a date."""
        if self.granularity == POSTING_GROUP:
            return SQL("''")
        return SQL("COALESCE(entry.document_ref, '')")

    def _chunks(self):
        """Return the ``Chunk`` list of what is waiting, in order of date: one query."""
        self._flush_ledgers()
        size, part = CHUNK_SIZES[self.granularity], SQL("0")
        if self.automatic:
            size = AUTOMATIC_CHUNK_SIZES[self.granularity]
            part = self._part(size)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT posting_date, document, min(id), max(id), count(*)
                  FROM (
                    SELECT queue.posting_date, %(document)s AS document,
                           queue.value_entry_id AS id, %(part)s AS part
                      FROM stock_value_entry_queue queue
                      JOIN stock_value_entry entry ON entry.id = queue.value_entry_id
                     WHERE %(filter)s
                  ) waiting
                 GROUP BY posting_date, document, part
                 ORDER BY posting_date, document, part
                """,
                document=self._document(),
                part=part,
                filter=self._queue_filter(),
            )
        )
        return _chunks_of(rows, size)

    def _part(self, size):
        """Return the SQL of the part of a date or document that a row belongs to."""
        if self.granularity == "document":
            return SQL("0")
        return SQL(
            "(row_number() OVER (PARTITION BY queue.posting_date, %s "
            "ORDER BY queue.value_entry_id) - 1) / %s",
            self._document(),
            size,
        )

    def _flush_ledgers(self):
        """Write what the ORM still holds of the tables read here."""
        for model in ("entry", "entry.queue", "entry.link"):
            self.env[f"stock.value.{model}"].flush_model()
        self.flush_model()

    def _waiting(self, chunk=None, value_entries=None):
        """Return the ``Waiting`` list of a chunk or of given entries: one query.

        The amount is what the value entry states less what is linked already (Business
        Central's rule). Expected cost is wanted if the company posts it, or once some
        of the ledger entry's has been posted, to clear it. The rows are not locked: one
        run posts at a time, and deleting a row that another transaction has deleted
        is a conflict, which rolls the chunk back.
        """
        self._flush_ledgers()
        # Compiling the query takes PostgreSQL longer than running it.
        self.env.cr.execute("SET LOCAL jit = off")
        keys = SQL(
            """
            kind, posting_date, document, item_ledger_entry_type, entry_type,
            variance_type, has_order, counter_account, cost_location_id,
            inventory_posting_group_id, business_posting_group_id,
            product_posting_group_id, ungrouped_product_id, analytic
            """
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH queued AS MATERIALIZED (
                    SELECT queue.value_entry_id, queue.kind
                      FROM stock_value_entry_queue queue
                      JOIN stock_value_entry entry ON entry.id = queue.value_entry_id
                     WHERE %(filter)s
                ), cost AS MATERIALIZED (%(costs)s)
                SELECT %(keys)s,
                       array_agg(id ORDER BY id), array_agg(units ORDER BY id),
                       sign(units)::int, wanted
                  FROM cost
                 GROUP BY %(keys)s, sign(units), wanted
                 ORDER BY posting_date, document, min(id), kind, sign(units)
                """,
                filter=self._queue_filter(chunk, value_entries),
                costs=self._costs(),
                keys=keys,
            )
        )
        fields = len(CostKey._fields)
        return [Waiting(CostKey(*row[:fields]), *row[fields:]) for row in rows]

    def _costs(self):
        """Return the SQL of the amounts of ``queued``, with the columns of the key."""
        return SQL(
            """
            SELECT entry.id, queued.kind, entry.posting_date, %(document)s AS document,
                   entry.item_ledger_entry_type, entry.entry_type, entry.variance_type,
                   COALESCE(entry.order_id, 0) <> 0 AS has_order,
                   COALESCE(entry.counter_account, 0) AS counter_account,
                   entry.cost_location_id, entry.inventory_posting_group_id,
                   entry.business_posting_group_id, entry.product_posting_group_id,
                   CASE WHEN entry.inventory_posting_group_id IS NULL
                          OR entry.product_posting_group_id IS NULL
                        THEN entry.product_id END AS ungrouped_product_id,
                   COALESCE(NULLIF(entry.analytic_distribution, '{}')::text, '')
                       AS analytic,
                   round((CASE queued.kind WHEN 'expected'
                               THEN entry.cost_amount_expected
                               ELSE entry.cost_amount_actual END
                          - (SELECT COALESCE(sum(link.amount), 0)
                               FROM stock_value_entry_link link
                              WHERE link.value_entry_id = entry.id
                                AND link.kind = queued.kind)
                         ) / %(rounding)s::numeric)::bigint AS units,
                   queued.kind = 'actual' OR %(expected)s OR (
                       SELECT COALESCE(sum(link.amount), 0) <> 0
                         FROM stock_value_entry other
                         JOIN stock_value_entry_link link
                           ON link.value_entry_id = other.id AND link.kind = 'expected'
                        WHERE other.ledger_entry_id = entry.ledger_entry_id
                   ) AS wanted
              FROM queued
              JOIN stock_value_entry entry ON entry.id = queued.value_entry_id
            """,
            document=self._document(),
            rounding=self._rounding(),
            expected=self.company_id.expected_cost_posting,
        )

    def _rounding(self):
        """Return the value of a currency unit as text: amounts are counted in units."""
        return repr(self.company_id.currency_id.rounding)

    def _plan(self, waiting, finder=None):
        """Return the ``Plan`` for ``Waiting`` costs: preview and posting share it."""
        finder = finder or PostingAccounts(self.env, self.company_id)
        finder.load_accounts({row.key.counter_account for row in waiting} - {0})
        analytics = self._existing_distributions({row.key.analytic for row in waiting})
        dates = self._journal_dates({row.key.posting_date for row in waiting}, finder)
        costs, skipped, settled = [], [], []
        for row in waiting:
            date = dates[row.key.posting_date]
            if not (row.sign and row.wanted):
                settled.append((row.key.kind, row.value_entry_ids))
                continue
            accounts, problems = finder.find(row.key, date)
            skipped += [
                Skipped(problem, row.key.kind, row.value_entry_ids)
                for problem in problems
            ]
            if accounts:
                analytic = analytics[row.key.analytic]
                costs.append(self._prepare_cost(row, date, accounts, analytic))
        entries = journal_entries(costs, self.granularity)
        self._label_pairs(entries)
        return Plan(entries, skipped, settled)

    def _journal_dates(self, posting_dates, finder):
        """Return ``{posting date: date of the journal entry}``.

        They are the same, but for locked dates where the run posts these on the first
        open date.
        """
        dates = {date: date for date in posting_dates}
        if self.post_locked_on_open_date:
            periods = self.env["inventory.period"]
            first_open = periods._first_open_date_getter(self.company_id)
            locked = filter(finder.date_problem, posting_dates)
            dates.update({date: first_open(date) for date in locked})
        return dates

    def _prepare_cost(self, row, date, accounts, analytic):
        """Return what the grouping works on."""
        key = row.key
        return Cost(
            date=date,
            posting_date=key.posting_date,
            kind=key.kind,
            accounts=accounts,
            value_entry_ids=row.value_entry_ids,
            amounts=row.units,
            document=key.document,
            analytic=analytic,
            dimensions=Dimensions(
                key.cost_location_id,
                key.inventory_posting_group_id,
                key.business_posting_group_id,
                key.product_posting_group_id,
            ),
        )


def _chunks_of(rows, size):
    """Return the ``Chunk`` list of rows of date, document, first and last id, number.

    Dates and documents are put together up to the size; the parts of one that is cut
    stay apart.
    """
    parts = Counter((date, document) for date, document, *_ids in rows)
    chunks = []
    for date, document, first, last, count in rows:
        place = date, document
        before = chunks[-1] if chunks else None
        if parts[place] > 1:
            chunks.append(Chunk(place, place, count, (first, last)))
        elif before and not before.value_entries and before.count + count <= size:
            chunks[-1] = Chunk(before.first, place, before.count + count)
        else:
            chunks.append(Chunk(place, place, count))
    return chunks
