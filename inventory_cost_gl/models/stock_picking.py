from odoo import models


class StockPicking(models.Model):
    """Pickings show the value entries of their moves."""

    _name = "stock.picking"
    _inherit = ["stock.picking", "inventory.cost.button.mixin"]
    _value_entry_path = "ledger_entry_id.stock_move_id.picking_id"
