from odoo import models


class AccountMoveLine(models.Model):
    """Which analytic distribution the cost of a bill or an invoice line takes."""

    _inherit = "account.move.line"

    def _inventory_analytic_distribution(self, entry):
        """Return the distribution of what the line contributes to a ledger entry.

        Its own, as in Business Central. A bill line without one contributes without
        one (``{}``): the cost that the subledger credits to Direct Cost Applied is what
        the bill charged, to the same analytic accounts or to none. An invoice line
        without one leaves it to the delivery.

        :return: a distribution, or ``None`` for the ledger entry's
        """
        self.ensure_one()
        if self.analytic_distribution:
            return self.analytic_distribution
        return {} if entry.entry_type == "purchase" else None
