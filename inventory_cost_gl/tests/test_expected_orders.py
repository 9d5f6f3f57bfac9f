import random
from itertools import product as combinations

from odoo.tests import tagged

from .test_expected_posting import ExpectedPostingCommon

# Walks of the random test, and the steps of each: more take minutes.
SEEDS = range(5)
STEPS = 12


class ExpectedOrderCommon(ExpectedPostingCommon):
    """Compares what is posted of expected cost, per receipt and delivery."""

    def reverse(self, chance=None):
        """Reverse the last run that can be, or one of them by chance."""
        runs = self.own_runs().filtered(
            lambda run: (
                run.kind == "post"
                and run.journal_entry_ids
                and not run.reversal_run_ids
            )
        )
        if runs:
            run = chance.choice(runs) if chance else runs[-1]
            run._reverse(max(run.journal_entry_ids.mapped("date")))

    def shares(self):
        """Return (expected cost, what is posted of it) of each ledger entry."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT round(sum(value.cost_amount_expected), 2), round(sum(
                       (SELECT COALESCE(sum(link.amount), 0)
                          FROM stock_value_entry_link link
                         WHERE link.value_entry_id = value.id
                           AND link.kind = 'expected')), 2)
              FROM stock_value_entry value
             WHERE value.company_id = %s
             GROUP BY value.ledger_entry_id
            """,
            [self.company.id],
        )
        return self.env.cr.fetchall()

    def assertNothingLost(self):
        """Check that what waits completes what is posted, at any time."""
        problems = self.env["stock.cost.item"]._check_integrity(self.company)
        self.assertFalse([problem for problem in problems if problem[0] == "interim"])

    def assertOnPosted(self):
        """Turn the setting on and post: all that is expected is posted, and no more."""
        self.switch(True)
        self.post()
        self.assertFalse(self.waiting())
        for expected, posted in self.shares():
            self.assertEqual(posted, expected)
        self.assertEqual(
            self.gl("inventory_interim"),
            self.currency.round(sum(expected for expected, _posted in self.shares())),
        )

    def assertOffPosted(self):
        """Turn the setting off and post: of what is expected, all or nothing is posted.

        What is posted is left for the bill to clear.
        """
        self.switch(False)
        self.post()
        self.assertFalse(self.waiting())
        for expected, posted in self.shares():
            self.assertIn(posted, (0, expected))


@tagged("post_install", "-at_install")
class TestExpectedOrders(ExpectedOrderCommon):
    """Bills reset, runs reversed and the setting switched, in single orders."""

    def test_on_again_after_a_reset_bill(self):
        order, _receipt = self.received()
        self.post()
        bill = self.bill(order, 10, date="2026-01-10")
        self.post()
        bill.button_draft()
        self.switch(False)
        bill.action_post()
        self.assertOnPosted()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_on_again_after_a_reversed_run(self):
        order, _receipt = self.received()
        self.post()
        self.reverse()
        self.switch(False)
        self.bill(order, 10, date="2026-01-10")
        self.assertOnPosted()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_on_again_after_a_reset_invoice(self):
        sale, _delivery = self.shipped()
        self.post()
        invoice = self.invoice(sale, date="2026-01-10")
        self.post()
        invoice.button_draft()
        self.switch(False)
        invoice.action_post()
        self.assertOnPosted()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_on_again_after_a_part_of_a_bill(self):
        order, _receipt = self.received()
        self.post()
        self.reverse()
        self.switch(False)
        self.bill(order, 3, date="2026-01-10")
        self.assertOnPosted()
        self.assertEqual(self.interim(), (49.0, -49.0, 0.0))

    def test_on_again_after_a_return(self):
        _order, receipt = self.received()
        self.post()
        self.reverse()
        self.switch(False)
        self.give_back(receipt, 10, date="2026-01-10")
        self.assertOnPosted()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_a_reversed_run_brings_back_what_was_not_queued(self):
        """Off: a credit note is not posted, then the bill's posting is reversed."""
        order, _receipt = self.received()
        self.post()
        bill = self.bill(order, 10, date="2026-01-10")
        run = self.post()
        self.switch(False)
        bill.button_draft()
        self.post()
        run._reverse(run.journal_entry_ids.date)
        self.assertNothingLost()
        bill.action_post()
        self.assertNothingLost()
        self.post()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.assertOnPosted()

    def test_a_date_posted_alone_leaves_the_rest_whole(self):
        """Off: what is left of a queue that was posted up to a date."""
        order, _receipt = self.received()
        self.post()
        bill = self.bill(order, 10, date="2026-01-10")
        self.switch(False)
        credit = self.credit(bill, date="2026-01-12")
        self.post(until_date="2026-01-10")
        self.post(until_date="2026-01-12")
        credit.button_draft()
        self.assertOnPosted()
        self.assertEqual(self.interim(), (0.0, 0.0, 0.0))

    def test_the_dialog_tells_what_is_queued(self):
        """What a bill takes back of a run that was reversed is part of it."""
        order, _receipt = self.received()
        self.post()
        self.reverse()
        self.switch(False)
        self.bill(order, 3, date="2026-01-10")
        cost = self.env["stock.value.entry.queue"]._switched_cost(self.company)
        before = self.waiting()
        self.switch(True)
        queued = self.waiting() - before
        self.assertEqual(cost.ledger_entry_count, len(queued.ledger_entry_id))
        self.assertEqual(cost.received, sum(queued.mapped("cost_amount_expected")))

    def test_every_order_of_switching_and_reversing(self):
        """On or off at each of four steps, with runs posted and reversed between."""
        between = (("post", "post", "reverse", ""), ("post", "reverse", "", ""))
        for states in combinations((True, False), repeat=4):
            for actions in between:
                with self.subTest(states=states, actions=actions):
                    self.play(states, actions)
                    self.assertOnPosted()
                    self.assertEqual(self.interim(), (0.0, 0.0, 0.0))
        self.assertConserved()

    def play(self, states, actions):
        """Receive, bill in full, reset and confirm, switching before each.

        ``actions`` has what is done after each: post, reverse or nothing.
        """
        for step, state in enumerate(states):
            self.switch(state)
            if step == 0:
                order, _receipt = self.received()
            elif step == 1:
                bill = self.bill(order, 10, 8.0, date="2026-01-10")
            elif step == 2:
                bill.button_draft()
            else:
                bill.action_post()
            if actions[step]:
                getattr(self, actions[step])()
        self.assertNothingLost()


class ExpectedWalk(ExpectedOrderCommon):
    """The steps of a walk, each taken as ``self.chance`` has it."""

    def start(self, seed):
        """Begin a walk with a receipt or a delivery, the setting on or off."""
        self.chance = random.Random(seed)
        self.switch(self.chance.random() < 0.5)
        begin = self.chance.choice((self.received, self.received, self.shipped))
        self.order, self.picking = begin()
        self.documents = self.env["account.move"]

    def take_steps(self):
        """Take steps by chance; return their names."""
        names = sorted(name for name in dir(self) if name.startswith("step_"))
        taken = self.chance.choices(names, k=STEPS)
        for name in taken:
            getattr(self, name)()
        return taken

    def day(self, first=8):
        """Return a day of January, not before another."""
        return f"2026-01-{self.chance.randint(first, 28):02}"

    def left(self):
        """Return how much of the order is received or delivered, and not invoiced."""
        line = self.order.order_line
        if line._name == "purchase.order.line":
            return int(line.qty_received - line.qty_invoiced)
        return int(line.qty_delivered - line.qty_invoiced)

    def a_document(self, state, *move_types):
        """Return a bill, invoice or credit note in a state, if there is one."""
        documents = self.documents.filtered(
            lambda move: (
                move.state == state and (not move_types or move.move_type in move_types)
            )
        )
        return documents and self.chance.choice(documents)

    def invoice_part(self, quantity):
        """Bill or invoice a quantity."""
        if self.order._name == "purchase.order":
            price = self.chance.choice((7.0, 8.0))
            self.documents += self.bill(self.order, quantity, price, date=self.day())
        else:
            self.documents += self.invoice(self.order, quantity, date=self.day())

    def invoice_all(self):
        """Bill or invoice what is left of the order."""
        for document in self.documents.filtered(lambda move: move.state == "draft"):
            document.action_post()
        if self.left() > 0:
            self.invoice_part(self.left())

    # -- Steps ------------------------------------------------------------------------

    def step_invoice(self):
        if self.left() > 0:
            part = self.chance.randint(1, self.left())
            self.invoice_part(self.chance.choice((self.left(), part)))

    def step_reset(self):
        self.a_document("posted").button_draft()

    def step_confirm(self):
        document = self.a_document("draft")
        if document:
            document.action_post()

    def step_credit(self):
        document = self.a_document("posted", "in_invoice", "out_invoice")
        if document and not document.reversal_move_ids:
            self.documents += self.credit(document, date=self.day())

    def step_return(self):
        if not self.picking.return_ids:
            self.give_back(self.picking, 2, date=self.day())

    def step_post(self):
        self.post(granularity=self.chance.choice(("posting_group", "document")))

    def step_post_until(self):
        self.post(until_date=self.day(5))

    def step_reverse(self):
        self.reverse(self.chance)

    def step_switch_on(self):
        self.switch(True)

    def step_switch_off(self):
        self.switch(False)


@tagged("post_install", "-at_install")
class TestExpectedWalks(ExpectedWalk):
    """Documents, runs and switches in any order leave nothing in the interim accounts.

    The accounts hold what is expected where expected cost is posted; where it is not,
    bills and invoices clear them.
    """

    def test_walks_that_end_on(self):
        for seed in SEEDS:
            self.walk(seed, self.assertOnPosted)

    def test_walks_that_end_off(self):
        for seed in SEEDS:
            self.walk(1000 + seed, self.assertOffPosted)

    def walk(self, seed, assert_posted):
        """Walk, switch, post and compare; the same when all is invoiced."""
        savepoint = self.env.cr.savepoint()
        self.start(seed)
        taken = self.take_steps()
        with self.subTest(seed=seed, taken=taken):
            self.assertNothingLost()
            if self.chance.random() < 0.5:
                self.invoice_all()
            assert_posted()
            self.invoice_all()
            assert_posted()
            self.assertConserved()
        savepoint.close(rollback=True)
        self.env.invalidate_all()
