from itertools import combinations
from unittest.mock import patch

from odoo.tests import tagged

from ..posting.roles import RULES
from ..report.reconciliation_query import CAUSES
from ..report.reconciliation_roles import COUNTER_ACCOUNT, NO_ROLE
from .reconciliation_common import FEBRUARY, JANUARY, MARCH, ReconciliationCommon


@tagged("post_install", "-at_install")
class TestReconciliation(ReconciliationCommon):
    """What the two ledgers hold by account role, and why they differ."""

    # -- Ledgers that agree -----------------------------------------------------------

    def test_posted_ledgers_reconcile(self):
        summary = self.summary()
        self.assertTrue(summary.reconciled)
        self.assertTrue(summary.fully_explained)
        self.assertEqual(self.figures(summary), {})
        self.assert_adds_up(summary)
        self.assertEqual(
            {line.account_role: line.value_entry_amount for line in summary.lines},
            {
                "inventory": 69.79,  # 103.37 - 41.35 + 7.77
                "wip": 12.34,
                "cogs": 41.35,
                "direct_cost_applied": -115.71,  # -103.37 - 12.34
                COUNTER_ACCOUNT: -7.77,
            },
        )

    def test_gl_figures_are_the_balances_of_the_accounts(self):
        self.by_hand(MARCH, ("inventory", 3.33), ("wip", -1.11))
        summary = self.summary()
        for role in self.accounts:
            with self.subTest(role=role):
                self.assertEqual(summary.line(role).gl_amount, self.gl(role))

    def test_value_entry_figures_by_period(self):
        january = self.summary(date_to="2026-01-31")
        february = self.summary(date_from="2026-02-01", date_to="2026-02-28")
        self.assertTrue(january.reconciled)
        self.assertTrue(february.reconciled)
        self.assertEqual(january.line("inventory").value_entry_amount, 103.37)
        self.assertEqual(february.line("inventory").value_entry_amount, -41.35)
        self.assertEqual(february.line("inventory").gl_amount, -41.35)

    def test_the_first_and_last_day_belong_to_the_period(self):
        summary = self.summary(date_from=FEBRUARY, date_to=FEBRUARY)
        self.assertEqual(summary.line("wip").value_entry_amount, 12.34)
        self.assertEqual(self.summary(date_from="2026-03-11").lines, [])

    def test_nothing_recorded_is_reconciled(self):
        company = self.make_company("Empty Company")
        summary = self.report.with_company(company)._summary(company)
        self.assertEqual(summary.lines, [])
        self.assertTrue(summary.reconciled)

    def test_every_posting_rule_has_both_its_roles(self):
        """Each rule's amount stands under its two roles, debit and credit."""
        for number, rule in enumerate(RULES):
            kind = "expected" if rule.expected else "actual"
            with self.subTest(rule=rule), self.env.cr.savepoint() as savepoint:
                before = self.summary()
                entry = self.record(
                    rule.item_ledger_entry_type,
                    MARCH,
                    **{kind: 1.0 + number},
                    entry_type=rule.entry_type,
                    variance_type=rule.variance_type,
                    order_id=7,
                )
                self.post(entry)
                after = self.summary()
                self.assertTrue(after.reconciled)
                for role, sign in ((rule.role1, 1), (rule.role2, -1)):
                    self.assertAlmostEqual(
                        after.line(role).value_entry_amount
                        - before.line(role).value_entry_amount,
                        sign * (1.0 + number),
                    )
                savepoint.rollback()

    # -- Each cause alone -------------------------------------------------------------

    def test_each_defect_alone(self):
        for name, plant in self.defects().items():
            with self.subTest(defect=name), self.env.cr.savepoint() as savepoint:
                expected = plant()
                summary = self.summary()
                self.assertEqual(self.figures(summary), expected)
                self.assert_adds_up(summary)
                self.assertEqual(
                    summary.fully_explained,
                    not any(measure == "unexplained" for _role, measure in expected),
                )
                self.assertFalse(summary.reconciled)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_each_pair_of_defects(self):
        for (name, plant), (name_2, plant_2) in combinations(self.defects().items(), 2):
            with self.subTest(defects=(name, name_2)), self.env.cr.savepoint() as point:
                first, second = plant(), plant_2()
                expected = {
                    key: self.currency.round(first.get(key, 0.0) + second.get(key, 0.0))
                    for key in first | second
                }
                summary = self.summary()
                self.assertEqual(
                    self.figures(summary),
                    {key: amount for key, amount in expected.items() if amount},
                )
                self.assert_adds_up(summary)
                point.rollback()
            self.env.invalidate_all()

    def defects(self):
        """Return ``{name: function}``; each plants a defect and returns its figures."""
        return {
            "not posted yet": self.plant_not_posted,
            "expected cost not posted yet": self.plant_expected_not_posted_yet,
            "posted by hand": self.plant_by_hand,
            "posted by hand with a product": self.plant_by_hand_with_product,
            "lost from the queue": self.plant_lost_from_queue,
            "partly posted": self.plant_partly_posted,
            "journal item altered": self.plant_altered_amount,
            "linked entry not posted": self.plant_linked_draft,
            "journal item moved into a linked entry": self.plant_intruder,
            "journal item on another account": self.plant_other_account,
            "combination without a rule": self.plant_no_rule,
            "value entry altered": self.plant_altered_value_entry,
        }

    def plant_not_posted(self):
        self.enqueue(self.record("purchase", MARCH, actual=20.02))
        return {
            ("inventory", "not_posted"): -20.02,
            ("direct_cost_applied", "not_posted"): 20.02,
        }

    def plant_expected_not_posted_yet(self):
        self.enqueue(self.record("sale", MARCH, expected=-9.09), "expected")
        return {
            ("inventory_interim", "not_posted"): 9.09,
            ("cogs_interim", "not_posted"): -9.09,
        }

    def plant_by_hand(self):
        self.by_hand(MARCH, ("inventory", 11.11), ("cogs", -5.05))
        return {
            ("inventory", "posted_by_hand"): 11.11,
            ("cogs", "posted_by_hand"): -5.05,
        }

    def plant_by_hand_with_product(self):
        self.by_hand(FEBRUARY, ("inventory", -0.07), product_id=self.fifo.id)
        return {("inventory", "posted_by_hand"): -0.07}

    def plant_lost_from_queue(self):
        self.record("negative_adjustment", MARCH, actual=-6.06)
        return {
            ("inventory", "unexplained"): 6.06,
            ("inventory_adjustment", "unexplained"): -6.06,
        }

    def plant_partly_posted(self):
        entry = self.enqueue(self.record("purchase", MARCH, actual=30.0))
        self.post_amount(entry, "actual", 12.50)
        return {
            ("inventory", "not_posted"): -17.50,
            ("direct_cost_applied", "not_posted"): 17.50,
        }

    def plant_altered_amount(self):
        line = self.delivery.link_ids.credit_line_id
        self.sql(
            "UPDATE account_move_line SET balance = balance - 0.01 WHERE id = %s",
            line.id,
        )
        return {("inventory", "unexplained"): -0.01}

    def plant_linked_draft(self):
        move = self.work.link_ids.debit_line_id.move_id
        self.sql("UPDATE account_move SET state = 'draft' WHERE id = %s", move.id)
        self.sql(
            "UPDATE account_move_line SET parent_state = 'draft' WHERE move_id = %s",
            move.id,
        )
        return {
            ("wip", "unexplained"): -12.34,
            ("direct_cost_applied", "unexplained"): 12.34,
        }

    def plant_intruder(self):
        move = self.by_hand(JANUARY, ("overhead_applied", 2.22))
        self.sql(
            "UPDATE account_move_line SET move_id = %s WHERE move_id = %s",
            self.delivery.link_ids.debit_line_id.move_id.id,
            move.id,
        )
        return {("overhead_applied", "unexplained"): 2.22}

    def plant_other_account(self):
        self.sql(
            "UPDATE account_move_line SET account_id = %s WHERE id = %s",
            self.suspense.id,
            self.delivery.link_ids.debit_line_id.id,
        )
        return {("cogs", "posted_to_other_account"): -41.35}

    def plant_no_rule(self):
        self.enqueue(self.record("consumption", MARCH, expected=-4.44), "expected")
        return {(NO_ROLE, "not_posted"): 4.44}

    def plant_altered_value_entry(self):
        self.sql(
            "UPDATE stock_value_entry SET cost_amount_actual = 8.00 WHERE id = %s",
            self.charge.id,
        )
        return {
            ("inventory", "unexplained"): -0.23,
            (COUNTER_ACCOUNT, "unexplained"): 0.23,
        }

    # -- Defects that offset each other -----------------------------------------------

    def test_deleted_link_is_an_alarm_though_the_ledgers_agree(self):
        link = self.delivery.link_ids
        self.sql("DELETE FROM stock_value_entry_link WHERE id = %s", link.id)
        summary = self.summary()
        self.assertEqual(
            self.figures(summary),
            {
                ("inventory", "posted_by_hand"): -41.35,
                ("inventory", "unexplained"): 41.35,
                ("cogs", "posted_by_hand"): 41.35,
                ("cogs", "unexplained"): -41.35,
            },
        )
        self.assertFalse(summary.fully_explained)
        self.assertEqual(summary.alarm_count, 2)

    def test_altered_link_is_an_alarm_though_the_sums_agree(self):
        self.sql(
            "UPDATE stock_value_entry_link SET amount = 12.33 WHERE id = %s",
            self.work.link_ids.id,
        )
        summary = self.summary()
        self.assertEqual(self.figures(summary), {})
        self.assertEqual(summary.alarm_count, 4)
        self.assertFalse(summary.fully_explained)
        self.assertFalse(summary.reconciled)
        self.assert_adds_up(summary)

    def test_altered_and_altered_back_elsewhere(self):
        self.plant_altered_amount()
        self.sql(
            "UPDATE account_move_line SET balance = balance + 0.01 WHERE id = %s",
            self.bill.link_ids.filtered(
                lambda link: link.kind == "actual"
            ).debit_line_id.id,
        )
        summary = self.summary()
        self.assertEqual(summary.line("inventory").unexplained, 0.0)
        self.assertEqual(summary.line("inventory").alarm_count, 2)
        self.assertFalse(summary.fully_explained)

    # -- Expected cost not posted by setup --------------------------------------------

    def test_expected_cost_switched_off(self):
        self.company.expected_cost_posting = False
        self.record("purchase", MARCH, expected=30.03)
        summary = self.summary()
        self.assertEqual(
            self.figures(summary),
            {
                ("inventory_interim", "expected_not_posted"): -30.03,
                ("accrual_interim", "expected_not_posted"): 30.03,
            },
        )
        self.assertTrue(summary.fully_explained)
        self.assertIn(
            "Expected Cost Posting", " ".join(summary.line("accrual_interim").advice)
        )

    def test_actual_cost_is_never_excused_by_the_setup(self):
        self.company.expected_cost_posting = False
        self.record("purchase", MARCH, actual=30.03)
        self.assertEqual(self.summary().line("inventory").unexplained, -30.03)

    def test_expected_cost_in_the_queue_is_not_posted_yet(self):
        self.company.expected_cost_posting = False
        self.enqueue(self.record("purchase", MARCH, expected=30.03), "expected")
        line = self.summary().line("accrual_interim")
        self.assertEqual((line.not_posted, line.expected_not_posted), (30.03, 0.0))

    def test_expected_cost_from_before_it_was_switched_on(self):
        """Invoiced while the setting was off: it never has to be posted."""
        entry = self.record("purchase", JANUARY, expected=50.0)
        self.record(
            "purchase",
            FEBRUARY,
            expected=-50.0,
            ledger_entry_id=entry.ledger_entry_id.id,
        )
        self.assertEqual(self.figures(), {})
        january = self.summary(date_to="2026-01-31")
        self.assertEqual(january.line("inventory_interim").expected_not_posted, -50.0)
        self.assertTrue(january.fully_explained)

    def test_expected_cost_lost_while_switched_on(self):
        self.record("purchase", MARCH, expected=30.03)
        self.assertEqual(self.summary().line("inventory_interim").unexplained, -30.03)

    # -- Dates ------------------------------------------------------------------------

    def test_reversed_run_between_periods(self):
        """Reversed in March and queued again: January misses nothing but its cause."""
        self.post(self.delivery, date=MARCH, factor=-1)
        self.enqueue(self.delivery)
        self.assertEqual(
            self.figures(),
            {("inventory", "not_posted"): 41.35, ("cogs", "not_posted"): -41.35},
        )
        february = self.summary(date_from="2026-02-01", date_to="2026-02-28")
        self.assertEqual(february.line("cogs").difference, 0.0)
        self.assertEqual(
            self.figures(february),
            {
                ("inventory", "not_posted"): 41.35,
                ("inventory", "posted_on_other_date"): -41.35,
                ("cogs", "not_posted"): -41.35,
                ("cogs", "posted_on_other_date"): 41.35,
            },
        )
        march = self.summary(date_from="2026-03-01")
        self.assertEqual(march.line("cogs").difference, -41.35)
        self.assertEqual(march.line("cogs").posted_on_other_date, -41.35)
        for summary in (february, march):
            self.assert_adds_up(summary)
            self.assertTrue(summary.fully_explained)

    def test_reversed_and_posted_again(self):
        self.post(self.delivery, date=MARCH, factor=-1)
        self.post(self.delivery)
        self.assertEqual(self.figures(), {})
        self.assertEqual(self.summary().line("cogs").value_entry_amount, 41.35)

    def test_date_of_a_journal_entry_altered(self):
        line = self.bill.link_ids.filtered(
            lambda link: link.kind == "actual"
        ).debit_line_id
        self.sql(
            "UPDATE account_move_line SET date = '2026-04-01' WHERE move_id = %s",
            line.move_id.id,
        )
        self.assertEqual(self.figures(), {})
        april = self.summary(date_from="2026-04-01")
        self.assertEqual(
            self.figures(april),
            {
                ("inventory", "posted_on_other_date"): 103.37,
                ("direct_cost_applied", "posted_on_other_date"): -103.37,
            },
        )
        january = self.summary(date_to="2026-01-31")
        self.assertEqual(january.line("inventory").difference, -103.37)
        self.assertEqual(january.line("inventory").posted_on_other_date, -103.37)

    # -- Accounts ---------------------------------------------------------------------

    def test_setup_changed_since(self):
        new = self.make_account("New Inventory", "790300", account_type="asset_current")
        self.inventory_setup.inventory_account_id = new
        summary = self.summary()
        self.assertEqual(
            self.figures(summary), {("inventory", "posted_to_other_account"): -69.79}
        )
        self.assertTrue(summary.fully_explained)
        self.assertEqual(summary.line("inventory").gl_amount, 0.0)
        self.by_hand(MARCH, ("inventory", -69.79))
        self.journal_entry(MARCH, (new.id, 69.79), (self.suspense.id, -69.79))
        summary = self.summary()
        self.assertEqual(summary.line("inventory").difference, 0.0)
        self.assertEqual(summary.line("inventory").posted_by_hand, 69.79)
        self.assert_adds_up(summary)

    def test_account_that_changed_its_role(self):
        """An account counts with its whole balance, once, under the role it has now."""
        inventory = self.accounts["inventory"]
        new = self.make_account("New Inventory", "790300", account_type="asset_current")
        self.inventory_setup.write(
            {"inventory_account_id": new.id, "wip_account_id": inventory.id}
        )
        summary = self.summary()
        self.assertEqual(
            self.figures(summary),
            {
                ("inventory", "posted_to_other_account"): -69.79,
                ("wip", "posted_to_other_account"): 57.45,  # 69.79 - 12.34
            },
        )
        self.assertEqual(summary.line("wip").gl_amount, self.gl("inventory"))
        self.assert_adds_up(summary)

    def test_one_account_for_two_roles_counts_once(self):
        self.inventory_setup.wip_account_id = self.accounts["inventory"]
        self.by_hand(MARCH, ("inventory", 1.23))
        work = self.record(None, MARCH, actual=5.0, order_id=7)
        with patch.dict(self.accounts, wip=self.accounts["inventory"]):
            self.post(work)
        summary = self.summary()
        self.assertEqual(
            self.figures(summary),
            {
                ("inventory", "posted_by_hand"): 1.23,
                ("wip", "posted_to_other_account"): -12.34,
            },
        )
        self.assertEqual(summary.line("wip").gl_amount, 5.0)
        self.assertEqual(
            summary.line("wip").gl_amount + summary.line("inventory").gl_amount,
            self.gl("inventory"),
        )
        self.assertIn("several roles", " ".join(summary.notes))

    def test_archived_account_still_counts(self):
        self.accounts["cogs"].active = False
        summary = self.summary()
        self.assertTrue(summary.reconciled)
        self.assertEqual(summary.line("cogs").gl_amount, 41.35)

    def test_account_of_a_charge_counts_only_what_value_entries_post(self):
        self.journal_entry(MARCH, (self.freight.id, 7.77), (self.suspense.id, -7.77))
        summary = self.summary()
        self.assertEqual(summary.line(COUNTER_ACCOUNT).gl_amount, -7.77)
        self.assertTrue(summary.reconciled)

    def test_draft_and_cancelled_journal_entries_do_not_count(self):
        move = self.by_hand(MARCH, ("inventory", 5.0))
        move.button_draft()
        self.assertTrue(self.summary().reconciled)
        move.button_cancel()
        self.assertTrue(self.summary().reconciled)

    # -- Filters and groups -----------------------------------------------------------

    def test_product_category_and_location_filters(self):
        self.by_hand(MARCH, ("cogs", 3.0), product_id=self.average.id)
        self.by_hand(MARCH, ("cogs", 4.0))
        for filters, by_hand in (
            ({"products": self.average}, 3.0),
            ({"categories": self.average.categ_id}, 3.0),
            ({"products": self.fifo}, 0.0),
            ({"products": self.average, "cost_locations": self.place}, 0.0),
        ):
            with self.subTest(filters=filters):
                summary = self.summary(**filters)
                self.assert_adds_up(summary)
                self.assertTrue(summary.fully_explained)
                self.assertEqual(summary.line("cogs").posted_by_hand, by_hand)
                self.assertEqual(len(summary.notes), 1)
        here = self.summary(cost_locations=self.place)
        there = self.summary(cost_locations=self.place_2)
        self.assertEqual(here.line("cogs").gl_amount, 41.35)
        self.assertEqual(there.lines, [])

    def test_parent_category_includes_its_children(self):
        parent = self.env["product.category"].create({"name": "All Goods"})
        self.average.categ_id.parent_id = parent
        summary = self.summary(categories=parent)
        self.assertEqual(summary.line("cogs").value_entry_amount, 41.35)
        self.assertEqual(summary.line("wip").value_entry_amount, 0.0)

    def test_rows_group_by_any_dimension(self):
        """By product, location, category and month each group adds up by itself."""
        self.plant_not_posted()
        self.plant_altered_amount()
        self.post(self.work, date=MARCH, factor=-1)
        self.enqueue(self.work)
        measures = ["value_entry_amount", "gl_amount", "difference", *CAUSES]
        aggregates = [f"{name}:sum" for name in (*measures, "unexplained")]
        for dimension in (
            "product_id",
            "cost_location_id",
            "category_id",
            "date:month",
            "account_role",
        ):
            with self.subTest(dimension=dimension):
                groups = self.report._read_group(
                    [("company_id", "=", self.company.id)],
                    [dimension, "account_role"],
                    aggregates,
                )
                self.assertGreater(len(groups), 5)
                for _group, _role, entries, gl, difference, *causes in groups:
                    self.assertAlmostEqual(difference, gl - entries, 2)
                    self.assertAlmostEqual(difference, sum(causes), 2)

    def test_rows_have_ids_of_their_own(self):
        self.plant_other_account()
        self.post(self.work, date=MARCH, factor=-1)
        self.plant_by_hand()
        rows = self.report.search([("company_id", "=", self.company.id)])
        self.assertEqual(len(rows), len(set(rows.ids)))
        self.assertEqual(
            len(rows), self.report.search_count([("company_id", "=", self.company.id)])
        )
        reread = self.report.browse(rows.ids)
        self.assertEqual(reread.mapped("difference"), [row.difference for row in rows])

    def test_queries_do_not_grow_with_the_entries(self):
        self.report._summary(self.company)
        counts = []
        for _round in range(2):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.report._summary(self.company)
            counts.append(self.env.cr.sql_log_count - before)
            for _number in range(5):
                self.post(self.record("sale", MARCH, actual=-1.0))
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 10)

    # -- Companies --------------------------------------------------------------------

    def test_companies_do_not_mix(self):
        other = self.make_company("Other Company")
        self.enqueue(self.record("purchase", MARCH, actual=99.0, company=other))
        self.assertTrue(self.summary().reconciled)
        both = self.report.with_context(allowed_company_ids=[self.company.id, other.id])
        self.assertEqual(both._summary(other).line("inventory").not_posted, -99.0)
        self.assertTrue(both._summary(self.company).reconciled)
