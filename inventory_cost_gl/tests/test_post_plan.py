from unittest.mock import patch

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostPlan(PostingCommon):
    """*Post This Plan* writes exactly what the preview showed, or refuses."""

    def preview(self, granularity="posting_group", **values):
        """Return a preview run."""
        return self.post("preview", granularity, **values)

    def post_plan(self, preview):
        """Press the button; return the run that posted."""
        return self.runs.browse(preview.action_post_plan()["res_id"])

    def planned_items(self, run):
        """Return (date, account, label, balance) of the plan's journal items."""
        return [
            (line.date, account, line.name, balance)
            for line in run.plan_line_ids
            for account, balance in (
                (line.debit_account_id, line.amount),
                (line.credit_account_id, -line.amount),
            )
        ]

    def posted_items(self, run):
        """Return (date, account, label, balance) of the run's journal items."""
        return [
            (line.date, line.account_id, line.name, line.balance)
            for move in run.journal_entry_ids.sorted("id")
            for line in move.line_ids.sorted("id")
        ]

    def assertRefused(self, preview, *texts):
        """Check that the plan is refused with these words, and nothing is written."""
        before = self.env["account.move"].search_count([])
        waiting, runs = self.waiting(), self.runs.search_count([])
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            self.post_plan(preview)
        for text in (preview.name, *texts, "Preview again"):
            self.assertIn(text, str(caught.exception))
        self.assertEqual(self.env["account.move"].search_count([]), before)
        self.assertEqual((self.waiting(), self.runs.search_count([])), (waiting, runs))

    # -- What it shows ----------------------------------------------------------------

    def columns(self, run):
        """Return the columns of the list of a run's journal items."""
        action = run.action_open_plan()
        context = action["context"]
        lines = self.env[action["res_model"]].with_context(**context)
        arch = etree.fromstring(lines.get_view(view_type="list")["arch"])
        return {
            field.get("name")
            for field in arch.xpath("//field")
            if not safe_eval(
                field.get("column_invisible") or "False", {"context": context}
            )
        }

    def test_the_list_has_no_columns_that_are_empty(self):
        self.fill()
        optional = {"move_id", "document_ref", "posting_date"}
        for granularity, mode, shown in (
            ("posting_group", "preview", set()),
            ("document", "preview", {"document_ref"}),
            ("entry", "preview", {"document_ref"}),
            ("document", "post", {"move_id", "document_ref"}),
        ):
            with self.subTest(granularity=granularity, mode=mode):
                run = self.post(mode, granularity)
                self.assertEqual(self.columns(run) & optional, shown)
                for name in shown:
                    self.assertTrue(all(run.plan_line_ids.mapped(name)), name)

    def test_the_run_shows_the_filters_it_has(self):
        self.fill()
        arch = etree.fromstring(self.runs.get_view(view_type="form")["arch"])
        [group] = arch.xpath("//group[@name='filters']")
        names = [field.get("name") for field in group.xpath("./field")]
        for values in (
            {},
            {"until_date": "2026-01-31"},
            {"product_ids": self.fifo.ids},
            {"category_ids": self.fifo.categ_id.ids},
        ):
            with self.subTest(**values):
                run = self.preview(**values)
                hidden = safe_eval(
                    group.get("invisible"), {name: run[name] for name in names}
                )
                self.assertEqual(hidden, not values)

    # -- It posts exactly that --------------------------------------------------------

    def fill(self):
        """Record value entries of two dates, documents, kinds and signs."""
        receipt = self.ledger_entry()
        return (
            self.entry(1.0, document_ref="A")
            | self.entry(2.5, document_ref="B", date="2026-01-16")
            | self.entry(-4.0, "sale", document_ref="B", date="2026-01-16")
            | self.entry(ledger_entry=receipt, expected_amount=7.0, document_ref="C")
            | self.entry(-1.0, ledger_entry=receipt, document_ref="C")
        )

    def test_the_plan_is_posted_item_by_item(self):
        entries = self.fill()
        for granularity in ("posting_group", "document", "entry"):
            with self.subTest(granularity=granularity), self.env.cr.savepoint() as sp:
                preview = self.preview(granularity)
                run = self.post_plan(preview)
                self.assertEqual(self.posted_items(run), self.planned_items(preview))
                self.assertEqual(self.planned_items(run), self.planned_items(preview))
                self.assertRecordValues(
                    run,
                    [
                        {
                            "mode": "post",
                            "state": "done",
                            "plan_run_id": preview.id,
                            "granularity": granularity,
                            "entry_count": preview.entry_count,
                            "journal_entry_count": preview.journal_entry_count,
                            "amount": preview.amount,
                            "user_id": self.env.uid,
                        }
                    ],
                )
                self.assertFalse(self.waiting())
                self.assertEqual(
                    {
                        ref
                        for line in run.plan_line_ids
                        for ref in line.value_entry_refs
                    },
                    set(entries.ids),
                )
                self.assertConserved()
                sp.rollback()

    def test_each_line_says_what_it_is_made_of(self):
        first = self.entry(1.0, analytic_distribution=None)
        second = self.entry(2.0)
        decrease = self.entry(-4.0, "sale")
        lines = self.preview().plan_line_ids
        self.assertRecordValues(
            lines,
            [
                {
                    "debit_role": "inventory",
                    "credit_role": "direct_cost_applied",
                    "debit_account_id": self.accounts["inventory"].id,
                    "credit_account_id": self.accounts["direct_cost_applied"].id,
                    "amount": 3.0,
                    "kind": "actual",
                    "value_entry_count": 2,
                    "value_entry_refs": [first.id, second.id],
                    "value_entry_units": [100, 200],
                    "cost_location_id": self.location.id,
                    "inventory_posting_group_id": self.inventory_group.id,
                    "business_posting_group_id": self.business_group.id,
                    "product_posting_group_id": self.product_group.id,
                    "move_id": False,
                },
                {
                    "debit_role": "cogs",
                    "credit_role": "inventory",
                    "debit_account_id": self.accounts["cogs"].id,
                    "credit_account_id": self.accounts["inventory"].id,
                    "amount": 4.0,
                    "kind": "actual",
                    "value_entry_count": 1,
                    "value_entry_refs": [decrease.id],
                    "value_entry_units": [-400],
                    "cost_location_id": self.location.id,
                    "inventory_posting_group_id": self.inventory_group.id,
                    "business_posting_group_id": self.business_group.id,
                    "product_posting_group_id": self.product_group.id,
                    "move_id": False,
                },
            ],
        )

    def test_the_value_entries_of_a_line_open(self):
        entries = self.entry(1.0) | self.entry(2.0)
        self.entry(-4.0, "sale")
        for mode in ("preview", "post"):
            line = self.post(mode).plan_line_ids[0]
            action = line.action_open_value_entries()
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(found, entries, mode)

    def test_the_journal_entry_stands_on_the_posted_lines(self):
        self.fill()
        run = self.post_plan(self.preview("document"))
        for line in run.plan_line_ids:
            self.assertIn(
                (line.debit_account_id, line.amount),
                [(item.account_id, item.debit) for item in line.move_id.line_ids],
            )
            self.assertEqual(line.date, line.move_id.date)

    def test_the_choices_of_the_preview_are_kept(self):
        planned = self.entry(1.0)
        other = self.entry(2.0, ledger_values={"product_id": self.average.id})
        later = self.entry(4.0, date="2026-02-01")
        preview = self.preview(product_ids=self.fifo.ids, until_date="2026-01-31")
        run = self.post_plan(preview)
        self.assertEqual(self.waiting(), other | later)
        self.assertEqual(run.product_ids, self.fifo)
        self.assertEqual(str(run.until_date), "2026-01-31")
        self.assertEqual(planned.cost_posted_to_gl, 1.0)

    def test_what_is_recorded_after_the_preview_waits(self):
        self.entry(1.0)
        preview = self.preview()
        later = self.entry(2.0)
        run = self.post_plan(preview)
        self.assertEqual(self.posted_items(run), self.planned_items(preview))
        self.assertEqual(self.waiting(), later)

    def test_skipped_then_and_now(self):
        self.accounts["cogs"].active = False
        self.entry(1.0)
        skipped = self.entry(-2.0, "sale")
        run = self.post_plan(self.preview())
        self.assertEqual(self.skipped(run).value_entry_id, skipped)
        self.assertEqual(self.waiting(), skipped)

    def test_the_runs_lead_to_each_other(self):
        self.entry(1.0)
        preview = self.preview()
        run = self.post_plan(preview)
        self.assertEqual(run.action_open_preview()["res_id"], preview.id)
        self.assertEqual(preview.action_open_posted()["res_id"], run.id)

    # -- Or it refuses, and says why --------------------------------------------------

    def test_posted_meanwhile(self):
        self.entry(1.0, document_ref="WH/1")
        preview = self.preview()
        other = self.post()
        self.assertRefused(preview, "WH/1", f"posted by {other.name} meanwhile")

    def test_a_plan_is_posted_once(self):
        self.entry(1.0)
        preview = self.preview()
        run = self.post_plan(preview)
        self.assertRefused(preview, f"posted by {run.name} meanwhile")

    def test_posted_in_part_meanwhile(self):
        self.entry(1.0)
        posted = self.entry(
            2.0, ledger_values={"product_id": self.average.id}, document_ref="WH/2"
        )
        preview = self.preview()
        self.post(product_ids=self.average.ids)
        self.assertRefused(preview, f"WH/2 (#{posted.id})", "meanwhile")

    def test_a_reversed_plan_can_be_posted_again(self):
        self.entry(1.0)
        preview = self.preview()
        self.post_plan(preview)._reverse(preview.create_date.date())
        run = self.post_plan(preview)
        self.assertEqual(self.posted_items(run), self.planned_items(preview))
        self.assertConserved()

    def test_queued_again_meanwhile(self):
        entry = self.entry(1.0, document_ref="WH/1")
        posted = self.post()
        self.entry(2.0)
        preview = self.preview()
        posted._reverse(preview.create_date.date())
        self.assertRefused(preview, f"WH/1 (#{entry.id})", "not in the plan")

    def test_mended_meanwhile(self):
        self.accounts["cogs"].active = False
        self.entry(1.0)
        self.entry(-2.0, "sale", document_ref="WH/2")
        preview = self.preview()
        self.accounts["cogs"].active = True
        self.assertRefused(preview, "WH/2", "not in the plan")

    def test_account_remapped(self):
        self.entry(1.0, document_ref="WH/1")
        preview = self.preview()
        self.inventory_setup.inventory_account_id = self.accounts["wip"]
        self.assertRefused(
            preview,
            "WH/1",
            self.accounts["wip"].display_name,
            f"instead of {self.accounts['inventory'].display_name}",
        )

    def test_account_archived(self):
        self.entry(1.0)
        preview = self.preview()
        self.accounts["inventory"].active = False
        self.assertRefused(preview, "archived", self.accounts["inventory"].code)

    def test_setup_line_deleted(self):
        self.entry(1.0)
        preview = self.preview()
        self.inventory_setup.unlink()
        self.assertRefused(preview, "No line of the inventory posting setup")

    def test_date_locked(self):
        self.entry(1.0)
        preview = self.preview()
        self.company.fiscalyear_lock_date = "2026-01-31"
        self.assertRefused(preview, "01/15/2026 is locked")

    def test_first_open_date_moved(self):
        self.entry(1.0)
        self.company.fiscalyear_lock_date = "2026-01-31"
        preview = self.preview(post_locked_on_open_date=True)
        self.company.fiscalyear_lock_date = "2026-02-28"
        self.assertRefused(preview, "dated 03/01/2026 instead of 02/01/2026")

    def test_expected_cost_switched_off(self):
        self.entry(expected_amount=5.0, document_ref="WH/1")
        preview = self.preview()
        self.company.expected_cost_posting = False
        self.assertRefused(preview, "WH/1", "nothing of it waits")

    def test_amount_changed(self):
        entry = self.entry(5.0, document_ref="WH/1")
        preview = self.preview()
        self.post()
        # A part of it stands in the G/L, and it waits again: as a defect leaves it.
        link = entry.link_ids
        self.env["stock.value.entry.link"].create(
            {
                "company_id": self.company.id,
                "value_entry_id": entry.id,
                "kind": "actual",
                "amount": -2.0,
                "debit_line_id": link.credit_line_id.id,
                "credit_line_id": link.debit_line_id.id,
            }
        )
        self.env["stock.value.entry.queue"].create(
            {
                "company_id": self.company.id,
                "value_entry_id": entry.id,
                "kind": "actual",
                "posting_date": entry.posting_date,
                "product_id": entry.product_id.id,
            }
        )
        self.assertRefused(preview, "WH/1", "the amount has changed")

    def test_another_journal(self):
        self.entry(1.0)
        preview = self.preview()
        self.company.inventory_cost_journal_id = self.env["account.journal"].create(
            {"name": "Other Journal", "code": "OTHER", "type": "general"}
        )
        self.assertRefused(preview, "Other Journal", f"instead of {self.journal.name}")

    def test_analytic_accounts_of_several_plans(self):
        """PostgreSQL keeps the keys in an order of its own."""
        plans = self.env["account.analytic.plan"].create(
            [{"name": "Departments"}, {"name": "Projects"}]
        )
        accounts = self.env["account.analytic.account"].create(
            [{"name": str(n), "plan_id": plans[n % 2].id} for n in range(12)]
        )
        both = ",".join(map(str, accounts[:2].ids))
        for account in accounts[2:]:
            distribution = {str(account.id): 60.0, both: 40.0}
            self.entry(5.0, analytic_distribution=distribution)
        preview = self.preview()
        run = self.post_plan(preview)
        self.assertEqual((run.state, run.entry_count), ("done", 10))

    def test_analytic_account_deleted(self):
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        account = self.env["account.analytic.account"].create(
            {"name": "Sales", "plan_id": plan.id}
        )
        self.entry(5.0, analytic_distribution={str(account.id): 100.0})
        preview = self.preview()
        account.unlink()
        self.assertRefused(preview, "the analytic distribution has changed")

    def test_refused_by_account_move(self):
        self.entry(1.0, document_ref="GOOD")
        self.entry(2.0, document_ref="BAD")
        preview = self.preview("document")
        Moves = type(self.env["account.move"])
        posting = Moves._post

        def refuse(moves, soft=True):
            if "BAD" in moves.mapped("ref"):
                raise UserError(self.env._("Not on my watch."))
            return posting(moves, soft)

        with patch.object(Moves, "_post", refuse):
            self.assertRefused(preview, "Not on my watch.")

    def test_all_changes_are_listed(self):
        self.entry(1.0, document_ref="WH/1")
        self.entry(2.0, "sale", document_ref="WH/2", date="2026-01-20")
        preview = self.preview()
        self.inventory_setup.inventory_account_id = self.accounts["wip"]
        self.accounts["cogs"].active = False
        self.assertRefused(preview, "WH/1", "WH/2", "instead of", "archived")

    def test_no_plan(self):
        empty = self.preview()
        self.entry(1.0)
        posted = self.post()
        for run in (empty, posted, self.post("test")):
            with self.assertRaisesRegex(UserError, "no finished preview"):
                run.action_post_plan()

    def test_only_accountants_post_plans(self):
        self.entry(1.0)
        preview = self.preview()
        reader = self.user_with("group_user")
        with self.assertRaises(AccessError):
            self.as_user(preview, reader).action_post_plan()
        self.assertTrue(self.waiting())
        accountant = self.user_with("group_accountant")
        action = self.as_user(preview, accountant).action_post_plan()
        self.assertEqual(self.runs.browse(action["res_id"]).user_id, accountant)

    def test_not_from_another_company(self):
        self.entry(1.0)
        preview = self.preview()
        stranger = self.user_with("group_accountant", company=self.make_company("Two"))
        with self.assertRaises(UserError):
            self.as_user(preview, stranger).action_post_plan()
        self.assertTrue(self.waiting())

    # -- In steps ---------------------------------------------------------------------

    def in_steps(self, preview, between=None):
        """Post a plan by the scheduled action, a date a step; return the run.

        ``between`` is called after the first step, as another transaction might.
        """
        models = "odoo.addons.inventory_cost_gl.models"
        steps = []

        def committed(*_args, **_values):
            steps.append(1)
            if between and len(steps) == 1:
                between()
            return 1.0

        with (
            patch(f"{models}.inventory_cost_run_posting.INLINE_LIMIT", 0),
            patch(
                f"{models}.inventory_cost_run_queue.CHUNK_SIZES",
                {"posting_group": 1, "document": 1, "entry": 1},
            ),
            patch.object(type(self.env["ir.cron"]), "_commit_progress", committed),
        ):
            run = self.post_plan(preview)
            self.assertEqual(run.state, "draft")
            run.sudo()._run_posting_in_steps()
        return run

    def test_a_long_plan_is_posted_in_steps(self):
        self.fill()
        preview = self.preview("document")
        run = self.in_steps(preview)
        self.assertEqual(run.state, "done")
        self.assertEqual(self.posted_items(run), self.planned_items(preview))
        self.assertConserved()

    def test_in_steps_nothing_is_posted_if_the_last_date_has_changed(self):
        self.entry(1.0, date="2026-01-10")
        self.entry(-2.0, "sale", date="2026-01-20")
        preview = self.preview()
        self.accounts["cogs"].active = False
        with self.assertRaisesRegex(UserError, "archived"):
            self.in_steps(preview)
        self.assertFalse(self.env["stock.value.entry.link"].search_count([]))

    def test_a_change_between_steps_stops_the_rest(self):
        self.entry(1.0, date="2026-01-10")
        self.entry(-2.0, "sale", date="2026-01-20")
        preview = self.preview()

        def archive():
            self.accounts["cogs"].active = False

        with self.assertRaisesRegex(UserError, "archived"):
            self.in_steps(preview, archive)
        self.assertEqual(self.gl("inventory"), 1.0, "the first step stays")
        self.assertEqual(len(self.waiting()), 1)
