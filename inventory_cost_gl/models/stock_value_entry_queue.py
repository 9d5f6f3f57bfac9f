from odoo import api, fields, models
from odoo.tools import SQL


class StockValueEntryQueue(models.Model):
    """Value entries that still have to be posted to the general ledger.

    A row leaves in the transaction that posts it.
    """

    _name = "stock.value.entry.queue"
    _description = "Post Value Entry to G/L"
    _log_access = False
    _order = "posting_date, value_entry_id"
    _rec_name = "value_entry_id"

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    value_entry_id = fields.Many2one(
        "stock.value.entry", required=True, ondelete="restrict"
    )
    kind = fields.Selection(
        [("expected", "Expected Cost"), ("actual", "Actual Cost")], required=True
    )
    posting_date = fields.Date(required=True)
    product_id = fields.Many2one("product.product", ondelete="restrict")

    _entry_unique = models.UniqueIndex("(value_entry_id, kind)")
    _company_date_index = models.Index("(company_id, posting_date)")

    @api.model
    def _queue_expected(self, company):
        """Queue the open expected cost: expected cost posting was turned on.

        That is the expected cost of ledger entries that are not completely invoiced, as
        far as it does not stand in the general ledger yet. One statement.
        """
        self.env["stock.value.entry"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH waiting AS (
                    SELECT ledger.id
                      FROM stock_ledger_entry ledger
                      JOIN stock_value_entry value ON value.ledger_entry_id = ledger.id
                     WHERE ledger.company_id = %(company)s
                     GROUP BY ledger.id
                    HAVING SUM(value.invoiced_quantity) <> ledger.quantity
                )
                INSERT INTO stock_value_entry_queue
                       (company_id, value_entry_id, kind, posting_date, product_id)
                SELECT value.company_id, value.id, 'expected', value.posting_date,
                       value.product_id
                  FROM stock_value_entry value
                  JOIN waiting ON waiting.id = value.ledger_entry_id
                 WHERE value.cost_amount_expected <> 0
                   AND NOT EXISTS (
                       SELECT FROM stock_value_entry_link link
                        WHERE link.value_entry_id = value.id
                          AND link.kind = 'expected'
                       HAVING SUM(link.amount) <> 0)
                    ON CONFLICT (value_entry_id, kind) DO NOTHING
                """,
                company=company.id,
            )
        )
        self.invalidate_model()

    @api.model
    def _unqueue_expected(self, company):
        """Take expected cost off the queue: expected cost posting was turned off.

        What is posted already stays in the interim accounts.
        """
        self.flush_model()
        self.env.cr.execute(
            SQL(
                "DELETE FROM stock_value_entry_queue "
                "WHERE company_id = %s AND kind = 'expected'",
                company.id,
            )
        )
        self.invalidate_model()
