from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL


class ItemBalance(NamedTuple):
    """What an item has in all its cost locations; ``value`` with expected cost.

    And the decreases that wait for supply, all negative: the quantity that waits, its
    share of their cost (left out of an average item's unit cost) and of what they were
    first recorded at (of others'; ``costing.unit_cost.open_decreases``).
    """

    quantity: float = 0.0
    invoiced_quantity: float = 0.0
    value: float = 0.0
    waiting_quantity: float = 0.0
    waiting_average: float = 0.0
    waiting_first: float = 0.0


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
    def _of_items(self, items):
        """Return ``{item: ItemBalance}``: one query."""
        self.env.cr.execute(
            SQL(
                """
                SELECT i.id, b.*, w.*
                FROM stock_cost_item i
                CROSS JOIN LATERAL (
                    SELECT sum(quantity), sum(invoiced_quantity),
                           sum(value_actual + value_expected)
                    FROM stock_cost_balance WHERE item_id = i.id
                ) AS b
                CROSS JOIN LATERAL (
                    SELECT sum(remaining), sum(cost * remaining / quantity),
                           sum(first * remaining / quantity)
                    FROM (
                        SELECT e.quantity, e.remaining_quantity AS remaining,
                               sum(v.cost_amount_actual + v.cost_amount_expected)
                                   AS cost,
                               sum(v.cost_amount_actual + v.cost_amount_expected)
                                   FILTER (WHERE v.ledger_entry_quantity <> 0) AS first
                        FROM stock_ledger_entry e
                        JOIN stock_value_entry v ON v.ledger_entry_id = e.id
                        WHERE e.open AND e.quantity < 0
                          AND e.product_id = i.product_id
                          AND e.company_id = i.company_id
                        GROUP BY e.id
                    ) AS waiting
                ) AS w
                WHERE i.id IN %s
                """,
                tuple(items.ids) or (0,),
            )
        )
        return {
            items.browse(row[0]): ItemBalance(*(number or 0.0 for number in row[1:]))
            for row in self.env.cr.fetchall()
        }
