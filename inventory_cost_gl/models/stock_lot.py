from odoo import models


class StockLot(models.Model):
    """Lots of managed products: their cost is read from the ledgers."""

    _inherit = "stock.lot"

    def _filter_managed(self):
        """Return the lots of products managed in ``self.env.company``."""
        return self.filtered(lambda lot: lot.product_id._is_managed())

    def _compute_value(self):
        """Managed lots: the value of their stock, in one query for all."""
        managed = self._filter_managed().filtered("lot_valuated")
        result = super(StockLot, self - managed)._compute_value()
        managed.company_currency_id = self.env.company.currency_id
        values = managed.product_id._ledger_values("lot_id")
        for lot in managed:
            lot.total_value = values.get(lot.id, (0.0, 0.0))[1]
        return result

    def _compute_avg_cost(self):
        """Managed lots: the unit cost of their stock, in one query for all."""
        managed = self._filter_managed().filtered("lot_valuated")
        result = super(StockLot, self - managed)._compute_avg_cost()
        values = managed.product_id._ledger_values("lot_id")
        for lot in managed:
            quantity, value = values.get(lot.id, (0.0, 0.0))
            empty = lot.product_id.uom_id.is_zero(quantity)
            lot.avg_cost = 0.0 if empty else value / quantity
        return result

    def _update_standard_price(self):
        """Leave the cost of managed lots to the adjustment, which writes it."""
        unmanaged = self - self._filter_managed()
        return super(StockLot, unmanaged)._update_standard_price()

    def _change_standard_price(self, old_price):
        """A changed cost of a managed lot is not Odoo's manual revaluation."""
        managed = self._filter_managed()
        changed = managed.filtered(lambda lot: lot.standard_price != old_price.get(lot))
        company = self.env.company
        entries = (
            self.env["stock.ledger.entry"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company.id),
                    ("lot_id", "in", changed.ids),
                    ("open", "=", True),
                    ("quantity", ">", 0),
                ]
            )
        )
        self.env["stock.cost.item"]._revalue_by_hand(
            company,
            [
                {
                    "product_id": entry.product_id.id,
                    "ledger_entry_id": entry.id,
                    "unit_cost_revalued": entry.lot_id.standard_price,
                }
                for entry in entries
            ],
        )
        return super(StockLot, self - managed)._change_standard_price(old_price)
