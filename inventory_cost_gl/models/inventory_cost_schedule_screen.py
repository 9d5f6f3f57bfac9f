from odoo import api, fields, models


class InventoryCostScheduleScreen(models.Model):
    """What the scheduling assistant shows beside the settings."""

    _inherit = "inventory.cost.schedule"

    responsible_id = fields.Many2one(
        "res.users",
        compute="_compute_responsible_id",
        inverse="_inverse_responsible_id",
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        help="Gets a to-do when a run fails or leaves something out.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    last_state = fields.Selection(related="last_run_id.state", string="Adjusting")
    last_duration = fields.Float(related="last_run_id.duration", string="Seconds")
    last_message = fields.Text(related="last_run_id.message")
    last_posting_run_id = fields.Many2one(related="last_run_id.posting_run_id")
    result = fields.Char(compute="_compute_result")
    run_ids = fields.Many2many("inventory.cost.run", compute="_compute_run_ids")
    adjust_count = fields.Integer(
        string="Products to Adjust", compute="_compute_waiting"
    )
    adjust_since = fields.Datetime(
        string="Adjustment Waiting Since", compute="_compute_waiting"
    )
    post_count = fields.Integer(
        string="Value Entries to Post", compute="_compute_waiting"
    )
    post_since = fields.Datetime(
        string="Posting Waiting Since", compute="_compute_waiting"
    )
    stopped_actions = fields.Char(
        string="Scheduled Actions Switched Off",
        compute="_compute_stopped_actions",
        help="Without these scheduled actions nothing is done at night.",
    )

    @api.depends("company_id.inventory_cost_responsible_id")
    def _compute_responsible_id(self):
        """Show the company's responsible accountant."""
        for schedule in self:
            company = schedule.company_id.sudo()
            schedule.responsible_id = company.inventory_cost_responsible_id

    def _inverse_responsible_id(self):
        """Set it on the company, which managers of inventory cost can't write to."""
        for schedule in self:
            company = schedule.company_id.sudo()
            company.inventory_cost_responsible_id = schedule.responsible_id

    @api.depends("last_run_id.state", "last_run_id.skipped_count", "last_start")
    def _compute_result(self):
        """Say in one line what came of the last night."""
        for schedule in self:
            schedule.result = schedule._result()

    def _result(self):
        self.ensure_one()
        run = self.last_run_id
        if not self.last_start:
            return self.env._("Not started yet")
        if not run:
            return self.env._("Nothing to adjust, nothing to post")
        runs = run | run.posting_run_id
        if "failed" in runs.mapped("state"):
            return self.env._("Failed: open the run to see why")
        if {"draft", "running"} & set(runs.mapped("state")):
            return self.env._("Still running")
        if any(runs.mapped("skipped_count")):
            return self.env._("Done, with something left out: open the run to see what")
        return self.env._("Done")

    @api.depends("company_id", "last_run_id")
    def _compute_run_ids(self):
        """Show the company's last automatic runs."""
        for schedule in self:
            schedule.run_ids = self.env["inventory.cost.run"].search(
                [
                    ("company_id", "=", schedule.company_id.id),
                    ("automatic", "=", True),
                ],
                limit=8,
            )

    @api.depends("company_id")
    def _compute_waiting(self):
        """Show how far the work is behind."""
        for schedule in self:
            company = schedule.company_id
            schedule.adjust_count, schedule.adjust_since = company._adjustment_lag()
            schedule.post_count, schedule.post_since = company._posting_lag()

    @api.depends("company_id")
    def _compute_stopped_actions(self):
        """Name the scheduled actions an administrator switched off."""
        names = ("nightly", "adjust_cost", "adjust_cost_2")
        actions = self.env["ir.cron"].sudo()
        for name in names:
            actions |= self.env.ref(f"inventory_cost_gl.ir_cron_{name}").sudo()
        actions |= self.env.ref("inventory_cost_gl.cron_post_inventory_cost").sudo()
        stopped = actions.filtered(lambda action: not action.active)
        for schedule in self:
            schedule.stopped_actions = ", ".join(stopped.mapped("name"))

    @api.model
    def action_open(self):
        """Open the assistant of the current company, set up as proposed."""
        company = self.env.company
        schedule = self.with_context(active_test=False).search(
            [("company_id", "=", company.id)]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Scheduling"),
            "res_model": self._name,
            "res_id": schedule.id,
            "view_mode": "form",
            "context": {"default_company_id": company.id},
        }
