from datetime import date
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models import inventory_cost_run_posting
from ..models.inventory_cost_run_queue import CHUNK_SIZES
from .concurrency_common import ConcurrencyCommon

FEBRUARY = date(2026, 2, 28)


@tagged("post_install", "-at_install")
class TestConcurrencyReverse(ConcurrencyCommon):
    """A long reversal that is killed, fails, or meets another worker.

    Nothing is lost and nothing is taken back twice.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = cls.env["inventory.cost.run"]
        # A chunk for each document.
        sizes = dict.fromkeys(CHUNK_SIZES, 1)
        cls.startClassPatcher(patch.dict(CHUNK_SIZES, sizes))
        limit = patch.object(inventory_cost_run_posting, "INLINE_LIMIT", 0)
        cls.startClassPatcher(limit)

    # -- A run and its reversal ----------------------------------------------------

    def posted_run(self):
        """Return a run that posted two receipts of 100 and 200, one billed at 120."""
        _product, orders = self.stocked("fifo", 10.0, 20.0)
        self.bill(orders[0], price=12.0, date="2026-01-07")
        self.commit()
        values = self.runs._prepare_posting(self.company, granularity="document")
        run = self.runs.create(values)
        self.work_on_runs()
        self.assertEqual((run.state, run.skipped_count), ("done", 0))
        self.assertEqual((run.entry_count, run.journal_entry_count), (3, 3))
        self.assertEqual(run.amount, 520.0)
        return run

    def reversal_of(self, run):
        reversal = run._reverse(FEBRUARY)
        self.commit()
        self.assertEqual(reversal.state, "draft")
        return reversal

    def work_on_runs(self):
        """Run the scheduled action as another process does."""
        self.commit()
        env = self.connect()
        self.runs.with_env(env)._cron_post_inventory_cost()
        env.cr.commit()
        self.commit()

    # -- What must hold ------------------------------------------------------------

    def queue_rows(self):
        return self.env["stock.value.entry.queue"].search_count(
            [("company_id", "=", self.company.id)]
        )

    def assertWhole(self):
        """What is linked is posted, the rest is queued, all of it is explained."""
        self.commit()
        self.assertEqual(self.env["stock.cost.item"]._check_integrity(self.company), [])
        self.cr.execute(
            """
            SELECT entry.id, link.kind FROM stock_value_entry entry
              JOIN stock_value_entry_link link ON link.value_entry_id = entry.id
              LEFT JOIN stock_value_entry_queue queued
                     ON queued.value_entry_id = entry.id AND queued.kind = link.kind
             WHERE entry.company_id = %s
             GROUP BY entry.id, link.kind, queued.kind
            HAVING sum(link.amount) <> CASE
                   WHEN queued.kind IS NOT NULL THEN 0
                   WHEN link.kind = 'expected' THEN entry.cost_amount_expected
                   ELSE entry.cost_amount_actual END
            """,
            [self.company.id],
        )
        self.assertEqual(self.cr.fetchall(), [], "taken back twice, or in part")
        summary = self.env["inventory.gl.reconciliation"]._summary(self.company)
        self.assertTrue(summary.fully_explained, summary.lines)

    def assertReversed(self, run, reversal, posted):
        """All is taken back, once, and posted anew it stands as it did before."""
        self.assertWhole()
        self.assertRecordValues(
            reversal,
            [
                {
                    "state": "done",
                    "entry_count": 3,
                    "journal_entry_count": 3,
                    "amount": 520.0,
                }
            ],
        )
        mirrors = reversal.journal_entry_ids
        self.assertEqual(len(mirrors), 3)
        self.assertEqual(mirrors.reversed_entry_id, run.journal_entry_ids)
        self.assertEqual(self.queue_rows(), 4)
        self.assertEqual(self.gl("inventory"), posted - 120.0)
        self.post_again()
        self.assertEqual(self.gl("inventory"), posted)

    def post_again(self):
        self.runs.create(self.runs._prepare_posting(self.company))
        self.work_on_runs()
        self.assertFalse(self.queue_rows())
        summary = self.env["inventory.gl.reconciliation"]._summary(self.company)
        self.assertTrue(summary.reconciled, summary.lines)

    def reversal_to_check(self):
        """Return a run, its reversal, and the stock account before it."""
        run = self.posted_run()
        posted = self.gl("inventory")
        return run, self.reversal_of(run), posted

    # -- Killed --------------------------------------------------------------------

    def test_killed_at_each_stage(self):
        """A chunk is reversed whole or not at all; the next call does the rest."""
        run_class = type(self.runs)
        cron_class = type(self.env["ir.cron"])
        for place, stage, done in (
            (run_class, "_chunks", 0),
            (run_class, "_create_reversing_entries", 0),
            (run_class, "_link_reversal", 0),
            (run_class, "_run_chunk", 0),
            (cron_class, "_commit_progress", 1),
        ):
            with self.subTest(killed_after=stage):
                run, reversal, posted = self.reversal_to_check()
                self.kill_after(
                    place,
                    stage,
                    lambda env, r=reversal: r.with_env(env)._try_posting_in_steps(),
                )
                self.assertWhole()
                self.assertEqual(len(reversal.journal_entry_ids), done)
                self.assertEqual(reversal.journal_entry_count, done)
                self.assertFalse(run.reversible)
                self.work_on_runs()
                self.assertReversed(run, reversal, posted)

    # -- Two workers ---------------------------------------------------------------

    def test_a_worker_whose_snapshot_is_older(self):
        run, reversal, posted = self.reversal_to_check()
        late = reversal.with_env(self.connect())
        first, *_others = late._chunks()
        self.work_on_runs()
        with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
            late._run_chunk(first)
            late.env.flush_all()
        late.env.cr.rollback()
        self.assertReversed(run, reversal, posted)

    def test_a_worker_whose_chunks_are_older(self):
        run, reversal, posted = self.reversal_to_check()
        late = reversal.with_env(self.connect())
        chunks = late._chunks()
        late.env.cr.commit()
        self.work_on_runs()
        for chunk in chunks:
            late._run_chunk(chunk)
        late.env.cr.commit()
        self.assertReversed(run, reversal, posted)

    def test_workers_that_meet(self):
        run, reversal, posted = self.reversal_to_check()
        one, other = self.connect(), self.connect()
        self.assertTrue(reversal.with_env(one)._try_posting_lock(self.company))
        self.assertFalse(reversal.with_env(other)._run_posting_in_steps())
        other.cr.rollback()
        one.cr.rollback()
        self.work_on_runs()
        self.assertReversed(run, reversal, posted)

    def test_two_users_at_once(self):
        run = self.posted_run()
        one, other = self.connect(), self.connect()
        self.assertFalse(run.with_env(other).reversal_run_ids)
        run.with_env(one)._reverse(FEBRUARY)
        one.flush_all()
        with self.assertRaisesRegex(UserError, "being posted already"):
            run.with_env(other)._reverse(FEBRUARY)
        other.cr.rollback()
        one.cr.commit()
        with self.assertRaisesRegex(UserError, "is being reversed by"):
            run.with_env(other)._reverse(FEBRUARY)
        other.cr.rollback()
        self.work_on_runs()
        self.assertEqual(len(run.reversal_run_ids), 1)
        self.assertWhole()
        self.post_again()

    # -- Failed --------------------------------------------------------------------

    def test_a_chunk_that_is_refused(self):
        """It is taken back whole; those before stay, and the rest follows later."""
        run, reversal, posted = self.reversal_to_check()
        moves = type(self.env["account.move"])
        post, calls, refusal = moves._post, [], UserError("No.")

        def refuse_the_second(records, *args, **kwargs):
            calls.append(records)
            posted = post(records, *args, **kwargs)
            if len(calls) == 2:
                raise refusal
            return posted

        with patch.object(moves, "_post", refuse_the_second):
            self.work_on_runs()
        self.assertRecordValues(
            reversal,
            [{"state": "failed", "message": "No.", "journal_entry_count": 1}],
        )
        self.assertEqual(len(reversal.journal_entry_ids), 1)
        self.assertWhole()
        self.work_on_runs()
        self.assertEqual(reversal.state, "failed")
        self.assertEqual(self.reversal_of(run), reversal)
        self.work_on_runs()
        self.assertReversed(run, reversal, posted)
