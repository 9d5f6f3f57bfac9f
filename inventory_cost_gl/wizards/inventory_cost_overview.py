from odoo import api, fields, models


class InventoryCostOverview(models.TransientModel):
    """The start screen: what waits to be adjusted and posted, and the last runs."""

    _name = "inventory.cost.overview"
    _description = "Inventory Cost Overview"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    adjust_count = fields.Integer(
        string="Products to Adjust", compute="_compute_waiting"
    )
    adjust_since = fields.Datetime(
        string="Adjustment Waiting Since", compute="_compute_waiting"
    )
    post_count = fields.Integer(
        string="Value Entries to Post", compute="_compute_waiting"
    )
    post_from = fields.Date(string="Oldest Posting Date", compute="_compute_waiting")
    post_since = fields.Datetime(
        string="Posting Waiting Since",
        compute="_compute_waiting",
        help="When the oldest value entry to post was recorded.",
    )
    uncovered_count = fields.Integer(
        string="Ledger Entries Without Supply",
        compute="_compute_waiting",
        help="Goods were taken that were not in stock; their cost is provisional.",
    )
    closed_until = fields.Date(
        compute="_compute_waiting",
        help="Nothing is recorded until this date any more.",
    )
    run_ids = fields.Many2many(
        "inventory.cost.run", string="Last Runs", compute="_compute_runs"
    )

    def _compute_display_name(self):
        """Name the screen in the breadcrumbs."""
        for overview in self:
            overview.display_name = self.env._("Overview")

    @api.depends("company_id")
    def _compute_waiting(self):
        """Count what is to do: one query a figure."""
        for overview in self:
            company = [("company_id", "=", overview.company_id.id)]
            [[overview.adjust_count, overview.adjust_since]] = self.env[
                "stock.cost.queue"
            ]._read_group(company, [], ["product_id:count_distinct", "recorded_at:min"])
            [[overview.post_count, overview.post_from]] = self.env[
                "stock.value.entry.queue"
            ]._read_group(
                company, [], ["value_entry_id:count_distinct", "posting_date:min"]
            )
            overview.post_since = overview.company_id._posting_lag().since
            overview.uncovered_count = self.env["stock.ledger.entry"].search_count(
                [*company, ("open", "=", True), ("quantity", "<", 0)]
            )
            closed = self.env["inventory.period"].search(
                [*company, ("closed", "=", True)], limit=1
            )
            overview.closed_until = closed.ending_date

    @api.depends("company_id")
    def _compute_runs(self):
        """Show the newest runs."""
        for overview in self:
            overview.run_ids = self.env["inventory.cost.run"].search(
                [("company_id", "=", overview.company_id.id)], limit=8
            )

    @api.model
    def action_open(self):
        """Open the screen of the current company."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Overview"),
            "res_model": self._name,
            "res_id": self.create({}).id,
            "view_mode": "form",
            "target": "current",
        }

    def action_uncovered(self):
        """Open the ledger entries that took goods that were not in stock."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Ledger Entries Without Supply"),
            "res_model": "stock.ledger.entry",
            "view_mode": "list,form",
            "domain": [("company_id", "=", self.company_id.id)],
            "context": {"search_default_uncovered": 1},
        }

    def action_not_posted(self):
        """Open the value entries that wait to be posted."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries to Post"),
            "res_model": "stock.value.entry",
            "view_mode": "list,form,pivot",
            "domain": [("company_id", "=", self.company_id.id)],
            "context": {"search_default_not_posted": 1},
        }
