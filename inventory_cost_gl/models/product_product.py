from odoo import models


class ProductProduct(models.Model):
    """Managed products: the value entries answer for their cost."""

    _inherit = "product.product"

    def _is_managed(self):
        """Say whether the value entries answer for the product's cost.

        In ``self.env.company``: call it on ``product.with_company(company)``.
        """
        self.ensure_one()
        return self.product_tmpl_id._is_managed()

    def _filter_managed(self):
        """Return the products managed in ``self.env.company``."""
        return self.filtered(lambda product: product._is_managed())

    def _get_inventory_posting_group(self):
        """Return the inventory posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.product_tmpl_id._get_inventory_posting_group()

    def _get_product_posting_group(self):
        """Return the product posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.product_tmpl_id._get_product_posting_group()
