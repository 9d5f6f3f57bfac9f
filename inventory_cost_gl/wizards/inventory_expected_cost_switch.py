from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class InventoryExpectedCostSwitch(models.TransientModel):
    """Asks before Expected Cost Posting to G/L is switched: what it would queue."""

    _name = "inventory.expected.cost.switch"
    _description = "Switch Expected Cost Posting"
    _check_company_auto = True

    settings_id = fields.Many2one(
        "res.config.settings", readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    # As the dialog showed it when it was opened, whoever has switched it since.
    turn_on = fields.Boolean(
        readonly=True,
        default=lambda self: not self.env.company.expected_cost_posting,
    )
    ledger_entry_count = fields.Integer(
        string="Ledger Entries", compute="_compute_switched_cost"
    )
    received = fields.Monetary(
        string="Received, Not Invoiced", compute="_compute_switched_cost"
    )
    shipped = fields.Monetary(
        string="Shipped, Not Invoiced", compute="_compute_switched_cost"
    )

    @api.depends("company_id")
    def _compute_switched_cost(self):
        """Tell what would be queued, or taken off the queue."""
        queue = self.env["stock.value.entry.queue"]
        for wizard in self:
            cost = queue._switched_cost(wizard.company_id)
            wizard.ledger_entry_count = cost.ledger_entry_count
            wizard.received = cost.received
            wizard.shipped = cost.shipped

    def action_confirm(self):
        """Switch the setting, and save the settings that it was changed in.

        Raises UserError if somebody has switched it already; then nothing is changed.
        """
        self.ensure_one()
        if not self.env.user.has_group("inventory_cost_gl.group_manager"):
            raise AccessError(
                self.env._("Only managers of inventory cost can change its settings.")
            )
        if self.company_id.expected_cost_posting == self.turn_on:
            raise UserError(self._already_switched())
        self.company_id.sudo().expected_cost_posting = self.turn_on
        if self.settings_id:
            return self.settings_id.execute()
        return {"type": "ir.actions.client", "tag": "reload"}

    def _already_switched(self):
        """Say that there is nothing to switch any more."""
        company = self.company_id.display_name
        if self.turn_on:
            return self.env._(
                "Expected cost posting of %(company)s is turned on already: somebody "
                "was quicker. Nothing was changed.",
                company=company,
            )
        return self.env._(
            "Expected cost posting of %(company)s is turned off already: somebody was "
            "quicker. Nothing was changed.",
            company=company,
        )
