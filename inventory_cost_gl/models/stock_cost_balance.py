from typing import NamedTuple

from odoo import api, fields, models


class ItemBalance(NamedTuple):
    """What an item has in all its cost locations; ``value`` with expected cost."""

    quantity: float = 0.0
    invoiced_quantity: float = 0.0
    value: float = 0.0


NO_BALANCE = ItemBalance()


class StockCostBalance(models.Model):
    """Quantity and value of an item per cost location and lot.

    A cache that whoever holds the item's lock keeps up to date. It is why a receipt
    costs the same at the millionth as at the first.
    """

    _name = "stock.cost.balance"
    _description = "Stock Cost Balance"
    _log_access = False

    item_id = fields.Many2one("stock.cost.item", required=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    product_id = fields.Many2one("product.product", required=True, ondelete="restrict")
    cost_location_id = fields.Many2one(
        "stock.location", required=True, ondelete="restrict"
    )
    lot_id = fields.Many2one("stock.lot", ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    quantity = fields.Float(digits=(16, 6))
    invoiced_quantity = fields.Float(digits=(16, 6))
    value_actual = fields.Monetary()
    value_expected = fields.Monetary()
    unit_cost = fields.Float(digits=(16, 8))

    _key_unique = models.UniqueIndex("(item_id, cost_location_id, COALESCE(lot_id, 0))")

    @api.model
    def _sums(self, items):
        """Return ``{product id: ItemBalance}``."""
        return {
            item.product_id.id: ItemBalance(quantity, invoiced, actual + expected)
            for item, quantity, invoiced, actual, expected in self.sudo()._read_group(
                [("item_id", "in", items.ids)],
                ["item_id"],
                [
                    "quantity:sum",
                    "invoiced_quantity:sum",
                    "value_actual:sum",
                    "value_expected:sum",
                ],
            )
        }
