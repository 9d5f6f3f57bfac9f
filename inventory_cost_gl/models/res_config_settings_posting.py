from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    """The settings of posting that ask before they change something, and whom."""

    _inherit = "res.config.settings"

    # Not related to the company's: it would be written before the question is asked.
    expected_cost_posting = fields.Boolean(string="Expected Cost Posting to G/L")
    inventory_cost_responsible_id = fields.Many2one(
        related="company_id.inventory_cost_responsible_id", readonly=False
    )
    inventory_write_off_tolerance = fields.Monetary(
        related="company_id.inventory_write_off_tolerance",
        readonly=False,
        currency_field="currency_id",
    )

    @api.model
    def get_values(self):
        """Show whether the company posts expected cost."""
        values = super().get_values()
        values["expected_cost_posting"] = self.env.company.expected_cost_posting
        return values

    def set_values(self):
        """Switch expected cost posting."""
        result = super().set_values()
        if self._switches_expected_cost():
            self.company_id.expected_cost_posting = self.expected_cost_posting
        return result

    def execute(self):
        """Ask first where switching expected cost posting queues something."""
        self.ensure_one()
        if (
            self._switches_expected_cost()
            and self.env["stock.value.entry.queue"]
            .sudo()
            ._switched_cost(self.company_id)
            .ledger_entry_count
        ):
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Expected Cost Posting to G/L"),
                "res_model": "inventory.expected.cost.switch",
                "view_mode": "form",
                "target": "new",
                "context": {
                    "default_settings_id": self.id,
                    "default_company_id": self.company_id.id,
                    "default_turn_on": self.expected_cost_posting,
                },
            }
        return super().execute()

    def _switches_expected_cost(self):
        """Say whether these settings turn expected cost posting on or off."""
        return self.expected_cost_posting != self.company_id.expected_cost_posting
