from odoo import fields, models
from odoo.fields import Domain

# The fields from which the valuation, the costing method and the unit follow.
COSTING_SOURCES = {
    "categ_id",
    "is_storable",
    "lot_valuated",
    "tracking",
    "type",
    "uom_id",
}


class ProductTemplate(models.Model):
    """Valuation by value entries, and what overrides the category's groups."""

    _inherit = "product.template"

    valuation = fields.Selection(
        selection_add=[("value_entries", "Perpetual (value entries)")],
        ondelete={"value_entries": "set periodic"},
    )
    cost_method = fields.Selection(
        selection_add=[("lifo", "Last In First Out (LIFO)")],
        ondelete={"lifo": "set fifo"},
    )
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group",
        company_dependent=True,
        check_company=True,
        ondelete="restrict",
        # Read with the other fields: every document asks for it.
        prefetch=True,
        help="Decides the inventory accounts of this product. Left empty, the "
        "category's group applies.",
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group",
        company_dependent=True,
        check_company=True,
        ondelete="restrict",
        prefetch=True,
        help="Decides the cost accounts of this product. Left empty, the category's "
        "group applies.",
    )
    indirect_cost_pct = fields.Float(
        string="Indirect Cost %",
        company_dependent=True,
        prefetch=True,
        digits=(16, 2),
        help="Percentage of the direct cost added to it as indirect cost, such as "
        "freight or handling that is not billed per receipt.",
    )
    overhead_rate = fields.Float(
        company_dependent=True,
        prefetch=True,
        digits="Product Price",
        help="Overhead added to the cost of each unit bought or made, in the "
        "company's currency.",
    )

    def unlink(self):
        """Refuse products with ledger entries; the database deletes the variants."""
        variants = self.with_context(active_test=False).product_variant_ids
        variants._release_cost_items()
        return super().unlink()

    def _is_managed(self):
        """Say whether the value entries answer for the product's cost.

        In ``self.env.company``: call it on ``template.with_company(company)``.
        """
        self.ensure_one()
        return self.is_storable and self.valuation == "value_entries"

    def write(self, vals):
        """Guard what decides cost; see ``product.product._guard_costing``."""
        if not COSTING_SOURCES & vals.keys():
            return super().write(vals)
        products = self.with_context(active_test=False).product_variant_ids
        with products._guard_costing(self.env["res.company"]._active_companies()):
            return super().write(vals)

    def _search_valuation(self, operator, value):
        """Find products by valuation in ``self.env.company``; also the third one."""
        values = value if operator == "in" else [value]
        if operator not in ("=", "in") or "value_entries" not in values:
            return super()._search_valuation(operator, value)
        domain = Domain("categ_id.property_valuation", "=", "value_entries")
        if self.env.company.inventory_valuation == "value_entries":
            domain |= Domain("categ_id", "=", False)
            domain |= Domain("categ_id.property_valuation", "=", False)
        for other in set(values) - {"value_entries"}:
            domain |= super()._search_valuation("=", other)
        return domain

    def _get_inventory_posting_group(self):
        """Return the inventory posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.inventory_posting_group_id or self.categ_id._get_inherited_group(
            "inventory_posting_group_id"
        )

    def _get_product_posting_group(self):
        """Return the product posting group in ``self.env.company``, maybe empty."""
        self.ensure_one()
        return self.product_posting_group_id or self.categ_id._get_inherited_group(
            "product_posting_group_id"
        )
