"""What the tests of posting share: value entries without documents behind them."""

from unittest.mock import patch
from uuid import uuid4

from odoo import Command

from .common import InventoryCostCommon


class PostingCommon(InventoryCostCommon):
    """A company with value entries that are recorded as its tests need them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.journal = cls.company.inventory_cost_journal_id
        cls.location = cls.warehouse.view_location_id
        cls.runs = cls.env["inventory.cost.run"]

    def ledger_entry(self, entry_type="purchase", product=None, **values):
        """Return a new ledger entry, with the groups of the product's category."""
        product = product or self.fifo
        return self.env["stock.ledger.entry"].create(
            {
                "company_id": self.company.id,
                "product_id": product.id,
                "cost_location_id": self.location.id,
                "entry_type": entry_type,
                "quantity": 1.0 if entry_type in ("purchase", "output") else -1.0,
                "posting_date": "2026-01-15",
                "valuation_date": "2026-01-15",
                "origin": "WH/0001",
                "inventory_posting_group_id": self.inventory_group.id,
                "product_posting_group_id": self.product_group.id,
                "business_posting_group_id": self.business_group.id,
                **values,
            }
        )

    def entry(
        self,
        amount=0.0,
        ledger_type="purchase",
        entry_type="direct_cost",
        ledger_entry=None,
        ledger_values=None,
        **values,
    ):
        """Return a value entry with an actual amount, recorded and queued.

        ``ledger_entry`` adds to an entry of the quantity ledger, else there is a new
        one. ``expected_amount`` gives an expected amount.
        """
        ledger_entry = ledger_entry or self.ledger_entry(
            ledger_type, **(ledger_values or {})
        )
        date = values.pop("date", "2026-01-15")
        return self.env["stock.value.entry"]._append(
            [
                {
                    "ledger_entry_id": ledger_entry.id,
                    "entry_type": entry_type,
                    "cost_amount_expected": values.pop("expected_amount", 0.0),
                    "cost_amount_actual": amount,
                    "posting_date": date,
                    "valuation_date": date,
                    "source_model": "stock.move",
                    "source_id": 1,
                    **values,
                }
            ]
        )

    def post(self, mode="post", granularity="posting_group", **values):
        """Run the wizard; return the run."""
        wizard = self.env["inventory.cost.post"].create(
            {"mode": mode, "granularity": granularity, **values}
        )
        return self.runs.browse(wizard.action_run()["res_id"])

    def post_in_background(self):
        """Run the scheduled action; its commits and rollbacks are left out."""
        with (
            patch.object(self.env.cr, "commit"),
            patch.object(self.env.cr, "rollback"),
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 1.0
            ),
        ):
            self.runs._cron_post_inventory_cost()
        self.env.invalidate_all()

    def own_runs(self):
        """Return the company's runs, oldest first."""
        return self.runs.search([("company_id", "=", self.company.id)], order="id")

    def waiting(self):
        """Return the value entries that wait in the company."""
        return (
            self.env["stock.value.entry.queue"]
            .search([("company_id", "=", self.company.id)])
            .value_entry_id
        )

    def skipped(self, run):
        """Return the lines of what a run skipped."""
        return run.line_ids

    def balances(self, run):
        """Return the balance of each role's account in the run's journal entries."""
        roles = {account: role for role, account in self.accounts.items()}
        lines = run.journal_entry_ids.line_ids
        return {
            roles.get(account, account): round(sum(items.mapped("balance")), 2)
            for account, items in lines.grouped("account_id").items()
        }

    def items(self, run):
        """Return (date, role, balance) of the run's journal items, in order."""
        roles = {account: role for role, account in self.accounts.items()}
        lines = run.journal_entry_ids.line_ids.sorted(lambda line: (line.date, line.id))
        return [
            (str(line.date), roles[line.account_id], line.balance) for line in lines
        ]

    def assertConserved(self):
        """Check that links and the addon's journal items agree, line by line."""
        links = self.env["stock.value.entry.link"].search(
            [("company_id", "=", self.company.id)]
        )
        linked = {}
        for link in links:
            for line, sign in ((link.debit_line_id, 1), (link.credit_line_id, -1)):
                linked[line] = linked.get(line, 0.0) + sign * abs(link.amount)
        runs = self.runs.search([("company_id", "=", self.company.id)])
        items = runs.journal_entry_ids.line_ids
        self.assertEqual(set(linked), set(items))
        for line, amount in linked.items():
            self.assertAlmostEqual(amount, line.balance, places=2)
        for entry in links.value_entry_id - self.waiting():
            self.assertAlmostEqual(entry.cost_posted_to_gl, entry.cost_amount_actual)

    def analytic_lines(self, account):
        """Return the analytic items of an analytic account."""
        column = account.plan_id._column_name()
        return self.env["account.analytic.line"].search([(column, "=", account.id)])

    @staticmethod
    def as_user(records, user):
        """Return records or a model as a user meets them, in the user's companies."""
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    def user_with(self, *groups, company=None):
        """Return a new internal user with groups of the addon (or external ids)."""
        company = company or self.company
        names = [
            name if "." in name else f"inventory_cost_gl.{name}" for name in groups
        ]
        return self.env["res.users"].create(
            {
                "name": " ".join(groups),
                "login": f"{'-'.join(groups)}-{uuid4()}",
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [
                    Command.set(
                        [self.env.ref(name).id for name in ("base.group_user", *names)]
                    )
                ],
            }
        )
