from odoo import models
from odoo.exceptions import UserError


class StockMove(models.Model):
    """The value fields of moves of managed products, read from the ledgers."""

    _inherit = "stock.move"

    def _get_value_data(
        self,
        forced_std_price=False,
        at_date=False,
        ignore_manual_update=False,
        add_extra_value=True,
    ):
        """Managed moves: their cost in the ledger, now or as posted until a date."""
        if not self._filter_managed():
            return super()._get_value_data(
                forced_std_price, at_date, ignore_manual_update, add_extra_value
            )
        return {
            "value": self._ledger_value(at_date) if at_date else self.value,
            "quantity": self._get_valued_qty(),
            "description": self.env._("Sum of the value entries of this move"),
        }

    def _ledger_value(self, at_date):
        """Return what the move cost as posted until the day of a moment.

        As in ``value``, the cost of an outgoing move is positive.
        """
        [(actual, expected)] = (
            self.env["stock.value.entry"]
            .sudo()
            ._read_group(
                [
                    ("ledger_entry_id.stock_move_id", "=", self.id),
                    ("posting_date", "<=", at_date.date()),
                ],
                [],
                ["cost_amount_actual:sum", "cost_amount_expected:sum"],
            )
        )
        value = (actual or 0.0) + (expected or 0.0)
        return -value if self.is_out else value

    def _compute_remaining_qty(self):
        """Managed moves: what is open of their increases, in one query for all."""
        managed = self._filter_managed()
        result = super(StockMove, self - managed)._compute_remaining_qty()
        remaining = dict(
            self.env["stock.ledger.entry"]
            .sudo()
            ._read_group(
                [
                    ("stock_move_id", "in", managed.ids),
                    ("open", "=", True),
                    ("quantity", ">", 0),
                ],
                ["stock_move_id"],
                ["remaining_quantity:sum"],
            )
        )
        for move in managed:
            move.remaining_qty = remaining.get(move, 0.0)
        return result

    def _compute_remaining_value(self):
        """Managed moves: layers at their own cost, other stock at the unit cost."""
        managed = self._filter_managed()
        result = super(StockMove, self - managed)._compute_remaining_value()
        for move in managed:
            product = move.product_id.with_company(move.company_id)
            by_layer = product.cost_method in ("fifo", "lifo") or product.lot_valuated
            quantity = move._get_valued_qty()
            if by_layer and quantity:
                move.remaining_value = move.value * move.remaining_qty / quantity
            else:
                move.remaining_value = product.standard_price * move.remaining_qty
        return result

    # ------------------------------------------------------------------
    # Odoo's Adjust Valuation
    # ------------------------------------------------------------------

    def _open_increases(self):
        """Return the ledger entries of the moves of which something is in stock."""
        return (
            self.env["stock.ledger.entry"]
            .sudo()
            .search(
                [
                    ("stock_move_id", "in", self.ids),
                    ("quantity", ">", 0),
                    ("open", "=", True),
                ]
            )
        )

    def _check_revaluable(self, open_increases):
        """Raise for moves of which nothing is in stock: nothing can be revalued."""
        for move in self - open_increases.stock_move_id:
            raise UserError(
                self.env._(
                    "Nothing of %(move)s (%(product)s) is in stock, so its value can't "
                    "be adjusted. Correct what the goods were received at, with a "
                    "vendor bill, a credit note or a landed cost: the cost of what was "
                    "delivered follows.",
                    move=move.reference or move.display_name,
                    product=move.product_id.display_name,
                )
            )
