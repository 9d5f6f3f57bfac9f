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

    def _prepare_fixed_applications(self, row, quantity, reversals=()):
        """Return the rows of a decrease that are fixed to increases.

        ``row``: its other columns. What is recorded anew and was fixed before takes
        again what its reversal gives back, the others the increase chosen on the move.
        """
        if quantity >= 0:
            return []
        rows = []
        for given_back in reversals:
            entry = self.env["stock.ledger.entry"].browse(
                given_back["reverses_entry_id"]
            )
            same = all(
                (row.get(name) or None) == (given_back.get(name) or None)
                for name in ("entry_type", "cost_location_id", "lot_id")
            )
            taken = min(given_back["quantity"], -quantity)
            if same and taken > 0 and entry.applies_to_entry_id:
                quantity = round(quantity + taken, 6)
                rows.append({**row, "quantity": -taken, "applies_to_row": given_back})
        if quantity and self.applies_to_entry_id:
            self._check_left(row, quantity)
            entry = self.applies_to_entry_id
            fixed = {"quantity": quantity, "applies_to_entry_id": entry.id}
            rows.append({**row, **fixed})
        return rows

    def _check_left(self, row, quantity):
        """Raise UserError where less than the quantity is left of the increase chosen,
        where the goods are taken from."""
        entry = self.applies_to_entry_id
        elsewhere = entry.cost_location_id.id != row["cost_location_id"] or (
            row["lot_id"] and entry.lot_id.id != row["lot_id"]
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
