"""What is unusual about an amount that is posted nevertheless: the test names it."""

from odoo.tools import format_date

from .posting_accounts import Problem

# The roles that an account of the balance sheet is expected for.
BALANCE_SHEET_ROLES = (
    "inventory",
    "inventory_interim",
    "wip",
    "cogs_interim",
    "accrual_interim",
)
BALANCE_SHEET_GROUPS = ("asset", "liability", "equity")


class PostingWarnings:
    """Warns of accounts and dates, for one batch: each is looked at once.

    ``accounts`` are the batch's ``PostingAccounts``, which have read the setups.
    """

    def __init__(self, accounts):
        self.env = accounts.env
        self.company = accounts.company
        self.lines = {
            (role, line._role_account(role).id): line
            for lines in (accounts.inventory_lines, accounts.general_lines)
            for line in lines.values()
            for role in line._roles
        }
        self.found = {}

    def find(self, role, account_id, date):
        """Return the ``Problem`` list of an amount that is posted to an account."""
        return self._once(self._account_warning, role, account_id) + self._once(
            self._period_warning, date
        )

    def _once(self, warn, *arguments):
        """Return a list of the warning, or an empty one; computed once."""
        key = (warn.__name__, *arguments)
        if key not in self.found:
            warning = warn(*arguments)
            self.found[key] = [warning] if warning else []
        return self.found[key]

    def _account_warning(self, role, account_id):
        """Warn of a balance sheet role in profit and loss, and the other way round.

        Accounts that documents name themselves can be of any kind.
        """
        line = self.lines.get((role, account_id))
        account = self.env["account.account"].browse(account_id)
        expected = role in BALANCE_SHEET_ROLES
        if not line or (account.internal_group in BALANCE_SHEET_GROUPS) == expected:
            return None
        types = dict(account._fields["account_type"]._description_selection(self.env))
        return Problem(
            self.env._(
                "%(role)s is posted to %(account)s, an account of the type %(type)s. "
                "One of %(expected)s was expected.",
                role=line._role_name(role),
                account=account.with_company(self.company).display_name,
                type=types[account.account_type],
                expected=self.env._("the balance sheet")
                if expected
                else self.env._("profit and loss"),
            ),
            line._name,
            line.id,
        )

    def _period_warning(self, date):
        """Warn of a closed inventory period: it closes recording, not posting.

        Business Central checks it when cost is recorded, not when it is posted (c.5).
        """
        period = self.env["inventory.period"].search(
            [
                ("company_id", "=", self.company.id),
                ("ending_date", ">=", date),
                ("closed", "=", True),
            ],
            order="ending_date",
            limit=1,
        )
        if not period:
            return None
        return Problem(
            self.env._(
                "%(date)s is in the closed inventory period %(period)s. The cost was "
                "recorded before it was closed, and is posted to this date.",
                date=format_date(self.env, date),
                period=period.name,
            ),
            period._name,
            period.id,
        )
