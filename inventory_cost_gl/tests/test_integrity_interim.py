from odoo.tests import tagged

from .test_not_invoiced import NotInvoicedCommon


@tagged("post_install", "-at_install")
class TestIntegrityInterim(NotInvoicedCommon):
    """The nightly check that interim accounts equal the lists of goods not invoiced."""

    def problems(self):
        """Return what the check finds: (ledger entry, message)."""
        problems = self.env["stock.cost.item"]._check_integrity(self.company)
        self.assertLessEqual({check for check, *_rest in problems}, {"interim"})
        return [(record, message) for _check, record, message in problems]

    def corrupt(self, query, *args):
        """Change rows behind everybody's back."""
        self.env.flush_all()
        self.env.cr.execute(query, args)
        self.assertEqual(self.env.cr.rowcount, 1, "nothing was corrupted")
        self.env.invalidate_all()

    def entry_of(self, order):
        """Return the ledger entry of an order's receipt."""
        return self.ledger_entries(order.picking_ids)

    def test_silent_from_the_receipt_to_the_bill(self):
        order = self.received()
        self.assertFalse(self.problems())
        self.post()
        self.assertFalse(self.problems())
        self.bill(order, 3, 8.0, date="2026-01-10")
        self.assertFalse(self.problems())
        self.post()
        self.assertFalse(self.problems())

    def test_silent_while_it_is_switched(self):
        orders = [self.received()]
        self.post()
        for on in (False, True, False):
            self.company.expected_cost_posting = on
            orders.append(self.received())
            self.bill(orders[0], 2, date="2026-01-10")
            self.assertFalse(self.problems(), "before posting")
            self.post()
            self.assertFalse(self.problems(), "after posting")

    def test_silent_after_a_reversed_run(self):
        self.received()
        run = self.post()
        run._reverse(run.journal_entry_ids.date)
        self.assertFalse(self.problems())

    def test_an_entry_that_left_the_queue_unposted(self):
        order = self.received()
        self.post()
        self.bill(order, 3, date="2026-01-10")
        entry = self.entry_of(order)
        self.corrupt(
            "DELETE FROM stock_value_entry_queue WHERE kind = 'expected' "
            "AND company_id = %s",
            self.company.id,
        )
        [(record, message)] = self.problems()
        self.assertEqual(record, entry)
        self.assertIn("70.00 of its expected cost", message)
        self.assertIn("should be 49.00", message)

    def test_the_same_where_expected_cost_is_not_posted(self):
        """What was posted is cleared all the same, so a lost reversal is found."""
        order = self.received()
        self.post()
        self.company.expected_cost_posting = False
        self.bill(order, 3, date="2026-01-10")
        self.corrupt(
            "DELETE FROM stock_value_entry_queue WHERE kind = 'expected' "
            "AND company_id = %s",
            self.company.id,
        )
        self.assertEqual(self.problems()[0][0], self.entry_of(order))

    def test_an_entry_that_was_never_queued(self):
        order = self.received()
        self.corrupt(
            "DELETE FROM stock_value_entry_queue WHERE company_id = %s",
            self.company.id,
        )
        self.assertEqual(self.problems()[0][0], self.entry_of(order))

    def test_not_queued_by_setup_is_no_problem(self):
        self.company.expected_cost_posting = False
        self.received()
        self.assertFalse(self.waiting())
        self.assertFalse(self.problems())
