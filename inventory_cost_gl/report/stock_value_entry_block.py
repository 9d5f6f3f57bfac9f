from itertools import groupby

from odoo import api, fields, models
from odoo.tools import SQL

from .reconciliation_postings import posting_rows
from .reconciliation_roles import TYPE_NAMES, TYPES

# Value entries of one block have ids that differ in these last bits only.
BLOCK_BITS = 14


class StockValueEntryBlock(models.Model):
    """Totals of value entries and of their links, one block of ids after the other.

    A cache for the Inventory – G/L Reconciliation: reading a million value entries
    takes seconds, their totals none. Nothing of a block that is settled changes but by
    further rows, and then its rows are more than were counted: it is read in full until
    it is totalled again, every night and by large posting runs. The integrity check
    compares the totals with the ledgers.
    """

    _name = "stock.value.entry.block"
    _description = "Totals of Value Entries"
    _log_access = False
    _order = "block"
    _rec_name = "block"

    block = fields.Integer(required=True)
    entry_count = fields.Integer(required=True)
    link_count = fields.Integer(required=True)

    _block_unique = models.UniqueIndex("(block)")

    @api.model
    def _summable(self, company):
        """Return ``(blocks, ranges)``: what the totals answer for, and what is left.

        Blocks that hold what they were counted with; ``ranges`` are the ids ``(first,
        last)`` of all other value entries. Expected cost that was never posted has no
        total while the company posts expected cost: why depends on its ledger entry.
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT counted.block, block.id IS NOT NULL AND NOT EXISTS (
                           SELECT FROM stock_value_entry_total total
                            WHERE total.block = counted.block AND NOT total.posted
                              AND total.company_id = %(company)s AND %(expected)s
                       ) AND NOT EXISTS (
                           SELECT FROM stock_value_entry_queue queue
                            WHERE queue.value_entry_id >> %(bits)s = counted.block)
                  FROM (%(counts)s) counted
                  LEFT JOIN stock_value_entry_block block
                         ON (block.block, block.entry_count, block.link_count)
                          = (counted.block, counted.entry_count, counted.link_count)
                 ORDER BY 1
                """,
                counts=self._counts(),
                company=company.id,
                expected=bool(company.expected_cost_posting),
                bits=BLOCK_BITS,
            )
        )
        blocks = [block for block, summable in rows if summable]
        ranges, size = [], 1 << BLOCK_BITS
        # Runs of consecutive blocks, which Odoo's own groupby would put together.
        # pylint: disable-next=bad-builtin-groupby
        for summable, group in groupby(rows, lambda row: row[1]):
            if not summable:
                numbers = [block for block, _summable in group]
                ranges.append((numbers[0] * size, (numbers[-1] + 1) * size - 1))
        return blocks, ranges

    def _counts(self):
        """Return the query of the rows there are: block, entry count, link count."""
        return SQL(
            """
            SELECT block, entry_count, COALESCE(link_count, 0) AS link_count
              FROM (SELECT id >> %(bits)s AS block, count(*) AS entry_count
                      FROM stock_value_entry GROUP BY 1) entries
              LEFT JOIN (SELECT value_entry_id >> %(bits)s AS block,
                                count(*) AS link_count
                           FROM stock_value_entry_link GROUP BY 1) links USING (block)
            """,
            bits=BLOCK_BITS,
        )

    @api.model
    def _total_blocks(self):
        """Total the blocks that are full and settled, and not totalled as they are now.

        Settled: what an amount states is posted, or it is expected cost of which
        nothing ever was.
        """
        self.env.flush_all()
        # Few groups come of many rows, which PostgreSQL can't foresee.
        self.env.cr.execute("SET LOCAL work_mem TO '256MB'; SET LOCAL jit TO off")
        blocks = self.env.execute_query(
            SQL(
                """
                SELECT block FROM (%s) counted
                 WHERE block < (SELECT max(id) >> %s FROM stock_value_entry)
                   AND (block, entry_count, link_count) NOT IN (
                       SELECT block, entry_count, link_count
                         FROM stock_value_entry_block)
                 ORDER BY 1
                """,
                self._counts(),
                BLOCK_BITS,
            )
        )
        if blocks:
            self._total([block for (block,) in blocks])
        self.env.cr.execute("SET LOCAL work_mem TO DEFAULT; SET LOCAL jit TO DEFAULT")

    def _total(self, blocks):
        """Replace the totals of blocks: one statement for each kind of total."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM stock_value_entry_total WHERE block = ANY(%(blocks)s);
                DELETE FROM stock_value_entry_block WHERE block = ANY(%(blocks)s);
                CREATE TEMP TABLE value_entry_cost ON COMMIT DROP AS %(costs)s;
                CREATE TEMP TABLE settled_block ON COMMIT DROP AS
                SELECT block FROM value_entry_cost GROUP BY block
                HAVING bool_and(amount = COALESCE(posted, 0)
                                OR kind = 'expected' AND posted IS NULL);
                INSERT INTO stock_value_entry_total (block, company_id, posting_date,
                    %(types)s, kind, posted, debit_line, credit_line, amount, number)
                SELECT block, company_id, posting_date, %(types)s, kind,
                       posted IS NOT NULL, 0, 0, sum(amount), count(*)
                  FROM value_entry_cost JOIN settled_block USING (block)
                 WHERE amount <> 0
                 GROUP BY block, company_id, posting_date, %(types)s, kind,
                          posted IS NOT NULL
                 UNION ALL
                SELECT block, company_id, posting_date, %(types)s, kind, true,
                       debit_line_id, credit_line_id, sum(amount), count(*)
                  FROM (%(postings)s) posting
                  JOIN settled_block ON block = value_entry_id >> %(bits)s
                 GROUP BY block, company_id, posting_date, %(types)s, kind,
                          debit_line_id, credit_line_id, amount > 0;
                INSERT INTO stock_value_entry_block (block, entry_count, link_count)
                SELECT block, counted.entry_count, counted.link_count
                  FROM (%(counts)s) counted JOIN settled_block USING (block);
                DROP TABLE value_entry_cost, settled_block;
                """,
                costs=self._costs(blocks),
                types=TYPE_NAMES,
                postings=posting_rows(),
                counts=self._counts(),
                blocks=blocks,
                bits=BLOCK_BITS,
            )
        )
        self.invalidate_model(flush=False)

    def _costs(self, blocks):
        """Return the query of the amounts of blocks, and what is posted of each."""
        return SQL(
            """
            SELECT entry.id >> %(bits)s AS block, entry.company_id, entry.posting_date,
                   %(types)s, cost.kind, cost.amount, cost.posted
              FROM stock_value_entry entry
              LEFT JOIN (
                  SELECT value_entry_id,
                         sum(amount) FILTER (WHERE kind = 'actual') AS actual,
                         sum(amount) FILTER (WHERE kind = 'expected') AS expected
                    FROM stock_value_entry_link
                   WHERE value_entry_id >> %(bits)s = ANY(%(blocks)s)
                   GROUP BY value_entry_id
              ) posted ON posted.value_entry_id = entry.id
             CROSS JOIN LATERAL (VALUES
                 ('actual', entry.cost_amount_actual, posted.actual),
                 ('expected', entry.cost_amount_expected, posted.expected)
             ) AS cost (kind, amount, posted)
             WHERE entry.id >> %(bits)s = ANY(%(blocks)s)
               AND (cost.amount <> 0 OR cost.posted <> 0)
            """,
            bits=BLOCK_BITS,
            types=TYPES,
            blocks=blocks,
        )

    @api.model
    def _forget(self):
        """Drop all totals: recorded rows are about to be changed, by a migration."""
        self.env.cr.execute(
            "DELETE FROM stock_value_entry_total; DELETE FROM stock_value_entry_block"
        )
        self.invalidate_model(flush=False)

    @api.model
    def _wrong_blocks(self):
        """Return the blocks whose totals are not what the ledgers add up to."""
        [[wrong]] = self.env.execute_query(
            SQL(
                """
                WITH ledger AS (
                    SELECT block, company_id, posting_date, %(types)s, kind, 0 AS debit,
                           sum(amount) AS amount
                      FROM (%(costs)s) cost WHERE amount <> 0 GROUP BY 1, 2, 3,
                           %(types)s, kind
                     UNION ALL
                    SELECT value_entry_id >> %(bits)s, company_id, posting_date,
                           %(types)s, kind, debit_line_id, sum(amount)
                      FROM (%(postings)s) posting
                     WHERE value_entry_id >> %(bits)s IN (
                           SELECT block FROM stock_value_entry_block)
                     GROUP BY 1, 2, 3, %(types)s, kind, debit_line_id
                ), total AS (
                    SELECT block, company_id, posting_date, %(types)s, kind,
                           debit_line, sum(amount)
                      FROM stock_value_entry_total
                     GROUP BY 1, 2, 3, %(types)s, kind, debit_line
                )
                SELECT array_agg(DISTINCT block) FROM (
                    (TABLE ledger EXCEPT TABLE total)
                     UNION ALL (TABLE total EXCEPT TABLE ledger)
                ) different
                JOIN (SELECT block, entry_count, link_count
                        FROM stock_value_entry_block) known USING (block)
                JOIN (%(counts)s) counted USING (block, entry_count, link_count)
                """,
                types=TYPE_NAMES,
                costs=self._costs(self.search([("block", ">=", 0)]).mapped("block")),
                postings=posting_rows(),
                counts=self._counts(),
                bits=BLOCK_BITS,
            )
        )
        return wrong or []


class StockValueEntryTotal(models.Model):
    """One total of a block: of value entries, or of links to two journal items."""

    _name = "stock.value.entry.total"
    _description = "Total of Value Entries"
    _log_access = False

    block = fields.Integer(required=True)
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    posting_date = fields.Date(required=True)
    item_type = fields.Char(required=True)
    entry_type = fields.Char(required=True)
    variance_type = fields.Char(required=True)
    has_order = fields.Boolean(required=True)
    has_counter = fields.Boolean(required=True)
    kind = fields.Char(required=True)
    posted = fields.Boolean(required=True)
    debit_line = fields.Integer(help="Database id of the journal item; 0 for cost.")
    credit_line = fields.Integer(help="Database id of the journal item; 0 for cost.")
    amount = fields.Monetary()
    number = fields.Integer()

    _block_index = models.Index("(block)")


class InventoryCostRun(models.Model):
    """A large posting run has its value entries totalled when it is done."""

    _inherit = "inventory.cost.run"

    def _finish(self):
        """Have a scheduled action total what a large run posted."""
        finished = super()._finish()
        if self.mode == "post" and self.entry_count >> BLOCK_BITS:
            self.env.ref("inventory_cost_gl.ir_cron_total_value_entries")._trigger()
        return finished


class InventoryCostIntegrity(models.AbstractModel):
    """The nightly check also compares the totals with the ledgers."""

    _inherit = "inventory.cost.integrity"

    @api.model
    def _check_integrity(self, company):
        """Add the blocks whose totals are wrong, to the problems of every company."""
        problems = super()._check_integrity(company)
        blocks = self.env["stock.value.entry.block"].sudo()
        for block in blocks.search([("block", "in", blocks._wrong_blocks())]):
            message = self.env._(
                "The totals of the value entries %(first)s to %(last)s are not what "
                "the ledgers add up to. Drop them: the reconciliation then reads the "
                "ledgers.",
                first=block.block << BLOCK_BITS,
                last=((block.block + 1) << BLOCK_BITS) - 1,
            )
            problems.append(("totals", block, message))
        return problems
