from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..costing.revaluation import RevaluationError, check_period, revaluable
from ..engine.load import Loader
from ..engine.units import Units


class InventoryRevaluation(models.Model):
    """A document that revalues stock at a date (Business Central h.1).

    *Calculate Inventory Value* proposes a line per product, per product and warehouse
    or per ledger entry with what is left at the date; the user enters the new values;
    posting states revaluation entries on the open increases.
    """

    _name = "inventory.revaluation"
    _description = "Inventory Revaluation"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char(readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=fields.Date.context_today, tracking=True)
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
    product_ids = fields.Many2many(
        "product.product",
        string="Products",
        domain=[("is_storable", "=", True)],
        check_company=True,
    )
    reason = fields.Char(required=True, tracking=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
    )
    state = fields.Selection(
        [("draft", "Draft"), ("approved", "Approved"), ("posted", "Posted")],
        default="draft",
        readonly=True,
        copy=False,
        tracking=True,
    )
    line_ids = fields.One2many("inventory.revaluation.line", "revaluation_id")
    amount = fields.Monetary(compute="_compute_amount", store=True)

    @api.depends("line_ids.amount")
    def _compute_amount(self):
        for revaluation in self:
            revaluation.amount = sum(revaluation.line_ids.mapped("amount"))

    @api.model_create_multi
    def create(self, vals_list):
        """Number the documents."""
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                vals["name"] = (
                    self.env["ir.sequence"].next_by_code("inventory.revaluation") or "/"
                )
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_not_posted(self):
        self._check_not_posted()

    def write(self, vals):
        """Refuse changes of a posted document; its chatter stays open."""
        if not self.env.su or "state" not in vals:
            if {"date", "company_id", "line_ids", "reason"} & set(vals):
                self._check_not_posted()
            if "state" in vals:
                raise UserError(
                    self.env._("Approve or post a revaluation with its buttons.")
                )
        return super().write(vals)

    def _check_not_posted(self):
        for revaluation in self.filtered(lambda one: one.state == "posted"):
            raise UserError(
                self.env._(
                    "%(revaluation)s is posted and can't be changed. Post another "
                    "revaluation that sets the values you want.",
                    revaluation=revaluation.name,
                )
            )

    # -- Buttons ----------------------------------------------------------------------

    def action_calculate(self):
        """Propose the lines: what is left of the products at the date, and its value.

        Lines there already are replaced.
        """
        self.ensure_one()
        self._check_not_posted()
        if not self.product_ids:
            raise UserError(self.env._("Choose the products to revalue first."))
        rows = []
        for product in self.product_ids:
            rows += self._calculated_lines(product)
        if not rows:
            raise UserError(
                self.env._(
                    "Nothing is left to revalue on %(date)s: only stock that is "
                    "completely billed counts.",
                    date=format_date(self.env, self.date),
                )
            )
        self.line_ids = [Command.clear(), *map(Command.create, rows)]

    def _calculated_lines(self, product):
        """Return the values of the lines of one product."""
        books = self._load(product)
        rows = []
        for key, entries in self._groups(books, product).items():
            line = self.env["inventory.revaluation.line"].new(
                {"revaluation_id": self.id, "product_id": product.id, **dict(key)}
            )
            quantity, value = line._calculated(books[product.id], entries)
            rows.append(
                {
                    "product_id": product.id,
                    **dict(key),
                    "quantity": quantity,
                    "value_calculated": value,
                    "value_revalued": value,
                }
            )
        return rows

    def _groups(self, books, product):
        """Return ``{line key: revaluable entries}`` of a product."""
        book = books[product.id]
        groups = {}
        for entry, quantity in revaluable(book, self.date):
            key = ()
            if self.calculate_per == "item_location":
                key = (("cost_location_id", entry.location),)
            elif self.calculate_per == "entry":
                key = (("ledger_entry_id", entry.id),)
            groups.setdefault(key, []).append((entry, quantity))
        return groups

    def _load(self, products):
        """Return the whole history of the products as costing books."""
        company = self.company_id
        items = (
            self.env["stock.cost.item"]
            .sudo()
            .search(
                [("company_id", "=", company.id), ("product_id", "in", products.ids)]
            )
        )
        missing = products - items.product_id
        if missing:
            raise UserError(
                self.env._(
                    "%(product)s isn't valued by value entries in %(company)s. Remove "
                    "it from the revaluation.",
                    product=missing[0].display_name,
                    company=company.display_name,
                )
            )
        return Loader(company.sudo(), Units(company.currency_id)).load_history(items)

    def action_approve(self):
        """Approve the document: the new values are agreed on."""
        if not self.env.user.has_group("inventory_cost_gl.group_manager"):
            raise AccessError(
                self.env._("Only an inventory cost manager approves revaluations.")
            )
        for revaluation in self:
            revaluation._check_not_posted()
            if not revaluation.line_ids:
                raise UserError(
                    self.env._(
                        "%(revaluation)s has no lines. Calculate the inventory value "
                        "first.",
                        revaluation=revaluation.name,
                    )
                )
        self.sudo().state = "approved"

    def action_post(self):
        """State the revaluation entries of all lines, and adjust what follows."""
        for revaluation in self:
            revaluation.check_access("write")
            revaluation._check_not_posted()
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
        books = self._load(self.line_ids.product_id)
        statements = []
        for line in self.line_ids:
            statements += line._prepare_statements(books[line.product_id.id])
        value_entries = self.env["stock.value.entry"]._state(
            "inventory.revaluation.line", statements
        )
        self.env["stock.cost.item"]._update(company, value_entries)
        self.state = "posted"

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

    # -- Odoo's own ways of changing a value -------------------------------------------

    @api.model
    def _revalue(self, company, reason, lines):
        """Revalue at once from elsewhere: a changed cost, an adjusted valuation.

        ``lines``: values of lines with ``unit_cost_revalued`` or ``value_revalued``.
        Where the average period does not end today the document stays a draft dated
        the period's end, with an activity for the user: never a silent change. Returns
        the document.
        """
        today = company._inventory_posting_date(fields.Datetime.now())
        revaluation = (
            self.sudo()
            .with_company(company)
            .create(
                {
                    "company_id": company.id,
                    "date": today,
                    "calculate_per": "entry"
                    if any(line.get("ledger_entry_id") for line in lines)
                    else "item",
                    "reason": reason,
                    "line_ids": [Command.create(line) for line in lines],
                }
            )
        )
        later = revaluation.date = revaluation._earliest_date()
        for line in revaluation.line_ids:
            line._calculate()
        if later == today:
            revaluation._post()
        else:
            revaluation.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=later,
                summary=self.env._(
                    "Post this revaluation: the average period ends on %(date)s",
                    date=format_date(self.env, later),
                ),
                user_id=self.env.uid,
            )
        return revaluation

    def _earliest_date(self):
        """Return the first date from its own on that the document can be posted on."""
        books = self._load(self.line_ids.product_id)
        day = self.date
        for line in self.line_ids.filtered(lambda line: not line.ledger_entry_id):
            try:
                check_period(books[line.product_id.id], day)
            except RevaluationError:
                day = line._period_end(day)
        return day
