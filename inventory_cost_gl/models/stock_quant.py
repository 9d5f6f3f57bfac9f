from odoo import fields, models


class StockQuant(models.Model):
    """Quants show the costing method of their product."""

    _inherit = "stock.quant"

    cost_method = fields.Selection(
        selection_add=[("lifo", "Last In First Out (LIFO)")],
        ondelete={"lifo": "set fifo"},
    )
