from odoo import api, models

# What changes a done move's quantities, places, lots or owners.
MOVED_FIELDS = {
    "quantity",
    "product_uom_id",
    "location_id",
    "location_dest_id",
    "lot_id",
    "owner_id",
    "picked",
    "move_id",
}


class StockMoveLine(models.Model):
    """Changes of done moves: the ledgers record the difference."""

    _inherit = "stock.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        """Record what lines added to done moves move."""
        lines = super().create(vals_list)
        lines.move_id.filtered(lambda move: move.state == "done")._record_cost()
        return lines

    def write(self, vals):
        """Record what changed on the lines of done moves."""
        if not MOVED_FIELDS & set(vals):
            return super().write(vals)
        done = self.move_id.filtered(lambda move: move.state == "done")
        result = super().write(vals)
        (done & self.move_id)._record_cost()
        return result

    def unlink(self):
        """Record that the lines of done moves are gone."""
        done = self.move_id.filtered(lambda move: move.state == "done")
        result = super().unlink()
        done.exists()._record_cost()
        return result
