from odoo import models


class StockWarehouse(models.Model):
    """A warehouse's view location is the cost location of everything inside it."""

    _inherit = "stock.warehouse"

    def write(self, vals):
        """Refuse another view location while the ledgers know what is inside."""
        changed = self.filtered(
            lambda warehouse: "view_location_id" in vals
            and warehouse.view_location_id.id != vals["view_location_id"]
        )
        changed.view_location_id._refuse_known_to_the_ledger()
        return super().write(vals)
