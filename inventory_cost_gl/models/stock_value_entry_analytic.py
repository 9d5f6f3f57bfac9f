from odoo import models


class StockValueEntry(models.Model):
    """The analytic distribution of value entries, frozen when they are recorded."""

    _inherit = "stock.value.entry"

    def _own_distribution(self):
        """Return the distribution to reverse the entry with.

        ``{}`` is a bill without one, and its reversal has none either; ``None`` leaves
        it to the ledger entry.
        """
        self.ensure_one()
        distribution = self.analytic_distribution
        return None if distribution is False else distribution
