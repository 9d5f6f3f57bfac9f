from odoo import api, fields, models
from odoo.fields import Domain

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES, RULES
from .reconciliation_query import (
    COUNTER_ACCOUNT,
    NO_ROLE,
    REPORT_ROLES,
    contributions,
)
from .reconciliation_summary import MEASURES, Reconciliation, ReconciliationLine


class InventoryGlReconciliation(models.Model):
    """Value ledger against general ledger: one row per record and account role.

    Amounts are signed as in the G/L (debit is positive); the difference is G/L less
    value entries. Sum the rows over anything but the kind of record: roles, accounts'
    companies, products, cost locations, dates. ``reconciliation_query`` says which
    record contributes what.
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
    difference = fields.Monetary(readonly=True, help="G/L less value entries.")
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

        One query, whatever the number of entries.
        """
        domain = self._filter_domain(company, date_from, date_to, **filters)
        names = dict(self._account_role_selection())
        lines = {role: ReconciliationLine(role, names[role]) for role in REPORT_ROLES}
        total = ReconciliationLine("", self.env._("Total"))
        balancing = {}
        currency = company.currency_id
        for role, balancing_role, cause, count, *sums in self._read_group(
            domain,
            ["account_role", "balancing_role", "cause"],
            ["__count", *(f"{measure}:sum" for measure in MEASURES)],
        ):
            amounts = dict(zip(MEASURES, sums, strict=True))
            lines[role].add(amounts, currency)
            total.add(amounts, currency)
            lines[role].alarm_count += count if cause == "unexplained" else 0
            if amounts["value_entry_amount"]:
                key = role, balancing_role
                balancing[key] = currency.round(
                    balancing.get(key, 0.0) + amounts["value_entry_amount"]
                )
        shown = [
            line for line in lines.values() if any(line.amounts().values())
            or line.alarm_count
        ]
        for line in shown:
            line.advice = self._advice(line)
        notes = self._notes(company, shown, **filters)
        return Reconciliation(shown, total, balancing, notes)

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
        amounts = line.amounts() | {
            "unexplained": line.unexplained or line.alarm_count
        }
        return [text for cause, text in texts.items() if amounts[cause]]

    def _notes(self, company, lines, products=None, categories=None, cost_locations=None):
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

    # ------------------------------------------------------------------
    # Accounts
    # ------------------------------------------------------------------

    @api.model
    def _accounts_by_role(self, company):
        """Return ``{role: accounts}`` of the company's posting setups."""
        accounts = {}
        for setup, roles in (
            ("inventory.posting.setup", INVENTORY_POSTING_ROLES),
            ("general.posting.setup", GENERAL_POSTING_ROLES),
        ):
            lines = self.env[setup].sudo().search([("company_id", "=", company.id)])
            for role in roles:
                accounts[role] = lines[f"{role}_account_id"]
        return accounts

    @api.model
    def _shared_accounts(self, company):
        """Return ``{account: roles}`` of accounts that serve more than one role."""
        roles = {}
        accounts = self._accounts_by_role(company)
        for role in REPORT_ROLES:
            for account in accounts.get(role, ()):
                roles.setdefault(account, []).append(role)
        return {account: served for account, served in roles.items() if served[1:]}

    # ------------------------------------------------------------------
    # The records behind a figure
    # ------------------------------------------------------------------

    def action_open_value_entry(self):
        """Open the row's value entry."""
        return self._open_record(self.value_entry_id)

    def action_open_journal_entry(self):
        """Open the row's journal entry."""
        return self._open_record(self.move_line_id.move_id)

    def _open_record(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
        }

    @api.model
    def _value_entry_domain(self, domain, account_role):
        """Return the value entries that post to a role; ``domain`` as for rows."""
        if account_role == NO_ROLE:
            roles = Domain.OR(self._no_role_domain(expected) for expected in (0, 1))
        else:
            roles = Domain.OR(
                self._rule_domain(rule) & self._counter_domain(rule, account_role)
                for rule in RULES
                if account_role in (rule.role1, rule.role2, COUNTER_ACCOUNT)
            )
        return domain.map_conditions(self._on_value_entry) & roles

    def _on_value_entry(self, condition):
        """Translate a condition on rows to one on value entries."""
        names = {"date": "posting_date", "category_id": "product_id.categ_id"}
        name = names.get(condition.field_expr, condition.field_expr)
        return Domain(name, condition.operator, condition.value)

    def _rule_domain(self, rule):
        """Return the value entries with an amount that a posting rule covers."""
        amount = "cost_amount_expected" if rule.expected else "cost_amount_actual"
        domain = (
            Domain("item_ledger_entry_type", "=", rule.item_ledger_entry_type or False)
            & Domain("entry_type", "=", rule.entry_type)
            & Domain("variance_type", "=", rule.variance_type or False)
            & Domain(amount, "!=", 0)
        )
        if "wip" in (rule.role1, rule.role2):
            domain &= Domain("order_id", "not in", [0, False])
        return domain

    def _counter_domain(self, rule, account_role):
        """Return the value entries that do, or do not, name the second account."""
        if account_role == COUNTER_ACCOUNT:
            return Domain("counter_account", "not in", [0, False])
        if account_role == rule.role2:
            return Domain("counter_account", "in", [0, False])
        return Domain.TRUE

    def _no_role_domain(self, expected):
        """Return the value entries with an amount that no posting rule covers."""
        amount = "cost_amount_expected" if expected else "cost_amount_actual"
        covered = Domain.OR(
            self._rule_domain(rule) for rule in RULES if rule.expected == bool(expected)
        )
        return Domain(amount, "!=", 0) & ~covered

    @api.model
    def _journal_item_domain(self, company, account_role, date_from=None, date_to=None):
        """Return the journal items whose balances are a role's G/L figure.

        ``None`` where no domain can tell them: an account that serves other roles too,
        or that no posting setup names.
        """
        accounts = self._accounts_by_role(company).get(account_role)
        if not accounts or accounts.filtered(self._shared_accounts(company).get):
            return None
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("parent_state", "=", "posted")
            & Domain("account_id", "in", accounts.ids)
        )
        if date_from:
            domain &= Domain("date", ">=", date_from)
        if date_to:
            domain &= Domain("date", "<=", date_to)
        return domain
