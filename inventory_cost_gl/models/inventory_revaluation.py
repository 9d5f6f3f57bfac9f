from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import split_every

# Products whose whole history is in memory at a time.
PRODUCTS_AT_ONCE = 200


class InventoryRevaluation(models.Model):
    """A document that revalues stock at a date (Business Central h.1).

    *Calculate Inventory Value* proposes a line per product, per product and warehouse
    or per ledger entry with what is left at the date; the user enters the new values,
    a manager approves them; posting states revaluation entries on the open increases.
    """

    _name = "inventory.revaluation"
    _description = "Inventory Revaluation"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        string="Posting Date",
        required=True,
        default=fields.Date.context_today,
        tracking=True,
        help="What is left at the end of this day is revalued. Products valued by "
        "average are revalued on the last day of an average cost period.",
    )
    calculate_per = fields.Selection(
        [
            ("item", "Product"),
            ("item_location", "Product and Warehouse"),
            ("entry", "Ledger Entry"),
        ],
        required=True,
        default="item",
        help="What a line revalues: all stock of a product, its stock in one "
        "warehouse, or what is left of one receipt.",
    )
    calculation_base = fields.Selection(
        [
            ("value", "Present Value"),
            ("last_direct_cost", "Last Direct Cost"),
            ("standard_cost", "Standard Cost"),
        ],
        string="New Value From",
        required=True,
        default="value",
        help="What is proposed as the value after: the value before, the unit cost of "
        "the last purchase, or the cost on the product of those at standard cost.",
    )
    product_ids = fields.Many2many(
        "product.product",
        string="Products",
        domain=[("is_storable", "=", True)],
        check_company=True,
    )
    category_ids = fields.Many2many(
        "product.category",
        string="Product Categories",
        help="All products in these categories, and in those below them.",
    )
    warehouse_ids = fields.Many2many(
        "stock.warehouse",
        string="Warehouses",
        check_company=True,
        help="Only stock in these warehouses; empty: everywhere.",
    )
    update_standard_cost = fields.Boolean(
        help="When posted, the unit cost after becomes the cost of the products that "
        "are valued at standard cost."
    )
    reason = fields.Char(required=True, tracking=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
    )
    approved_by_id = fields.Many2one("res.users", readonly=True, copy=False)
    approved_on = fields.Datetime(readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved"), ("posted", "Posted")],
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    line_ids = fields.One2many("inventory.revaluation.line", "revaluation_id")
    value_calculated = fields.Monetary(
        string="Before", compute="_compute_amount", store=True
    )
    value_revalued = fields.Monetary(
        string="After", compute="_compute_amount", store=True
    )
    amount = fields.Monetary(string="Change", compute="_compute_amount", store=True)

    @api.depends(
        "line_ids.value_calculated", "line_ids.value_revalued", "line_ids.amount"
    )
    def _compute_amount(self):
        for revaluation in self:
            lines = revaluation.line_ids
            revaluation.value_calculated = sum(lines.mapped("value_calculated"))
            revaluation.value_revalued = sum(lines.mapped("value_revalued"))
            revaluation.amount = sum(lines.mapped("amount"))

    @api.depends("name")
    def _compute_display_name(self):
        """Name a document that is not saved yet."""
        for revaluation in self:
            revaluation.display_name = revaluation.name or self.env._("New Revaluation")

    @api.model_create_multi
    def create(self, vals_list):
        """Number the documents; approving and posting are their own acts."""
        for vals in vals_list:
            self._check_by_buttons(vals)
            if not vals.get("name"):
                vals["name"] = self.env["ir.sequence"].next_by_code(self._name)
        # Given here, lest defaults of the context approve them.
        undecided = {"state": "draft", "approved_by_id": False, "approved_on": False}
        return super().create([{**undecided, **vals} for vals in vals_list])

    @api.ondelete(at_uninstall=False)
    def _unlink_not_posted(self):
        for revaluation in self.filtered(lambda one: one.state == "posted"):
            revaluation._refuse_change()

    def write(self, vals):
        """Refuse changes of what was approved or posted; its chatter stays open."""
        self._check_by_buttons(vals)
        if self._decisive_fields() & set(vals):
            self._check_draft()
        return super().write(vals)

    def _check_by_buttons(self, vals):
        """Raise when values set what only the buttons may."""
        if {"state", "approved_by_id", "approved_on"} & set(vals) and not self.env.su:
            raise UserError(
                self.env._("Approve or post a revaluation with its buttons.")
            )

    def _decisive_fields(self):
        """Return the fields that stay as they were approved; a hook."""
        return {
            "date",
            "company_id",
            "calculate_per",
            "line_ids",
            "reason",
            "update_standard_cost",
        }

    def _check_draft(self):
        """Raise for documents that are approved or posted."""
        for revaluation in self.filtered(lambda one: one.state != "draft"):
            revaluation._refuse_change()

    def _refuse_change(self):
        if self.state == "posted":
            raise UserError(
                self.env._(
                    "%(revaluation)s is posted and can't be changed. Post another "
                    "revaluation that sets the values you want.",
                    revaluation=self.name,
                )
            )
        raise UserError(
            self.env._(
                "%(revaluation)s is approved. Set it back to draft to change it; it "
                "has to be approved again then.",
                revaluation=self.name,
            )
        )

    # -- Buttons ----------------------------------------------------------------------

    def action_approve(self):
        """Approve the document: the new values are agreed on."""
        if not self.env.user.has_group("inventory_cost_gl.group_manager"):
            raise AccessError(
                self.env._("Only an inventory cost manager approves revaluations.")
            )
        self.check_access("write")
        self._check_draft()
        for revaluation in self:
            if not revaluation.line_ids:
                raise UserError(
                    self.env._(
                        "%(revaluation)s has no lines. Calculate the inventory value "
                        "first.",
                        revaluation=revaluation.name,
                    )
                )
        self.sudo().write(
            {
                "state": "approved",
                "approved_by_id": self.env.uid,
                "approved_on": fields.Datetime.now(),
            }
        )

    def action_draft(self):
        """Take the approval back, so that the values can be changed."""
        self.check_access("write")
        for revaluation in self.filtered(lambda one: one.state == "posted"):
            revaluation._refuse_change()
        self.sudo().write(
            {"state": "draft", "approved_by_id": False, "approved_on": False}
        )

    def action_post(self):
        """State the revaluation entries of all lines, and adjust what follows."""
        for revaluation in self:
            revaluation.check_access("write")
            if revaluation.state == "posted":
                revaluation._refuse_change()
            if revaluation.state != "approved":
                raise UserError(
                    self.env._(
                        "%(revaluation)s has to be approved first.",
                        revaluation=revaluation.name,
                    )
                )
            revaluation.sudo().with_company(revaluation.company_id)._post()

    def _post(self):
        company = self.company_id
        self.env["inventory.cost.guard"]._hold(company)
        self.env["inventory.period"]._check_open(company, [(self.date, self.name)])
        by_product = self.line_ids.grouped("product_id")
        statements = []
        for ids in split_every(PRODUCTS_AT_ONCE, self.line_ids.product_id.ids):
            products = self.env["product.product"].browse(ids)
            books = self._load(products)
            self._check_average(books)
            for product in products:
                for line in by_product[product]:
                    statements += line._prepare_statements(books[product.id])
        value_entries = self.env["stock.value.entry"]._state(
            "inventory.revaluation.line", statements
        )
        self.env["stock.cost.item"]._update(company, value_entries)
        self.state = "posted"
        if self.update_standard_cost:
            self.line_ids._write_standard_costs()

    def action_view_value_entries(self):
        """Open the revaluation entries."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "inventory_cost_gl.stock_value_entry_action"
        )
        action["domain"] = [
            ("source_model", "=", "inventory.revaluation.line"),
            ("source_id", "in", self.line_ids.ids),
        ]
        action["context"] = {}
        return action

    def _printed_at(self):
        return fields.Datetime.now()

    def _open(self):
        """Return the action that shows the document."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    @api.model
    def _draft(self, company, reason, lines, **values):
        """Return a new calculated draft.

        ``lines``: values of lines with ``unit_cost_revalued`` or ``value_revalued``.
        """
        revaluation = self.create(
            {
                "company_id": company.id,
                "date": company._inventory_posting_date(fields.Datetime.now()),
                "reason": reason,
                "product_ids": [Command.set([line["product_id"] for line in lines])],
                "line_ids": [Command.create(line) for line in lines],
                **values,
            }
        )
        revaluation.date = revaluation._earliest_date()
        revaluation.line_ids._calculate()
        return revaluation
