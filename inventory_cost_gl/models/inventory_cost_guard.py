from odoo import fields, models
from odoo.tools import SQL


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
        """Say that this transaction records cost for these companies."""
        self.env.cr.execute(
            SQL(
                "SELECT id FROM inventory_cost_guard "
                "WHERE company_id IN %s ORDER BY id FOR SHARE",
                tuple(companies.ids),
            )
        )

    def _change(self, companies):
        """Turn away every document that began before this transaction commits."""
        self.env.cr.execute(
            SQL(
                "UPDATE inventory_cost_guard SET version = version + 1 "
                "WHERE company_id IN %s",
                tuple(companies.ids),
            )
        )
