from odoo import models


class OrderMixin(models.AbstractModel):
    """Orders that are closed short when they are cancelled.

    Nothing will be billed or invoiced any more of what was received or delivered: the
    rest of a receipt's expected cost is reversed, that of a delivery is actual. An
    order that is opened again expects it again.
    """

    _name = "inventory.order.mixin"
    _description = "Order with Inventory Cost"

    def write(self, vals):
        """State the cost anew of orders that get cancelled or opened again."""
        if "state" not in vals:
            return super().write(vals)
        before = self._filter_cancelled()
        result = super().write(vals)
        after = self._filter_cancelled()
        changed = (before - after) | (after - before)
        for company, orders in changed.sudo().grouped("company_id").items():
            orders.order_line._state_invoicing(company)
        return result

    def _filter_cancelled(self):
        return self.filtered(lambda order: order.state == "cancel")
