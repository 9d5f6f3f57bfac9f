from odoo import api, fields, models

from ..posting.roles import GENERAL_POSTING_ROLES
from .posting_setup_mixin import account_field


class GeneralPostingSetup(models.Model):
    """The cost accounts by business posting group and product posting group."""

    _name = "general.posting.setup"
    _description = "General Posting Setup"
    _inherit = "posting.setup.mixin"
    _order = "company_id, product_posting_group_id, business_posting_group_id, id"
    _roles = GENERAL_POSTING_ROLES
    _any_field = "business_posting_group_id"
    _group_field = "product_posting_group_id"

    business_posting_group_id = fields.Many2one(
        "business.posting.group",
        check_company=True,
        ondelete="restrict",
        help="Left empty, the line applies wherever no other line names the group of "
        "the customer or vendor.",
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group",
        required=True,
        check_company=True,
        ondelete="restrict",
    )
    blocked = fields.Boolean(
        help="Nothing is posted with this line: entries that need it are skipped and "
        "listed."
    )
    cogs_account_id = account_field(
        "Cost of Goods Sold", "Cost of what is delivered and invoiced."
    )
    cogs_interim_account_id = account_field(
        "Cost of Goods Sold (Interim)", "Cost of what is delivered and not invoiced."
    )
    inventory_adjustment_account_id = account_field(
        "Inventory Adjustment",
        "Gains and losses, transfers, revaluations and rounding.",
    )
    direct_cost_applied_account_id = account_field(
        "Direct Cost Applied",
        "Offsets the purchase account of vendor bills, and the cost of work.",
    )
    overhead_applied_account_id = account_field(
        "Overhead Applied", "Offsets the overhead that is part of the cost of stock."
    )
    accrual_interim_account_id = account_field(
        "Inventory Accrual (Interim)", "What is received and not billed."
    )
    purchase_variance_account_id = account_field(
        "Purchase Variance", "Standard less actual cost of purchases."
    )

    _key_unique = models.UniqueIndex(
        "(company_id, product_posting_group_id, "
        "COALESCE(business_posting_group_id, 0))",
        "The company has a line for these posting groups already.",
    )

    @api.model
    def _find_line(self, company, business_group, product_group):
        """Return the most specific line for two groups, or none.

        A batch calls ``_lines_by_key`` once and then ``_pick_line``.
        """
        return self._pick_line(
            self._lines_by_key(company), business_group.id, product_group.id
        )
