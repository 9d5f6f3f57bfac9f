from odoo import api, models


class ProductValue(models.Model):
    """Odoo's *Adjust Valuation* of a managed move revalues what is left of it."""

    _inherit = "product.value"

    @api.model_create_multi
    def create(self, vals_list):
        """Revalue the increases of managed moves to the given value of the move."""
        values = super().create(vals_list)
        for company, own in values.filtered("move_id").grouped("company_id").items():
            managed = own.move_id._filter_managed()
            entries = managed._open_increases()
            managed._check_revaluable(entries)
            by_move = {value.move_id: value.value for value in own}
            self.env["stock.cost.item"]._revalue_by_hand(
                company,
                [
                    {
                        "product_id": entry.product_id.id,
                        "ledger_entry_id": entry.id,
                        "unit_cost_revalued": by_move[entry.stock_move_id]
                        / entry.stock_move_id._get_valued_qty(),
                    }
                    for entry in entries
                ],
            )
        return values
