from odoo import models


class PurchaseOrder(models.Model):
    """Purchase orders show the value entries of their receipts."""

    _name = "purchase.order"
    _inherit = [
        "purchase.order",
        "inventory.cost.button.mixin",
        "inventory.order.mixin",
    ]
    _value_entry_path = "ledger_entry_id.stock_move_id.purchase_line_id.order_id"
