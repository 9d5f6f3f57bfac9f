from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class InventoryPeriodTest(models.TransientModel):
    """Close Inventory Period – Test: what to do before a period is closed.

    On screen and printed; it reads only, and holds nobody up (Business Central g.6).
    """

    _name = "inventory.period.test"
    _description = "Close Inventory Period – Test"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    ending_date = fields.Date(
        string="Period Until", required=True, default=lambda self: self._last_month()
    )
    tested_at = fields.Datetime(readonly=True)
    line_ids = fields.One2many("inventory.period.test.line", "test_id", readonly=True)
    blocked = fields.Boolean(compute="_compute_blocked")

    def _compute_display_name(self):
        """Name the screen in the breadcrumbs."""
        for test in self:
            test.display_name = self.env._("Close Inventory Period – Test")

    @api.depends("line_ids.blocks")
    def _compute_blocked(self):
        """Say whether the period can't be closed yet."""
        for test in self:
            test.blocked = any(test.line_ids.mapped("blocks"))

    @api.onchange("company_id", "ending_date")
    def _onchange_filters(self):
        """Hide findings that belong to other filters."""
        self.tested_at = False

    def write(self, vals):
        """Drop findings that belong to other filters."""
        if {"company_id", "ending_date"} & set(vals):
            vals = {**vals, "line_ids": [Command.clear()], "tested_at": False}
        return super().write(vals)

    def _last_month(self):
        """Return the last day of the month before today."""
        first = fields.Date.context_today(self).replace(day=1)
        return fields.Date.subtract(first, days=1)

    @api.model
    def action_open(self):
        """Open the screen with the findings of the next period to be closed."""
        company = self.env.company
        period = self.env["inventory.period"].search(
            [("company_id", "=", company.id), ("closed", "=", False)],
            order="ending_date",
            limit=1,
        )
        return self._open(company, period.ending_date or self._last_month())

    @api.model
    def _open(self, company, day):
        """Return the action that shows the findings of a company until a day."""
        test = self.create({"company_id": company.id, "ending_date": day})
        return test.action_test() | {"target": "current"}

    def action_test(self):
        """Look for everything that should be done before closing."""
        self.ensure_one()
        self._check_company_is_chosen()
        findings = self.env["inventory.period"]._findings(
            self.company_id, self.ending_date
        )
        self.line_ids.unlink()
        self.write(
            {
                "tested_at": fields.Datetime.now(),
                "line_ids": [
                    Command.create(
                        {
                            "kind": finding.kind,
                            "title": finding.title,
                            "advice": finding.advice,
                            "examples": "\n".join(finding.examples),
                            "count": finding.count,
                            "blocks": finding.blocks,
                        }
                    )
                    for finding in findings
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Close Inventory Period – Test"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "main",
        }

    def _check_company_is_chosen(self):
        """Raise if the findings would be of nothing the user can read."""
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._(
                    "Choose %(company)s in the company menu first, to test its period.",
                    company=self.company_id.sudo().name,
                )
            )

    def action_print(self):
        """Print the findings as PDF."""
        self.action_test()
        return self.env.ref(
            "inventory_cost_gl.action_report_inventory_period_test"
        ).report_action(self, config=False)


class InventoryPeriodTestLine(models.TransientModel):
    """One finding of the test, and the way to its records."""

    _name = "inventory.period.test.line"
    _description = "Finding of the Close Inventory Period Test"

    test_id = fields.Many2one(
        "inventory.period.test", required=True, ondelete="cascade"
    )
    kind = fields.Char(required=True)
    title = fields.Char(string="Finding", required=True)
    count = fields.Integer(string="Number")
    examples = fields.Text()
    advice = fields.Text(string="What to Do")
    blocks = fields.Boolean(string="Keeps It from Closing")

    def action_open(self):
        """Open the records of the finding, as they are now."""
        self.ensure_one()
        test = self.test_id
        if self.kind == "not_reconciled":
            reconciliation = self.env["inventory.gl.reconciliation.wizard"].create(
                {"company_id": test.company_id.id, "date_to": test.ending_date}
            )
            return reconciliation.action_show()
        findings = self.env["inventory.period"]._findings(
            test.company_id, test.ending_date
        )
        for finding in findings:
            if finding.kind == self.kind:
                return {
                    "type": "ir.actions.act_window",
                    "name": finding.title,
                    "res_model": finding.model,
                    "view_mode": "list,form",
                    "domain": finding.domain,
                    "context": {"create": False},
                }
        raise UserError(
            self.env._("This is done: nothing of it is left. Choose Test again.")
        )
