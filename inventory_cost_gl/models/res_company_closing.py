from odoo import api, models


class ResCompany(models.Model):
    """Odoo's closing entry of stock leaves managed products out."""

    _inherit = "res.company"

    def _get_accounts_by_product(self, products=None):
        """Keep managed products out of the closing entry and its report."""
        accounts = super()._get_accounts_by_product(products)
        products = self.env["product.product"].concat(*accounts)
        managed = products.with_company(self)._filter_managed()
        return {
            product: product_accounts
            for product, product_accounts in accounts.items()
            if product not in managed
        }

    @api.model
    def _cron_post_stock_valuation(self):
        """Close no company whose stock is valued by value entries."""
        companies = self.with_context(closing_of_managed_is_empty=True)
        return super(ResCompany, companies)._cron_post_stock_valuation()

    def action_close_stock_valuation(self, at_date=None, auto_post=False):
        """The scheduled closing has nothing to do where value entries are in force."""
        if (
            self.env.context.get("closing_of_managed_is_empty")
            and self.inventory_valuation == "value_entries"
        ):
            return False
        return super().action_close_stock_valuation(at_date, auto_post)
