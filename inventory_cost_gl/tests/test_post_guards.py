from lxml import etree

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .posting_common import PostingCommon


@tagged("post_install", "-at_install")
class TestPostGuards(PostingCommon):
    """Journal entries of inventory cost change by reversing their run, only."""

    def setUp(self):
        super().setUp()
        self.value_entry = self.entry(70.0)
        self.posted = self.post()
        self.move = self.posted.journal_entry_ids
        self.line = self.move.line_ids.sorted("id")[0]

    def assertRefused(self, change):
        """Check that a change is refused with the run and the way out."""
        before = (self.move.state, self.move.line_ids.mapped("balance"), self.move.date)
        with self.assertRaises(UserError) as refused, self.env.cr.savepoint():
            change()
        self.assertIn(self.posted.name, str(refused.exception))
        self.assertIn("Reverse Run", str(refused.exception))
        self.env.invalidate_all()
        after = (self.move.state, self.move.line_ids.mapped("balance"), self.move.date)
        self.assertEqual(before, after)

    def test_reset_to_draft(self):
        self.assertRefused(self.move.button_draft)

    def test_cancel(self):
        self.assertRefused(self.move.button_cancel)

    def test_delete(self):
        self.assertRefused(self.move.unlink)
        self.assertRefused(self.move.with_context(force_delete=True).unlink)

    def test_reverse(self):
        self.assertRefused(self.move._reverse_moves)
        self.assertRefused(lambda: self.move._reverse_moves(cancel=True))

    def test_reversal_wizard(self):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.move.ids)
            .create({"journal_id": self.journal.id})
        )
        self.assertRefused(wizard.refund_moves)
        self.assertRefused(wizard.modify_moves)

    def test_fields_of_the_journal_entry(self):
        journal = self.journal.copy({"code": "OTHER"})
        for values in (
            {"date": "2026-02-01"},
            {"journal_id": journal.id},
            {"partner_id": self.vendor.id},
            {"state": "draft"},
            {"state": "cancel"},
            {"auto_post": "monthly"},
            {"move_type": "out_invoice"},
            {"line_ids": [Command.clear()]},
            {"line_ids": [Command.update(self.line.id, {"name": "x"})]},
        ):
            with self.subTest(values=values):
                self.assertRefused(lambda values=values: self.move.write(values))

    def test_fields_of_journal_items(self):
        for values in (
            {"account_id": self.accounts["wip"].id},
            {"debit": 71.0},
            {"balance": 71.0},
            {"amount_currency": 71.0},
            {"partner_id": self.vendor.id},
            {"product_id": self.fifo.id},
            {"analytic_distribution": {"1": 100}},
        ):
            with self.subTest(values=values):
                self.assertRefused(lambda values=values: self.line.write(values))

    def test_journal_items_are_neither_added_nor_deleted(self):
        self.assertRefused(self.line.unlink)
        self.assertRefused(
            lambda: self.env["account.move.line"].create(
                [
                    {
                        "move_id": self.move.id,
                        "account_id": self.accounts["wip"].id,
                        "balance": balance,
                    }
                    for balance in (1.0, -1.0)
                ]
            )
        )

    def test_reversal_wizard_with_other_entries(self):
        """One guarded entry among those chosen in the list refuses all of them."""
        free = self.move.copy({"date": "2026-03-01"})
        free.action_post()
        wizard = (
            self.env["account.move.reversal"]
            .with_context(
                active_model="account.move", active_ids=[free.id, self.move.id]
            )
            .create({"journal_id": self.journal.id})
        )
        self.assertRefused(wizard.refund_moves)
        self.assertFalse(free.reversal_move_ids)

    def test_deleted_or_reversed_by_another_module(self):
        self.assertRefused(self.move._unlink_or_reverse)

    def test_analytic_items_of_a_journal_item(self):
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        north, south = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("North", "South")]
        )
        self.entry(-9.0, "sale", analytic_distribution={str(north.id): 100})
        self.posted = self.post()
        self.move = self.posted.journal_entry_ids
        item = self.analytic_lines(north)
        self.assertTrue(item)
        column = plan._column_name()
        self.assertRefused(lambda: item.write({column: south.id}))
        self.assertRefused(lambda: item.write({"amount": 1.0}))
        self.assertRefused(item.unlink)

    def test_switch_into_a_credit_note(self):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.move.action_switch_move_type()
        self.assertEqual(self.move.move_type, "entry")

    def test_posted_twice(self):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.move.action_post()
        self.assertEqual(self.move.state, "posted")

    # -- Buttons ----------------------------------------------------------------------

    def buttons(self, move, user=None):
        """Return the names of the buttons in the head of the form that a user sees."""
        view = move.with_user(user or self.env.user).get_view(
            self.env.ref("account.view_move_form").id, "form"
        )
        head = etree.fromstring(view["arch"]).find("header")
        names = {
            str(self.env.ref("account.action_view_account_move_reversal").id): "reverse"
        }
        values = {
            name: move[name]
            for name in move._fields
            if name
            in (
                "state",
                "move_type",
                "payment_state",
                "show_reset_to_draft_button",
                "need_cancel_request",
                "inventory_cost_guarded",
                "inventory_cost_reversible",
                "id",
            )
        }
        wanted = {
            "action_reverse_inventory_cost_run",
            "button_cancel",
            "button_draft",
            "button_request_cancel",
            "reverse",
        }
        shown = set()
        for button in head.iter("button"):
            name = names.get(button.get("name"), button.get("name"))
            hidden = name in wanted and safe_eval(button.get("invisible", "0"), values)
            shown |= {name} & wanted if not hidden else set()
        return shown

    def test_buttons_of_a_guarded_entry(self):
        self.assertEqual(self.buttons(self.move), {"action_reverse_inventory_cost_run"})
        self.assertFalse(self.move.show_reset_to_draft_button)
        action = self.move.action_reverse_inventory_cost_run()
        self.assertEqual(action["context"]["default_run_id"], self.posted.id)

    def test_buttons_of_other_entries_stay(self):
        free = self.move.copy({"date": "2026-03-01"})
        free.action_post()
        self.assertEqual(self.buttons(free), {"reverse", "button_draft"})

    def test_buttons_of_a_reversed_run_and_its_reversal(self):
        reversal = self.reverse(self.posted)
        self.assertEqual(self.buttons(self.move), set())
        self.assertEqual(self.buttons(reversal.journal_entry_ids), set())

    def test_buttons_for_users_without_the_addons_rights(self):
        user = self.user_with("account.group_account_manager")
        move = self.move.with_user(user)
        self.assertEqual(self.buttons(move, user), set())
        self.assertTrue(move.inventory_cost_guarded)

    def test_buttons_are_read_at_once(self):
        moves = self.move + self.move.copy({"date": "2026-03-01"})
        moves.invalidate_recordset()
        moves.fetch(["state", "move_type"])
        with self.assertQueryCount(3):
            moves.mapped("inventory_cost_guarded")

    def test_what_is_not_guarded(self):
        self.move.ref = "Seen by the auditor"
        self.line.name = "Label"
        self.assertEqual(self.move.ref, "Seen by the auditor")
        copied = self.move.copy()
        copied.date = "2026-03-01"
        copied.button_cancel()
        self.assertEqual(copied.state, "cancel", "a copy is an entry by hand")
        self.assertFalse(copied.inventory_cost_run_id)

    def test_entries_by_hand_stay_free(self):
        move = self.move.copy({"date": "2026-03-01"})
        move.action_post()
        move.button_draft()
        move.line_ids.sorted("id")[0].account_id = self.accounts["wip"]
        move.action_post()
        self.assertEqual(move.state, "posted")
        move._reverse_moves(cancel=True)
        self.assertTrue(move.reversal_move_ids)

    def test_accountants_of_odoo_are_refused_too(self):
        user = self.user_with("account.group_account_manager")
        move = self.move.with_user(user)
        self.assertRefused(move.button_draft)
        self.assertRefused(lambda: move.line_ids[0].write({"debit": 1.0}))

    def test_buttons_lead_both_ways(self):
        entries = self.env["stock.value.entry"]
        self.assertEqual(self.move.inventory_cost_run_id, self.posted)
        action = self.move.action_open_inventory_value_entries()
        self.assertEqual(entries.search(action["domain"]), self.value_entry)
        self.assertEqual(
            self.move.action_open_inventory_cost_run()["res_id"], self.posted.id
        )
        action = self.posted.action_open_value_entries()
        self.assertEqual(entries.search(action["domain"]), self.value_entry)
        action = self.posted.action_open_journal_entries()
        self.assertEqual(self.env["account.move"].search(action["domain"]), self.move)
        action = self.value_entry.action_open_journal_items()
        self.assertEqual(
            self.env["account.move.line"].search(action["domain"]), self.move.line_ids
        )

    def test_runs_are_kept(self):
        with self.assertRaisesRegex(UserError, "Runs are kept"):
            self.posted.unlink()

    # -- Reversal ---------------------------------------------------------------------

    def reverse(self, run, date="2026-02-28"):
        """Reverse a run through its wizard; return the reversal."""
        action = run.action_reverse()
        wizard = (
            self.env[action["res_model"]]
            .with_context(**action["context"])
            .create({"date": date})
        )
        return self.runs.browse(wizard.action_reverse()["res_id"])

    def test_reversal(self):
        reversal = self.reverse(self.posted)
        self.assertEqual(
            self.items(reversal),
            [
                ("2026-02-28", "inventory", -70.0),
                ("2026-02-28", "direct_cost_applied", 70.0),
            ],
        )
        self.assertEqual(reversal.journal_entry_ids.reversed_entry_id, self.move)
        self.assertEqual(self.gl("inventory"), 0.0)
        self.assertEqual(self.value_entry.cost_posted_to_gl, 0.0)
        self.assertEqual(self.waiting(), self.value_entry)
        self.assertRecordValues(
            reversal,
            [
                {
                    "kind": "reverse",
                    "state": "done",
                    "reverses_run_id": self.posted.id,
                    "entry_count": 1,
                    "journal_entry_count": 1,
                    "amount": 70.0,
                }
            ],
        )
        self.assertEqual(self.posted.reversal_run_ids, reversal)
        self.assertEqual(self.posted.action_open_reversal()["res_id"], reversal.id)
        self.assertEqual(reversal.action_open_reversal()["res_id"], self.posted.id)
        self.assertConserved()

    def test_reversed_entries_are_posted_again(self):
        self.reverse(self.posted)
        self.post()
        self.assertEqual(self.gl("inventory"), 70.0)
        self.assertEqual(self.value_entry.cost_posted_to_gl, 70.0)
        self.assertEqual(len(self.value_entry.link_ids), 3)
        self.assertConserved()

    def test_reversal_of_every_granularity_and_sign(self):
        for granularity in ("posting_group", "document", "entry"):
            self.entry(1.0, document_ref="A", expected_amount=3.0)
            self.entry(-2.0, "sale", document_ref="A")
            self.entry(4.0, document_ref="B", date="2026-01-20")
            before = {role: self.gl(role) for role in self.accounts}
            run = self.post(granularity=granularity)
            self.assertNotEqual({role: self.gl(role) for role in self.accounts}, before)
            self.reverse(run)
            self.assertEqual({role: self.gl(role) for role in self.accounts}, before)
            self.assertEqual(len(self.waiting()), 3)
            self.assertConserved()
            self.post()

    def test_the_reversing_entries_are_guarded(self):
        self.posted = self.reverse(self.posted)
        self.move = self.posted.journal_entry_ids
        self.assertRefused(self.move.button_draft)

    def test_a_run_is_reversed_once(self):
        self.reverse(self.posted)
        with self.assertRaisesRegex(UserError, "reversed by"):
            self.reverse(self.posted)
        self.assertEqual(self.gl("inventory"), 0.0)

    def test_a_reversal_is_not_reversed(self):
        with self.assertRaisesRegex(UserError, "nothing to reverse"):
            self.reverse(self.reverse(self.posted))

    def test_previews_and_empty_runs_are_not_reversed(self):
        for mode in ("preview", "test", "post"):
            with (
                self.subTest(mode=mode),
                self.assertRaisesRegex(UserError, "nothing to reverse"),
            ):
                self.reverse(self.post(mode))

    def test_a_locked_date_is_refused(self):
        self.company.fiscalyear_lock_date = "2026-02-28"
        with self.assertRaisesRegex(UserError, "is locked"):
            self.reverse(self.posted)
        self.assertEqual(self.gl("inventory"), 70.0)
        reversal = self.reverse(self.posted, "2026-03-01")
        self.assertEqual(str(reversal.journal_entry_ids.date), "2026-03-01")
        self.assertConserved()

    def test_analytic_distribution_is_reversed(self):
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        account = self.env["account.analytic.account"].create(
            {"name": "Sales", "plan_id": plan.id}
        )
        self.entry(5.0, analytic_distribution={str(account.id): 100.0})
        run = self.post()
        self.assertEqual(len(self.analytic_lines(account)), 1)
        self.reverse(run)
        lines = self.analytic_lines(account)
        self.assertEqual(len(lines), 2)
        self.assertEqual(sum(lines.mapped("amount")), 0.0)
        self.assertEqual(set(map(abs, lines.mapped("amount"))), {5.0})
