from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import Form, tagged

from ..posting.roles import RULES
from ..report.reconciliation_query import CAUSES
from ..report.reconciliation_roles import COUNTER_ACCOUNT, NO_ROLE
from .reconciliation_common import FEBRUARY, JANUARY, MARCH, ReconciliationCommon


@tagged("post_install", "-at_install")
class TestReconciliationScreen(ReconciliationCommon):
    """The screen, the records behind its figures, and the PDF."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls.make_user("accountant", "inventory_cost_gl.group_user")
        cls.accountant.group_ids += cls.env.ref("account.group_account_invoice")

    @classmethod
    def make_user(cls, login, *groups):
        """Return a new user of the company with these groups."""
        return cls.env["res.users"].create(
            {
                "name": login.title(),
                "login": login,
                "company_id": cls.company.id,
                "company_ids": [(6, 0, cls.company.ids)],
                "group_ids": [(6, 0, [cls.env.ref(group).id for group in groups])],
            }
        )

    def screen(self, **filters):
        """Return the screen with the figures of its filters."""
        wizard = self.env["inventory.gl.reconciliation.wizard"].create(filters)
        wizard.action_show()
        return wizard

    def line(self, wizard, role):
        """Return the line of a role."""
        return wizard.line_ids.filtered(lambda line: line.account_role == role)

    def open(self, action):
        """Return the records an action shows."""
        return self.env[action["res_model"]].search(action["domain"])

    def plant(self):
        """Give the ledgers one difference of every cause."""
        self.enqueue(self.record("purchase", MARCH, actual=20.02))
        self.by_hand(MARCH, ("inventory", 11.11))
        self.record("negative_adjustment", MARCH, actual=-6.06)
        self.post(self.delivery, date=MARCH, factor=-1)
        self.enqueue(self.delivery)
        self.company.expected_cost_posting = False
        self.record("purchase", MARCH, expected=30.03)
        self.general_setup.overhead_applied_account_id = self.suspense
        self.sql(
            "UPDATE account_move_line SET account_id = %s WHERE id = %s",
            self.freight.id,
            self.work.link_ids.debit_line_id.id,
        )

    # -- The screen -------------------------------------------------------------------

    def test_menu_opens_the_screen_with_figures(self):
        action = self.env.ref("inventory_cost_gl.action_inventory_gl_reconciliation")
        result = action.with_user(self.accountant).run()
        self.assertEqual(result["res_model"], "inventory.gl.reconciliation.wizard")
        wizard = self.env[result["res_model"]].browse(result["res_id"])
        self.assertTrue(wizard.reconciled)
        self.assertEqual(self.line(wizard, "inventory").gl_amount, 69.79)

    def test_lines_are_the_summary(self):
        self.plant()
        wizard = self.screen()
        summary = self.summary()
        self.assertEqual(len(wizard.line_ids), len(summary.lines))
        for line, figures in zip(wizard.line_ids, summary.lines, strict=True):
            self.assertEqual(line.account_role, figures.account_role)
            for measure, amount in figures.amounts().items():
                self.assertEqual(
                    self.currency.compare_amounts(line[measure], amount), 0
                )
            self.assertEqual(line.advice or "", " ".join(figures.advice))
        self.assertFalse(wizard.fully_explained)
        self.assertEqual(wizard.alarm_count, 2)
        self.assertEqual(wizard.unexplained, 0.0)

    def test_every_cause_says_what_to_do(self):
        self.plant()
        advice = self.screen().advice
        for words in (
            "Run Post Inventory Cost to G/L",
            "Expected Cost Posting",
            "by hand",
            "transfer the balance",
            "unexplained",
        ):
            self.assertIn(words, advice)

    def test_the_same_advice_is_said_once(self):
        self.plant()
        wizard = self.screen()
        texts = [text for text in wizard.line_ids.mapped("advice") if text]
        self.assertEqual(len(wizard.advice.splitlines()), len(set(texts)))
        for line in wizard.line_ids.filtered("advice"):
            self.assertIn(line._role_name(), wizard.advice)

    def test_period_on_the_screen(self):
        wizard = self.screen(date_from="2026-02-01", date_to="2026-02-28")
        self.assertEqual(self.line(wizard, "inventory").value_entry_amount, -41.35)
        wizard.date_to = False
        wizard.action_show()
        self.assertEqual(self.line(wizard, "inventory").value_entry_amount, -33.58)

    def test_changed_filters_show_no_figures_of_others(self):
        wizard = self.screen()
        with Form(wizard) as form:
            form.date_from = MARCH
            self.assertFalse(form.shown_at)
        self.assertFalse(wizard.line_ids)

    def test_dates_the_wrong_way_round(self):
        with self.assertRaisesRegex(UserError, "first date"):
            self.screen(date_from=MARCH, date_to=JANUARY)

    def test_figures_again(self):
        wizard = self.screen()
        self.enqueue(self.record("purchase", MARCH, actual=1.0))
        wizard.action_show()
        self.assertEqual(self.line(wizard, "inventory").not_posted, -1.0)
        self.assertEqual(len(wizard.line_ids), 5)

    # -- The records behind the figures -----------------------------------------------

    def test_value_entries_behind_each_figure(self):
        self.plant()
        for filters in (
            {},
            {"date_from": FEBRUARY, "date_to": FEBRUARY},
            {"product_ids": self.average.ids},
            {"category_ids": self.fifo.categ_id.ids},
            {"cost_location_ids": self.place.ids},
        ):
            wizard = self.screen(**filters)
            self.assertTrue(wizard.line_ids)
            for line in wizard.line_ids:
                with self.subTest(filters=filters, role=line.account_role):
                    entries = self.open(line.action_value_entries())
                    self.assertEqual(
                        self.role_amount(entries, line.account_role),
                        self.currency.round(line.value_entry_amount),
                    )
                    rows = self.rows(wizard, line, "value_entry_amount")
                    self.assertEqual(set(entries), set(rows.value_entry_id))

    def role_amount(self, entries, role):
        """Return what value entries post to a role, by the table of roles."""
        total = 0.0
        for entry in entries:
            for rule in RULES:
                types = (
                    entry.item_ledger_entry_type or None,
                    entry.entry_type,
                    entry.variance_type or None,
                )
                if rule[:3] != types:
                    continue
                kind = "expected" if rule.expected else "actual"
                second = COUNTER_ACCOUNT if entry.counter_account else rule.role2
                sign = (rule.role1 == role) - (second == role)
                total += sign * entry[f"cost_amount_{kind}"]
        return self.currency.round(total)

    def rows(self, wizard, line, measure):
        """Return the rows of a line with an amount."""
        return self.report.search(
            wizard._domain()
            & Domain("account_role", "=", line.account_role)
            & Domain(measure, "!=", 0)
        )

    def test_journal_items_behind_each_figure(self):
        self.plant()
        for filters in (
            {},
            {"date_from": FEBRUARY, "date_to": FEBRUARY},
            {"date_from": MARCH},
            {"product_ids": self.average.ids},
            {"cost_location_ids": self.place.ids},
        ):
            wizard = self.screen(**filters)
            for line in wizard.line_ids:
                with self.subTest(filters=filters, role=line.account_role):
                    action = line.action_journal_items()
                    measure = (
                        "balance"
                        if action["res_model"] == "account.move.line"
                        else "gl_amount"
                    )
                    self.assertEqual(
                        self.currency.round(sum(self.open(action).mapped(measure))),
                        self.currency.round(line.gl_amount),
                    )

    def test_journal_items_are_listed_as_such_where_the_account_tells(self):
        wizard = self.screen()
        models = {
            line.account_role: line.action_journal_items()["res_model"]
            for line in wizard.line_ids
        }
        self.assertEqual(models["inventory"], "account.move.line")
        self.assertEqual(models[COUNTER_ACCOUNT], "inventory.gl.reconciliation")
        self.inventory_setup.wip_account_id = self.accounts["inventory"]
        action = self.line(self.screen(), "inventory").action_journal_items()
        self.assertEqual(action["res_model"], "inventory.gl.reconciliation")

    def test_records_behind_each_difference(self):
        self.plant()
        wizard = self.screen()
        for line in wizard.line_ids:
            with self.subTest(role=line.account_role):
                rows = self.open(line.action_difference())
                self.assertNotIn("reconciled", rows.mapped("cause"))
                for measure in ("difference", *CAUSES, "unexplained"):
                    self.assertEqual(
                        self.currency.round(sum(rows.mapped(measure))),
                        self.currency.round(line[measure]),
                    )

    def test_rows_of_different_records_never_share_an_id(self):
        """Value entries, links and journal items each have numbers of their own."""
        self.plant()
        remainders = {}
        for row in self.report.search([("company_id", "=", self.company.id)]):
            kind = bool(row.value_entry_id), bool(row.move_line_id)
            remainders.setdefault(kind, set()).add(row.id % 16)
        self.assertEqual(len(remainders), 3)
        used = [remainder for of_kind in remainders.values() for remainder in of_kind]
        self.assertEqual(len(used), len(set(used)), remainders)

    def test_unexplained_records(self):
        self.plant()
        rows = self.open(self.screen().action_unexplained())
        self.assertEqual(len(rows), 2)
        self.assertEqual(
            set(rows.mapped("account_role")), {"inventory", "inventory_adjustment"}
        )
        self.assertEqual(rows.value_entry_id.cost_amount_actual, -6.06)

    def test_rows_open_their_records(self):
        rows = self.report.search([("value_entry_id", "=", self.work.id)])
        action = rows[0].action_open_value_entry()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("stock.value.entry", self.work.id)
        )
        posting = rows.filtered("move_line_id")[0]
        action = posting.action_open_journal_entry()
        self.assertEqual(action["res_model"], "account.move")
        self.assertEqual(action["res_id"], posting.move_line_id.move_id.id)

    def test_analysis_keeps_the_filters(self):
        wizard = self.screen(date_from=MARCH)
        action = wizard.action_analyze()
        self.assertEqual(action["views"][0][1], "pivot")
        self.assertEqual(set(self.open(action).value_entry_id), {self.charge})

    def test_entries_without_a_role_can_be_opened(self):
        entry = self.enqueue(
            self.record("consumption", MARCH, expected=-4.44), "expected"
        )
        wizard = self.screen()
        action = self.line(wizard, NO_ROLE).action_value_entries()
        self.assertEqual(self.open(action), entry)

    # -- Access -----------------------------------------------------------------------

    def test_user_of_the_group_reads_and_nobody_else(self):
        report = self.report.with_user(self.accountant)
        self.assertTrue(report._summary(self.company).reconciled)
        wizard = self.env["inventory.gl.reconciliation.wizard"]
        shown = wizard.with_user(self.accountant).create({})
        shown.action_show()
        self.assertTrue(shown.line_ids)
        stranger = self.make_user("stranger", "base.group_user")
        with self.assertRaises(AccessError):
            self.report.with_user(stranger).search([])
        with self.assertRaises(AccessError):
            wizard.with_user(stranger).create({})

    def test_rows_are_never_written(self):
        row = self.report.search([("company_id", "=", self.company.id)], limit=1)
        for user in (
            self.accountant,
            self.make_user("boss", "inventory_cost_gl.group_manager"),
        ):
            with self.assertRaises(AccessError):
                row.with_user(user).write({"cause": "reconciled"})
            with self.assertRaises(AccessError):
                row.with_user(user).unlink()

    def test_other_companies_are_out_of_reach(self):
        other = self.make_company("Other Company")
        self.enqueue(self.record("purchase", MARCH, actual=99.0, company=other))
        report = self.report.with_user(self.accountant)
        self.assertFalse(report.search([("company_id", "=", other.id)]))
        self.assertEqual(report._summary(other).lines, [])
        with self.assertRaisesRegex(UserError, "Other Company"):
            self.screen(company_id=other.id)

    # -- PDF --------------------------------------------------------------------------

    def render(self, wizard):
        """Return the PDF's HTML."""
        html, _kind = self.env["ir.actions.report"]._render_qweb_html(
            "inventory_cost_gl.report_inventory_gl_reconciliation", wizard.ids
        )
        return html.decode()

    def test_pdf_of_ledgers_that_agree(self):
        wizard = self.screen()
        html = self.render(wizard)
        for text in (
            "Inventory Cost Company",
            "All dates",
            "Reconciled.",
            "Direct Cost Applied",
            "-\ufeff115.71",
            "69.79",
        ):
            self.assertIn(text, html)
        self.assertNotIn("Posted on Another Date", html)
        self.assertEqual(wizard.action_print()["type"], "ir.actions.report")

    def test_pdf_states_what_is_unexplained(self):
        self.plant()
        wizard = self.screen(date_from=FEBRUARY, product_ids=self.fifo.ids)
        html = self.render(wizard)
        self.assertIn("Unexplained:", html)
        self.assertNotIn("fully explained", html)
        self.assertIn("02/10/2026", html)
        self.assertIn(self.fifo.display_name, html)
        self.assertIn("What to do", html)
        self.assertIn("name no product", html)

    def test_pdf_states_that_all_is_explained(self):
        self.by_hand(MARCH, ("inventory", 11.11))
        html = self.render(self.screen())
        self.assertIn("fully explained", html)
        self.assertIn("11.11", html)

    def test_matrix_columns_add_up_to_zero(self):
        """Business Central's control: what offsets a stock account, and the account."""
        self.post(self.record("consumption", MARCH, actual=-15.0, order_id=7))
        self.post(self.record("output", MARCH, expected=21.0, order_id=7))
        self.post(self.record("purchase", MARCH, expected=8.0))
        matrix = self.summary().matrix()
        self.assertEqual(
            [column.account_role for column in matrix.columns],
            ["inventory", "inventory_interim", "wip"],
        )
        for place, column in enumerate(matrix.columns):
            offset = sum(row.cells[place] for row in matrix.rows)
            self.assertAlmostEqual(offset + column.value_entry_amount, 0.0, 2)
        cells = {row.name: row.cells for row in matrix.rows}
        self.assertEqual(cells["Direct Cost Applied"], [-103.37, 0.0, -12.34])
        self.assertEqual(cells["Inventory ↔ WIP"], [15.0, 0.0, -15.0])
        self.assertEqual(cells["Inventory (Interim) ↔ WIP"], [0.0, -21.0, 21.0])
        self.assertEqual(cells["Inventory Accrual (Interim)"], [0.0, -8.0, 0.0])
        self.assertIn("Inventory ↔ WIP", self.render(self.screen()))
