from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ProductCategory(models.Model):
    """Valuation by value entries, and the posting groups products inherit."""

    _inherit = "product.category"

    property_valuation = fields.Selection(
        selection_add=[("value_entries", "Perpetual (value entries)")],
        ondelete={"value_entries": "set periodic"},
    )
    property_cost_method = fields.Selection(
        selection_add=[("lifo", "Last In First Out (LIFO)")],
        ondelete={"lifo": "set fifo"},
    )
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group",
        company_dependent=True,
        check_company=True,
        ondelete="restrict",
        help="Decides the inventory accounts of the products in this category. Left "
        "empty, the parent category's group applies.",
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group",
        company_dependent=True,
        check_company=True,
        ondelete="restrict",
        help="Decides the cost accounts of the products in this category. Left empty, "
        "the parent category's group applies.",
    )

    def _get_inherited_group(self, field_name):
        """Return the group in ``field_name`` of the nearest category that has one.

        Reads the groups of ``self.env.company``; an empty recordset when no category
        up the tree has a group.
        """
        category = self
        while category and not category[field_name]:
            category = category.parent_id
        return category[field_name]

    def write(self, vals):
        """Guard what decides cost; see ``product.product._guard_costing``."""
        changed = self.filtered(
            lambda category: any(
                category[field] != vals[field]
                for field in ("property_valuation", "property_cost_method")
                if field in vals
            )
        )
        products = self.env["product.product"].with_context(active_test=False)
        products = products.search(
            [("categ_id", "in", changed.ids), ("is_storable", "=", True)]
        )
        with products._guard_costing(self.env.company):
            return super().write(vals)

    @api.constrains("property_cost_method", "property_valuation")
    def _check_lifo(self):
        """LIFO is a method of the value entries; Odoo's own valuation has none."""
        for category in self:
            valuation = (
                category.property_valuation or self.env.company.inventory_valuation
            )
            if category.property_cost_method == "lifo" and valuation != "value_entries":
                raise ValidationError(
                    self.env._(
                        "LIFO needs the valuation 'Perpetual (value entries)'. Choose "
                        "that valuation, or another costing method, for the category "
                        "%(category)s.",
                        category=category.display_name,
                    )
                )
