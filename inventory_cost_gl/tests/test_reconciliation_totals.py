from unittest.mock import patch

from odoo.tests import tagged

from .reconciliation_common import JANUARY, MARCH
from .test_reconciliation import TestReconciliation

BLOCK_BITS = "odoo.addons.inventory_cost_gl.report.stock_value_entry_block.BLOCK_BITS"


@tagged("post_install", "-at_install")
class TestReconciliationTotals(TestReconciliation):
    """Everything that holds of the reconciliation holds with totals, too.

    Each value entry is a block of its own, and totalled before every look: ``summary``
    compares the figures with the rows of the report, which know no totals.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch(BLOCK_BITS, 0))
        cls.blocks = cls.env["stock.value.entry.block"]

    def summary(self, **filters):
        """Return the reconciliation by totals, compared with the rows behind it."""
        self.blocks._total_blocks()
        return super().summary(**filters)

    def read_summary(self):
        """Return the reconciliation without taking totals before."""
        return super().summary()

    def totalled(self):
        """Return the value entries whose totals are taken."""
        return set(self.blocks._summable(self.company)[0])

    # -- Which entries are totalled ---------------------------------------------------

    def test_posted_entries_are_totalled_but_for_the_last_block(self):
        self.blocks._total_blocks()
        self.assertEqual(self.totalled() & set(self.base.ids), set(self.base.ids[:-1]))
        self.assertEqual(self.blocks._wrong_blocks(), [])

    def test_entries_that_wait_are_read(self):
        waiting = self.enqueue(self.record("sale", MARCH, actual=-5.0))
        self.record("sale", MARCH, actual=-6.0)
        self.blocks._total_blocks()
        self.assertNotIn(waiting.id, self.totalled())

    def test_entries_that_were_totalled_and_are_reversed_are_read(self):
        self.blocks._total_blocks()
        self.assertIn(self.bill.id, self.totalled())
        self.post(self.bill, factor=-1)
        self.assertNotIn(self.bill.id, self.totalled())
        self.assertTrue(self.read_summary().line("inventory").difference)

    def test_late_entries_of_a_block_are_read(self):
        with patch(BLOCK_BITS, 14):
            self.blocks._total([self.charge.id >> 14])
            self.assertEqual(self.totalled(), {self.charge.id >> 14})
            self.record("sale", MARCH, actual=-6.0)
            if self.charge.id % 2**14 != 2**14 - 1:
                self.assertEqual(self.totalled(), set())

    def test_expected_cost_never_posted_is_totalled_where_it_is_not_posted(self):
        self.company.expected_cost_posting = False
        unposted = self.record("purchase", JANUARY, expected=50.0)
        self.record("sale", MARCH, actual=-6.0)
        self.assertEqual(
            self.summary().line("inventory_interim").expected_not_posted, -50.0
        )
        self.assertIn(unposted.id, self.totalled())
        self.company.expected_cost_posting = True
        self.assertNotIn(unposted.id, self.totalled())

    # -- Whether they are used, and checked -------------------------------------------

    def test_totals_are_what_is_read(self):
        before = self.summary().line("inventory").value_entry_amount
        self.env.cr.execute(
            "UPDATE stock_value_entry_total SET amount = amount + 1 "
            "WHERE block = %s AND kind = 'actual' AND debit_line = 0",
            [self.bill.id],
        )
        summary = self.report._summary(self.company)
        self.assertEqual(summary.line("inventory").value_entry_amount, before + 1)
        self.assertFalse(summary.fully_explained)

    def test_wrong_totals_are_found(self):
        for change in (
            "amount = amount + 1",
            "posting_date = posting_date + 1",
            "entry_type = 'rounding'",
            "kind = CASE kind WHEN 'actual' THEN 'expected' ELSE 'actual' END",
        ):
            with self.subTest(change=change), self.cr.savepoint() as savepoint:
                self.blocks._total_blocks()
                self.env.cr.execute(
                    f"UPDATE stock_value_entry_total SET {change} WHERE block = %s",
                    [self.delivery.id],
                )
                self.assertEqual(self.blocks._wrong_blocks(), [self.delivery.id])
                problems = self.env["stock.cost.item"]._check_integrity(self.company)
                self.assertIn("totals", [check for check, *_what in problems])
                savepoint.rollback()

    def test_a_migration_drops_the_totals(self):
        self.blocks._total_blocks()
        self.assertTrue(self.totalled())
        self.env["stock.value.entry"]._lift_append_only("test")
        self.assertFalse(self.totalled())

    def test_the_scheduled_action_totals(self):
        cron = self.env.ref("inventory_cost_gl.ir_cron_total_value_entries")
        cron.ir_actions_server_id.run()
        self.assertTrue(self.totalled())

    def test_a_large_posting_run_has_its_entries_totalled(self):
        cron = self.env.ref("inventory_cost_gl.ir_cron_total_value_entries")
        triggers = self.env["ir.cron.trigger"].sudo()
        run = self.env["inventory.cost.run"].sudo()
        for mode, count in (("preview", 0), ("post", 1)):
            with self.subTest(mode=mode):
                values = {**run._prepare_posting(self.company), "mode": mode}
                run.create({**values, "entry_count": 1})._finish()
                self.assertEqual(
                    triggers.search_count([("cron_id", "=", cron.id)]), count
                )

    def test_filters_other_than_dates_read_the_ledgers(self):
        summary = self.summary(products=self.fifo)
        self.assertTrue(summary.fully_explained)
        self.assertEqual(summary.line("cogs").value_entry_amount, 0.0)
