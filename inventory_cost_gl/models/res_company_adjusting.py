from typing import NamedTuple

from odoo import models


class AdjustmentLag(NamedTuple):
    """How far cost adjustment is behind.

    ``count`` products wait, the first of them since ``since`` (UTC), ``False`` if none.
    """

    count: int
    since: object


class ResCompany(models.Model):
    """Cost adjustment of a company: what is behind."""

    _inherit = "res.company"

    def _adjustment_lag(self):
        """Return the company's ``AdjustmentLag``: one query."""
        self.ensure_one()
        [[count, since]] = (
            self.env["stock.cost.queue"]
            .sudo()
            ._read_group(
                [("company_id", "=", self.id)],
                [],
                ["product_id:count_distinct", "recorded_at:min"],
            )
        )
        return AdjustmentLag(count, since)
