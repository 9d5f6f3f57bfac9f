from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL


class SwitchedCost(NamedTuple):
    """What switching expected cost posting queues, or takes off the queue.

    ``received`` is the expected cost of goods received, ``shipped`` of goods delivered
    (positive when they left), in company currency.
    """

    ledger_entry_count: int
    received: float
    shipped: float


class StockValueEntryQueue(models.Model):
    """Open expected cost, queued or not when Expected Cost Posting is switched."""

    _inherit = "stock.value.entry.queue"

    @api.model
    def _queue_expected(self, company):
        """Queue the open expected cost: expected cost posting was turned on."""
        self._queue_missing_expected(company)
        self.env["inventory.cost.run"]._trigger_background(company)

    @api.model
    def _queue_missing_expected(self, company, run=None):
        """Queue what ledger entries lack; of those alone of which a run posted."""
        self.env["stock.value.entry"].flush_model()
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO stock_value_entry_queue
                       (company_id, value_entry_id, kind, posting_date, product_id)
                SELECT value.company_id, value.id, 'expected', value.posting_date,
                       value.product_id
                  FROM stock_value_entry value JOIN (%s) AS missing USING (id)
                    ON CONFLICT (value_entry_id, kind) DO NOTHING
                """,
                self._missing_expected(company, run),
            )
        )
        self.invalidate_model()

    @api.model
    def _unqueue_expected(self, company):
        """Take expected cost off the queue: expected cost posting was turned off.

        What is posted already stays in the interim accounts, and what of the same
        ledger entries waits stays in the queue: invoicing clears them exactly.
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM stock_value_entry_queue queue USING (%s) AS unposted "
                "WHERE queue.value_entry_id = unposted.id AND queue.kind = 'expected'",
                self._unposted_expected(company),
            )
        )
        self.invalidate_model()

    @api.model
    def _switched_cost(self, company):
        """Return the ``SwitchedCost`` that switching the setting now would bring."""
        self.env["stock.value.entry"].flush_model()
        self.flush_model()
        switched = self._missing_expected(company)
        if company.expected_cost_posting:
            switched = self._unposted_expected(company)
        [row] = self.env.execute_query(
            SQL(
                """
                SELECT count(DISTINCT ledger_entry_id),
                       COALESCE(sum(cost_amount_expected) FILTER (
                           WHERE item_ledger_entry_type <> 'sale'), 0),
                       COALESCE(-sum(cost_amount_expected) FILTER (
                           WHERE item_ledger_entry_type = 'sale'), 0)
                  FROM stock_value_entry JOIN (%s) AS switched USING (id)
                """,
                switched,
            )
        )
        return SwitchedCost(*row)

    def _missing_expected(self, company, run=None):
        """Return the SQL of the value entries that the queue lacks, as ``id``.

        Once all that waits is posted, what is posted of a ledger entry has to be its
        expected cost. Where that would not come out, everything of it is queued that
        neither waits nor is posted. So what was invoiced while expected cost was not
        posted stays out: it adds up to zero.
        """
        return SQL(
            """
            SELECT id
              FROM (SELECT value.id, cost.unposted,
                           SUM(cost.unposted) OVER (PARTITION BY value.ledger_entry_id)
                               AS missing
                      FROM stock_value_entry value
                     CROSS JOIN LATERAL (
                           SELECT value.cost_amount_expected
                                  - COALESCE(SUM(link.amount), 0) AS unposted
                             FROM stock_value_entry_link link
                            WHERE link.value_entry_id = value.id
                              AND link.kind = 'expected') cost
                     WHERE value.company_id = %s AND value.cost_amount_expected <> 0
                       AND NOT EXISTS (
                           SELECT FROM stock_value_entry_queue queue
                            WHERE queue.value_entry_id = value.id
                              AND queue.kind = 'expected')
                       AND %s) unqueued
             WHERE missing <> 0 AND unposted <> 0
            """,
            company.id,
            self._posted_by(run) if run else SQL("TRUE"),
        )

    def _posted_by(self, run):
        """Return the condition of value entries of the ledger entries of a run."""
        return SQL(
            """
            value.ledger_entry_id IN (
                SELECT posted.ledger_entry_id
                  FROM stock_value_entry_link link
                  JOIN stock_value_entry posted ON posted.id = link.value_entry_id
                 WHERE link.run_id = %s AND link.kind = 'expected')
            """,
            run.id,
        )

    def _unposted_expected(self, company):
        """Return the SQL of the queued value entries, as ``id``, of ledger entries with
        nothing in the interim accounts."""
        return SQL(
            """
            SELECT value.id
              FROM stock_value_entry_queue queued
              JOIN stock_value_entry value ON value.id = queued.value_entry_id
             WHERE queued.company_id = %s AND queued.kind = 'expected'
               AND NOT EXISTS (
                   SELECT FROM stock_value_entry other
                     JOIN stock_value_entry_link link ON link.value_entry_id = other.id
                    WHERE other.ledger_entry_id = value.ledger_entry_id
                      AND link.kind = 'expected'
                   HAVING SUM(link.amount) <> 0)
            """,
            company.id,
        )
