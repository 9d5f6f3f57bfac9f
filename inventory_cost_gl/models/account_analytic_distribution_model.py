from odoo import api, models, tools


class AccountAnalyticDistributionModel(models.Model):
    """Odoo's distribution models, asked for moves that have no document of their own.

    Without a model nothing is queried. With models there is a query for each
    combination of what they name, however many products and partners a batch has.
    """

    _inherit = "account.analytic.distribution.model"

    @api.model_create_multi
    def create(self, vals_list):
        """Forget what was found without the new models."""
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        """Forget what was found before the change."""
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        """Forget what was found with the deleted models."""
        self.env.registry.clear_cache()
        return super().unlink()

    @api.model
    def _inventory_distribution(self, company, product, partner):
        """Return the analytic distribution of a move of a product, ``{}`` if none.

        Models for an account prefix stay out: accounts are found when cost is posted,
        and a value entry's distribution is settled when it is recorded.
        """
        named = self._inventory_named(company.id)
        if not named:
            return {}
        product_ids, category_ids, partner_ids, tag_ids = named
        category = product.categ_id
        return self._inventory_found(
            company.id,
            product.id if product.id in product_ids else False,
            category.id if category.id in category_ids else False,
            partner.id if partner.id in partner_ids else False,
            tuple(sorted(tag_ids.intersection(partner.category_id.ids))),
        )

    @api.model
    @tools.ormcache("company_id")
    def _inventory_named(self, company_id):
        """Return the ids of the products, categories, partners and partner categories
        that the company's models name; ``None`` if it has no models."""
        models = self.sudo().search([("company_id", "in", [company_id, False])])
        models = models.filtered(lambda model: not model.account_prefix)
        if not models:
            return None
        return (
            frozenset(models.product_id.ids),
            frozenset(models.product_categ_id.ids),
            frozenset(models.partner_id.ids),
            frozenset(models.partner_category_id.ids),
        )

    @api.model
    @tools.ormcache("company_id", "product_id", "category_id", "partner_id", "tag_ids")
    def _inventory_found(
        self, company_id, product_id, category_id, partner_id, tag_ids
    ):
        """Return what Odoo finds for ids that the models name."""
        return self.sudo()._get_distribution(
            {
                "company_id": company_id,
                "product_id": product_id,
                "product_categ_id": category_id,
                "partner_id": partner_id,
                "partner_category_id": list(tag_ids),
            }
        )
