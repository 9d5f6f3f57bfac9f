from odoo import fields
from odoo.tests import tagged

from ..report.reconciliation_summary import MEASURES
from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestReconciliationPosting(PostingCommon):
    """The reconciliation over documents and the runs that post them."""

    def summary(self, **filters):
        """Return the reconciliation of the company."""
        return self.env["inventory.gl.reconciliation"]._summary(self.company, **filters)

    def causes(self, summary=None):
        """Return ``{cause: {role: amount}}`` of what explains the difference."""
        causes = {}
        for line in (summary or self.summary()).lines:
            for measure in MEASURES[3:]:
                if line.amounts()[measure]:
                    amounts = causes.setdefault(measure, {})
                    amounts[line.account_role] = line.amounts()[measure]
        return causes

    def trade(self):
        """Receive, bill at another price, deliver and invoice."""
        order = self.buy(self.fifo, 10, 10.0, "2026-01-05")
        self.receive(order, date="2026-01-10")
        sale = self.sell(self.fifo, 4, date="2026-01-15")
        self.deliver(sale, date="2026-01-20")
        self.bill(order, 10, 12.5, "2026-02-05")
        self.invoice(sale, date="2026-02-10")

    def test_documents_before_and_after_posting(self):
        self.trade()
        before = self.summary()
        self.assertTrue(before.fully_explained)
        self.assertEqual(set(self.causes(before)), {"not_posted"})
        inventory = before.line("inventory")
        self.assertTrue(inventory.value_entry_amount)
        self.assertEqual(inventory.gl_amount, 0.0)
        self.assertEqual(inventory.not_posted, -inventory.value_entry_amount)
        self.post()
        after = self.summary()
        self.assertTrue(after.reconciled)
        for role in self.accounts:
            self.assertEqual(
                after.line(role).value_entry_amount,
                before.line(role).value_entry_amount,
            )
            self.assertEqual(after.line(role).gl_amount, self.gl(role))

    def test_each_detail_of_posting_reconciles_in_every_month(self):
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity):
                self.trade()
                self.post(granularity=granularity)
                for month in (1, 2):
                    summary = self.summary(
                        date_from=fields.Date.to_date(f"2026-0{month}-01"),
                        date_to=fields.Date.to_date(f"2026-0{month}-28"),
                    )
                    self.assertTrue(summary.lines)
                    self.assertTrue(summary.reconciled)

    def test_posted_in_part(self):
        self.trade()
        self.post(until_date="2026-01-31")
        self.assertTrue(self.summary(date_to="2026-01-31").reconciled)
        self.assertEqual(
            set(self.causes(self.summary(date_from="2026-02-01"))), {"not_posted"}
        )

    def test_skipped_entries_are_not_posted_yet(self):
        self.entry(70.0)
        self.general_setup.direct_cost_applied_account_id = False
        self.post()
        self.assertEqual(
            self.causes(),
            {"not_posted": {"inventory": -70.0, "direct_cost_applied": 70.0}},
        )

    def test_preview_and_test_change_nothing(self):
        self.entry(70.0)
        before = self.causes()
        self.post(mode="preview")
        self.post(mode="test")
        self.assertEqual(self.causes(), before)

    def test_reversed_run(self):
        self.entry(70.0)
        run = self.post()
        run._reverse(fields.Date.to_date("2026-03-01"))
        self.assertEqual(
            self.causes(),
            {"not_posted": {"inventory": -70.0, "direct_cost_applied": 70.0}},
        )
        january = self.summary(date_to="2026-01-31")
        self.assertEqual(january.line("inventory").difference, 0.0)
        self.assertEqual(january.line("inventory").posted_on_other_date, 70.0)
        self.assertTrue(january.fully_explained)
        self.post()
        self.assertTrue(self.summary().reconciled)
        march = self.summary(date_from="2026-03-01")
        self.assertEqual(
            self.causes(march),
            {
                "posted_on_other_date": {
                    "inventory": -70.0,
                    "direct_cost_applied": 70.0,
                }
            },
        )

    def assertExpectedNotPosted(self, amount):
        """The setup keeps that much expected cost out, and nothing else differs."""
        interim = {"inventory_interim": -amount, "accrual_interim": amount}
        self.assertEqual(self.causes(), {"expected_not_posted": interim})

    def test_expected_cost_switched_off(self):
        self.company.expected_cost_posting = False
        receipt = self.ledger_entry()
        self.entry(ledger_entry=receipt, expected_amount=150.0, expected=True)
        self.post()
        self.assertExpectedNotPosted(150.0)
        self.entry(
            165.0, ledger_entry=receipt, expected_amount=-150.0, date="2026-02-01"
        )
        self.post()
        self.assertTrue(self.summary().reconciled)
        self.company.expected_cost_posting = True
        self.post()
        self.assertTrue(self.summary().reconciled)
        self.assertTrue(self.summary(date_to="2026-01-31").fully_explained)

    def test_expected_cost_switched_off_after_a_reversal(self):
        """What is posted no more is like what never was: on, off and on again."""
        receipt = self.ledger_entry()
        self.entry(ledger_entry=receipt, expected_amount=150.0, expected=True)
        run = self.post()
        run._reverse(fields.Date.to_date("2026-03-15"))
        self.company.expected_cost_posting = False
        self.assertFalse(self.waiting())
        self.assertExpectedNotPosted(150.0)
        self.assertTrue(self.summary().fully_explained)
        self.entry(
            165.0, ledger_entry=receipt, expected_amount=-150.0, date="2026-02-01"
        )
        self.post()
        self.assertTrue(self.summary().reconciled)
        self.company.expected_cost_posting = True
        self.post()
        self.assertTrue(self.summary().reconciled)
        for day in ("2026-01-31", "2026-02-28", "2026-03-15"):
            self.assertTrue(self.summary(date_to=day).fully_explained, day)

    def test_deleted_links_of_a_run_are_not_taken_for_posted_by_hand(self):
        self.entry(70.0)
        run = self.post()
        self.env.flush_all()
        self.env["stock.value.entry.link"]._lift_append_only("test")
        self.env.cr.execute(
            "DELETE FROM stock_value_entry_link WHERE run_id = %s", [run.id]
        )
        self.env.invalidate_all()
        summary = self.summary()
        self.assertEqual(self.causes(summary), {})
        self.assertFalse(summary.fully_explained)
        self.assertEqual(summary.alarm_count, 4)

    def test_charge_with_an_account_of_its_own(self):
        freight = self.env["account.account"].create(
            {"name": "Freight", "code": "790100", "account_type": "expense"}
        )
        self.entry(7.0, counter_account=freight.id)
        self.post()
        summary = self.summary()
        self.assertTrue(summary.reconciled)
        self.assertEqual(summary.line("counter_account").gl_amount, -7.0)

    def test_adjusted_cost_waits_for_the_next_posting(self):
        order = self.buy(self.fifo, 10, 10.0, "2026-01-05")
        self.receive(order, date="2026-01-10")
        sale = self.sell(self.fifo, 4, date="2026-01-15")
        self.deliver(sale, date="2026-01-20")
        self.invoice(sale, date="2026-01-25")
        self.post()
        self.bill(order, 10, 12.5, "2026-02-05")
        waiting = self.summary()
        self.assertTrue(waiting.fully_explained)
        self.assertTrue(waiting.line("inventory").not_posted)
        self.post()
        summary = self.summary()
        self.assertTrue(summary.reconciled)
        self.assertEqual(summary.line("inventory").gl_amount, 75.0)  # 6 at 12.50
        self.assertEqual(summary.line("cogs").gl_amount, 50.0)  # 4 at 12.50
