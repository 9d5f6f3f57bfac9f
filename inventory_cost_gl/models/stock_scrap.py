from odoo import models


class StockScrap(models.Model):
    """Scraps show the value entries of their moves."""

    _name = "stock.scrap"
    _inherit = ["stock.scrap", "inventory.cost.button.mixin"]
    _value_entry_path = "ledger_entry_id.stock_move_id.scrap_id"
