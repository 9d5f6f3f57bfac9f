from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostReverse(PostingCommon):
    """*Reverse Run* at its borders: dates, doubles, and what happens afterwards."""

    def setUp(self):
        super().setUp()
        self.receipt = self.ledger_entry()
        self.expected = self.entry(
            ledger_entry=self.receipt, expected_amount=9.0, expected=True
        )
        self.actual = self.entry(70.0, document_ref="A")
        self.run = self.post()

    def reverse(self, run, date="2026-02-28"):
        """Reverse a run through its wizard; return the reversal."""
        action = run.action_reverse()
        wizard = (
            self.env[action["res_model"]]
            .with_context(**action["context"])
            .create({"date": date})
        )
        return self.runs.browse(wizard.action_reverse()["res_id"])

    def test_a_date_in_a_closed_inventory_period_is_refused(self):
        self.env["inventory.period"].sudo().create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-02-28",
                "closed": True,
            }
        )
        with self.assertRaisesRegex(UserError, "reversal is dated 02/28/2026"):
            self.reverse(self.run)
        self.assertFalse(self.run.reversal_run_ids)
        reversal = self.reverse(self.run, "2026-03-01")
        self.assertEqual(str(reversal.journal_entry_ids.date), "2026-03-01")

    def test_two_reversals_at_once(self):
        self.reverse(self.run)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.runs.create({"kind": "reverse", "reverses_run_id": self.run.id})

    def test_everything_waits_again_with_both_kinds(self):
        self.assertFalse(self.waiting())
        self.reverse(self.run)
        self.assertEqual(self.waiting(), self.expected | self.actual)
        self.assertEqual(self.actual.cost_posted_to_gl, 0.0)
        self.assertEqual(self.expected.expected_cost_posted_to_gl, 0.0)
        again = self.post()
        self.assertEqual(self.items(again), self.items(self.run))
        self.assertConserved()

    def test_reversed_posted_and_reversed_once_more(self):
        for _time in range(3):
            self.reverse(self.run)
            self.run = self.post()
        self.assertEqual(self.gl("inventory"), 70.0)
        self.assertEqual(self.gl("inventory_interim"), 9.0)
        self.assertConserved()

    def test_only_the_run_itself_is_reversed(self):
        later = self.entry(5.0)
        second = self.post()
        self.reverse(self.run)
        self.assertEqual(self.gl("inventory"), 5.0)
        self.assertEqual(later.cost_posted_to_gl, 5.0)
        self.reverse(second)
        self.assertEqual(self.waiting(), self.expected | self.actual | later)

    def test_expected_cost_switched_off_meanwhile(self):
        self.company.expected_cost_posting = False
        self.reverse(self.run)
        run = self.post()
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.assertEqual(self.gl("inventory"), 70.0)
        self.assertFalse(run.skipped_count)

    def test_a_moved_posting_is_reversed_and_posted_on_its_own_date(self):
        self.reverse(self.run)
        self.company.fiscalyear_lock_date = "2026-01-31"
        moved = self.post(post_locked_on_open_date=True)
        self.assertEqual(str(moved.journal_entry_ids.date), "2026-02-01")
        self.reverse(moved)
        self.company.fiscalyear_lock_date = False
        self.assertEqual(str(self.post().journal_entry_ids.date), "2026-01-15")
        self.assertConserved()
