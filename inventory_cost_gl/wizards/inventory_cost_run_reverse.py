from odoo import fields, models
from odoo.exceptions import AccessError


class InventoryCostRunReverse(models.TransientModel):
    """Asks for the date on which a posting run is reversed."""

    _name = "inventory.cost.run.reverse"
    _description = "Reverse Run"

    run_id = fields.Many2one("inventory.cost.run", required=True, readonly=True)
    automatic = fields.Selection(related="run_id.company_id.automatic_cost_posting")
    date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="Posting date of the reversing journal entries.",
    )

    def action_reverse(self):
        """Reverse the run; return the action that opens the reversal."""
        self.ensure_one()
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._("Only inventory cost accountants reverse posting runs.")
            )
        self.run_id.check_access("read")
        run = self.run_id.sudo().with_company(self.run_id.company_id)
        return run._reverse(self.date).sudo(False)._open_action()
