from odoo import api, fields, models
from odoo.exceptions import UserError


class InventoryPeriodReopen(models.TransientModel):
    """Asks why a closed period is opened again."""

    _name = "inventory.period.reopen"
    _description = "Re-open Inventory Period"

    period_id = fields.Many2one("inventory.period", required=True, readonly=True)
    opened_names = fields.Char(
        string="Periods That Open", compute="_compute_opened_names"
    )
    reason = fields.Char(required=True)

    @api.depends("period_id")
    def _compute_opened_names(self):
        """Name the periods that open: the later ones as well."""
        for wizard in self:
            opened = wizard.period_id._closed_from_here()
            wizard.opened_names = ", ".join(opened.mapped("name"))

    def action_reopen(self):
        """Open the periods again; the reason goes to their chatter."""
        self.ensure_one()
        if not self.reason.strip():
            raise UserError(
                self.env._("Say why %s is opened again.", self.period_id.name)
            )
        self.period_id._reopen(self.reason)
        return {"type": "ir.actions.act_window_close"}
