from odoo import api, models


class StockLedgerEntry(models.Model):
    """Receipts that are recorded anew keep their landed costs."""

    _inherit = "stock.ledger.entry"

    @api.model
    def _record(self, company, rows):
        """Move the landed costs of receipts that are reversed to what stands."""
        entries = super()._record(company, rows)
        reversals = entries.filtered(
            lambda entry: entry.reverses_entry_id and entry.quantity < 0
        )
        if reversals:
            lines = self.env["stock.valuation.adjustment.lines"].search(
                [
                    ("move_id", "in", reversals.stock_move_id.ids),
                    ("cost_id.state", "=", "done"),
                ]
            )
            lines._restate_cost(company)
        return entries
