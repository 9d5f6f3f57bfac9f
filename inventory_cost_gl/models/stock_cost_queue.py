from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Items a worker adjusts in one transaction.
WORKER_ITEMS = 100


class StockCostQueue(models.Model):
    """Items whose cost must be adjusted, from which valuation date, and why.

    Documents only ever add rows; whoever adjusts the item deletes the rows it saw.
    An item is adjusted when it has none.
    """

    _name = "stock.cost.queue"
    _description = "Cost Adjustment Queue"
    _log_access = False
    _order = "id"
    _rec_name = "product_id"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    valuation_date = fields.Date(required=True)
    value_entry_id = fields.Many2one("stock.value.entry", ondelete="restrict")
    counted = fields.Boolean(
        help="The value entry is in the balances already. Documents that did not hold "
        "the item's lock leave that to whoever adjusts it."
    )
    recorded_at = fields.Datetime(required=True)

    _item_index = models.Index("(product_id, company_id, valuation_date)")
    _uncounted_index = models.Index("(value_entry_id) WHERE NOT counted")

    @api.model
    def _of_items(self, items, uncounted=False):
        """Return the rows of the items that this transaction sees."""
        domain = Domain("company_id", "in", items.company_id.ids)
        domain &= Domain("product_id", "in", items.product_id.ids)
        if uncounted:
            domain &= Domain("counted", "=", False)
        return self.sudo().search(domain)

    @api.model
    def _enqueue(self, value_entries, counted):
        """Queue the items of value entries from their valuation dates."""
        if value_entries:
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO stock_cost_queue (company_id, product_id,
                        valuation_date, value_entry_id, counted, recorded_at)
                    SELECT company_id, product_id, valuation_date, id, %s,
                           now() AT TIME ZONE 'UTC'
                    FROM stock_value_entry WHERE id IN %s
                    """,
                    counted,
                    tuple(value_entries.ids),
                )
            )

    @api.model
    def _enqueue_entries(self, entry_ids):
        """Queue decreases that were covered: their first cost is to be adjusted."""
        if not entry_ids:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO stock_cost_queue (company_id, product_id,
                    valuation_date, value_entry_id, counted, recorded_at)
                SELECT DISTINCT ON (ledger_entry_id) company_id, product_id,
                       valuation_date, id, true, now() AT TIME ZONE 'UTC'
                FROM stock_value_entry WHERE ledger_entry_id IN %s
                ORDER BY ledger_entry_id, id
                """,
                tuple(entry_ids),
            )
        )

    @api.model
    def _enqueue_projection(self, company, products):
        """Queue items whose projections met another transaction."""
        today = company._inventory_posting_date(fields.Datetime.now())
        self.env.cr.execute_values(
            """
            INSERT INTO stock_cost_queue (company_id, product_id, valuation_date,
                counted, recorded_at) VALUES %s
            """,
            [(company.id, product.id, today) for product in products],
            template="(%s, %s, %s, true, now() AT TIME ZONE 'UTC')",
        )
        self._trigger_workers()

    def _take_uncounted(self):
        """Return the value entries no balance holds yet, and mark them as counted."""
        uncounted = self.filtered(lambda row: not row.counted)
        if uncounted:
            self.env.cr.execute(
                SQL(
                    "UPDATE stock_cost_queue SET counted = true WHERE id = ANY(%s)",
                    list(uncounted.ids),
                )
            )
            uncounted.invalidate_recordset(["counted"], flush=False)
        return uncounted.value_entry_id

    def _remove(self):
        """Delete rows that are worked off.

        In SQL: nothing can hang on them that the ORM would look for, table by table.
        """
        if self:
            self.env.cr.execute(
                SQL("DELETE FROM stock_cost_queue WHERE id = ANY(%s)", list(self.ids))
            )
            self.invalidate_recordset(flush=False)

    @api.model
    def _automatic_products(self, company):
        """Return the products a worker takes up by itself in a company.

        All that are queued where cost is always adjusted automatically; else those
        whose documents met another transaction.
        """
        domain = Domain("company_id", "=", company.id)
        if company.automatic_cost_adjustment != "always":
            domain &= Domain("counted", "=", False) | Domain(
                "value_entry_id", "=", False
            )
        rows = self.sudo()._read_group(domain, ["product_id"])
        return self.env["product.product"].union(*(product for (product,) in rows))

    @api.model
    def _trigger_workers(self):
        """Wake the workers after commit."""
        for worker in ("ir_cron_adjust_cost", "ir_cron_adjust_cost_2"):
            self.env.ref(f"inventory_cost_gl.{worker}").sudo()._trigger()

    @api.model
    def _work(self):
        """Adjust queued items, a few at a time; the scheduled actions run this.

        First what accountants started, then the rest. The locks are the first statement
        of each transaction, so that what documents committed before is seen.
        """
        runs = self.env["inventory.cost.run"].sudo()
        # A run that was killed at its very end has nothing queued any more.
        unfinished = runs.search([("kind", "=", "adjust"), ("state", "=", "running")])
        queued = self._read_group([], ["company_id"])
        companies = unfinished.company_id.union(*(company for (company,) in queued))
        for company in companies:
            in_company = runs.with_company(company)
            if not in_company._continue_adjustments(company, WORKER_ITEMS):
                break
