from unittest.mock import patch

from odoo.tests import tagged

from .posting_common import PostingCommon

MODELS = "odoo.addons.inventory_cost_gl.models"
QUEUE = f"{MODELS}.inventory_cost_run_queue"


class StepsCommon(PostingCommon):
    """Runs of the scheduled action whose time is over after each chunk."""

    def setUp(self):
        super().setUp()
        self.accountant = self.user_with("group_accountant")
        sizes = {"posting_group": 2, "document": 2, "entry": 2}
        for name in ("CHUNK_SIZES", "AUTOMATIC_CHUNK_SIZES"):
            self.startPatcher(patch.dict(f"{QUEUE}.{name}", sizes))
        self.startPatcher(patch(f"{MODELS}.inventory_cost_run_posting.INLINE_LIMIT", 3))

    def call(self, seconds_left=0.0):
        """Call the scheduled action once; return how many chunks it worked through."""
        chunks, work = [], type(self.runs)._run_chunk

        def spied(run, chunk):
            chunks.append((run.id, chunk))
            return work(run, chunk)

        with (
            patch.object(self.env.cr, "commit", self.env.cr.flush),
            patch.object(self.env.cr, "rollback"),
            patch.object(
                type(self.env["ir.cron"]),
                "_commit_progress",
                lambda *_a, **_k: seconds_left,
            ),
            patch.object(type(self.runs), "_run_chunk", spied),
        ):
            self.runs._cron_post_inventory_cost()
        self.env.invalidate_all()
        return len(chunks)

    def to_dos(self, user=None):
        """Return the to-dos on the company's runs, a user's or all."""
        activities = self.own_runs().activity_ids
        return activities.filtered(lambda to_do: not user or to_do.user_id == user)


@tagged("post_install", "-at_install")
class TestPostSteps(StepsCommon):
    """A long run gets to its end in several calls, and does nothing twice."""

    def long(self, **values):
        """Return a run that is left to the scheduled action, over three chunks."""
        for day in (10, 10, 11, 11, 12):
            self.entry(1.5, date=f"2026-01-{day}", document_ref=f"D{day}")
        self.skipped_entry = self.entry(-9.0, "sale", entry_type="indirect_cost")
        run = self.post(**values)
        self.assertEqual(run.state, "draft")
        return run

    def assertFinished(self, run, calls):
        for _call in range(calls - 1):
            self.assertEqual(self.call(), 1)
            self.assertEqual(run.state, "running")
        self.assertEqual(self.call(), 1)
        self.assertEqual(
            (run.state, run.entry_count, run.skipped_count, run.amount),
            ("done", 5, 1, 7.5),
        )
        self.assertEqual(self.skipped(run).value_entry_id, self.skipped_entry)
        self.assertEqual(
            run.currency_id.round(sum(run.plan_line_ids.mapped("amount"))), 7.5
        )
        self.assertEqual(sum(run.plan_line_ids.mapped("value_entry_count")), 5)
        self.assertEqual(self.call(), 0)

    def assertPreviewed(self, granularity):
        run = self.long(mode="preview", granularity=granularity)
        self.assertFinished(run, 3)
        self.assertFalse(run.journal_entry_ids)
        self.assertEqual(len(self.waiting()), 6)

    def test_a_preview_per_posting_group(self):
        self.assertPreviewed("posting_group")

    def test_a_preview_per_document(self):
        self.assertPreviewed("document")

    def test_a_preview_per_entry(self):
        self.assertPreviewed("entry")

    def test_a_test(self):
        self.assertFinished(self.long(mode="test"), 3)

    def test_posting(self):
        run = self.long()
        self.assertFinished(run, 3)
        self.assertEqual(self.waiting(), self.skipped_entry)
        self.assertEqual(len(run.journal_entry_ids), run.journal_entry_count)
        self.assertConserved()

    def test_the_plan_of_a_long_preview(self):
        preview = self.long(mode="preview")
        self.assertFinished(preview, 3)
        run = self.runs.browse(preview.action_post_plan()["res_id"])
        self.assertFinished(run, 3)
        self.assertConserved()

    def test_recorded_while_it_previews(self):
        run = self.long(mode="preview")
        self.call()
        self.entry(100.0, date="2026-01-12")
        self.call()
        self.call()
        self.assertEqual((run.state, run.amount), ("done", 7.5))

    # -- Automatic posting ------------------------------------------------------------

    def test_no_second_run_beside_an_open_one(self):
        self.company.automatic_cost_posting = "background"
        for day in (10, 10, 11, 11, 12):
            self.entry(1.5, date=f"2026-01-{day}")
        for _call in range(2):
            self.assertEqual(self.call(), 1)
            self.assertEqual(len(self.own_runs()), 1)
            self.entry(0.5, date="2026-01-09")
        self.assertEqual(self.call(), 2, "the first run's end, and the next one")
        first, second = self.own_runs()
        self.assertEqual((first.state, first.amount), ("done", 7.5))
        self.assertEqual((second.state, second.amount), ("done", 1.0))
        self.assertFalse(self.waiting())
        self.assertConserved()

    def test_the_plan_of_a_run_is_not_taken_away(self):
        self.company.automatic_cost_posting = "off"
        preview = self.long(mode="preview")
        self.call(60.0)
        run = self.runs.browse(preview.action_post_plan()["res_id"])
        self.company.automatic_cost_posting = "background"
        self.assertEqual(self.call(), 1)
        self.call(60.0)
        self.assertEqual((run.state, run.entry_count), ("done", 5), run.message)

    def test_a_date_is_cut(self):
        """However many value entries a date has, none of them holds the journal."""
        self.company.automatic_cost_posting = "background"
        entries = [self.entry(1.0, date="2026-01-10") for _number in range(5)]
        self.entry(1.0, date="2026-01-11")
        for granularity, chunks in (("posting_group", 4), ("entry", 4)):
            with self.subTest(granularity):
                run = self.runs.create(
                    self.runs._prepare_posting(
                        self.company, automatic=True, granularity=granularity
                    )
                )
                counts = [chunk.count for chunk in run._chunks()]
                self.assertEqual((len(counts), sum(counts)), (chunks, 6), counts)
                self.assertLessEqual(max(counts), 2)
                run.state = "failed"
        self.call(60.0)
        self.assertFalse(self.waiting())
        self.assertEqual([entry.cost_posted_to_gl for entry in entries], [1.0] * 5)
        self.assertConserved()

    def test_a_document_is_not_cut(self):
        for _number in range(5):
            self.entry(1.0, document_ref="BIG")
        run = self.runs.create(
            self.runs._prepare_posting(
                self.company, automatic=True, granularity="document"
            )
        )
        self.assertEqual([chunk.count for chunk in run._chunks()], [5])

    def test_expected_and_actual_cost_of_one_value_entry_in_two_parts(self):
        self.company.expected_cost_posting = True
        entries = [self.entry(1.0, expected_amount=1.0) for _number in range(3)]
        self.company.automatic_cost_posting = "background"
        self.call(60.0)
        self.assertFalse(self.waiting())
        self.assertEqual([entry.cost_posted_to_gl for entry in entries], [1.0] * 3)
        self.assertConserved()


@tagged("post_install", "-at_install")
class TestPostToDo(StepsCommon):
    """Who has to mend something hears of it: once, and until it is mended."""

    def setUp(self):
        super().setUp()
        self.company.automatic_cost_posting = "background"

    def skip(self):
        """Record a value entry that can't be posted."""
        return self.entry(-9.0, "sale", entry_type="indirect_cost")

    def test_once_though_others_are_posted(self):
        self.skip()
        self.entry(1.0)
        self.call(60.0)
        first = self.to_dos()
        self.assertEqual(len(first), 1)
        for _run in range(3):
            self.entry(1.0)
            self.call(60.0)
        self.assertEqual(self.to_dos(), first, "neither again nor taken back")
        self.assertEqual(self.own_runs()[-1].skipped_count, 1, "still listed")

    def test_another_one_is_news(self):
        self.skip()
        self.call(60.0)
        first = self.to_dos()
        self.skip()
        self.entry(1.0)
        self.call(60.0)
        second = self.to_dos()
        self.assertEqual(len(second), 1)
        self.assertNotEqual(first, second)

    def test_immediate_runs_between_do_not_make_it_news(self):
        self.skip()
        self.call(60.0)
        first = self.to_dos()
        self.company.automatic_cost_posting = "immediate"
        self.entry(1.0)
        self.env.cr.precommit.run()
        self.call(60.0)
        self.assertEqual(self.to_dos(), first)

    def test_taken_back_when_an_accountant_posts(self):
        self.accounts["cogs"].active = False
        self.entry(-5.0, "sale")
        self.call(60.0)
        self.assertTrue(self.to_dos(self.accountant))
        self.company.automatic_cost_posting = "off"
        self.accounts["cogs"].active = True
        self.post()
        self.assertFalse(self.waiting())
        self.assertFalse(self.to_dos())

    def failing_run(self, starter, **changes):
        """Return a run of somebody who changes before the scheduled action fails it."""
        self.company.automatic_cost_posting = "off"
        for _number in range(5):
            self.entry(1.0)
        wizard = self.as_user(self.env["inventory.cost.post"], starter).create({})
        run = self.runs.browse(wizard.action_run()["res_id"])
        starter.write(changes)
        self.company.inventory_cost_journal_id.active = False
        self.call()
        self.assertEqual(run.state, "failed")
        return run

    def test_whoever_started_a_run_that_fails(self):
        starter = self.user_with("group_accountant")
        run = self.failing_run(starter)
        self.assertEqual(self.to_dos().user_id, starter)
        self.assertIn(self.company.inventory_cost_journal_id.name, run.message)

    def test_taken_back_when_another_run_posts_it(self):
        starter = self.user_with("group_accountant")
        self.failing_run(starter)
        self.company.inventory_cost_journal_id.active = True
        self.entry(1.0, date="2026-02-01")
        self.post(until_date="2026-01-31")
        self.call(60.0)
        self.assertTrue(self.to_dos(starter), "something waits")
        self.post()
        self.call(60.0)
        self.assertFalse(self.waiting())
        self.assertFalse(self.to_dos())

    def test_whoever_started_it_has_lost_the_role(self):
        self.failing_run(self.user_with("group_accountant"), active=False)
        self.assertEqual(self.to_dos().user_id, self.accountant)
