from odoo import models


class ProductPostingGroup(models.Model):
    """The kind of product: with the partner's group it chooses the cost accounts."""

    _name = "product.posting.group"
    _description = "Product Posting Group"
    _inherit = "posting.group.mixin"
    _group_field = "product_posting_group_id"
    _used_in = ("general.posting.setup", "stock.ledger.entry", "stock.value.entry")

    _code_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))",
        "Another group of the company has this code already.",
    )
