from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


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

    @api.model
    def _create_missing(self, company, products):
        """Add the rows of products that have none in a company, in one statement.

        They start at the product's cost, which is what goods without a price of their
        own are received at.
        """
        if not products:
            return
        self.env["product.product"].flush_model(["standard_price"])
        self.env.cr.execute(
            SQL(
                "INSERT INTO stock_cost_item "
                "(company_id, product_id, unit_cost, version, excluded) "
                "SELECT %(company)s, id, "
                "COALESCE((standard_price ->> %(key)s)::numeric, 0), 0, false "
                "FROM product_product WHERE id = ANY(%(products)s) "
                "ON CONFLICT (product_id, company_id) DO NOTHING",
                company=company.id,
                key=str(company.id),
                products=products.ids,
            )
        )

    @api.model
    def _take_over_standard_price(self, company, products):
        """Make a cost typed in on products without stock their unit cost."""
        domain = Domain("company_id", "=", company.id) & Domain(
            "product_id", "in", products.ids
        )
        self._refuse_cost_with_stock(domain)
        for item in self.sudo().search(domain):
            item.unit_cost = item.product_id.with_company(company).standard_price

    @api.model
    def _refuse_cost_with_stock(self, domain):
        """With stock on hand a changed cost is a revaluation: refuse to type it in.

        :param domain: on balances
        """
        balance = (
            self.env["stock.cost.balance"]
            .sudo()
            .search(Domain(domain) & Domain("quantity", "!=", 0), limit=1)
        )
        if balance:
            raise UserError(
                self.env._(
                    "%(product)s has stock in %(company)s: its cost can't be typed "
                    "in. Post a revaluation instead.",
                    product=(balance.lot_id or balance.product_id).display_name,
                    company=balance.company_id.display_name,
                )
            )
