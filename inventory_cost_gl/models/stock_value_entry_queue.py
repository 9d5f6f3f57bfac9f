import functools

from odoo import api, fields, models

from .many2one_without_key import Many2oneWithoutKey


class StockValueEntryQueue(models.Model):
    """Value entries that still have to be posted to the general ledger.

    A row leaves in the transaction that posts it.
    """

    _name = "stock.value.entry.queue"
    _description = "Post Value Entry to G/L"
    _log_access = False
    _order = "posting_date, value_entry_id"
    _rec_name = "value_entry_id"

    company_id = Many2oneWithoutKey("res.company", required=True, ondelete="restrict")
    value_entry_id = Many2oneWithoutKey(
        "stock.value.entry", required=True, ondelete="restrict"
    )
    kind = fields.Selection(
        [("expected", "Expected Cost"), ("actual", "Actual Cost")], required=True
    )
    posting_date = fields.Date(required=True)
    product_id = Many2oneWithoutKey("product.product", ondelete="restrict")

    _entry_unique = models.UniqueIndex("(value_entry_id, kind)")
    _company_date_index = models.Index("(company_id, posting_date)")

    @api.model
    def _enqueue_query(self):
        """Return the INSERT that queues new value entries, the rows of ``recorded``.

        Amounts of 0 are not queued. Expected cost is queued where expected cost posting
        is on, or something expected of the same ledger entry has ever been posted: a
        run that is reversed at the same time may bring it back. Posting leaves out what
        is not wanted after all.
        """
        self.env["res.company"].flush_model(["expected_cost_posting"])
        return """
            INSERT INTO stock_value_entry_queue
                   (company_id, value_entry_id, kind, posting_date, product_id)
            SELECT v.company_id, v.id, 'actual', v.posting_date, v.product_id
              FROM recorded v
             WHERE v.cost_amount_actual <> 0
             UNION ALL
            SELECT v.company_id, v.id, 'expected', v.posting_date, v.product_id
              FROM recorded v
              JOIN res_company c ON c.id = v.company_id
             WHERE v.cost_amount_expected <> 0
               AND (c.expected_cost_posting OR EXISTS (
                   SELECT FROM stock_value_entry other
                     JOIN stock_value_entry_link link
                       ON link.value_entry_id = other.id
                    WHERE other.ledger_entry_id = v.ledger_entry_id
                      AND link.kind = 'expected'))
        """

    @api.model
    def _post_automatically(self, value_entries):
        """Post at the end of the document's transaction, or have a worker post.

        ``immediate`` posting runs once before the commit, whatever the document
        recorded until then; an error stops the document. What a worker adjusts belongs
        to no document that could be stopped, and is left to the scheduled action.
        """
        run = self.env["inventory.cost.run"].sudo()
        for company in value_entries.company_id:
            mode = company.automatic_cost_posting
            if mode == "background" or (mode == "immediate" and self._is_worker()):
                run._trigger_background(company)
            elif mode == "immediate":
                recorded = self.env.cr.precommit.data.setdefault(
                    f"inventory_cost_gl.immediate.{company.id}", []
                )
                if not recorded:
                    self.env.cr.precommit.add(
                        functools.partial(self._post_recorded, company, recorded)
                    )
                recorded += value_entries.filtered(
                    lambda value, company=company: value.company_id == company
                ).ids

    def _is_worker(self):
        """Say whether a scheduled action records, and no user waits for it."""
        return bool(self.env.context.get("cron_id"))

    def _post_recorded(self, company, recorded):
        """Post what this transaction recorded and still stands in the queue."""
        value_entries = self.env["stock.value.entry"].sudo().browse(recorded).exists()
        run = self.env["inventory.cost.run"].sudo().with_company(company)
        run._post_immediately(value_entries)
        recorded.clear()
