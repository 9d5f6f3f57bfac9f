from odoo import fields, models


class InventoryCostSetupCategory(models.TransientModel):
    """A product category, and whether its products are valued by value entries."""

    _name = "inventory.cost.setup.category"
    _description = "Category of the Inventory Cost Setup"

    setup_id = fields.Many2one(
        "inventory.cost.setup", required=True, ondelete="cascade"
    )
    category_id = fields.Many2one("product.category", required=True)
    managed = fields.Boolean(
        string="Value Entries",
        help="The cost of the category's products is kept by the value entries.",
    )
    cost_method = fields.Selection("_select_cost_method", string="Costing Method")
    product_count = fields.Integer(string="Products")
    quantity = fields.Float(string="On Hand", digits="Product Unit")
    obstacle = fields.Char(
        string="To Settle First",
        help="Why the category can't be valued by value entries yet.",
    )

    def _select_cost_method(self):
        field = self.env["product.category"]._fields["property_cost_method"]
        return field._description_selection(self.env)

    def _apply(self):
        """Write valuation, costing method and posting groups on the categories."""
        for line in self:
            category = line.category_id
            values = {}
            if line.cost_method != category.property_cost_method:
                values["property_cost_method"] = line.cost_method
            if line.managed:
                values["property_valuation"] = "value_entries"
                values |= line._missing_groups()
            elif category.property_valuation == "value_entries":
                values["property_valuation"] = "periodic"
            if values:
                category.write(values)

    def _missing_groups(self):
        """Return the setup's groups for the fields where the category has none."""
        return {
            field: self.setup_id[field].id
            for field in ("inventory_posting_group_id", "product_posting_group_id")
            if not self.category_id._get_inherited_group(field)
        }
