from odoo import models


class InventoryPeriod(models.Model):
    """Landed costs are a reason to wait with closing a period."""

    _inherit = "inventory.period"

    def _noted_findings(self, company, day):
        """Add landed costs that could not be validated any more."""
        landed_costs = self._found(
            "draft_landed_costs",
            self.env._("Landed costs that are not validated, dated until then"),
            self.env._("Validate them, or give them a later date."),
            "stock.landed.cost",
            [
                ("company_id", "=", company.id),
                ("state", "=", "draft"),
                ("date", "<=", day),
            ],
            order="date, id",
        )
        findings = super()._noted_findings(company, day)
        return findings + [landed_costs] * bool(landed_costs)
