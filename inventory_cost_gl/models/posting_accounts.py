"""Which accounts an amount is posted to, and everything that keeps it from it."""

from typing import NamedTuple

from odoo.tools import format_date

from ..posting.grouping import Accounts
from ..posting.roles import (
    INVENTORY_POSTING_ROLES,
    ExpectedCostNotAllowed,
    OrderMissing,
    RoleNotAllowed,
    roles_for,
)
from .posting_setup_mixin import WRONG_ACCOUNT_TYPES


class Problem(NamedTuple):
    """Why an amount can't be posted, and the record where that is mended.

    ``res_id`` 0 stands for a record that has to be created; no ``res_model`` for the
    document that the value entry comes from.
    """

    message: str
    res_model: str = ""
    res_id: int = 0


class CostKey(NamedTuple):
    """What decides the accounts of a value entry's amount, as read from the queue.

    ``product_id`` is only filled where the entry lacks a posting group: it was recorded
    before its product had one, and takes the one that it has now.
    """

    kind: str
    posting_date: object
    document: str
    item_ledger_entry_type: str | None
    entry_type: str
    variance_type: str | None
    has_order: bool
    counter_account: int
    cost_location_id: int | None
    inventory_posting_group_id: int | None
    business_posting_group_id: int | None
    product_posting_group_id: int | None
    product_id: int | None
    analytic: str


def journal_problem(env, company):
    """Return the ``Problem`` of the company's journal for inventory cost, or None."""
    journal = company.sudo().inventory_cost_journal_id
    if not journal:
        return Problem(
            env._(
                "%(company)s has no journal for inventory cost. Choose one in the "
                "inventory cost settings.",
                company=company.display_name,
            ),
            "res.config.settings",
        )
    if not journal.active or journal.type != "general":
        message = env._(
            "The journal %(journal)s of %(company)s is archived or not of the type "
            "Miscellaneous. Choose another one in the inventory cost settings.",
            journal=journal.display_name,
            company=company.display_name,
        )
    elif journal.company_id not in company.sudo().parent_ids:
        message = env._(
            "The journal %(journal)s belongs to another company. Choose one of "
            "%(company)s in the inventory cost settings.",
            journal=journal.display_name,
            company=company.display_name,
        )
    else:
        return None
    return Problem(message, "account.journal", journal.id)


class PostingAccounts:
    """Looks accounts up in a company's posting setups, for one batch.

    The setups are read once; accounts, dates and roles are checked once each.
    """

    def __init__(self, env, company):
        self.env = env(su=True)
        self.company = company.sudo()
        self.inventory_setup = self.env["inventory.posting.setup"]
        self.general_setup = self.env["general.posting.setup"]
        self.inventory_lines = self.inventory_setup._lines_by_key(company)
        self.general_lines = self.general_setup._lines_by_key(company)
        self.accounts = {}
        self.account_problems = {}
        self.date_problems = {}
        self.journal_problem = journal_problem(self.env, self.company)

    def find(self, key, date=None):
        """Return ``(accounts, problems)`` of a ``CostKey``: all of its problems.

        The ``Accounts`` are ``None`` unless there are no problems.
        """
        problems = [self.journal_problem] if self.journal_problem else []
        problems += self.date_problem(date or key.posting_date)
        try:
            roles = roles_for(
                key.item_ledger_entry_type,
                key.entry_type,
                key.variance_type,
                key.kind == "expected",
                key.has_order,
            )
        except RoleNotAllowed as error:
            return None, [*problems, self._role_problem(error, key)]
        ids = []
        for place, role in enumerate(roles):
            if place and key.counter_account:
                account, line = key.counter_account, None
            else:
                account, line = self._role_account(role, key, problems)
            problems.extend(self._account_problem(account, line) if account else ())
            ids.append(account)
        problems = list(dict.fromkeys(problems))
        return (None if problems else Accounts(*roles, *ids)), problems

    def _role_account(self, role, key, problems):
        """Return the id of a role's account and the setup line that names it.

        Adds to the problems if there is none.
        """
        find = self._inventory_line
        if role not in INVENTORY_POSTING_ROLES:
            find = self._general_line
        line, problem = find(key)
        if problem:
            problems.append(problem)
            return None, None
        account = line._role_account(role)
        if not account:
            problems.append(self._empty_problem(line, role))
        return account.id, line

    def _inventory_line(self, key):
        """Return ``(line, problem)`` of the inventory posting setup."""
        group = self._group("inventory", key)
        if not group:
            return None, self._group_problem("inventory", key)
        line = self.inventory_setup._pick_line(
            self.inventory_lines, key.cost_location_id or False, group.id
        )
        if line:
            return line, None
        location = self.env["stock.location"].browse(key.cost_location_id or ())
        return None, Problem(
            self.env._(
                "No line of the inventory posting setup is for %(location)s and the "
                "group %(group)s. Add one.",
                location=location.display_name or self.env._("no location"),
                group=group.display_name,
            ),
            "inventory.posting.setup",
        )

    def _general_line(self, key):
        """Return ``(line, problem)`` of the general posting setup."""
        group = self._group("product", key)
        if not group:
            return None, self._group_problem("product", key)
        line = self.general_setup._pick_line(
            self.general_lines, key.business_posting_group_id or False, group.id
        )
        if line.blocked:
            return None, Problem(
                self.env._(
                    "The line %(line)s of the general posting setup is blocked.",
                    line=line.display_name,
                ),
                line._name,
                line.id,
            )
        if line:
            return line, None
        business = self.env["business.posting.group"].browse(
            key.business_posting_group_id or ()
        )
        return None, Problem(
            self.env._(
                "No line of the general posting setup is for the business posting "
                "group %(business)s and the product posting group %(group)s. Add one.",
                business=business.display_name or self.env._("none"),
                group=group.display_name,
            ),
            "general.posting.setup",
        )

    def _group(self, kind, key):
        """Return the entry's posting group, or the one that its product has now."""
        group = self.env[f"{kind}.posting.group"].browse(
            key[CostKey._fields.index(f"{kind}_posting_group_id")] or ()
        )
        if group or not key.product_id:
            return group
        product = self.env["product.product"].browse(key.product_id)
        product = product.with_company(self.company)
        return getattr(product, f"_get_{kind}_posting_group")()

    def _group_problem(self, kind, key):
        """A product that has no posting group yet."""
        product = self.env["product.product"].browse(key.product_id or ())
        group = self.env[f"{kind}.posting.group"]._description
        return Problem(
            self.env._(
                "The product %(product)s has no %(group)s. Choose one in its category.",
                product=product.display_name or "",
                group=group,
            ),
            "product.category",
            product.categ_id.id or 0,
        )

    def _empty_problem(self, line, role):
        """A setup line that lacks the account."""
        return Problem(
            self.env._(
                "The line %(line)s of the %(setup)s has no account for %(role)s.",
                line=line.display_name,
                setup=line._description,
                role=line._role_name(role),
            ),
            line._name,
            line.id,
        )

    def _role_problem(self, error, key):
        """Types of entries that the table of account roles does not have."""
        entries = self.env["stock.value.entry"]
        types = []
        for name in ("item_ledger_entry_type", "entry_type", "variance_type"):
            labels = dict(entries._fields[name]._description_selection(self.env))
            value = key[CostKey._fields.index(name)]
            types += [labels.get(value, value)] if value else []
        kinds = " / ".join(types)
        if isinstance(error, OrderMissing):
            return Problem(
                self.env._(
                    "%(types)s is posted to work in process, but the entry names no "
                    "order.",
                    types=kinds,
                )
            )
        if isinstance(error, ExpectedCostNotAllowed):
            return Problem(
                self.env._("%(types)s can't have expected cost.", types=kinds)
            )
        return Problem(
            self.env._(
                "%(types)s: this combination of entry types is not posted to the G/L.",
                types=kinds,
            )
        )

    def date_problem(self, date):
        """Return the problems of a posting date: none, or that it is locked.

        Lock exceptions are those of the user who posts.
        """
        if date not in self.date_problems:
            locks = self._locks(self.company, date)
            self.date_problems[date] = locks and [self._locked_problem(date, locks)]
        return self.date_problems[date]

    def _locks(self, company, date):
        """Return the lock dates of a company and its parents that matter here."""
        return company._get_lock_date_violations(
            date, fiscalyear=True, sale=False, purchase=False, tax=False, hard=True
        )

    def _locked_problem(self, date, locks):
        """Return the ``Problem`` of a locked date, with the way out."""
        message = self.env._(
            "The posting date %(date)s is locked: %(locks)s. Open it for as long as it "
            "takes to post.",
            date=format_date(self.env, date),
            locks=self.company._format_lock_dates(locks),
        )
        if "hard_lock_date" in {name for _date, name in locks}:
            message = self.env._(
                "The posting date %(date)s is locked for good: %(locks)s. Post it on "
                "the first open date, which Post Inventory Cost to G/L asks for.",
                date=format_date(self.env, date),
                locks=self.company._format_lock_dates(locks),
            )
        return Problem(message, "res.company", self._locking_company(date).id)

    def _locking_company(self, date):
        """Return the company that locks a date: a branch is locked by its parents."""
        return next(
            (
                company
                for company in self.company.parent_ids
                if self._locks(company, date)
            ),
            self.company,
        )

    def load_accounts(self, account_ids):
        """Read accounts that entries name themselves: one query for all of them."""
        missing = set(account_ids) - set(self.accounts)
        found = self.env["account.account"].browse(missing).exists()
        self.accounts.update(dict.fromkeys(missing))
        self.accounts.update({account.id: account for account in found})

    def _account_problem(self, account_id, line):
        """Return the problems of an account: none, or why nothing is posted to it.

        An account that another one has to replace is mended in the setup ``line`` that
        names it, else in the document that does.
        """
        if account_id not in self.account_problems:
            if account_id not in self.accounts:
                self.load_accounts([account_id])
            account = self.accounts[account_id]
            self.account_problems[account_id] = self._account_message(
                account_id, account
            )
        message, replace = self.account_problems[account_id]
        if not message:
            return []
        if not replace:
            return [Problem(message, "account.account", account_id)]
        return [Problem(message, line._name, line.id) if line else Problem(message)]

    def _account_message(self, account_id, account):
        """Say why nothing can be posted to an account; empty if something can.

        Returns ``(message, replace)``: whether another account has to replace it.
        """
        if not account:
            message = self.env._(
                "The account with the database id %(id)s, which the document named, "
                "has been deleted. Restate the document's cost with another account.",
                id=account_id,
            )
            return message, True
        name = account.with_company(self.company).display_name
        if not account.company_ids & self.company.parent_ids:
            message = self.env._(
                "The account %(account)s belongs to another company.", account=name
            )
            return message, True
        if not account.active:
            message = self.env._("The account %(account)s is archived.", account=name)
        elif account.account_type in WRONG_ACCOUNT_TYPES:
            message = self.env._(
                "Inventory cost can't be posted to %(account)s: it is a receivable, "
                "payable, bank or off-balance account.",
                account=name,
            )
        elif account.currency_id not in (
            self.company.currency_id,
            self.env["res.currency"],
        ):
            message = self.env._(
                "The account %(account)s only takes amounts in %(currency)s.",
                account=name,
                currency=account.currency_id.name,
            )
        else:
            message = ""
        return message, False
