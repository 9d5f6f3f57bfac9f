from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import inventory_cost_run_posting, inventory_cost_run_queue
from ..models.inventory_cost_run_queue import CHUNK_SIZES
from ..posting.grouping import journal_entries
from .posting_common import PostingCommon

WITHOUT_DOCUMENTS = {"balances", "quantities"}
FEBRUARY, MARCH = date(2026, 2, 28), date(2026, 3, 31)


@tagged("post_install", "-at_install")
class TestPostReverseLong(PostingCommon):
    """A reversal that is too long for a request: the scheduled action works on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A chunk for each journal entry.
        sizes = dict.fromkeys(CHUNK_SIZES, 1)
        cls.startClassPatcher(patch.dict(CHUNK_SIZES, sizes))

    def setUp(self):
        super().setUp()
        self.commits, self.steps = 0, 0
        self.record()

    def record(self):
        """Record value entries of four dates: 70 - 30 + 12.50, and 9 expected."""
        self.expected = self.entry(expected_amount=9.0, expected=True)
        self.values = (
            self.expected
            | self.entry(70.0, document_ref="A")
            | self.entry(-30.0, "sale", date="2026-01-16", document_ref="B")
            | self.entry(12.5, date="2026-01-17", document_ref="C")
        )
        # What a bill states: its own kind, and less of the other.
        self.both = self.entry(
            4.0, expected_amount=-4.0, date="2026-01-18", document_ref="D"
        )
        self.values |= self.both

    def reverse(self, run, day=FEBRUARY, limit=0):
        with patch.object(inventory_cost_run_posting, "INLINE_LIMIT", limit):
            return run._reverse(day)

    @contextmanager
    def scheduled_action(self, after_step=None, time_left=1.0):
        """Let commits be counted; call something after each step."""

        def progress(_cron, processed=0, *, remaining=None):
            self.steps += 1
            self.env.flush_all()
            self.env.invalidate_all()
            if after_step:
                after_step()
            return time_left

        with ExitStack() as stack:
            cron = type(self.env["ir.cron"])
            stack.enter_context(patch.object(cron, "_commit_progress", progress))
            stack.enter_context(patch.object(self.env.cr, "commit"))
            stack.enter_context(patch.object(self.env.cr, "rollback"))
            yield

    def work(self, after_step=None, time_left=1.0):
        with self.scheduled_action(after_step, time_left):
            self.runs._cron_post_inventory_cost()
        self.env.invalidate_all()

    def in_part(self, run, **options):
        """Reverse the first journal entry of a run; return the reversal."""
        reversal = self.reverse(run, **options)
        self.work(time_left=0.0)
        self.assertRecordValues(
            reversal, [{"state": "running", "journal_entry_count": 1}]
        )
        return reversal

    # -- What must hold ---------------------------------------------------------------

    def assertExplained(self):
        summary = self.env["inventory.gl.reconciliation"]._summary(self.company)
        self.assertTrue(summary.fully_explained, summary.lines)
        self.assertConserved()
        found = self.env["stock.cost.item"]._check_integrity(self.company)
        # The value entries have no documents behind them, hence no stock.
        self.assertLessEqual({check for check, *_rest in found}, WITHOUT_DOCUMENTS)

    def assertReversed(self, run, reversal):
        """All of the run is taken back once, and waits to be posted again."""
        self.assertRecordValues(
            reversal,
            [
                {
                    "state": "done",
                    "message": False,
                    "reverses_run_id": run.id,
                    "entry_count": run.entry_count,
                    "journal_entry_count": run.journal_entry_count,
                    "amount": run.amount,
                }
            ],
        )
        mirrors = reversal.journal_entry_ids
        self.assertEqual(mirrors.reversed_entry_id, run.journal_entry_ids)
        self.assertEqual(len(mirrors), len(run.journal_entry_ids))
        links = self.env["stock.value.entry.link"].search
        taken = links([("run_id", "=", reversal.id)])
        posted = links([("run_id", "=", run.id)])
        self.assertEqual(
            sorted((row.value_entry_id.id, row.kind, -row.amount) for row in taken),
            sorted((row.value_entry_id.id, row.kind, row.amount) for row in posted),
        )
        for role in ("inventory", "inventory_interim", "cogs", "direct_cost_applied"):
            self.assertEqual(self.gl(role), 0.0, role)
        self.assertEqual(self.waiting(), self.values)
        self.assertEqual(self.queue_rows(), 6)
        self.assertFalse(run.reversible)
        self.assertExplained()

    def queue_rows(self):
        return self.env["stock.value.entry.queue"].search_count(
            [("company_id", "=", self.company.id)]
        )

    # -- At once ----------------------------------------------------------------------

    def test_a_short_one_is_reversed_at_once(self):
        run = self.post()
        self.assertRecordValues(
            run, [{"entry_count": 5, "journal_entry_count": 4, "amount": 129.5}]
        )
        triggers = self.env["ir.cron.trigger"].search_count([])
        reversal = self.reverse(run, limit=5)
        self.assertEqual(self.env["ir.cron.trigger"].search_count([]), triggers)
        self.assertReversed(run, reversal)
        self.assertEqual(set(reversal.journal_entry_ids.mapped("date")), {FEBRUARY})
        self.assertEqual(reversal.user_id, self.env.user)

    # -- In several transactions ------------------------------------------------------

    def test_a_long_one_is_left_to_the_scheduled_action(self):
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity):
                run = self.post(granularity=granularity)
                triggers = self.env["ir.cron.trigger"].search_count([])
                reversal = self.reverse(run, limit=4)
                self.assertEqual(
                    self.env["ir.cron.trigger"].search_count([]), triggers + 1
                )
                self.assertRecordValues(
                    reversal,
                    [{"state": "draft", "entry_count": 0, "reversal_date": FEBRUARY}],
                )
                self.assertFalse(self.waiting())
                self.steps = 0
                self.work(after_step=self.assertExplained)
                self.assertEqual(self.steps, run.journal_entry_count)
                self.assertReversed(run, reversal)

    def test_its_figures_on_the_way(self):
        run = self.post()
        reversal = self.in_part(run)
        self.assertRecordValues(reversal, [{"entry_count": 2, "amount": 79.0}])
        self.assertEqual(self.gl("inventory"), -13.5)
        self.assertEqual(self.gl("inventory_interim"), -4.0)
        self.assertEqual(self.queue_rows(), 2)
        self.assertExplained()
        self.work()
        self.assertReversed(run, reversal)

    def test_the_time_is_over_after_each_chunk(self):
        run = self.post()
        reversal = self.reverse(run)
        for done in (1, 2, 3, 4):
            self.work(time_left=0.0)
            self.assertEqual(len(reversal.journal_entry_ids), done)
            self.assertEqual(reversal.journal_entry_count, done)
            self.assertExplained()
        self.assertEqual(self.steps, 4)
        self.assertReversed(run, reversal)
        self.work()
        self.assertEqual(self.steps, 4, "nothing is done twice")

    def test_both_kinds_of_a_value_entry_in_two_chunks(self):
        one_pair = partial(journal_entries, max_pairs=1)
        with patch.object(inventory_cost_run_queue, "journal_entries", one_pair):
            run = self.post()
        self.assertRecordValues(run, [{"entry_count": 5, "journal_entry_count": 6}])
        reversal = self.reverse(run)
        for _chunk in range(6):
            self.work(time_left=0.0)
        self.assertReversed(run, reversal)

    def test_only_the_run_itself(self):
        run = self.post()
        later = self.entry(5.0)
        second = self.post()
        self.reverse(run)
        self.work()
        self.assertEqual(self.gl("inventory"), 5.0)
        self.assertEqual(later.cost_posted_to_gl, 5.0)
        self.assertTrue(second.reversible)

    def test_posted_again_and_reversed_again(self):
        for _time in range(3):
            run = self.post()
            reversal = self.reverse(run)
            self.work()
            self.assertReversed(run, reversal)
        self.post()
        self.assertEqual(self.gl("inventory"), 56.5)
        self.assertEqual(self.gl("inventory_interim"), 5.0)

    # -- A second time ----------------------------------------------------------------

    def test_a_second_reversal_is_refused(self):
        run = self.post()
        self.assertTrue(run.reversible)
        reversal = self.reverse(run)
        for state in ("draft", "running"):
            self.assertEqual(reversal.state, state)
            self.assertFalse(run.reversible)
            with self.assertRaisesRegex(
                UserError, f"is being reversed by {reversal.name} already"
            ):
                self.reverse(run)
            self.work(time_left=0.0)
        self.work()
        with self.assertRaisesRegex(UserError, "has been reversed by"):
            self.reverse(run)
        self.assertEqual(run.reversal_run_ids, reversal)
        self.assertReversed(run, reversal)

    # -- Stopped ----------------------------------------------------------------------

    def lock_february(self):
        if self.steps == 2:
            self.company.fiscalyear_lock_date = FEBRUARY

    def stopped(self, run):
        """Return the reversal of a run whose date is locked on the way."""
        reversal = self.reverse(run)
        self.work(after_step=self.lock_february)
        self.assertEqual((reversal.state, reversal.journal_entry_count), ("failed", 2))
        self.assertIn("02/28/2026 is locked", reversal.message)
        return reversal

    def assertAsked(self, limit):
        """The to-do of a reversal that has stopped is gone when the rest is done."""
        accountant = self.user_with("group_accountant")
        run = self.post()
        reversal = self.stopped(run)
        to_do = reversal.activity_ids
        self.assertEqual(to_do.user_id, accountant)
        self.assertEqual(to_do.summary, "The run is reversed in part")
        self.assertIn("Reverse the run", to_do.note)
        self.company.fiscalyear_lock_date = False
        self.reverse(run, limit=limit)
        self.work()
        self.assertEqual(reversal.state, "done")
        self.assertFalse(reversal.activity_ids)

    def test_the_to_do_where_the_scheduled_action_does_the_rest(self):
        self.assertAsked(limit=0)

    def test_the_to_do_where_the_rest_is_done_at_once(self):
        self.assertAsked(limit=100)

    def test_a_date_that_is_locked_on_the_way(self):
        run = self.post()
        reversal = self.stopped(run)
        self.assertEqual(reversal.entry_count, 3)
        self.assertEqual(self.queue_rows(), 3)
        self.assertExplained()
        self.assertTrue(run.reversible)
        move = run.journal_entry_ids[:1]
        self.assertTrue(move.inventory_cost_reversible)
        self.work()
        self.assertEqual(self.steps, 2, "it waits for the user")
        with self.assertRaisesRegex(UserError, "02/28/2026 is locked"):
            self.reverse(run)
        self.assertEqual(reversal.state, "failed")
        self.assertEqual(self.reverse(run, MARCH), reversal)
        self.assertRecordValues(reversal, [{"state": "draft", "message": False}])
        self.work()
        self.assertReversed(run, reversal)
        self.assertEqual(
            sorted(reversal.journal_entry_ids.mapped("date")),
            [FEBRUARY, FEBRUARY, MARCH, MARCH],
        )

    def test_a_short_rest_is_reversed_at_once(self):
        run = self.post()
        reversal = self.stopped(run)
        self.company.fiscalyear_lock_date = False
        self.assertEqual(self.reverse(run, limit=2), reversal)
        self.assertReversed(run, reversal)

    def test_another_journal_for_the_rest(self):
        run = self.post()
        reversal = self.stopped(run)
        other = self.journal.copy()
        self.company.inventory_cost_journal_id = other
        self.reverse(run, MARCH)
        self.work()
        self.assertReversed(run, reversal)
        self.assertEqual(
            reversal.journal_entry_ids.sorted("id").mapped("journal_id.id"),
            [self.journal.id, other.id],
        )

    def test_a_period_that_is_closed_on_the_way(self):
        def close():
            if self.steps == 1:
                self.env["inventory.period"].sudo().create(
                    {
                        "company_id": self.company.id,
                        "ending_date": FEBRUARY,
                        "closed": True,
                    }
                )

        run = self.post()
        reversal = self.reverse(run)
        self.work(after_step=close)
        self.assertEqual((reversal.state, reversal.journal_entry_count), ("failed", 1))
        self.assertIn("inventory cost is closed until", reversal.message)
        self.reverse(run, MARCH)
        self.work()
        self.assertReversed(run, reversal)

    def test_what_is_printed_of_one_that_has_stopped(self):
        run = self.post()
        reversal = self.stopped(run)
        self.assertIn("in part", reversal._posting_report_title()[1])
        self.assertIn("reversed in part by", run._posting_report_title()[1])
        self.assertEqual(reversal._posting_line_count(), 3)
        self.assertEqual(
            reversal._posting_totals(),
            {
                "inventory": -49.0,
                "inventory_adjustment": 9.0,
                "direct_cost_applied": 70.0,
                "cogs": -30.0,
            },
        )
        self.reverse(run, MARCH)
        self.work()
        self.assertIsNone(reversal._reversed_on())
        self.assertEqual(
            [row.date for row in reversal._posting_rows()], [FEBRUARY] * 3 + [MARCH] * 3
        )

    # -- What posts meanwhile ---------------------------------------------------------

    def test_what_is_taken_back_waits_for_the_rest(self):
        run = self.post()
        reversal = self.in_part(run)
        new = self.entry(1.0)
        for mode in ("test", "preview", "post"):
            other = self.post(mode)
            self.assertEqual((other.state, other.entry_count), ("done", 1), mode)
        self.assertEqual(new.cost_posted_to_gl, 1.0)
        self.assertEqual(self.queue_rows(), 2)
        self.assertExplained()
        self.work()
        self.assertEqual(reversal.state, "done")
        self.assertEqual(self.post().entry_count, 5)
        self.assertFalse(self.waiting())
        self.assertEqual(self.gl("inventory"), 57.5)

    def test_automatic_posting_waits_for_the_rest(self):
        run = self.post()
        reversal = self.reverse(run)
        self.company.automatic_cost_posting = "background"
        for done in (1, 2, 3):
            self.work(time_left=0.0)
            self.assertEqual(len(reversal.journal_entry_ids), done)
            self.assertEqual(self.own_runs(), run | reversal, "nothing is posted")
        new = self.entry(1.0, date="2026-03-01")
        self.company.fiscalyear_lock_date = FEBRUARY
        self.work()
        self.assertEqual(reversal.state, "failed")
        self.assertEqual(new.cost_posted_to_gl, 1.0, "others are posted")
        self.assertEqual(self.queue_rows(), 4)
        self.assertExplained()
        self.reverse(run, MARCH)
        self.work()
        self.assertEqual(reversal.state, "done")
        again = self.own_runs()[-1]
        self.assertRecordValues(again, [{"kind": "post", "automatic": True}])
        self.company.fiscalyear_lock_date = False
        self.work()
        self.assertFalse(self.waiting())
        self.assertEqual(self.gl("inventory"), 57.5)
        self.assertExplained()

    def test_immediate_posting_goes_on(self):
        run = self.post()
        reversal = self.in_part(run)
        entry = self.entry(1.0)
        self.runs._post_immediately(entry)
        self.assertEqual(entry.cost_posted_to_gl, 1.0)
        self.assertEqual(self.queue_rows(), 2)
        self.work()
        self.assertEqual(reversal.state, "done")

    def test_a_long_run_that_has_begun_before(self):
        """It may not post what its elder's reversal takes back."""
        run = self.post()
        self.entry(1.0, date="2026-01-20")
        self.entry(2.0, date="2026-01-21")
        with patch.object(inventory_cost_run_posting, "INLINE_LIMIT", 0):
            younger = self.post()
        self.work(time_left=0.0)
        self.assertEqual((younger.state, younger.entry_count), ("running", 1))
        reversal = self.reverse(run)
        self.work(time_left=0.0)
        self.work()
        self.assertEqual((younger.state, younger.entry_count), ("done", 2))
        self.assertReversedBeside(run, reversal, 3.0)

    def assertReversedBeside(self, run, reversal, inventory):
        self.assertRecordValues(
            reversal, [{"state": "done", "entry_count": 5, "amount": run.amount}]
        )
        self.assertEqual(self.waiting(), self.values)
        self.assertEqual(self.gl("inventory"), inventory)
        self.assertExplained()

    def test_expected_cost_switched_off_on_the_way(self):
        run = self.post()
        reversal = self.in_part(run)
        self.company.expected_cost_posting = False
        self.work()
        self.assertEqual(reversal.state, "done")
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.assertExplained()
        self.post()
        self.assertEqual(self.gl("inventory"), 56.5)
        self.assertExplained()

    def test_another_company_posts_meanwhile(self):
        run = self.post()
        self.in_part(run)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        runs = self.runs.with_company(other)
        run = runs.create(runs._prepare_posting(other))
        self.assertFalse(run._unfinished_reversals())
