from datetime import date
from itertools import product as combinations

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .posting_common import PostingCommon

INTERIM = ("inventory_interim", "accrual_interim", "cogs_interim")


class ExpectedPostingCommon(PostingCommon):
    """Receipts of 10 at 7.00 and deliveries of 10, invoiced in parts and posted."""

    def interim(self):
        """Return the balances of the three interim accounts."""
        return tuple(self.gl(role) for role in INTERIM)

    def received(self, quantity=10):
        """Return an order and its receipt of a quantity at 7.00."""
        order = self.buy(self.fifo, quantity, 7.0, date="2026-01-05")
        return order, self.receive(order, date="2026-01-05")

    def shipped(self):
        """Return a sales order and its delivery of 10, bought and billed at 7.00."""
        order, _receipt = self.received()
        self.bill(order, date="2026-01-06")
        sale = self.sell(self.fifo, 10, date="2026-01-07")
        return sale, self.deliver(sale, date="2026-01-07")

    def switch(self, on):
        """Turn expected cost posting on or off."""
        self.company.expected_cost_posting = on


@tagged("post_install", "-at_install")
class TestExpectedPosting(ExpectedPostingCommon):
    """Interim postings are reversed exactly by what is invoiced."""

    def test_a_receipt_billed_in_three_parts(self):
        order, _receipt = self.received()
        self.post()
        self.assertEqual(self.interim(), (70.0, -70.0, 0.0))
        for quantity, left in ((3, 49.0), (3, 28.0), (4, 0.0)):
            self.bill(order, quantity, 8.0, date="2026-01-10")
            self.post()
            self.assertEqual(self.interim(), (left, -left, 0.0))
        self.assertEqual(self.gl("inventory"), 80.0)
        self.assertConserved()

    def test_a_delivery_invoiced_in_three_parts(self):
        sale, _delivery = self.shipped()
        self.post()
        self.assertEqual(self.interim(), (-70.0, 0.0, 70.0))
        for quantity, left in ((3, 49.0), (3, 28.0), (4, 0.0)):
            self.invoice(sale, quantity, date="2026-01-10")
            self.post()
            self.assertEqual(self.interim(), (-left, 0.0, left))
        self.assertEqual(self.gl("cogs"), 70.0)
        self.assertConserved()

    def test_cents_that_do_not_divide(self):
        order = self.buy(self.fifo, 3, 3.33, date="2026-01-05")
        order.order_line.price_unit = 10.0 / 3
        self.receive(order, date="2026-01-05")
        for _part in range(3):
            self.bill(order, 1, 4.0, date="2026-01-10")
            self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_a_reset_bill_puts_it_back(self):
        order, _receipt = self.received()
        self.post()
        bill = self.bill(order, 3, date="2026-01-10")
        self.post()
        bill.button_draft()
        self.post()
        self.assertEqual(self.interim(), (70.0, -70.0, 0.0))
        bill.action_post()
        self.post()
        self.assertEqual(self.interim(), (49.0, -49.0, 0.0))

    def test_a_credit_note_puts_it_back(self):
        order, _receipt = self.received()
        bill = self.bill(order, 10, date="2026-01-10")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.credit(bill, date="2026-01-12")
        self.post()
        self.assertEqual(self.interim(), (70.0, -70.0, 0.0))
        self.bill(order, 10, 9.0, date="2026-01-14")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.assertEqual(self.gl("inventory"), 90.0)
        self.assertConserved()

    def test_a_credited_invoice(self):
        sale, _delivery = self.shipped()
        invoice = self.invoice(sale, date="2026-01-10")
        self.post()
        self.credit(invoice, date="2026-01-12", cancel=True)
        self.post()
        self.assertEqual(self.interim(), (-70.0, 0.0, 70.0))
        self.assertEqual(self.gl("cogs"), 0.0)

    def test_an_order_price_changed_in_between(self):
        order, _receipt = self.received()
        self.post()
        self.bill(order, 3, date="2026-01-10")
        order.order_line.price_unit = 9.0
        self.post()
        self.assertEqual(self.interim(), (63.0, -63.0, 0.0))
        self.bill(order, 7, date="2026-01-12")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_a_written_off_remainder(self):
        order, receipt = self.received()
        self.bill(order, 9, date="2026-01-10")
        self.post()
        self.assertEqual(self.interim(), (7.0, -7.0, 0.0))
        self.ledger_entries(receipt)._write_off_expected(date(2026, 2, 1))
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.bill(order, 1, 8.0, date="2026-02-05")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.assertEqual(self.gl("inventory"), 71.0)


@tagged("post_install", "-at_install")
class TestExpectedSwitch(ExpectedPostingCommon):
    """Switching expected cost posting at any time leaves no residue."""

    def test_every_order_of_switching_and_posting(self):
        """On or off at each of four steps, posted or not: nothing stays at the end."""
        steps = ("receipt", "bill", "credit", "rebill")
        for states in combinations((True, False), repeat=len(steps)):
            for posted in ((True, True, True), (False, True, False)):
                with self.subTest(states=states, posted=posted):
                    self.play(states, posted)
                    self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
                    self.assertFalse(self.waiting())
        self.assertConserved()

    def play(self, states, posted):
        """Receive, bill 3 of 10, credit them, bill all, switching before each."""
        self.switch(states[0])
        order, _receipt = self.received()
        self.post_if(posted[0])
        self.switch(states[1])
        bill = self.bill(order, 3, 8.0, date="2026-01-10")
        self.post_if(posted[1])
        self.switch(states[2])
        self.credit(bill, date="2026-01-11")
        self.post_if(posted[2])
        self.switch(states[3])
        self.bill(order, 10, 8.0, date="2026-01-12")
        self.post()

    def post_if(self, posted):
        """Post what waits, or leave it."""
        if posted:
            self.post()

    def test_off_leaves_what_is_posted_and_bills_clear_it(self):
        order, _receipt = self.received()
        self.post()
        self.switch(False)
        self.assertEqual(self.interim(), (70.0, -70.0, 0.0))
        self.bill(order, 3, date="2026-01-10")
        self.post()
        self.assertEqual(self.interim(), (49.0, -49.0, 0.0))
        self.bill(order, 7, date="2026-01-11")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_off_keeps_a_reversal_that_waits(self):
        """What a bill takes back of a posted receipt is never un-queued."""
        order, _receipt = self.received()
        self.post()
        self.bill(order, 3, date="2026-01-10")
        self.switch(False)
        self.post()
        self.assertEqual(self.interim(), (49.0, -49.0, 0.0))
        self.bill(order, 7, date="2026-01-11")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_off_takes_the_rest_off_the_queue(self):
        self.received()
        self.assertTrue(self.waiting())
        self.switch(False)
        self.assertFalse(self.waiting())
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_on_back_fills_the_open_part(self):
        self.switch(False)
        order, _receipt = self.received()
        self.bill(order, 3, date="2026-01-10")
        closed, _receipt = self.received()
        self.bill(closed, 10, date="2026-01-10")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.switch(True)
        self.post()
        self.assertEqual(self.interim(), (49.0, -49.0, 0.0))
        self.bill(order, 7, date="2026-01-12")
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_twice_on_is_once(self):
        self.switch(False)
        self.received()
        self.switch(True)
        queued = self.waiting()
        self.switch(True)
        self.env["stock.value.entry.queue"]._queue_expected(self.company)
        self.assertEqual(self.waiting(), queued)
        self.post()
        self.env["stock.value.entry.queue"]._queue_expected(self.company)
        self.assertFalse(self.waiting())

    def test_on_in_the_background_posts_it(self):
        self.switch(False)
        self.received()
        self.company.automatic_cost_posting = "background"
        self.switch(True)
        self.post_in_background()
        self.assertEqual(self.interim(), (70.0, -70.0, 0.0))

    def test_another_company_stays_as_it_is(self):
        self.received()
        other = self.make_company("Other")
        other.expected_cost_posting = False
        self.assertTrue(self.waiting())


@tagged("post_install", "-at_install")
class TestExpectedSwitchWizard(ExpectedPostingCommon):
    """The settings ask before they switch, and say what it is about."""

    def settings(self, on):
        """Return settings in which expected cost posting is turned on or off."""
        return self.env["res.config.settings"].create({"expected_cost_posting": on})

    def ask(self, on):
        """Save such settings; return the wizard that they ask with."""
        action = self.settings(on).execute()
        self.assertEqual(action["res_model"], "inventory.expected.cost.switch")
        self.assertNotEqual(self.company.expected_cost_posting, on)
        return Form(
            self.env[action["res_model"]].with_context(**action["context"])
        ).save()

    def test_turning_on(self):
        self.switch(False)
        order, _receipt = self.received()
        self.bill(order, 3, date="2026-01-10")
        self.received()
        sale = self.sell(self.fifo, 4, date="2026-01-11")
        self.deliver(sale, date="2026-01-11")
        self.post()
        wizard = self.ask(True)
        self.assertTrue(wizard.turn_on)
        self.assertEqual(wizard.ledger_entry_count, 3)
        self.assertEqual((wizard.received, wizard.shipped), (119.0, 28.0))
        wizard.action_confirm()
        self.assertTrue(self.company.expected_cost_posting)
        self.post()
        self.assertEqual(self.interim(), (91.0, -119.0, 28.0))

    def test_turning_off(self):
        self.received()
        self.post()
        self.received()
        wizard = self.ask(False)
        self.assertFalse(wizard.turn_on)
        self.assertEqual((wizard.ledger_entry_count, wizard.received), (1, 70.0))
        wizard.action_confirm()
        self.assertFalse(self.company.expected_cost_posting)
        self.assertFalse(self.waiting())

    def test_already_turned_off_by_somebody_else(self):
        """The button does what it says, or nothing: never the opposite."""
        self.received()
        action = self.settings(False).execute()
        model = self.env[action["res_model"]].with_context(**action["context"])
        dialog = Form(model)
        self.assertFalse(dialog.turn_on)
        self.switch(False)
        with self.assertRaisesRegex(UserError, "is turned off already"):
            dialog.save().action_confirm()
        self.assertFalse(self.company.expected_cost_posting)
        self.assertFalse(self.waiting())

    def test_already_turned_on_by_somebody_else(self):
        self.switch(False)
        self.received()
        wizard = self.ask(True)
        self.switch(True)
        queued = self.waiting()
        with self.assertRaisesRegex(UserError, "is turned on already"):
            wizard.action_confirm()
        self.assertTrue(self.company.expected_cost_posting)
        self.assertEqual(self.waiting(), queued)

    def test_discarding_changes_nothing(self):
        self.received()
        queued = self.waiting()
        self.ask(False)
        self.assertTrue(self.company.expected_cost_posting)
        self.assertEqual(self.waiting(), queued)

    def test_nothing_open_asks_nothing(self):
        for on in (False, True):
            action = self.settings(on).execute()
            self.assertEqual(action["tag"], "reload")
            self.assertEqual(self.company.expected_cost_posting, on)

    def test_other_settings_ask_nothing(self):
        self.received()
        settings = self.env["res.config.settings"].create({})
        self.assertTrue(settings.expected_cost_posting)
        self.assertEqual(settings.execute()["tag"], "reload")

    def test_only_managers_switch(self):
        self.received()
        accountant = self.user_with("group_accountant")
        with self.assertRaises(AccessError):
            self.as_user(self.env["inventory.expected.cost.switch"], accountant).create(
                {}
            )
        self.assertTrue(self.company.expected_cost_posting)

    def test_another_company_is_refused(self):
        other = self.make_company("Other")
        manager = self.user_with("group_manager")
        with self.assertRaises(AccessError):
            self.as_user(self.env["inventory.expected.cost.switch"], manager).create(
                {"company_id": other.id}
            ).action_confirm()
        self.assertTrue(other.expected_cost_posting)
