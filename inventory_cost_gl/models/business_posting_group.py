from odoo import models


class BusinessPostingGroup(models.Model):
    """The kind of partner: with the product's group it chooses the cost accounts."""

    _name = "business.posting.group"
    _description = "Business Posting Group"
    _inherit = "posting.group.mixin"
    _group_field = "business_posting_group_id"
    _used_in = ("general.posting.setup", "stock.ledger.entry", "stock.value.entry")

    _code_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))",
        "Another group of the company has this code already.",
    )
