from odoo import fields, models


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
    recorded_at = fields.Datetime(required=True)

    _item_index = models.Index("(product_id, company_id, valuation_date)")
