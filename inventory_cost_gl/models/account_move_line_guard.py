from odoo import api, models

# What of a posted journal item must stay as the value entries linked to it say.
GUARDED_FIELDS = {
    "account_id",
    "amount_currency",
    "analytic_distribution",
    "balance",
    "credit",
    "currency_id",
    "date",
    "debit",
    "move_id",
    "partner_id",
    "product_id",
    "tax_ids",
}


class AccountMoveLine(models.Model):
    """Journal items of inventory cost change through *Reverse run* only."""

    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        """Refuse to add items to posted entries of inventory cost."""
        move_ids = {vals["move_id"] for vals in vals_list if vals.get("move_id")}
        self.env["account.move"].browse(move_ids)._check_no_inventory_cost()
        return super().create(vals_list)

    def write(self, vals):
        """Refuse changes of what the value entries state."""
        if GUARDED_FIELDS & vals.keys():
            self.move_id._check_no_inventory_cost()
        return super().write(vals)

    def unlink(self):
        """Refuse to delete items of entries of inventory cost."""
        self.move_id._check_no_inventory_cost()
        return super().unlink()
