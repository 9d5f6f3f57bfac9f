from odoo import api, fields, models
from odoo.fields import Domain

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES
from .reconciliation_filters import Filters
from .reconciliation_query import contributions, totals
from .reconciliation_roles import COUNTER_ACCOUNT, NO_ROLE, REPORT_ROLES
from .reconciliation_summary import SUMMED, Reconciliation, ReconciliationLine


class InventoryGlReconciliation(models.Model):
    """Value ledger against general ledger: one row per record and account role.

    Amounts are signed as in the G/L (debit is positive); the difference is G/L less
    value entries. ``reconciliation_query`` says which record contributes what. Rows can
    be summed by role, product, category, cost location, date and company.
    """

    _name = "inventory.gl.reconciliation"
    _description = "Inventory – G/L Reconciliation"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "account_role"
    _depends = {
        "stock.value.entry": [
            "company_id",
            "posting_date",
            "cost_amount_actual",
            "cost_amount_expected",
            "counter_account",
            "order_id",
            "product_id",
            "cost_location_id",
        ],
        "stock.value.entry.link": ["value_entry_id", "kind", "amount"],
        "stock.value.entry.queue": ["value_entry_id", "kind"],
        "account.move.line": [
            "account_id",
            "balance",
            "company_id",
            "date",
            "parent_state",
            "product_id",
        ],
        "inventory.posting.setup": [f"{r}_account_id" for r in INVENTORY_POSTING_ROLES],
        "general.posting.setup": [f"{r}_account_id" for r in GENERAL_POSTING_ROLES],
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
        "res.company": ["currency_id", "expected_cost_posting"],
    }

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(string="Posting Date", readonly=True)
    account_role = fields.Selection("_account_role_selection", readonly=True)
    balancing_role = fields.Selection("_account_role_selection", readonly=True)
    account_id = fields.Many2one(
        "account.account", readonly=True, help="The account of the journal item."
    )
    cost_location_id = fields.Many2one("stock.location", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    category_id = fields.Many2one("product.category", readonly=True)
    value_entry_id = fields.Many2one("stock.value.entry", readonly=True)
    move_line_id = fields.Many2one(
        "account.move.line", string="Journal Item", readonly=True
    )
    value_entry_amount = fields.Monetary(string="Value Entries", readonly=True)
    gl_amount = fields.Monetary(string="G/L", readonly=True)
    difference = fields.Monetary(
        readonly=True,
        help="G/L less value entries, as far as they do not match each other.",
    )
    not_posted = fields.Monetary(
        string="Not Posted Yet",
        readonly=True,
        help="Value entries that wait for Post Inventory Cost to G/L.",
    )
    expected_not_posted = fields.Monetary(
        string="Expected Cost, Not Posted by Setup",
        readonly=True,
        help="Expected cost that is not posted because Expected Cost Posting to G/L is "
        "off, or was off at the time.",
    )
    posted_by_hand = fields.Monetary(
        string="Posted by Hand",
        readonly=True,
        help="Posted to an account of the posting setups by a journal entry that does "
        "not come from value entries.",
    )
    posted_on_other_date = fields.Monetary(
        string="Posted on Another Date",
        readonly=True,
        help="Posted, but not on the value entry's date, as when a run is reversed. "
        "Over all dates this is zero.",
    )
    posted_to_other_account = fields.Monetary(
        string="Posted to Another Account",
        readonly=True,
        help="Posted to an account that the posting setups no longer give this role.",
    )
    unexplained = fields.Monetary(
        readonly=True,
        help="What none of the causes accounts for: one of the ledgers was changed "
        "outside of its rules.",
    )
    cause = fields.Selection(
        [
            ("reconciled", "Reconciled"),
            ("not_posted", "Not Posted Yet"),
            ("expected_not_posted", "Expected Cost, Not Posted by Setup"),
            ("posted_by_hand", "Posted by Hand"),
            ("posted_on_other_date", "Posted on Another Date"),
            ("posted_to_other_account", "Posted to Another Account"),
            ("unexplained", "Unexplained"),
        ],
        readonly=True,
    )

    @property
    def _table_query(self):
        return contributions()

    @api.model
    def _account_role_selection(self):
        """Name each role as the posting setups do."""
        names = {
            COUNTER_ACCOUNT: self.env._("Account of the Charge"),
            NO_ROLE: self.env._("No Account Role"),
        }
        for setup, roles in (
            ("inventory.posting.setup", INVENTORY_POSTING_ROLES),
            ("general.posting.setup", GENERAL_POSTING_ROLES),
        ):
            accounts = [f"{role}_account_id" for role in roles]
            labels = self.env[setup].fields_get(accounts, ["string"])
            names |= {role: labels[f"{role}_account_id"]["string"] for role in roles}
        return [(role, names[role]) for role in REPORT_ROLES]

    # ------------------------------------------------------------------
    # The figures by account role
    # ------------------------------------------------------------------

    @api.model
    def _filter_domain(
        self,
        company,
        date_from=None,
        date_to=None,
        products=None,
        categories=None,
        cost_locations=None,
    ):
        """Return the rows of a company within dates (inclusive), products, places."""
        domain = Domain("company_id", "=", company.id)
        if date_from:
            domain &= Domain("date", ">=", date_from)
        if date_to:
            domain &= Domain("date", "<=", date_to)
        if products:
            domain &= Domain("product_id", "in", products.ids)
        if categories:
            domain &= Domain("category_id", "child_of", categories.ids)
        if cost_locations:
            domain &= Domain("cost_location_id", "in", cost_locations.ids)
        return domain

    @api.model
    def _summary(self, company, date_from=None, date_to=None, **filters):
        """Return the ``Reconciliation`` of a company; filters as ``_filter_domain``.

        The sums of this report's rows, in one query that reads each ledger once.
        """
        self.check_access("read")
        names = dict(self._account_role_selection())
        lines = {role: ReconciliationLine(role, names[role]) for role in REPORT_ROLES}
        total = ReconciliationLine("", self.env._("Total"))
        balancing = {}
        currency = company.currency_id
        for role, balancing_role, *sums, alarm_count in self._totals(
            company, date_from, date_to, **filters
        ):
            amounts = dict(zip(SUMMED, sums, strict=True))
            lines[role].add(amounts, currency)
            lines[role].alarm_count += alarm_count
            total.add(amounts, currency)
            key = role, balancing_role
            balancing[key] = currency.round(
                balancing.get(key, 0.0) + amounts["value_entry_amount"]
            )
        shown = [
            line
            for line in lines.values()
            if line.alarm_count or any(line.amounts().values())
        ]
        for line in shown:
            line.advice = self._advice(line)
        notes = self._notes(company, shown, **filters)
        return Reconciliation(shown, total, balancing, notes)

    def _totals(
        self,
        company,
        date_from=None,
        date_to=None,
        products=None,
        categories=None,
        cost_locations=None,
    ):
        """Return rows of role, balancing role, ``SUMMED``, alarms; none of others'."""
        if company not in self.env.companies:
            return []
        if categories:
            of_category = self.env["product.product"].with_context(active_test=False)
            domain = [("categ_id", "child_of", categories.ids)]
            if products:
                domain += [("id", "in", products.ids)]
            products = of_category.sudo().search(domain)
        self.env.flush_all()
        # Few groups come of many rows, which PostgreSQL can't foresee: let it hash them
        # in memory, and not compile a query that runs once.
        self.env.cr.execute("SET LOCAL work_mem TO '256MB'; SET LOCAL jit TO off")
        by_blocks = not (products or categories or cost_locations)
        blocks, ranges = (
            self.env["stock.value.entry.block"].sudo()._summable(company)
            if by_blocks
            else ((), None)
        )
        query = totals(
            Filters(
                company.id,
                date_from or None,
                date_to or None,
                tuple(products.ids) if products or categories else None,
                tuple(cost_locations.ids) if cost_locations else None,
                blocks,
                ranges,
            )
        )
        rows = self.env.execute_query(query)
        self.env.cr.execute("SET LOCAL work_mem TO DEFAULT; SET LOCAL jit TO DEFAULT")
        return rows

    def _advice(self, line):
        """Say, cause by cause, what mends a line's difference."""
        texts = {
            "not_posted": self.env._("Run Post Inventory Cost to G/L."),
            "expected_not_posted": self.env._(
                "Switch on Expected Cost Posting to G/L, or accept the difference."
            ),
            "posted_by_hand": self.env._(
                "Reverse what was posted by hand, and record it in inventory instead."
            ),
            "posted_on_other_date": self.env._(
                "Evens out over the dates of the value entries and of the postings."
            ),
            "posted_to_other_account": self.env._(
                "The posting setup was changed: transfer the balance between the "
                "accounts."
            ),
            "unexplained": self.env._(
                "Open the unexplained records: a ledger was changed outside of its "
                "rules."
            ),
        }
        amounts = line.amounts() | {"unexplained": line.unexplained or line.alarm_count}
        return [text for cause, text in texts.items() if amounts[cause]]

    def _notes(
        self, company, lines, products=None, categories=None, cost_locations=None
    ):
        """Say what the reader must know about how the G/L side was attributed."""
        notes = []
        if cost_locations:
            notes.append(
                self.env._(
                    "The G/L knows no cost locations: of the journal items only those "
                    "that post value entries are counted."
                )
            )
        elif products or categories:
            notes.append(
                self.env._(
                    "Journal items that name no product are counted only as far as "
                    "they post value entries."
                )
            )
        roles = {line.account_role for line in lines if line.posted_by_hand}
        names = dict(self._account_role_selection())
        for account, served in self._shared_accounts(company).items():
            if roles & set(served):
                notes.append(
                    self.env._(
                        "%(account)s serves several roles (%(roles)s): what is posted "
                        "to it by hand is shown under the first.",
                        account=account.display_name,
                        roles=", ".join(names[role] for role in served),
                    )
                )
        return notes
