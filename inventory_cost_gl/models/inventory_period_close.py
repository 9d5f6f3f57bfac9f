from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class InventoryPeriodClose(models.Model):
    """Closing and re-opening inventory periods, in order (Business Central h.6)."""

    _inherit = "inventory.period"

    def action_test(self):
        """Open the report of what keeps the period from being closed."""
        self.ensure_one()
        return self.env["inventory.period.test"]._open(
            self.company_id, self.ending_date
        )

    def action_close(self):
        """Close this period and the earlier ones: their inventory value is final.

        Raises UserError while goods sold or used in them have no supply yet, or cost in
        them is not adjusted, and names both.
        """
        self.check_access("write")
        for period in self.sorted("ending_date"):
            period._close()

    def _close(self):
        """Check without holding anybody up, then under the guard once more.

        The guard waits for documents under way, which are not in this transaction's
        snapshot: a fresh one sees them.
        """
        company_id, day = self.company_id.id, self.ending_date
        self._check_closable(company_id, day)
        self.env["inventory.cost.guard"]._change(self.company_id)
        with self.env.registry.cursor() as cr:
            fresh = self.with_env(self.env(cr=cr))
            fresh._check_closable(company_id, day)
            last_value_entry_id = max(
                period._newest_value_entry_id(company_id) for period in (self, fresh)
            )
        closing = self.search(self._others("<=") & Domain("closed", "=", False))
        closing.sudo().write(
            {
                "closed": True,
                "closed_at": fields.Datetime.now(),
                "last_value_entry_id": last_value_entry_id,
            }
        )
        closing.flush_recordset(["closed"])

    def _newest_value_entry_id(self, company_id):
        """Return the id of the company's last value entry, or ``False``."""
        entries = self.env["stock.value.entry"].sudo()
        return entries.search(
            [("company_id", "=", company_id)], order="id desc", limit=1
        ).id

    @api.model
    def _check_closable(self, company_id, day):
        """Raise while something in a company keeps it from being closed until a day."""
        company = self.env["res.company"].browse(company_id)
        findings = self._blocking_findings(company, day)
        if findings:
            raise UserError(
                self.env._(
                    "The period can't be closed.\n%(reasons)s",
                    reasons="\n".join(finding.text() for finding in findings),
                )
            )

    def action_reopen(self):
        """Ask for the reason to open this period and the later ones again."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Re-open %(period)s", period=self.name),
            "res_model": "inventory.period.reopen",
            "view_mode": "form",
            "target": "new",
            "context": {"default_period_id": self.id},
        }

    def _reopen(self, reason):
        """Open this period and the later ones again, and record why."""
        self.check_access("write")
        for period in self:
            self.env["inventory.cost.guard"]._change(period.company_id)
            opened = period._closed_from_here()
            opened.sudo().closed = False
            # PostgreSQL lets cost in from here on.
            opened.flush_recordset(["closed"])
            for one in opened:
                one.message_post(
                    body=self.env._("Opened again: %(reason)s", reason=reason)
                )

    def _closed_from_here(self):
        """Return the closed periods that open with this one."""
        return self.search(self._others(">=") & Domain("closed", "=", True))
