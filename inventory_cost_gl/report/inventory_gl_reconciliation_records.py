from odoo import api, models
from odoo.fields import Domain

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES, RULES
from .reconciliation_roles import COUNTER_ACCOUNT, NO_ROLE, REPORT_ROLES


class InventoryGlReconciliation(models.Model):
    """The accounts of a role, and the records behind its figures."""

    _inherit = "inventory.gl.reconciliation"

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
