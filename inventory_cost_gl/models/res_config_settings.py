from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    """The company's inventory cost settings, in a section of their own."""

    _inherit = "res.config.settings"

    automatic_cost_posting = fields.Selection(
        related="company_id.automatic_cost_posting", readonly=False, required=True
    )
    automatic_cost_adjustment = fields.Selection(
        related="company_id.automatic_cost_adjustment", readonly=False, required=True
    )
    average_cost_calc_type = fields.Selection(
        related="company_id.average_cost_calc_type", readonly=False, required=True
    )
    average_cost_period = fields.Selection(
        related="company_id.average_cost_period", readonly=False, required=True
    )
    has_value_entries = fields.Boolean(compute="_compute_has_value_entries")
    cost_posting_granularity = fields.Selection(
        related="company_id.cost_posting_granularity", readonly=False, required=True
    )
    inventory_cost_journal_id = fields.Many2one(
        related="company_id.inventory_cost_journal_id", readonly=False
    )
    inventory_cost_tz = fields.Selection(
        related="company_id.inventory_cost_tz", readonly=False
    )
    business_posting_group_id = fields.Many2one(
        related="company_id.business_posting_group_id", readonly=False
    )

    @api.depends("company_id")
    def _compute_has_value_entries(self):
        """Say whether a changed average cost setting re-opens recorded cost."""
        for settings in self:
            company = settings.company_id
            settings.has_value_entries = bool(company._with_value_entries())
