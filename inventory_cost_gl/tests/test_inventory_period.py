from datetime import date
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestInventoryPeriod(InventoryCostCommon):
    """Closing and re-opening periods, and what a closed one refuses."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.make_user("manager")
        cls.accountant = cls.make_user("accountant")

    @classmethod
    def make_user(cls, group):
        """Return a user of the company with this group alone."""
        return new_test_user(
            cls.env,
            login=f"period_{group}",
            groups=f"base.group_user,inventory_cost_gl.group_{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def period(self, ending_date="2026-01-31", user=None):
        """Return a new period, as a manager enters it."""
        form = Form(self.env["inventory.period"].with_user(user or self.manager))
        form.ending_date = ending_date
        return form.save()

    def test_close_and_reopen(self):
        january, february, march = (
            self.period(day) for day in ("2026-01-31", "2026-02-28", "2026-03-31")
        )
        self.assertFalse(january.closed)
        february.action_close()
        self.assertEqual(
            (january + february + march).mapped("closed"), [True, True, False]
        )
        march.action_close()
        february._reopen("Test")
        self.assertEqual(
            (january + february + march).mapped("closed"), [True, False, False]
        )

    def test_period_before_a_closed_one_is_closed(self):
        self.period("2026-02-28").action_close()
        self.assertTrue(self.period("2026-01-31").closed)
        self.assertFalse(self.period("2026-03-31").closed)

    def test_closing_refuses_uncovered_decreases_and_names_them(self):
        sale = self.sell(self.fifo, 5, date="2026-01-20")
        delivery = self.deliver(sale, date="2026-01-20")
        period = self.period()
        with self.assertRaisesRegex(UserError, "(?s)not in stock.*" + delivery.name):
            period.action_close()
        self.assertFalse(period.closed)
        earlier = self.period("2026-01-19")
        earlier.action_close()
        self.assertTrue(earlier.closed)
        order = self.buy(self.fifo, 5, 10.0, date="2026-02-02")
        self.receive(order, date="2026-02-02")
        period.action_close()
        self.assertTrue(period.closed)

    def test_closing_refuses_queued_adjustments_and_names_them(self):
        self.company.automatic_cost_adjustment = "never"
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 5, date="2026-01-20")
        self.deliver(sale, date="2026-01-20")
        self.bill(order, price=11.0, date="2026-01-25")
        period = self.period()
        with self.assertRaisesRegex(UserError, "(?s)not adjusted.*" + self.fifo.name):
            period.action_close()
        self.env["inventory.cost.adjust"].create({}).action_adjust()
        period.action_close()
        self.assertTrue(period.closed)

    def test_later_adjustments_do_not_matter(self):
        self.company.automatic_cost_adjustment = "never"
        order = self.buy(self.fifo, 10, 10.0, date="2026-02-05")
        self.receive(order, date="2026-02-05")
        self.assertTrue(self.env["stock.cost.queue"].search([]))
        period = self.period()
        period.action_close()
        self.assertTrue(period.closed)

    def test_only_a_few_are_named(self):
        for _number in range(7):
            sale = self.sell(self.fifo, 1, date="2026-01-20")
            self.deliver(sale, date="2026-01-20")
        with self.assertRaisesRegex(UserError, "(?s)ledger entries\\): 7.*and 2 more"):
            self.period().action_close()

    def test_receipt_is_refused_and_bill_goes_to_the_first_open_date(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, 6, date="2026-01-05")
        period = self.period()
        period.action_close()
        entries = self.env["stock.ledger.entry"].search_count([])
        with self.assertRaisesRegex(UserError, "closed"):
            self.receive(order, 4, date="2026-01-20")
        self.assertEqual(self.env["stock.ledger.entry"].search_count([]), entries)
        self.bill(order, 6, 11.0, date="2026-01-25")
        billed = self.entries(receipt).filtered("cost_amount_actual")
        self.assertEqual(str(billed.posting_date), "2026-02-01")
        period._reopen("A receipt was forgotten")
        self.receive(order, 4, date="2026-01-20")

    def test_adjustment_goes_to_the_first_open_date(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 5, date="2026-01-20")
        delivery = self.deliver(sale, date="2026-01-20")
        self.period().action_close()
        self.bill(order, price=11.0, date="2026-02-10")
        adjustment = self.entries(delivery).filtered("adjustment")
        self.assertEqual(adjustment.cost_amount_expected, -5.0)
        self.assertEqual(str(adjustment.posting_date), "2026-02-01")

    def test_closing_turns_away_documents_under_way(self):
        period = self.period()
        guard = type(self.env["inventory.cost.guard"])
        for button, reason in (("action_close", ()), ("_reopen", ("Why",))):
            with patch.object(guard, "_change") as change:
                getattr(period, button)(*reason)
            change.assert_called_once_with(self.company)
        with (
            patch.object(guard, "_change", side_effect=SerializationFailure),
            self.assertRaises(SerializationFailure),
        ):
            period.action_close()
        self.assertFalse(period.closed)

    def test_closing_looks_at_what_it_waited_for(self):
        period = self.period()
        checked = []

        def check(records, company_id, day):
            self.assertEqual((company_id, str(day)), (self.company.id, "2026-01-31"))
            checked.append(records.env.cr)

        with patch.object(type(period), "_check_closable", check):
            period.action_close()
        self.assertEqual(len(checked), 2)
        self.assertIsNot(checked[0], checked[1])

    def test_closed_is_not_written_by_hand(self):
        period = self.period()
        with self.assertRaisesRegex(UserError, "button"):
            period.write({"closed": True})
        with self.assertRaisesRegex(UserError, "button"):
            period.create({"ending_date": "2026-05-31", "closed": True})
        period.action_close()
        for change in (
            lambda: period.write({"ending_date": "2026-01-30"}),
            lambda: period.write({"closed": False}),
            period.unlink,
        ):
            with self.assertRaises(UserError):
                change()
        self.assertTrue(period.closed)

    def test_proposed_month(self):
        def propose():
            return Form(self.env["inventory.period"].with_user(self.manager)).save()

        with self.at("2026-03-12"):
            self.assertEqual(propose().name, "February 2026")
        self.assertEqual(propose().ending_date, date(2026, 3, 31))
        self.period("2026-04-15")
        self.assertEqual(propose().ending_date, date(2026, 4, 30))

    def test_open_period_can_be_changed_and_deleted(self):
        period = self.period()
        period.ending_date = "2026-01-30"
        period.unlink()
        self.assertFalse(period.exists())

    def test_only_managers_close(self):
        period = self.period().with_user(self.accountant)
        self.assertEqual(str(period.ending_date), "2026-01-31")
        for action in (period.action_close, period.action_reopen):
            with self.assertRaises(AccessError):
                action()
        with self.assertRaises(AccessError):
            self.env["inventory.period"].with_user(self.accountant).create(
                {"ending_date": "2026-05-31"}
            )

    def test_companies_close_apart(self):
        other = self.make_company("Other Company")
        theirs = self.env["inventory.period"].create(
            {"company_id": other.id, "ending_date": "2026-01-31"}
        )
        self.period("2026-02-28").action_close()
        self.assertFalse(theirs.closed)
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).action_close()
