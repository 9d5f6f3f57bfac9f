from datetime import date
from unittest.mock import patch

from odoo.tests import tagged

from .posting_common import PostingCommon

LOCKED, FIRST_OPEN = date(2026, 1, 15), date(2026, 2, 1)


@tagged("post_install", "-at_install")
class TestPostDates(PostingCommon):
    """Entries of locked dates: skipped, or posted on the first open date by choice."""

    def setUp(self):
        super().setUp()
        self.locked = self.entry(5.0, document_ref="A")
        self.open = self.entry(-2.0, "sale", date="2026-02-10", document_ref="A")
        self.company.fiscalyear_lock_date = "2026-01-31"

    def moved(self, mode="post", granularity="posting_group"):
        """Run the wizard with the box ticked."""
        return self.post(mode, granularity, post_locked_on_open_date=True)

    def test_left_alone_they_are_skipped(self):
        run = self.post()
        self.assertEqual(self.skipped(run).value_entry_id, self.locked)
        self.assertEqual(self.waiting(), self.locked)
        self.assertEqual(run.moved_count, 0)
        self.assertFalse(run.plan_line_ids.filtered("moved"))

    def test_by_choice_they_are_posted_on_the_first_open_date(self):
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity), self.env.cr.savepoint() as sp:
                run = self.moved(granularity=granularity)
                self.assertEqual(
                    self.items(run),
                    [
                        (str(FIRST_OPEN), "inventory", 5.0),
                        (str(FIRST_OPEN), "direct_cost_applied", -5.0),
                        ("2026-02-10", "cogs", 2.0),
                        ("2026-02-10", "inventory", -2.0),
                    ],
                )
                self.assertFalse(run.skipped_count)
                self.assertFalse(self.waiting())
                self.assertEqual(self.locked.posting_date, LOCKED, "it stays")
                self.assertConserved()
                sp.rollback()

    def test_the_run_lists_what_it_moved(self):
        run = self.moved()
        self.assertTrue(run.post_locked_on_open_date)
        self.assertEqual(run.moved_count, 1)
        action = run.action_open_moved()
        line = self.env[action["res_model"]].search(action["domain"])
        self.assertRecordValues(
            line,
            [
                {
                    "date": FIRST_OPEN,
                    "posting_date": LOCKED,
                    "moved": True,
                    "amount": 5.0,
                    "value_entry_refs": self.locked.ids,
                }
            ],
        )
        self.assertIn("01/15/2026", line.name)
        self.assertEqual(line.move_id.date, FIRST_OPEN)

    def test_the_print_out_has_room_for_both_dates(self):
        """Lines with a second date are higher: fewer of them fit on a page."""
        module = "odoo.addons.inventory_cost_gl.report.inventory_cost_post_rows"
        with patch(f"{module}.HIGH_ROWS_OF_PAGES", (1, 1)):
            self.assertEqual(len(self.moved("preview")._printed_pages()), 2)
            self.assertEqual(len(self.post("preview")._printed_pages()), 1)

    def test_a_preview_shows_the_date_and_posting_it_keeps_it(self):
        preview = self.moved("preview")
        self.assertEqual(preview.moved_count, 1)
        run = self.runs.browse(preview.action_post_plan()["res_id"])
        self.assertEqual(
            run.journal_entry_ids.sorted("date").mapped("date"),
            [FIRST_OPEN, date(2026, 2, 10)],
        )

    def test_several_locked_dates_share_a_journal_entry_in_lines_of_their_own(self):
        self.company.fiscalyear_lock_date = False
        self.entry(3.0, date="2026-01-20")
        self.entry(4.0, date=str(FIRST_OPEN))
        self.company.fiscalyear_lock_date = "2026-01-31"
        run = self.moved()
        first = run.journal_entry_ids.filtered(lambda move: move.date == FIRST_OPEN)
        self.assertEqual(len(first), 1)
        self.assertEqual(
            sorted(first.line_ids.mapped("balance")), [-5.0, -4.0, -3.0, 3.0, 4.0, 5.0]
        )
        self.assertEqual(run.moved_count, 2)

    def test_the_first_open_date_is_open_for_inventory_too(self):
        self.env["inventory.period"].sudo().create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-02-28",
                "closed": True,
            }
        )
        run = self.moved()
        self.assertIn(date(2026, 3, 1), run.journal_entry_ids.mapped("date"))
        self.assertIn(date(2026, 2, 10), run.journal_entry_ids.mapped("date"))

    def test_hard_lock(self):
        self.company.fiscalyear_lock_date = False
        self.company.hard_lock_date = "2026-01-31"
        self.assertEqual(min(self.moved().journal_entry_ids.mapped("date")), FIRST_OPEN)

    def test_other_problems_of_locked_entries_still_skip_them(self):
        self.accounts["direct_cost_applied"].active = False
        run = self.moved()
        self.assertEqual(self.skipped(run).value_entry_id, self.locked)
        self.assertIn("archived", self.skipped(run).reason)
        self.assertNotIn("locked", self.skipped(run).reason)
        self.assertEqual(run.moved_count, 0)

    def test_automatic_posting_skips_locked_dates(self):
        run = self.runs.sudo().create(
            self.runs.sudo()._prepare_posting(self.company, automatic=True)
        )
        run._run_posting()
        self.assertEqual(self.skipped(run).value_entry_id, self.locked)

    def test_the_reconciliation_explains_the_date_to_the_cent(self):
        self.moved()
        report = self.env["inventory.gl.reconciliation"]
        whole = report._summary(self.company)
        self.assertTrue(whole.reconciled)
        january = report._summary(self.company, date_to=date(2026, 1, 31))
        self.assertTrue(january.fully_explained)
        for role, amount in (("inventory", -5.0), ("direct_cost_applied", 5.0)):
            line = january.line(role)
            self.assertEqual(line.difference, amount)
            self.assertEqual(line.posted_on_other_date, amount)
        february = report._summary(self.company, date_from=FIRST_OPEN)
        self.assertEqual(february.line("inventory").posted_on_other_date, 5.0)
        self.assertEqual(february.line("cogs").difference, 0.0)

    def test_a_lock_set_after_posting_changes_nothing(self):
        self.moved()
        self.company.fiscalyear_lock_date = "2026-12-31"
        run = self.moved()
        self.assertFalse(run.journal_entry_ids)
