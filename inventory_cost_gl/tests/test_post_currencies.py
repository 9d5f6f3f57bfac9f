from odoo.tests import tagged

from .posting_common import PostingCommon


class Currencies:
    """Buy, bill, deliver, invoice, adjust, post, reverse, post again, reconcile."""

    currency_name = None
    decimals = None

    @classmethod
    def setup_company(cls):  # pylint: disable=missing-return
        super().setup_company()
        currency = cls.env["res.currency"].with_context(active_test=False)
        currency = currency.search([("name", "=", cls.currency_name)])
        currency.active = True
        cls.company.currency_id = currency
        cls.currency = currency

    def trade(self, product):
        """Documents whose prices never divide evenly, in parts, with a late bill."""
        order = self.buy(product, 7, 333.33, "2026-01-05", discount=33.33)
        self.receive(order, 3, date="2026-01-06")
        self.bill(order, 3, date="2026-01-07")
        self.receive(order, date="2026-01-08")
        sale = self.sell(product, 5, date="2026-01-09")
        self.deliver(sale, 2, date="2026-01-10")
        self.invoice(sale, 2, date="2026-01-11")
        self.deliver(sale, date="2026-01-12")
        self.invoice(sale, date="2026-01-13")
        self.bill(order, price=401.07, date="2026-01-20")
        self.count(product, 1, date="2026-01-21")

    def adjust(self):
        """Press Adjust Cost."""
        self.env["inventory.cost.adjust"].create({}).action_adjust()

    def assertBalanced(self, run):
        """Check that each journal entry balances, in whole units of the currency."""
        self.assertTrue(run.journal_entry_ids)
        for move in run.journal_entry_ids:
            self.assertTrue(self.currency.is_zero(sum(move.line_ids.mapped("balance"))))
            for line in move.line_ids:
                self.assertEqual(line.currency_id, self.currency)
                self.assertEqual(
                    line.balance, round(line.balance, self.decimals), line.name
                )
                self.assertEqual(line.amount_currency, line.balance)

    def assertReconciled(self):
        """Check both ledgers, and that the links say the same as either."""
        summary = self.env["inventory.gl.reconciliation"]._summary(self.company)
        self.assertTrue(summary.reconciled)
        entries = self.env["stock.value.entry"].search(
            [("company_id", "=", self.company.id)]
        )
        for entry in entries:
            for posted, amount in (
                (entry.cost_posted_to_gl, entry.cost_amount_actual),
                (entry.expected_cost_posted_to_gl, entry.cost_amount_expected),
            ):
                self.assertFalse(self.currency.compare_amounts(posted, amount))
        self.assertEqual(
            self.gl("inventory"),
            self.currency.round(sum(entries.mapped("cost_amount_actual"))),
        )

    def test_full_round(self):
        self.assertEqual(self.currency.decimal_places, self.decimals)
        self.company.expected_cost_posting = True
        for product in (self.fifo, self.average, self.standard):
            self.trade(product)
        self.adjust()
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity):
                run = self.post(granularity=granularity)
                self.assertFalse(self.skipped(run))
                self.assertBalanced(run)
                self.assertReconciled()
                reversal = run._reverse(run.create_date.date())
                self.assertBalanced(reversal)
                self.assertEqual(self.gl("inventory"), 0.0)
        self.assertBalanced(self.post())
        self.assertReconciled()
        for role in ("inventory_interim", "accrual_interim", "cogs_interim"):
            self.assertEqual(self.gl(role), 0.0, "everything is invoiced")


@tagged("post_install", "-at_install")
class TestPostYen(Currencies, PostingCommon):
    """A currency without decimals."""

    currency_name, decimals = "JPY", 0


@tagged("post_install", "-at_install")
class TestPostEuro(Currencies, PostingCommon):
    """A currency with two decimals."""

    currency_name, decimals = "EUR", 2


@tagged("post_install", "-at_install")
class TestPostDinar(Currencies, PostingCommon):
    """A currency with three decimals."""

    currency_name, decimals = "KWD", 3
