from odoo import fields, models


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
