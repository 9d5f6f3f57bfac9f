from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class StockValueEntry(models.Model):
    """Finds the value entries that planned or posted journal items are made of."""

    _inherit = "stock.value.entry"

    plan_line_ids = fields.Many2many(
        "inventory.cost.plan.line",
        string="Planned Journal Items",
        compute="_compute_plan_line_ids",
        search="_search_plan_line_ids",
    )

    def _compute_plan_line_ids(self):
        """Stay empty: the field is there to search with."""
        self.plan_line_ids = False

    @api.model
    def _search_plan_line_ids(self, operator, value):
        """Return the domain of the value entries of some lines."""
        if operator != "in":
            return NotImplemented
        return Domain(
            "id",
            "in",
            SQL(
                """(
                SELECT ref::int
                  FROM inventory_cost_plan_line line,
                       jsonb_array_elements_text(line.value_entry_refs) ref
                 WHERE line.id = ANY(%s))""",
                list(value),
            ),
        )
