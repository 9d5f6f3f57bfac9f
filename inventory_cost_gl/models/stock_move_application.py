from odoo import api, fields, models
from odoo.exceptions import UserError


class StockMove(models.Model):
    """Fixed applications: a decrease takes the goods, and the cost, of one increase."""

    _inherit = "stock.move"

    applies_to_entry_id = fields.Many2one(
        "stock.ledger.entry",
        string="Applies-to Entry",
        copy=False,
        check_company=True,
        groups="inventory_cost_gl.group_user",
        domain="[('product_id', '=', product_id), ('open', '=', True),"
        " ('quantity', '>', 0)]",
        help="The receipt that these goods are taken from, and whose cost they get, "
        "whatever the costing method. Left empty, the costing method decides.",
    )

    @api.constrains("applies_to_entry_id", "product_id")
    def _check_applies_to_entry(self):
        for move in self.sudo().filtered("applies_to_entry_id"):
            entry = move.applies_to_entry_id
            if entry.product_id != move.product_id or entry.quantity < 0:
                raise UserError(
                    self.env._(
                        "%(move)s can only be applied to a receipt of %(product)s.",
                        move=move.display_name,
                        product=move.product_id.display_name,
                    )
                )

    def _prepare_fixed_application(self, location_id, lot_id, quantity):
        """Return the columns that fix a decrease to the increase chosen on the move.

        Raises UserError where less than the quantity is left of it there.
        """
        entry = self.applies_to_entry_id
        if not entry or quantity > 0:
            return {}
        elsewhere = entry.cost_location_id.id != location_id or (
            lot_id and entry.lot_id.id != lot_id
        )
        left = 0.0 if elsewhere else entry.remaining_quantity
        if round(left + quantity, 6) < 0:
            raise UserError(
                self.env._(
                    "%(move)s takes %(quantity)s of %(product)s, but only %(left)s are "
                    "left of the receipt it is applied to. Choose another "
                    "applies-to entry, or none.",
                    move=self.display_name,
                    quantity=f"{-quantity:g}",
                    product=self.product_id.display_name,
                    left=f"{left:g}",
                )
            )
        return {"applies_to_entry_id": entry.id}
