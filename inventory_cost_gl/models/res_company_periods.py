from datetime import date

from odoo import api, fields, models
from odoo.tools import SQL

# Of a row with a company, as the guard and the company itself read it.
CLOSED_UNTIL = """
    (SELECT max(ending_date) FROM inventory_period period
      WHERE period.closed AND period.company_id = %s)
"""


class ResCompany(models.Model):
    """Until when a company is closed for recording cost."""

    _inherit = "res.company"

    inventory_closed_until = fields.Date(
        compute="_compute_inventory_closed_until",
        help="The ending date of the last closed inventory period.",
    )

    @api.depends("inventory_period_ids.closed", "inventory_period_ids.ending_date")
    def _compute_inventory_closed_until(self):
        """Ask the database; who holds the guard knows already (``_hold``)."""
        self.env["inventory.period"].flush_model(["closed", "ending_date"])
        until = dict(
            self.env.execute_query(
                SQL(
                    "SELECT id, %s FROM res_company WHERE id = ANY(%s)",
                    SQL(CLOSED_UNTIL, SQL.identifier("res_company", "id")),
                    list(self.ids),
                )
            )
        )
        for company in self:
            company.inventory_closed_until = until.get(company.id)

    def _inventory_lock_date(self):
        """Return Odoo's last locked day as the current user meets it.

        ``date.min`` without one. Exceptions are looked up only where there is a lock.
        """
        self.ensure_one()
        companies = self.sudo().parent_ids
        if not any(c.fiscalyear_lock_date or c.hard_lock_date for c in companies):
            return date.min
        return max(self.user_fiscalyear_lock_date, self.user_hard_lock_date)
