from odoo import models, tools


class StockWarehouse(models.Model):
    """A warehouse's view location is the cost location of everything inside it."""

    _inherit = "stock.warehouse"

    @tools.ormcache("self.id")
    def _view_location_id(self):
        """Return the id of the view location, ``False`` of no warehouse: every
        document asks for it."""
        return self.view_location_id.id

    def write(self, vals):
        """Refuse another view location while the ledgers know what is inside."""
        changed = self.filtered(
            lambda warehouse: "view_location_id" in vals
            and warehouse.view_location_id.id != vals["view_location_id"]
        )
        changed.view_location_id._refuse_known_to_the_ledger()
        result = super().write(vals)
        if "view_location_id" in vals:
            self.env.registry.clear_cache()
        return result
