from odoo import models


class InventoryPostingGroup(models.Model):
    """The kind of stock: with the cost location it chooses the inventory accounts."""

    _name = "inventory.posting.group"
    _description = "Inventory Posting Group"
    _inherit = "posting.group.mixin"
    _group_field = "inventory_posting_group_id"
    _used_in = ("inventory.posting.setup", "stock.ledger.entry", "stock.value.entry")

    _code_unique = models.UniqueIndex(
        "(code, COALESCE(company_id, 0))",
        "Another group of the company has this code already.",
    )
