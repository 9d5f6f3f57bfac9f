from odoo import models


class StockMoveScreen(models.Model):
    """Stock moves show their value entries."""

    _name = "stock.move"
    _inherit = ["stock.move", "inventory.cost.button.mixin"]
    _value_entry_path = "ledger_entry_id.stock_move_id"
