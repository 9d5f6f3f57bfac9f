from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .posting_common import PostingCommon

QUEUE = "odoo.addons.inventory_cost_gl.models.inventory_cost_run_queue"


@tagged("post_install", "-at_install")
class TestPostSwitch(PostingCommon):
    """Switching automatic cost posting loses no value entry and posts none twice."""

    def setUp(self):
        super().setUp()
        self.accountant = self.user_with("group_accountant")

    def commit(self):
        """Do what a document does before its transaction is committed."""
        self.env.cr.precommit.run()

    def switch(self, mode):
        """Choose a mode of automatic cost posting."""
        self.company.automatic_cost_posting = mode

    def triggered(self):
        """Return how often the scheduled action of posting is called."""
        cron = self.env.ref("inventory_cost_gl.cron_post_inventory_cost")
        return self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])

    def assertPostedOnce(self, entries):
        """Every value entry is posted in full, by one link, and waits no more."""
        for entry in entries:
            self.assertEqual(entry.cost_posted_to_gl, entry.cost_amount_actual)
            self.assertEqual(len(entry.link_ids), 1)
        self.assertFalse(self.waiting() & entries)
        self.assertConserved()

    # -- Every direction --------------------------------------------------------------

    def test_every_switch_with_entries_in_the_queue(self):
        """Recorded in one mode, switched, recorded in the next: all posted once."""
        modes = ("off", "immediate", "background")
        for before in modes:
            for after in modes:
                with self.subTest(before=before, after=after):
                    self.switch(before)
                    old = self.entry(1.0, document_ref="OLD")
                    if before == "immediate":
                        self.commit()
                    self.switch(after)
                    new = self.entry(2.0, document_ref="NEW")
                    self.commit()
                    self.post_in_background()
                    if after == "off":
                        expected = new if before == "immediate" else old | new
                        self.assertEqual(self.waiting(), expected)
                        self.post()
                    self.assertPostedOnce(old | new)

    def test_switched_in_the_document_itself(self):
        """What is recorded before the commit follows the mode it was recorded in."""
        self.switch("immediate")
        first = self.entry(1.0)
        self.switch("off")
        second = self.entry(2.0)
        self.commit()
        self.assertPostedOnce(first)
        self.assertEqual(self.waiting(), second)
        self.switch("background")
        self.post_in_background()
        self.assertPostedOnce(first | second)

    def test_to_and_fro_before_anything_is_posted(self):
        entries = self.entry(1.0)
        for mode in ("background", "off", "immediate", "off", "background"):
            self.switch(mode)
            entries |= self.entry(1.0)
        self.commit()
        self.post_in_background()
        self.assertPostedOnce(entries)
        self.assertEqual(self.gl("inventory"), 6.0)

    def test_switching_on_wakes_the_scheduled_action(self):
        self.entry(1.0)
        for mode, more in (("background", 1), ("off", 0), ("immediate", 1)):
            before = self.triggered()
            self.switch(mode)
            self.assertEqual(self.triggered(), before + more, mode)
        before = self.triggered()
        self.company.automatic_cost_posting = "immediate"
        self.assertEqual(self.triggered(), before, "nothing was switched")

    def test_a_document_wakes_the_scheduled_action(self):
        self.switch("background")
        before = self.triggered()
        self.entry(1.0)
        self.assertGreater(self.triggered(), before)
        self.switch("off")
        before = self.triggered()
        self.entry(1.0)
        self.assertEqual(self.triggered(), before)

    # -- Immediate --------------------------------------------------------------------

    def test_what_a_worker_adjusts_never_stops_it(self):
        """No document waits for it: the scheduled action posts it, or says why not."""
        self.switch("immediate")
        self.accounts["cogs"].active = False
        entry = (
            self.ledger_entry("sale")
            .with_context(cron_id=1)
            .env["stock.value.entry"]
            ._append(
                [
                    {
                        "ledger_entry_id": self.ledger_entry("sale").id,
                        "entry_type": "direct_cost",
                        "cost_amount_actual": -5.0,
                        "posting_date": "2026-01-15",
                        "source_model": "stock.move",
                        "source_id": 1,
                    }
                ]
            )
        )
        self.commit()
        self.assertEqual(self.waiting(), entry)
        self.post_in_background()
        run = self.own_runs()
        self.assertEqual(run.skipped_count, 1)
        self.assertTrue(run.activity_ids)
        self.accounts["cogs"].active = True
        self.post_in_background()
        self.assertPostedOnce(entry)

    def test_an_entry_of_a_document_that_was_rolled_back(self):
        self.switch("immediate")
        with self.env.cr.savepoint() as savepoint:
            self.entry(1.0)
            savepoint.rollback()
        kept = self.entry(2.0)
        self.commit()
        self.assertPostedOnce(kept)
        self.assertEqual(self.gl("inventory"), 2.0)

    # -- Background -------------------------------------------------------------------

    def test_short_transactions(self):
        """The journal's sequence is held for a chunk at a time, never for the run."""
        self.switch("background")
        for day in range(10, 15):
            self.entry(1.0, date=f"2026-01-{day}")
        commits, post = [], type(self.runs)._post_journal_entries
        posted = []

        def spied(this, entries):
            posted.append(len(entries))
            return post(this, entries)

        with (
            patch.dict(f"{QUEUE}.AUTOMATIC_CHUNK_SIZES", posting_group=1),
            patch.object(self.env.cr, "commit", lambda: commits.append(len(posted))),
            patch.object(self.env.cr, "rollback"),
            patch.object(
                type(self.env["ir.cron"]),
                "_commit_progress",
                lambda *_a, **_k: commits.append(len(posted)) or 1.0,
            ),
            patch.object(type(self.runs), "_post_journal_entries", spied),
        ):
            self.runs._cron_post_inventory_cost()
        self.assertEqual(posted, [1] * 5, "a day at a time")
        self.assertLessEqual({1, 2, 3, 4, 5}, set(commits), "committed after each")
        self.assertFalse(self.waiting())

    def test_a_run_started_by_hand_may_take_more_at_once(self):
        for day in range(10, 15):
            self.entry(1.0, date=f"2026-01-{day}")
        run = self.runs.create(self.runs._prepare_posting(self.company, mode="post"))
        with patch.dict(f"{QUEUE}.AUTOMATIC_CHUNK_SIZES", posting_group=1):
            self.assertEqual(len(run._chunks()), 1)
            run.automatic = True
            self.assertEqual(len(run._chunks()), 5)

    # -- The responsible accountant ---------------------------------------------------

    def test_the_responsible_accountant_gets_the_to_do(self):
        self.assertEqual(self.company._responsible_accountant(), self.accountant)
        chosen = self.user_with("group_accountant")
        self.company.inventory_cost_responsible_id = chosen
        self.assertEqual(self.company._responsible_accountant(), chosen)
        self.switch("background")
        self.accounts["cogs"].active = False
        self.entry(-5.0, "sale")
        self.post_in_background()
        self.assertEqual(self.own_runs().activity_ids.user_id, chosen)

    def test_someone_who_left_or_lost_the_role_gets_none(self):
        chosen = self.user_with("group_accountant")
        self.company.inventory_cost_responsible_id = chosen
        chosen.active = False
        self.assertEqual(self.company._responsible_accountant(), self.accountant)
        self.company.inventory_cost_responsible_id = self.user_with("group_user")
        self.assertEqual(self.company._responsible_accountant(), self.accountant)
        self.accountant.active = False
        self.assertFalse(self.company._responsible_accountant())

    def test_one_to_do_for_a_failure_that_stays(self):
        """Not one a minute: the same failure is neither kept nor told again."""
        self.switch("background")
        self.company.inventory_cost_journal_id = False
        self.entry(5.0)
        self.post_in_background()
        failed = self.own_runs()
        activity = failed.activity_ids
        self.assertEqual((failed.state, len(activity)), ("failed", 1))
        for _minute in range(3):
            self.post_in_background()
        self.assertEqual(self.own_runs(), failed)
        self.assertEqual(failed.activity_ids, activity)

    def test_another_failure_is_told(self):
        self.switch("background")
        self.company.inventory_cost_journal_id = False
        self.entry(5.0)
        self.post_in_background()
        first = self.own_runs()
        self.company.inventory_cost_journal_id = self.journal
        self.journal.active = False
        self.post_in_background()
        second = self.own_runs() - first
        self.assertIn("archived", second.message)
        self.assertTrue(second.activity_ids)
        self.assertFalse(first.activity_ids)

    def test_the_to_do_goes_when_it_is_mended(self):
        self.switch("background")
        self.accounts["cogs"].active = False
        entry = self.entry(-5.0, "sale")
        self.post_in_background()
        run = self.own_runs()
        self.assertTrue(run.activity_ids)
        self.accounts["cogs"].active = True
        self.post_in_background()
        self.assertPostedOnce(entry)
        self.assertFalse(run.activity_ids)

    # -- The lag ----------------------------------------------------------------------

    def test_the_lag(self):
        self.assertEqual(self.company._posting_lag(), (0, None))
        with self.at("2026-01-20 08:00:00"):
            first = self.entry(5.0, expected_amount=3.0)
        self.entry(1.0)
        lag = self.company._posting_lag()
        self.assertEqual(lag.count, 2, "expected and actual cost are one value entry")
        self.assertEqual(lag.since, first.recorded_at)
        self.post()
        self.assertEqual(self.company._posting_lag(), (0, None))

    def test_the_lag_of_another_company(self):
        self.entry(5.0)
        other = self.make_company("Other")
        self.assertEqual(other._posting_lag().count, 0)
        self.assertLessEqual(self.company._posting_lag().since, fields.Datetime.now())
