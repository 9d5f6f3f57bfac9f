from odoo import models


class SaleOrder(models.Model):
    """Sales orders show the value entries of their deliveries."""

    _name = "sale.order"
    _inherit = [
        "sale.order",
        "inventory.cost.button.mixin",
        "inventory.order.mixin",
    ]
    _value_entry_path = "ledger_entry_id.stock_move_id.sale_line_id.order_id"
