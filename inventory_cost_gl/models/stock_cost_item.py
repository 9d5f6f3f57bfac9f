from odoo import fields, models


class StockCostItem(models.Model):
    """A product's cost in a company; its row is the lock on it."""

    _name = "stock.cost.item"
    _description = "Inventory Cost by Product"
    _log_access = False
    _rec_name = "product_id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", check_company=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    unit_cost = fields.Float(digits=(16, 8), readonly=True)
    version = fields.Integer(readonly=True)
    excluded = fields.Boolean(string="Excluded from Cost Adjustment")
    balance_ids = fields.One2many("stock.cost.balance", "item_id")

    _product_unique = models.UniqueIndex("(product_id, company_id)")
