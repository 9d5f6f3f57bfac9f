from odoo import models


class SaleOrderLine(models.Model):
    """Sale order lines: the cost of a delivery is expected until it is invoiced."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "inventory.order.line.mixin"]

    def _inventory_direction(self):
        """Deliveries are negative entries."""
        return -1
