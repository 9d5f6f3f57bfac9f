from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostAutomatic(PostingCommon):
    """Automatic cost posting: at once with the document, or in the background."""

    # -- Immediate --------------------------------------------------------------------

    def test_immediate(self):
        entry = self.entry(70.0, document_ref="WH/IN/1")
        self.runs._post_immediately(entry)
        run = self.own_runs()
        self.assertEqual(self.gl("inventory"), 70.0)
        self.assertRecordValues(
            run,
            [{"state": "done", "automatic": True, "entry_count": 1, "amount": 70.0}],
        )
        self.assertEqual(run.journal_entry_ids, entry.link_ids.debit_line_id.move_id)
        self.assertFalse(self.waiting())
        self.assertConserved()

    def test_immediate_posts_these_entries_only(self):
        other, entry = self.entry(1.0), self.entry(2.0)
        self.runs._post_immediately(entry)
        self.assertEqual(self.waiting(), other)
        self.assertEqual(self.gl("inventory"), 2.0)

    def test_immediate_uses_the_companys_detail(self):
        self.company.cost_posting_granularity = "entry"
        entries = self.entry(1.0, document_ref="A") | self.entry(2.0, document_ref="A")
        self.runs._post_immediately(entries)
        self.assertEqual(len(self.own_runs().journal_entry_ids.line_ids), 4)

    def test_immediate_names_the_entry_and_what_to_mend(self):
        self.general_setup.cogs_account_id = False
        entry = self.entry(-5.0, "sale", document_ref="WH/OUT/7")
        with self.assertRaises(UserError) as error, self.env.cr.savepoint():
            self.runs._post_immediately(entry)
        message = str(error.exception)
        for part in (self.fifo.name, "WH/OUT/7", "has no account for Cost of Goods"):
            self.assertIn(part, message)
        self.assertFalse(self.own_runs())
        self.assertEqual(self.waiting(), entry)

    def test_immediate_stops_at_every_kind_of_problem(self):
        self.company.fiscalyear_lock_date = "2026-01-10"
        problems = {
            "is locked": self.entry(1.0, date="2026-01-05"),
            "not posted to the G/L": self.entry(
                1.0, entry_type="variance", variance_type="material"
            ),
            "has been deleted": self.entry(1.0, counter_account=10**8),
        }
        for message, entry in problems.items():
            with (
                self.subTest(message=message),
                self.assertRaisesRegex(UserError, message),
                self.env.cr.savepoint(),
            ):
                self.runs._post_immediately(entry)
        self.assertFalse(self.own_runs())

    def test_immediate_without_journal(self):
        self.company.inventory_cost_journal_id = False
        with self.assertRaisesRegex(UserError, "has no journal"):
            self.runs._post_immediately(self.entry(1.0))

    def test_immediate_stops_when_account_move_refuses(self):
        entry = self.entry(1.0)
        refuse = patch.object(
            type(self.env["account.move"]), "_post", side_effect=UserError("No.")
        )
        with (
            refuse,
            self.assertRaisesRegex(UserError, "was refused: No"),
            self.env.cr.savepoint(),
        ):
            self.runs._post_immediately(entry)
        self.assertFalse(entry.link_ids)

    def test_immediate_beside_the_wizard_in_one_transaction(self):
        self.company.automatic_cost_posting = "immediate"
        for mode in ("post", "preview"):
            entry = self.entry(5.0)
            run = self.post(mode)
            self.assertEqual((run.state, run.skipped_count), ("done", 0))
            self.assertEqual(run.entry_count, 0, "it was posted at once already")
            self.assertEqual(entry.cost_posted_to_gl, 5.0)
        self.assertConserved()

    def test_immediate_with_a_document(self):
        self.company.automatic_cost_posting = "immediate"
        order = self.buy(self.fifo, 10, 7.0, date="2026-01-10")
        self.receive(order, date="2026-01-10")
        self.env.cr.precommit.run()
        self.assertEqual(self.gl("inventory_interim"), 70.0)
        self.bill(order, price=8.0, date="2026-01-20")
        self.env.cr.precommit.run()
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.assertEqual(self.gl("accrual_interim"), 0.0)
        self.assertEqual(self.gl("inventory"), 80.0)
        self.assertFalse(self.waiting())
        self.assertConserved()

    # -- Analytic distribution --------------------------------------------------------

    def setup_plan(self):
        """Make an analytic plan mandatory on the cost of goods sold."""
        self.plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        self.analytic = self.env["account.analytic.account"].create(
            {"name": "Sales", "plan_id": self.plan.id}
        )
        self.env["account.analytic.applicability"].create(
            {
                "analytic_plan_id": self.plan.id,
                "business_domain": "general",
                "account_prefix": self.accounts["cogs"].code,
                "applicability": "mandatory",
            }
        )

    def test_a_missing_mandatory_plan_never_stops_the_batch(self):
        self.setup_plan()
        entry = self.entry(-5.0, "sale")
        self.entry(1.0)
        run = self.post()
        self.assertEqual((run.entry_count, run.skipped_count), (2, 0))
        self.assertEqual(run.without_plan_count, 1)
        self.assertEqual(entry.cost_posted_to_gl, -5.0)

    def test_a_missing_mandatory_plan_stops_the_document(self):
        self.setup_plan()
        entry = self.entry(-5.0, "sale")
        with (
            self.assertRaisesRegex(UserError, "Departments"),
            self.env.cr.savepoint(),
        ):
            self.runs._post_immediately(entry)
        entry = self.entry(
            -5.0, "sale", analytic_distribution={str(self.analytic.id): 100.0}
        )
        self.runs._post_immediately(entry)
        self.assertEqual(entry.cost_posted_to_gl, -5.0)
        self.assertEqual(self.own_runs().without_plan_count, 0)

    def test_half_a_distribution_is_not_enough(self):
        self.setup_plan()
        self.entry(-5.0, "sale", analytic_distribution={str(self.analytic.id): 50.0})
        self.assertEqual(self.post().without_plan_count, 1)

    def test_the_entrys_own_distribution_is_posted(self):
        self.setup_plan()
        model = self.env["account.analytic.distribution.model"]
        model.create(
            {
                "account_prefix": self.accounts["inventory"].code[:2],
                "analytic_distribution": {str(self.analytic.id): 100.0},
            }
        )
        with_own = self.entry(
            -5.0, "sale", analytic_distribution={str(self.analytic.id): 60.0}
        )
        without = self.entry(-7.0, "sale")
        self.post()
        self.assertEqual(
            with_own.link_ids.debit_line_id.analytic_distribution,
            {str(self.analytic.id): 60.0},
        )
        self.assertFalse(
            without.link_ids.debit_line_id.analytic_distribution,
            "no distribution model adds to what the value entry says",
        )
        self.assertEqual(len(self.analytic_lines(self.analytic)), 1)

    def test_a_deleted_analytic_account_is_left_out(self):
        self.setup_plan()
        gone = self.analytic.copy()
        distribution = {str(gone.id): 40.0, str(self.analytic.id): 60.0}
        entry = self.entry(1.0, analytic_distribution=distribution)
        gone.unlink()
        self.post()
        self.assertEqual(
            entry.link_ids.credit_line_id.analytic_distribution,
            {str(self.analytic.id): 60.0},
        )

    # -- Background -------------------------------------------------------------------

    def test_background(self):
        self.company.automatic_cost_posting = "background"
        self.entry(70.0)
        self.post_in_background()
        run = self.own_runs()
        self.assertRecordValues(
            run, [{"state": "done", "automatic": True, "entry_count": 1}]
        )
        self.assertEqual(self.gl("inventory"), 70.0)
        self.post_in_background()
        self.assertEqual(self.own_runs(), run, "no run with nothing to say is kept")
        self.assertConserved()

    def test_background_is_off(self):
        self.entry(70.0)
        self.post_in_background()
        self.assertFalse(self.own_runs())
        self.assertEqual(len(self.waiting()), 1)

    def test_background_lists_a_problem_once_and_asks_to_mend_it(self):
        self.company.automatic_cost_posting = "background"
        user = self.user_with("group_accountant")
        self.accounts["cogs"].active = False
        self.entry(-5.0, "sale")
        self.post_in_background()
        run = self.own_runs()
        self.assertEqual(run.skipped_count, 1)
        activity = run.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertTrue(
            activity.user_id.has_group("inventory_cost_gl.group_accountant")
        )
        self.assertIn(self.company, activity.user_id.company_ids)
        self.assertTrue(user)
        self.post_in_background()
        self.assertEqual(self.own_runs(), run, "the same problem is not listed again")
        self.entry(-6.0, "sale")
        self.post_in_background()
        second = self.own_runs() - run
        self.assertEqual(second.skipped_count, 2)
        self.assertTrue(second.activity_ids)
        self.assertFalse(run.activity_ids, "the new to-do replaces the old one")
        self.accounts["cogs"].active = True
        self.post_in_background()
        self.assertFalse(self.waiting())
        self.assertEqual(self.gl("cogs"), 11.0)

    def test_background_failure(self):
        self.company.automatic_cost_posting = "background"
        self.user_with("group_accountant")
        self.company.inventory_cost_journal_id = False
        self.entry(5.0)
        self.post_in_background()
        run = self.own_runs()
        self.assertEqual(run.state, "failed")
        self.assertIn("has no journal", run.message)
        self.assertIn("has no journal", run.activity_ids.note)
        self.company.inventory_cost_journal_id = self.journal
        self.post_in_background()
        self.assertEqual(self.gl("inventory"), 5.0)

    def test_an_unexpected_error_is_kept_on_the_run(self):
        self.company.automatic_cost_posting = "background"
        self.entry(5.0)
        broken = patch.object(
            type(self.runs), "_run_chunk", side_effect=ZeroDivisionError("oops")
        )
        logger = "odoo.addons.inventory_cost_gl.models.inventory_cost_run_background"
        with broken, self.assertLogs(logger, "ERROR"):
            self.post_in_background()
        run = self.own_runs()
        self.assertEqual(run.state, "failed")
        self.assertIn("oops", run.message)
        self.assertEqual(len(self.waiting()), 1)

    def test_the_trigger_works_unless_posting_is_off(self):
        triggers = self.env["ir.cron.trigger"]
        for mode, more in (("off", 0), ("background", 1), ("immediate", 1)):
            self.company.automatic_cost_posting = mode
            before = triggers.search_count([])
            self.runs._trigger_background(self.company)
            self.assertEqual(triggers.search_count([]), before + more, mode)

    def test_a_long_run_is_left_to_the_scheduled_action(self):
        self.entry(5.0)
        posting = "odoo.addons.inventory_cost_gl.models.inventory_cost_run_posting"
        with patch(f"{posting}.INLINE_LIMIT", 0):
            run = self.post()
        self.assertEqual((run.state, run.entry_count), ("draft", 0))
        self.assertEqual(len(self.waiting()), 1)
        self.post_in_background()
        self.assertEqual((run.state, run.entry_count), ("done", 1))
        self.assertConserved()
