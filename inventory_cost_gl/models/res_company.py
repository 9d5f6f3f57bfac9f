import pytz

from odoo import fields, models
from odoo.addons.base.models.res_partner import _tz_get


class ResCompany(models.Model):
    """Inventory cost settings of a company."""

    _inherit = "res.company"

    inventory_valuation = fields.Selection(
        selection_add=[("value_entries", "Perpetual (value entries)")],
        ondelete={"value_entries": "set periodic"},
    )
    cost_method = fields.Selection(
        selection_add=[("lifo", "Last In First Out (LIFO)")],
        ondelete={"lifo": "set fifo"},
    )
    business_posting_group_id = fields.Many2one(
        "business.posting.group",
        string="Default Business Posting Group",
        check_company=True,
        ondelete="restrict",
        help="Applies to partners without a business posting group and to goods moved "
        "without a partner.",
    )
    automatic_cost_posting = fields.Selection(
        [
            ("off", "Off"),
            ("immediate", "Immediate"),
            ("background", "In the Background"),
        ],
        default="off",
        required=True,
    )
    expected_cost_posting = fields.Boolean(
        string="Expected Cost Posting to G/L", default=True
    )
    automatic_cost_adjustment = fields.Selection(
        [
            ("never", "Never"),
            ("day", "Day"),
            ("week", "Week"),
            ("month", "Month"),
            ("quarter", "Quarter"),
            ("year", "Year"),
            ("always", "Always"),
        ],
        default="always",
        required=True,
    )
    average_cost_calc_type = fields.Selection(
        [("item", "Item"), ("item_location", "Item & Location")],
        string="Average Cost Calc. Type",
        default="item",
        required=True,
    )
    average_cost_period = fields.Selection(
        [
            ("transaction", "Each Transaction"),
            ("day", "Day"),
            ("week", "Week"),
            ("month", "Month"),
            ("quarter", "Quarter"),
            ("year", "Year"),
        ],
        default="transaction",
        required=True,
    )
    cost_posting_granularity = fields.Selection(
        [
            ("posting_group", "Per Posting Group"),
            ("document", "Per Document"),
            ("entry", "Per Value Entry"),
        ],
        string="G/L Detail",
        default="posting_group",
        required=True,
    )
    inventory_cost_journal_id = fields.Many2one(
        "account.journal",
        domain=[("type", "=", "general")],
        check_company=True,
    )
    inventory_cost_tz = fields.Selection(
        _tz_get, string="Time Zone of Posting Dates"
    )

    def _inventory_posting_date(self, moment):
        """Return the date of a UTC datetime where the company is.

        In ``inventory_cost_tz``, else the time zone of the company's address, else
        UTC; never the user's, so that who validates does not change the date.
        """
        self.ensure_one()
        zone = pytz.timezone(self.inventory_cost_tz or self.partner_id.tz or "UTC")
        return pytz.utc.localize(moment).astimezone(zone).date()
