from unittest.mock import patch

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..posting.roles import RULES
from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostSkipped(PostingCommon):
    """What keeps a value entry from being posted is listed; the others are posted."""

    def assertSkips(self, entry, reason, record=None, **values):
        """Check that test mode lists the entry, and that posting skips it alone.

        The run's line names the record where the reason is mended. ``values`` are the
        wizard's.
        """
        good = self.entry(1.0, date="2026-03-01", ledger_values={"origin": "GOOD"})
        for mode in ("test", "post"):
            run = self.post(mode, **values)
            lines = self.skipped(run).filtered(
                lambda line: line.value_entry_id == entry
            )
            self.assertIn(reason, " ".join(lines.mapped("reason")), mode)
            self.assertGreaterEqual(run.skipped_count, 1)
            if record is not None:
                self.assertIn(
                    (record._name, record.id),
                    [(line.res_model, line.res_id or False) for line in lines],
                )
        self.assertEqual(entry.cost_posted_to_gl, 0.0)
        self.assertIn(entry, self.waiting())
        self.assertEqual(good.cost_posted_to_gl, 1.0)
        self.assertConserved()
        return self.skipped(run).filtered(lambda line: line.value_entry_id == entry)

    def assertMended(self, entry):
        """Check that the next run posts the entry."""
        self.post()
        self.assertEqual(entry.cost_posted_to_gl, entry.cost_amount_actual)
        self.assertNotIn(entry, self.waiting())

    def test_no_line_of_the_inventory_posting_setup(self):
        other = self.inventory_group.copy({"code": "OTHER", "name": "Other"})
        entry = self.entry(5.0, ledger_values={"inventory_posting_group_id": other.id})
        line = self.assertSkips(
            entry,
            "No line of the inventory posting setup",
            self.env["inventory.posting.setup"],
        )
        action = line.action_open_record()
        self.assertFalse(action["res_id"])
        self.env["inventory.posting.setup"].with_context(**action["context"]).create(
            {
                "inventory_account_id": self.accounts["inventory"].id,
            }
        )
        self.assertMended(entry)

    def test_no_line_of_the_general_posting_setup(self):
        other = self.product_group.copy({"code": "OTHER", "name": "Other"})
        entry = self.entry(5.0, ledger_values={"product_posting_group_id": other.id})
        self.assertSkips(
            entry,
            "No line of the general posting setup",
            self.env["general.posting.setup"],
        )
        self.general_setup.copy({"product_posting_group_id": other.id})
        self.assertMended(entry)

    def test_the_form_that_mends_it_can_be_changed(self):
        """As the client opens it: from the list of the run, with what that asks for."""
        other = self.inventory_group.copy({"code": "OTHER", "name": "Other"})
        self.entry(5.0, ledger_values={"inventory_posting_group_id": other.id})
        self.general_setup.cogs_account_id = False
        self.entry(-5.0, "sale")
        self.company.fiscalyear_lock_date = "2026-01-10"
        self.entry(5.0, date="2026-01-05")
        run = self.post()
        lines = self.skipped(run)
        self.assertEqual(
            set(lines.mapped("res_model")),
            {"inventory.posting.setup", "general.posting.setup", "res.company"},
        )
        # The client refuses in a form what its context, the list's included, forbids.
        self.assertFalse(run.action_open_skipped().get("context"))
        self.assertFalse(run.action_open_plan()["context"].keys() & {"create", "edit"})
        for line in lines:
            with self.subTest(line.res_model):
                action = line.action_open_record()
                context = action.get("context", {})
                self.assertFalse(context.keys() & {"create", "edit"})
                model = self.env[action["res_model"]].with_context(**context)
                [(view, _kind)] = action.get("views", [(False, "form")])
                form = etree.fromstring(model.get_view(view, "form")["arch"])
                self.assertNotEqual(form.get("edit"), "0")
                if not action["res_id"]:
                    self.assertNotEqual(form.get("create"), "0")

    def test_blocked_line(self):
        self.general_setup.copy(
            {"business_posting_group_id": self.business_group.id, "blocked": True}
        )
        other = self.business_group.copy({"code": "OTHER", "name": "Other"})
        good = self.entry(1.0, ledger_values={"business_posting_group_id": other.id})
        entry = self.entry(5.0)
        run = self.post()
        line = self.skipped(run)
        self.assertEqual(line.value_entry_id, entry)
        self.assertIn("is blocked", line.reason)
        self.assertEqual(line.res_model, "general.posting.setup")
        self.assertEqual(good.cost_posted_to_gl, 1.0)
        self.env["general.posting.setup"].browse(line.res_id).blocked = False
        self.assertMended(entry)

    def test_no_account_in_the_line(self):
        self.general_setup.cogs_account_id = False
        entry = self.entry(-5.0, "sale")
        line = self.assertSkips(
            entry, "has no account for Cost of Goods Sold", self.general_setup
        )
        self.assertEqual(line.action_open_record()["res_id"], self.general_setup.id)
        self.general_setup.cogs_account_id = self.accounts["cogs"]
        self.assertMended(entry)

    def test_archived_account(self):
        account = self.accounts["cogs"]
        account.active = False
        entry = self.entry(-5.0, "sale")
        self.assertSkips(entry, "is archived", account)
        account.active = True
        self.assertMended(entry)

    def test_deleted_account(self):
        account = self.accounts["cogs"].copy({"code": "779999"})
        entry = self.entry(5.0, counter_account=account.id)
        account_id = account.id
        account.unlink()
        line = self.assertSkips(entry, "has been deleted")
        self.assertIn(str(account_id), line.reason)
        action = line.action_open_record()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (entry._name, entry.id)
        )

    def test_accounts_of_the_wrong_type(self):
        for number, account_type in enumerate(
            ("asset_receivable", "liability_payable", "off_balance")
        ):
            account = self.env["account.account"].create(
                {
                    "name": account_type,
                    "code": f"77990{number}",
                    "account_type": account_type,
                    "reconcile": account_type != "off_balance",
                }
            )
            with self.subTest(account_type=account_type):
                entry = self.entry(5.0, counter_account=account.id)
                self.assertSkips(
                    entry, "receivable, payable, bank or off-balance", account
                )

    def test_account_of_another_company(self):
        other = self.make_company("Other Company")
        account = self.env["account.account"].create(
            {
                "name": "Theirs",
                "code": "779900",
                "account_type": "expense",
                "company_ids": other.ids,
            }
        )
        entry = self.entry(5.0, counter_account=account.id)
        self.assertSkips(entry, "belongs to another company")

    def test_account_in_another_currency(self):
        account = self.env["account.account"].create(
            {
                "name": "In Euro",
                "code": "779900",
                "account_type": "expense",
                "currency_id": self.env.ref("base.EUR").id,
            }
        )
        entry = self.entry(5.0, counter_account=account.id)
        self.assertSkips(entry, "only takes amounts in EUR", account)

    def test_locked_fiscal_year(self):
        entry = self.entry(5.0, date="2026-01-15")
        self.company.fiscalyear_lock_date = "2026-01-31"
        self.assertSkips(entry, "is locked", self.company)
        self.company.fiscalyear_lock_date = False
        self.assertMended(entry)
        self.assertEqual(
            str(entry.link_ids.debit_line_id.date), "2026-01-15", "never today"
        )

    def test_hard_lock(self):
        entry = self.entry(5.0)
        self.company.hard_lock_date = "2026-01-31"
        self.assertSkips(entry, "is locked", self.company)

    def test_locks_of_sales_and_taxes_do_not_matter(self):
        entry = self.entry(5.0)
        self.company.write(
            {
                "sale_lock_date": "2026-01-31",
                "purchase_lock_date": "2026-01-31",
                "tax_lock_date": "2026-01-31",
            }
        )
        self.assertMended(entry)

    def test_combination_that_is_not_in_the_table(self):
        entry = self.entry(-5.0, "sale", entry_type="indirect_cost")
        self.assertSkips(entry, "this combination of entry types is not posted")

    def test_expected_cost_that_is_not_allowed(self):
        entry = self.entry(entry_type="rounding", expected_amount=5.0)
        run = self.post("test")
        self.assertEqual(self.skipped(run).value_entry_id, entry)
        self.assertIn("can't have expected cost", self.skipped(run).reason)
        self.assertEqual(self.skipped(run).amount, 5.0)

    def test_work_in_process_without_an_order(self):
        entry = self.entry(-5.0, "consumption")
        self.assertSkips(entry, "names no order")

    def test_product_without_posting_group(self):
        self.fifo.categ_id.inventory_posting_group_id = False
        entry = self.entry(5.0, ledger_values={"inventory_posting_group_id": False})
        self.assertSkips(entry, "has no Inventory Posting Group", self.fifo.categ_id)
        self.fifo.categ_id.inventory_posting_group_id = self.inventory_group
        self.assertMended(entry)

    def test_all_reasons_of_an_entry_are_listed(self):
        self.company.fiscalyear_lock_date = "2026-01-31"
        self.accounts["cogs"].active = False
        self.inventory_setup.inventory_account_id = False
        entry = self.entry(-5.0, "sale")
        run = self.post("test")
        reasons = " ".join(self.skipped(run).mapped("reason"))
        for reason in ("is locked", "is archived", "has no account for Inventory"):
            self.assertIn(reason, reasons)
        self.assertEqual(self.skipped(run).value_entry_id, entry)
        self.assertEqual(run.skipped_count, 1, "an entry counts once")

    def test_every_rule_of_the_table_reaches_its_accounts(self):
        for number, rule in enumerate(RULES):
            if not rule.item_ledger_entry_type:
                continue
            with self.subTest(rule=rule), self.env.cr.savepoint() as savepoint:
                self.entry(
                    0.0 if rule.expected else 7.0,
                    rule.item_ledger_entry_type,
                    rule.entry_type,
                    expected_amount=7.0 if rule.expected else 0.0,
                    variance_type=rule.variance_type,
                    ledger_values={
                        "order_model": "res.partner",
                        "order_id": number + 1,
                    },
                )
                self.assertEqual(
                    self.balances(self.post()), {rule.role1: 7.0, rule.role2: -7.0}
                )
                savepoint.rollback()

    def test_skipped_entries_stay_and_are_listed_again(self):
        self.accounts["cogs"].active = False
        entry = self.entry(-5.0, "sale")
        for _time in range(2):
            run = self.post()
            self.assertEqual(self.skipped(run).value_entry_id, entry)
        self.assertEqual(
            self.skipped(run).action_open_value_entry()["res_id"], entry.id
        )

    def test_what_account_move_refuses_is_skipped_alone(self):
        good = self.entry(1.0, document_ref="GOOD")
        bad = self.entry(2.0, document_ref="BAD")
        Moves = type(self.env["account.move"])
        posting = Moves._post

        def refuse(moves, soft=True):
            if "BAD" in moves.mapped("ref"):
                raise UserError(moves.env._("Not on my watch."))
            return posting(moves, soft)

        with patch.object(Moves, "_post", refuse):
            run = self.post(granularity="document")
        self.assertEqual(self.skipped(run).value_entry_id, bad)
        self.assertIn("Not on my watch.", self.skipped(run).reason)
        self.assertEqual(run.journal_entry_ids.mapped("ref"), ["GOOD"])
        self.assertEqual((good.cost_posted_to_gl, bad.cost_posted_to_gl), (1.0, 0.0))
        self.assertEqual((run.entry_count, run.skipped_count), (1, 1))
        self.assertConserved()

    def test_a_moved_date_is_noticed(self):
        entry = self.entry(1.0)
        Moves = type(self.env["account.move"])
        posting = Moves._post

        def postpone(moves, soft=True):
            moves.date = "2026-02-01"
            return posting(moves, soft)

        with patch.object(Moves, "_post", postpone):
            run = self.post()
        self.assertIn("could not be posted on that date", self.skipped(run).reason)
        self.assertIn(entry, self.waiting())
        self.assertFalse(run.journal_entry_ids)

    def test_changed_journal_items_are_noticed(self):
        self.entry(1.0)
        run = type(self.runs)
        prepare = run._prepare_line

        def other_account(this, label, account_id, balance, distribution):
            values = prepare(this, label, account_id, balance, distribution)
            return {**values, "account_id": self.accounts["wip"].id}

        with patch.object(run, "_prepare_line", other_account):
            posted = self.post()
        self.assertIn("differ from the value entries", self.skipped(posted).reason)
        self.assertEqual(self.gl("wip"), 0.0)

    def test_missing_journal(self):
        self.entry(1.0)
        self.company.inventory_cost_journal_id = False
        with self.assertRaisesRegex(UserError, "has no journal"):
            self.post()
        self.assertEqual(len(self.waiting()), 1)

    def test_archived_journal(self):
        self.entry(1.0)
        self.journal.active = False
        for mode in ("post", "preview"):
            with self.subTest(mode=mode), self.assertRaisesRegex(UserError, "archived"):
                self.post(mode)
        self.assertEqual(len(self.waiting()), 1)

    def test_two_runs_at_once(self):
        self.entry(1.0)
        lock = type(self.runs)._try_posting_lock
        with (
            patch.object(type(self.runs), "_try_posting_lock", lambda *_args: False),
            self.assertRaisesRegex(UserError, "is being posted already"),
        ):
            self.post()
        self.assertTrue(lock(self.runs, self.company))
        with self.registry.cursor() as other:
            other.execute("SELECT pg_backend_pid()")
            runs = self.runs.with_env(self.env(cr=other))
            self.assertFalse(lock(runs, self.company), "the other session waits")

    def test_killed_between_journal_entry_and_links(self):
        entry = self.entry(1.0)
        moves = self.env["account.move"].search_count([])
        with (
            mute_logger("odoo.sql_db"),
            patch.object(
                type(self.runs), "_insert_links", side_effect=SystemExit("killed")
            ),
            self.assertRaises(SystemExit),
            self.env.cr.savepoint(),
        ):
            self.post()
        self.assertEqual(self.env["account.move"].search_count([]), moves)
        self.assertEqual(self.waiting(), entry)
        self.assertFalse(self.env["stock.value.entry.link"].search_count([]))
        self.assertMended(entry)
        self.assertConserved()

    def test_in_steps_a_killed_run_goes_on(self):
        entries = [self.entry(1.0, date=f"2026-01-{day}") for day in range(10, 14)]
        skipped = self.entry(-9.0, "sale", entry_type="indirect_cost")
        run = self.runs.create(self.runs._prepare_posting(self.company, mode="post"))
        runs, work, done = type(self.runs), type(self.runs)._run_chunk, []

        def killed(this, chunk):
            if len(done) == 2:
                raise SystemExit("killed")
            done.append(chunk)
            work(this, chunk)

        sizes = {"posting_group": 1, "document": 1, "entry": 1}
        queue = "odoo.addons.inventory_cost_gl.models.inventory_cost_run_queue"
        commit = patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_kw: 1.0
        )
        with commit, patch(f"{queue}.CHUNK_SIZES", sizes):
            # Not assertRaises, which would roll back what the steps committed.
            with patch.object(runs, "_run_chunk", killed):
                try:
                    run._run_posting_in_steps()
                except SystemExit as error:
                    self.assertEqual(str(error), "killed")
                else:
                    self.fail("The run was not killed")
            self.assertEqual((run.state, run.entry_count), ("running", 2))
            self.assertEqual(len(self.waiting()), 3)
            self.assertConserved()
            run._run_posting_in_steps()
        self.assertEqual((run.state, run.entry_count), ("done", 4))
        self.assertEqual(run.journal_entry_count, len(run.journal_entry_ids), 4)
        self.assertEqual([entry.cost_posted_to_gl for entry in entries], [1.0] * 4)
        self.assertEqual(self.skipped(run).value_entry_id, skipped)
        self.assertEqual(self.waiting(), skipped)
        self.assertConserved()

    def test_queries_do_not_grow_with_the_value_entries(self):
        counts = []
        for number in (1, 200):
            for _number in range(number):
                self.entry(1.0, date="2026-04-01")
            self.env.flush_all()
            self.env.invalidate_all()
            run = self.runs.sudo().create(
                self.runs._prepare_posting(self.company, mode="post")
            )
            before = self.env.cr.sql_log_count
            run._run_posting()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(run.entry_count, 200)
        self.assertLessEqual(counts[1], counts[0])
        self.assertLess(counts[0], 150)

    def test_per_entry_queries_do_not_grow_with_the_lines(self):
        counts = []
        for number in (10, 60):
            for _number in range(number):
                self.entry(1.0, date="2026-04-01", document_ref="A")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            run = self.post(granularity="entry")
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(run.journal_entry_ids.line_ids), 2 * number)
        self.assertLess(counts[1] - counts[0], 20, counts)
