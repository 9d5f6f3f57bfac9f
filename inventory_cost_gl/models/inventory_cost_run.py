from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

RUN_KINDS = [
    ("adjust", "Adjust Cost"),
    ("post", "Post Inventory Cost to G/L"),
    ("reverse", "Reverse Posting Run"),
]
RUN_MODES = [("post", "Post"), ("preview", "Preview"), ("test", "Test")]
GRANULARITIES = [
    ("posting_group", "Per Posting Group"),
    ("document", "Per Document"),
    ("entry", "Per Value Entry"),
]


class InventoryCostRun(models.Model):
    """A run that adjusted cost or posted it to the general ledger.

    Preview and test runs included: who ran it, when, on what, and what was skipped.
    """

    _name = "inventory.cost.run"
    _description = "Inventory Cost Run"
    _inherit = "mail.thread", "mail.activity.mixin"
    _mail_post_access = "read"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        ondelete="restrict",
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(RUN_KINDS, required=True, readonly=True)
    mode = fields.Selection(RUN_MODES, required=True, readonly=True, default="post")
    state = fields.Selection(
        [
            ("draft", "Waiting"),
            ("running", "Running"),
            ("done", "Done"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        default="draft",
        tracking=True,
    )
    automatic = fields.Boolean(
        readonly=True, help="Started by automatic cost posting or adjustment."
    )
    user_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    until_date = fields.Date(readonly=True)
    product_ids = fields.Many2many("product.product", string="Products", readonly=True)
    category_ids = fields.Many2many(
        "product.category", string="Categories", readonly=True
    )
    granularity = fields.Selection(
        GRANULARITIES, string="Posting Method", readonly=True
    )
    post_locked_on_open_date = fields.Boolean(
        string="Post Locked Dates on the First Open Date",
        readonly=True,
        help="Value entries dated in a locked period are posted on the first open date "
        "instead of being skipped.",
    )
    journal_id = fields.Many2one("account.journal", readonly=True)
    started_at = fields.Datetime(string="Started", readonly=True)
    finished_at = fields.Datetime(string="Finished", readonly=True)
    duration = fields.Float(
        string="Duration (s)", readonly=True, help="Seconds of work."
    )
    entry_count = fields.Integer(
        string="Value Entries",
        readonly=True,
        help="Value entries appended by an adjustment, posted by a posting run.",
    )
    item_count = fields.Integer(
        string="Products Adjusted",
        readonly=True,
        help="Products whose cost was brought up to date.",
    )
    skipped_count = fields.Integer(
        string="Skipped Entries", readonly=True, help="Value entries left in the queue."
    )
    moved_count = fields.Integer(
        string="Posted on Another Date",
        readonly=True,
        help="Value entries of locked dates that are posted on the first open date.",
    )
    without_plan_count = fields.Integer(
        string="Without Mandatory Analytic Plan",
        readonly=True,
        help="Value entries posted although a mandatory analytic plan is not "
        "distributed in full.",
    )
    journal_entry_count = fields.Integer(readonly=True)
    journal_entry_ids = fields.Many2many(
        "account.move",
        "inventory_cost_run_journal_entry_rel",
        "run_id",
        "move_id",
        string="Journal Entries",
        readonly=True,
        ondelete="restrict",
    )
    reverses_run_id = fields.Many2one(
        "inventory.cost.run", string="Reversal of", readonly=True, ondelete="restrict"
    )
    reversal_run_ids = fields.One2many(
        "inventory.cost.run", "reverses_run_id", string="Reversed by"
    )
    amount = fields.Monetary(
        readonly=True,
        help="Sum of the adjustments, or of what was debited in the general ledger.",
    )
    last_value_entry_id = fields.Many2one(
        "stock.value.entry",
        readonly=True,
        ondelete="restrict",
        help="The last value entry there was when the run began.",
    )
    message = fields.Text(readonly=True, help="Why the run failed.")
    line_ids = fields.One2many(
        "inventory.cost.run.line", "run_id", string="Skipped", readonly=True
    )

    _company_index = models.Index("(company_id, kind, id)")
    # Of two users who reverse a run at once, one is refused.
    _reversed_once = models.UniqueIndex(
        "(reverses_run_id) WHERE reverses_run_id IS NOT NULL",
        "The run has been reversed already.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Number the runs, by company."""
        for vals in vals_list:
            if not vals.get("name"):
                company = vals.get("company_id") or self.env.company.id
                vals["name"] = self._next_name(self.env["res.company"].browse(company))
        return super().create(vals_list)

    def _next_name(self, company):
        """Return the company's next run number, starting its sequence if needed."""
        code = "inventory.cost.run"
        sequences = self.env["ir.sequence"].sudo().with_company(company)
        name = sequences.next_by_code(code)
        if name:
            return name
        sequences.create(
            {
                "name": self.env._("Inventory Cost Runs"),
                "code": code,
                "company_id": company.id,
                "prefix": "ICR/",
                "padding": 6,
            }
        )
        return sequences.next_by_code(code)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("Runs are kept as the record of what was posted and adjusted.")
        )

    # -- Who may ------------------------------------------------------------------

    @api.model
    def _check_accountant(self, company):
        """Only accountants of the company adjust and post, and only there."""
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._("Only accountants of inventory cost adjust and post it.")
            )
        if company not in self.env.companies:
            raise UserError(
                self.env._(
                    "Switch to the company %(company)s to adjust or post its "
                    "inventory cost.",
                    company=company.sudo().display_name,
                )
            )

    # -- Opening what belongs to a run ------------------------------------------------

    def _open_action(self):
        """Return the action that opens the run."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_open_journal_entries(self):
        """Open the journal entries that the run posted."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Entries of %(run)s", run=self.name),
            "res_model": "account.move",
            "view_mode": "list,form",
            # The default list is that of invoices.
            "views": [
                (self.env.ref("account.view_move_tree").id, "list"),
                (False, "form"),
            ],
            "domain": [("id", "in", self.journal_entry_ids.ids)],
            "context": {"create": False},
        }

    def action_open_value_entries(self):
        """Open the value entries that the run posted or appended."""
        self.ensure_one()
        domain = [("link_ids.run_id", "=", self.id)]
        if self.kind == "adjust":
            domain = [("run_ref", "=", self.id)]
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries of %(run)s", run=self.name),
            "res_model": "stock.value.entry",
            "view_mode": "list,pivot,form",
            "domain": domain,
        }

    def action_open_skipped(self):
        """Open the value entries that the run skipped, with the reasons."""
        action = self._open_lines("skipped", self.env._("Skipped Entries"))
        return {**action, "domain": [*action["domain"], ("warning", "=", False)]}

    def _open_lines(self, columns, name):
        """Return the action that opens what the run skipped, in a list of its own."""
        self.ensure_one()
        view = f"inventory_cost_gl.inventory_cost_run_line_view_list_{columns}"
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "inventory.cost.run.line",
            "view_mode": "list",
            "views": [(self.env.ref(view).id, "list")],
            "domain": [("run_id", "=", self.id)],
        }

    def action_open_reversal(self):
        """Open the run that reversed this one, or the one that this reverses."""
        self.ensure_one()
        return (self.reverses_run_id or self.reversal_run_ids[:1])._open_action()
