from odoo import fields, models
from odoo.tools import SQL

from .res_company_periods import CLOSED_UNTIL


class InventoryCostGuard(models.Model):
    """One row per company between those who record cost and those who close.

    Whoever records cost holds the row FOR SHARE until commit; closing and re-opening
    periods, changing cost settings and go-live update it. A document that began before
    the close therefore fails with a serialization error, which Odoo retries, and meets
    the closed period on its second try.
    """

    _name = "inventory.cost.guard"
    _description = "Inventory Cost Guard"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    version = fields.Integer(default=0)

    _company_unique = models.UniqueIndex("(company_id)")

    def _create_missing(self, companies):
        """Add the row of each company that has none."""
        self.env.cr.execute(
            SQL(
                "INSERT INTO inventory_cost_guard (company_id, version) "
                "SELECT id, 0 FROM res_company WHERE id IN %s "
                "ON CONFLICT (company_id) DO NOTHING",
                tuple(companies.ids) or (0,),
            )
        )

    def _hold(self, companies):
        """Say that this transaction records cost for these companies.

        Nobody closes or opens a period meanwhile: until when they are closed is read
        along and remembered.
        """
        periods = self.env["inventory.period"]
        periods.flush_model(["closed", "ending_date"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT company_id, %s FROM inventory_cost_guard guard
                 WHERE company_id IN %s ORDER BY id FOR SHARE
                """,
                SQL(CLOSED_UNTIL, SQL.identifier("guard", "company_id")),
                tuple(companies.ids),
            )
        )
        for company_id, closed_until in rows:
            company = companies.browse(company_id)
            field = company._fields["inventory_closed_until"]
            field._update_cache(company, closed_until)

    def _change(self, companies):
        """Turn away every document that began before this transaction commits."""
        self.env.cr.execute(
            SQL(
                "UPDATE inventory_cost_guard SET version = version + 1 "
                "WHERE company_id IN %s",
                tuple(companies.ids),
            )
        )
