import json

from odoo import models
from odoo.tools import SQL, float_compare

from .inventory_cost_run_journal import pg_array

# Accounts whose journal items get analytic items. As in Odoo's own cost of goods sold,
# the balance sheet side of a pair has none: the two would cancel out in every plan.
DISTRIBUTED_GROUPS = ("income", "expense")


class InventoryCostRunAnalytic(models.Model):
    """The analytic distribution of journal items: that of their value entries.

    Analytic distributions are texts here, so that equal ones can be grouped.
    """

    _inherit = "inventory.cost.run"

    def _line_distribution(self, account_id, analytic):
        """Return the distribution of a journal item, or ``False``."""
        account = self.env["account.account"].sudo().browse(account_id)
        if not analytic or account.internal_group not in DISTRIBUTED_GROUPS:
            return False
        return json.loads(analytic)

    def _existing_distributions(self, analytics):
        """Return ``{text: text}`` without analytic accounts deleted since: one query.

        ``analytics`` are the distributions as the value entries have them.
        """
        distributions = {text: json.loads(text or "{}") for text in analytics}
        named = self.env["account.analytic.account"].browse(
            account_id
            for distribution in distributions.values()
            for account_id in _account_ids(distribution)
        )
        existing = set(named.sudo().exists().ids)
        kept = {}
        for text, distribution in distributions.items():
            left = {
                accounts: percentage
                for accounts, percentage in distribution.items()
                if existing.issuperset(map(int, accounts.split(",")))
            }
            kept[text] = distribution_text(left)
        return kept

    # -- Mandatory plans --------------------------------------------------------------

    def _missing_plans(self, entries):
        """Return ``[(pair, value entry ids, account id, plan)]`` of value entries
        that a mandatory plan is missing from, or not distributed in full.

        A plan can be mandatory for some accounts or product categories only.
        """
        if not entries or not self._mandatory_plan_exists():
            return []
        products = self._products_of(entries)
        checked, missing = {}, []
        for pair in (pair for entry in entries for pair in entry.pairs):
            for account in (pair.debit_account, pair.credit_account):
                by_plan = {}
                for value_entry in pair.value_entry_ids:
                    product = products[value_entry]
                    key = (account, product.categ_id, pair.analytic)
                    if key not in checked:
                        checked[key] = self._missing_plan(
                            account, product, pair.analytic
                        )
                    if checked[key]:
                        by_plan.setdefault(checked[key], []).append(value_entry)
                missing += [
                    (pair, value_entries, account, plan)
                    for plan, value_entries in by_plan.items()
                ]
        return missing

    def _mandatory_plan_exists(self):
        """Say whether any plan may be mandatory: where none is, nothing is read."""
        mandatory = [("applicability", "=", "mandatory")]
        by_default = [("default_applicability", "=", "mandatory")]
        return (
            self.env["account.analytic.applicability"].sudo().search_count(mandatory, 1)
        ) or self.env["account.analytic.plan"].sudo().search_count(by_default, 1)

    def _products_of(self, entries):
        """Return ``{value entry id: product}`` of journal entries: one query."""
        rows = self.env.execute_query(
            SQL(
                "SELECT id, product_id FROM stock_value_entry "
                "WHERE id = ANY(%s::int[])",
                pg_array(
                    value_entry
                    for entry in entries
                    for pair in entry.pairs
                    for value_entry in pair.value_entry_ids
                ),
            )
        )
        products = self.env["product.product"].sudo()
        products = products.browse({product_id for _id, product_id in rows} - {None})
        by_id = {product.id: product for product in products}
        return {
            value_id: by_id.get(product_id, products[:0])
            for value_id, product_id in rows
        }

    def _missing_plan(self, account, product, analytic):
        """Return a mandatory plan that is not distributed in full, maybe none."""
        plans = self.env["account.analytic.plan"].sudo().with_company(self.company_id)
        relevant = plans.get_relevant_plans(
            business_domain="general",
            company_id=self.company_id.id,
            account=account,
            product=product.id,
        )
        mandatory = [plan for plan in relevant if plan["applicability"] == "mandatory"]
        distributed = self._distributed(analytic) if mandatory else {}
        for plan in mandatory:
            if float_compare(distributed.get(plan["id"], 0.0), 100.0, 2):
                return plans.browse(plan["id"])
        return plans.browse()

    def _distributed(self, analytic):
        """Return ``{root plan id: percentage}`` of an analytic distribution."""
        percentages = {}
        for accounts, percentage in json.loads(analytic or "{}").items():
            for account_id in map(int, accounts.split(",")):
                account = self.env["account.analytic.account"].sudo().browse(account_id)
                plan = account.root_plan_id.id
                percentages[plan] = percentages.get(plan, 0.0) + percentage
        return percentages


def _account_ids(distribution):
    """Return the ids of the analytic accounts that a distribution names."""
    return [int(one) for accounts in distribution for one in accounts.split(",")]


def distribution_text(distribution):
    """Return an analytic distribution as text, the same for equal ones."""
    return json.dumps(distribution, sort_keys=True) if distribution else ""
