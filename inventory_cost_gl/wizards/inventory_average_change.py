from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class InventoryAverageChange(models.TransientModel):
    """Asks before average cost is worked out in another way, and says what follows."""

    _name = "inventory.average.change"
    _description = "Change Average Cost"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    average_cost_calc_type = fields.Selection(
        lambda self: self.env["inventory.average.setting"]._selection_of(
            "average_cost_calc_type"
        ),
        string="Average Cost Calc. Type",
        required=True,
        default=lambda self: self.env.company.average_cost_calc_type,
    )
    average_cost_period = fields.Selection(
        lambda self: self.env["inventory.average.setting"]._selection_of(
            "average_cost_period"
        ),
        required=True,
        default=lambda self: self.env.company.average_cost_period,
    )
    is_changed = fields.Boolean(compute="_compute_is_changed")
    date_from = fields.Date(
        string="Recalculated From",
        compute="_compute_reach",
        help="The first open day: what is closed stays as it is.",
    )
    product_count = fields.Integer(
        string="Products",
        compute="_compute_reach",
        help="Products valued by average whose cost is worked out anew.",
    )
    entry_count = fields.Integer(
        string="Ledger Entries",
        compute="_compute_reach",
        help="Ledger entries of these products from that day on.",
    )

    @api.depends("average_cost_calc_type", "average_cost_period", "company_id")
    def _compute_is_changed(self):
        """Say whether the settings chosen are other than the company's."""
        for wizard in self:
            company = wizard.company_id
            wizard.is_changed = (
                wizard.average_cost_calc_type != company.average_cost_calc_type
                or wizard.average_cost_period != company.average_cost_period
            )

    @api.depends("company_id")
    def _compute_reach(self):
        """Say what would be re-opened."""
        for wizard in self:
            company = wizard.company_id
            day = self.env["inventory.period"]._earliest_open_date(company)
            products = company._average_products()
            rows = self.env["stock.ledger.entry"]._read_group(
                [
                    ("company_id", "=", company.id),
                    ("product_id", "in", products.ids),
                    *([("valuation_date", ">=", day)] if day else []),
                ],
                [],
                ["__count"],
            )
            wizard.date_from = day
            wizard.product_count = len(products)
            wizard.entry_count = rows[0][0]

    def action_change(self):
        """Change the settings and adjust the cost; return the run that does it.

        Raises UserError if nothing is changed, AccessError for all but managers.
        """
        self.ensure_one()
        self._check_may_change()
        if not self.is_changed:
            raise UserError(
                self.env._(
                    "Choose another calculation type or period: these are in force "
                    "already."
                )
            )
        self.company_id.sudo().write(
            {
                "average_cost_calc_type": self.average_cost_calc_type,
                "average_cost_period": self.average_cost_period,
            }
        )
        return (
            self.env["inventory.cost.adjust"]
            .with_company(self.company_id)
            .create({"company_id": self.company_id.id})
            .action_adjust()
        )

    def _check_may_change(self):
        """Only managers, of the company they work in."""
        if not self.env.user.has_group("inventory_cost_gl.group_manager"):
            raise AccessError(
                self.env._("Only managers of inventory cost can change its settings.")
            )
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._(
                    "Switch to the company %(company)s to change its settings.",
                    company=self.company_id.sudo().display_name,
                )
            )
