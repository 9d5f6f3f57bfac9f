from contextlib import ExitStack, contextmanager

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get

# What decides what a document records and posts: changed only between documents, and
# only by managers of inventory cost.
COST_SETTINGS = (
    "automatic_cost_posting",
    "expected_cost_posting",
    "automatic_cost_adjustment",
    "average_cost_calc_type",
    "average_cost_period",
    "cost_posting_granularity",
    "inventory_cost_journal_id",
    "inventory_cost_tz",
    "business_posting_group_id",
)
# The defaults of product categories, and with them of products.
DEFAULTS = {"inventory_valuation", "cost_method"}


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
    inventory_period_ids = fields.One2many(
        "inventory.period", "company_id", string="Inventory Periods"
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
        string="Posting Method",
        default="posting_group",
        required=True,
    )
    inventory_cost_journal_id = fields.Many2one(
        "account.journal",
        domain=[("type", "=", "general")],
        check_company=True,
    )
    inventory_cost_tz = fields.Selection(_tz_get, string="Time Zone of Posting Dates")

    @api.model_create_multi
    def create(self, vals_list):
        """Give each company the row by which recording and closing wait."""
        companies = super().create(vals_list)
        self.env["inventory.cost.guard"]._create_missing(companies)
        return companies

    def write(self, vals):
        """Guard what the ledgers rest on, and act on changed cost settings."""
        changed = {
            field: self.filtered(
                lambda company, field=field: company._differs(field, vals)
            )
            for field in COST_SETTINGS
            if field in vals
        }
        self._check_currency(vals.get("currency_id"))
        if any(changed.values()):
            self._check_may_change_settings()
            self.env["inventory.cost.guard"]._change(self)
        with ExitStack() as guards:
            for company in self if DEFAULTS & vals.keys() else ():
                guards.enter_context(company._guard_defaults(vals))
            guards.enter_context(self._guard_average(vals))
            result = super().write(vals)
        changed.get("expected_cost_posting", self.browse())._queue_expected_cost()
        return result

    @api.constrains("cost_method", "inventory_valuation")
    def _check_lifo(self):
        """LIFO is a method of the value entries; Odoo's own valuation has none."""
        for company in self:
            if (
                company.cost_method == "lifo"
                and company.inventory_valuation != "value_entries"
            ):
                raise ValidationError(
                    self.env._(
                        "LIFO needs the valuation 'Perpetual (value entries)'. Choose "
                        "that valuation, or another costing method, for %(company)s.",
                        company=company.display_name,
                    )
                )

    @contextmanager
    def _guard_defaults(self, vals):
        """Guard the products whose costing follows from the company's defaults."""
        if not any(self._differs(field, vals) for field in DEFAULTS & vals.keys()):
            yield
            return
        products = (
            self.env["product.product"]
            .sudo()
            .with_context(active_test=False)
            .search([("is_storable", "=", True)])
        )
        with products._guard_costing(self):
            yield
            # The default behind the categories' own values is no field of theirs.
            self.env["product.category"].invalidate_model(
                ["property_valuation", "property_cost_method"]
            )
            self.env["product.template"].invalidate_model(["valuation", "cost_method"])

    def _differs(self, field, vals):
        """Say whether writing the field would change it."""
        current = self[field]
        if isinstance(current, models.BaseModel):
            current = current.id
        return current != (vals[field] or False)

    def _check_may_change_settings(self):
        """Cost settings are for managers of inventory cost, not for every admin."""
        if self.env.su or self.env.user.has_group("inventory_cost_gl.group_manager"):
            return
        raise AccessError(
            self.env._("Only managers of inventory cost can change its settings.")
        )

    def _check_currency(self, currency_id):
        """Refuse another currency where amounts are recorded in the present one."""
        changed = self.filtered(
            lambda company: currency_id and company.currency_id.id != currency_id
        )
        for company in changed._with_value_entries():
            raise UserError(
                self.env._(
                    "%(company)s has value entries in %(currency)s, so its currency "
                    "can't be changed any more. Create a new company with the other "
                    "currency.",
                    company=company.display_name,
                    currency=company.currency_id.name,
                )
            )

    def _with_value_entries(self):
        """Return the companies that have value entries: one query."""
        if not self:
            return self
        rows = self.env.execute_query(
            SQL(
                "SELECT company.id FROM unnest(%s) AS company(id) WHERE EXISTS "
                "(SELECT FROM stock_value_entry entry "
                "WHERE entry.company_id = company.id)",
                self.ids,
            )
        )
        return self.browse(company_id for [company_id] in rows)

    def _queue_expected_cost(self):
        """Queue or un-queue the open expected cost after the setting was changed."""
        queue = self.env["stock.value.entry.queue"]
        for company in self:
            if company.expected_cost_posting:
                queue._queue_expected(company)
            else:
                queue._unqueue_expected(company)

    @api.model
    def _active_companies(self):
        """Return every company, whichever the user may see: products are shared."""
        return self.sudo().search([("active", "=", True)])

    # -- Dates -----------------------------------------------------------------------

    def _inventory_posting_date(self, moment):
        """Return the date of a UTC datetime where the company is.

        In ``inventory_cost_tz``, else the time zone of the company's address, else
        UTC; never the user's, so that who validates does not change the date.
        """
        self.ensure_one()
        zone = pytz.timezone(self.inventory_cost_tz or self.partner_id.tz or "UTC")
        return pytz.utc.localize(moment).astimezone(zone).date()
