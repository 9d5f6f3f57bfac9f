from odoo import models


class StockMove(models.Model):
    """Moves of managed products: Odoo's valuation stands aside."""

    _inherit = "stock.move"

    def _should_create_account_move(self):
        """Managed products get journal entries from their value entries only."""
        return (
            not self._filter_managed() and super()._should_create_account_move()
        )

    def _filter_managed(self):
        """Return the moves whose product is managed in the move's own company."""
        return self.filtered(
            lambda move: move.product_id.with_company(move.company_id)._is_managed()
        )

    def _set_value(self, correction_quantity=None):
        """Leave the value of managed moves to the cost ledger, which writes it."""
        unmanaged = self - self._filter_managed()
        return super(StockMove, unmanaged)._set_value(correction_quantity)
