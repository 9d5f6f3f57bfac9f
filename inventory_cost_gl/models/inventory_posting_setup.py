from odoo import api, fields, models

from ..posting.roles import INVENTORY_POSTING_ROLES
from .posting_setup_mixin import account_field


class InventoryPostingSetup(models.Model):
    """The inventory accounts by cost location and inventory posting group."""

    _name = "inventory.posting.setup"
    _description = "Inventory Posting Setup"
    _inherit = "posting.setup.mixin"
    _order = "company_id, inventory_posting_group_id, cost_location_id, id"
    _roles = INVENTORY_POSTING_ROLES
    _any_field = "cost_location_id"
    _group_field = "inventory_posting_group_id"

    cost_location_id = fields.Many2one(
        "stock.location",
        check_company=True,
        ondelete="restrict",
        help="A warehouse, or a transit location of the company. Left empty, the line "
        "applies wherever no other line names the location.",
    )
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group",
        required=True,
        check_company=True,
        ondelete="restrict",
    )
    inventory_account_id = account_field("Inventory", "Stock at actual cost.")
    inventory_interim_account_id = account_field(
        "Inventory (Interim)",
        "Stock at expected cost: received and not billed, delivered and not invoiced.",
    )
    wip_account_id = account_field(
        "WIP", "Work in process: what open orders have consumed and not yet put out."
    )
    material_variance_account_id = account_field(
        "Material Variance", "Standard less actual cost of the material of an order."
    )
    capacity_variance_account_id = account_field(
        "Capacity Variance", "Standard less actual cost of the work on an order."
    )
    subcontracted_variance_account_id = account_field(
        "Subcontracted Variance", "Standard less actual cost of subcontracted work."
    )
    capacity_overhead_variance_account_id = account_field(
        "Capacity Overhead Variance", "Standard less actual overhead of the work."
    )
    manufacturing_overhead_variance_account_id = account_field(
        "Manufacturing Overhead Variance",
        "Standard less actual overhead of the finished goods.",
    )

    _key_unique = models.UniqueIndex(
        "(company_id, inventory_posting_group_id, COALESCE(cost_location_id, 0))",
        "The company has a line for this cost location and inventory posting group "
        "already.",
    )

    @api.model
    def _find_line(self, company, cost_location, inventory_group):
        """Return the most specific line for a cost location and a group, or none.

        A batch calls ``_lines_by_key`` once and then ``_pick_line``.
        """
        return self._pick_line(
            self._lines_by_key(company), cost_location.id, inventory_group.id
        )
