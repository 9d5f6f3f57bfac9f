from odoo import models

from ..costing.entry_types import NO_ORDER


class StockMove(models.Model):
    """Which analytic distribution the cost of a move takes.

    It is settled when the ledger entry is recorded; its value entries take it over,
    but for those of a bill or an invoice (``account_move_line_analytic``).
    """

    _inherit = "stock.move"

    def _inventory_analytic_distribution(self, entry_type):
        """Return the analytic distribution of the move's ledger entry, maybe empty.

        That of the order line; else of what the move belongs to by Odoo's own hook,
        such as a project or a manufacturing order; else of the distribution models. An
        order line's distribution comes from these models already: one that was emptied
        stays empty.
        """
        self.ensure_one()
        line = self._inventory_line_of(entry_type)
        distribution = (
            line and line.analytic_distribution
        ) or self._get_analytic_distribution()
        if distribution or line:
            return distribution or {}
        models = self.env["account.analytic.distribution.model"]
        return models._inventory_distribution(
            self.company_id, self.product_id, self._inventory_partner(entry_type)
        )

    def _prepare_analytic_lines(self):
        """Leave the analytic items of managed moves to their journal items.

        Both would count the cost twice. What an order consumes is posted to work in
        process, which has no analytic items: there Odoo's own stay.
        """
        if (
            self._get_analytic_distribution()
            and self._filter_managed()
            and self._inventory_order_kind() == NO_ORDER
        ):
            return False
        return super()._prepare_analytic_lines()
