from odoo import models


class AccountMoveLine(models.Model):
    """Bills and invoices of managed products post no stock accounts of their own."""

    _inherit = "account.move.line"

    def _eligible_for_stock_account(self):
        """Managed products keep the expense account and get no COGS lines."""
        product = self.product_id.with_company(self.company_id)
        if product and product._is_managed():
            return False
        return super()._eligible_for_stock_account()
