from odoo import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .common import InventoryCostCommon

LOGGER = "odoo.addons.inventory_cost_gl.models.inventory_cost_integrity"


@tagged("post_install", "-at_install")
class TestIntegrity(InventoryCostCommon):
    """The nightly checks: silent on clean ledgers, each fires on its own defect."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fill_ledgers()

    @classmethod
    def fill_ledgers(cls):
        """A month of everything: so that silence means something."""
        self = cls()
        self.receipts, self.deliveries = {}, {}
        for product in (cls.fifo, cls.average, cls.standard, cls.lifo):
            order = self.buy(product, 10, 11.0, date="2026-01-05")
            self.receipts[product] = self.receive(order, 6, date="2026-01-05")
            self.receive(order, 4, date="2026-01-06")
            self.bill(order, 6, 12.0, date="2026-01-07")
            sale = self.sell(product, 5, date="2026-01-08")
            self.deliveries[product] = self.deliver(sale, date="2026-01-08")
            self.invoice(sale, 3, date="2026-01-09")
            self.transfer(product, 2, date="2026-01-10")
            self.give_back(self.deliveries[product], 1, date="2026-01-11")
            self.count(product, 3, date="2026-01-12")
            self.scrap(product, 1, date="2026-01-13")
        cls.receipts, cls.deliveries = self.receipts, self.deliveries
        cls.lots = cls.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = {self.make_lot(cls.lots, "A"): 2.0, self.make_lot(cls.lots, "B"): 3.0}
        self.receive(self.buy(cls.lots, 5, 10.0), lots=lots)
        # Sold out before it came: everything is applied and nothing is left.
        cls.gone = cls.make_product("average")
        self.deliver(self.sell(cls.gone, 3, date="2026-01-03"), date="2026-01-03")
        self.receive(self.buy(cls.gone, 3, 10.01, date="2026-01-05"), date="2026-01-05")
        cls.env["inventory.cost.post"].create({"mode": "post"}).action_run()
        cls.env.flush_all()

    def problems(self):
        return self.env["stock.cost.item"]._check_integrity(self.company)

    def defects(self):
        """Return the problems but those of the interim accounts.

        A changed link or value entry is missing there too: ``test_integrity_interim``.
        """
        return [problem for problem in self.problems() if problem[0] != "interim"]

    def assertFires(self, check, record, *words):
        """Exactly one problem: of this check, about this record, saying these words."""
        problems = self.defects()
        self.assertEqual(
            [(name, found) for name, found, _message in problems], [(check, record)]
        )
        for word in words:
            self.assertIn(word, problems[0][2])

    def corrupt(self, model, query, *args):
        """Change rows behind everybody's back, the trigger lifted."""
        self.env.cr.execute(
            "SELECT set_config('inventory_cost_gl.migration', %s, true)",
            [self.env[model]._table],
        )
        self.env.flush_all()
        self.env.cr.execute(SQL(query, *args))
        self.assertTrue(self.env.cr.rowcount, "nothing was corrupted")
        self.env.invalidate_all()

    # -- Silence -------------------------------------------------------------------

    def test_clean_ledgers_raise_nothing(self):
        self.assertTrue(self.env["stock.cost.application"].search_count([]))
        self.assertTrue(self.env["stock.value.entry.link"].search_count([]))
        self.assertEqual(self.problems(), [])

    def test_what_waits_for_a_worker_is_no_problem(self):
        charge = self.env["stock.value.entry"]._append(
            [
                {
                    "ledger_entry_id": self.ledger_entries(self.receipts[self.fifo]).id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 4.0,
                    "posting_date": "2026-01-20",
                    "source_model": "stock.move",
                    "source_id": 1,
                }
            ]
        )
        self.env["stock.cost.queue"]._enqueue(charge, counted=False)
        self.assertEqual(self.problems(), [])
        self.env["stock.cost.item"]._adjust_queued(self.company)
        self.assertEqual(self.problems(), [])

    def test_goods_of_others_are_not_counted(self):
        owner = self.env["res.partner"].create({"name": "Owner"})
        self.env["stock.quant"]._update_available_quantity(
            self.fifo, self.warehouse.lot_stock_id, 5.0, owner_id=owner
        )
        self.assertEqual(self.problems(), [])

    def test_products_not_managed_are_not_checked(self):
        category = self.env["product.category"].create({"name": "Periodic"})
        category.property_valuation = "periodic"
        product = self.make_product("fifo", categ_id=category.id)
        self.count(product, 5)
        self.assertEqual(self.problems(), [])

    def test_a_reversed_run_still_adds_up(self):
        run = self.env["inventory.cost.run"].search(
            [("company_id", "=", self.company.id), ("kind", "=", "post")], limit=1
        )
        self.assertTrue(run.journal_entry_ids)
        run._reverse(run.journal_entry_ids[:1].date)
        self.assertEqual(self.problems(), [])
        self.env["inventory.cost.post"].create({"mode": "post"}).action_run()
        self.assertEqual(self.problems(), [])

    # -- Balances ------------------------------------------------------------------

    def balance(self, product):
        return self.env["stock.cost.balance"].search(
            [
                ("product_id", "=", product.id),
                ("cost_location_id", "=", self.warehouse.view_location_id.id),
            ]
        )

    def test_a_balance_that_differs(self):
        for column, amount in (
            ("quantity", 1),
            ("value_actual", 0.01),
            ("value_expected", -0.01),
        ):
            with self.subTest(column=column), self.env.cr.savepoint():
                self.corrupt(
                    "stock.cost.balance",
                    "UPDATE stock_cost_balance SET %s = %s + %s WHERE id = %s",
                    SQL.identifier(column),
                    SQL.identifier(column),
                    amount,
                    self.balance(self.fifo).id,
                )
                self.assertFires("balances", self.fifo, self.fifo.display_name)
                self.corrupt(
                    "stock.cost.balance",
                    "UPDATE stock_cost_balance SET %s = %s - %s WHERE id = %s",
                    SQL.identifier(column),
                    SQL.identifier(column),
                    amount,
                    self.balance(self.fifo).id,
                )
            self.assertEqual(self.problems(), [])

    def test_a_balance_that_is_missing(self):
        self.corrupt(
            "stock.cost.balance",
            "DELETE FROM stock_cost_balance WHERE id = %s",
            self.balance(self.average).id,
        )
        self.assertFires("balances", self.average, "is 0")

    def test_a_value_entry_counted_twice(self):
        self.corrupt(
            "stock.value.entry",
            "UPDATE stock_value_entry SET cost_amount_actual = cost_amount_actual * 2 "
            "WHERE id = %s",
            self.entries(self.receipts[self.lifo])
            .filtered(lambda value: value.cost_amount_actual)[0]
            .id,
        )
        self.assertFires("balances", self.lifo)

    # -- Quantities ----------------------------------------------------------------

    def test_quants_that_differ_from_the_ledger(self):
        self.env["stock.quant"]._update_available_quantity(
            self.standard, self.warehouse.lot_stock_id, 2.0
        )
        self.assertFires("quantities", self.standard)

    def test_quants_in_the_wrong_place(self):
        Quant = self.env["stock.quant"]
        stock, other = self.warehouse.lot_stock_id, self.warehouse_2.lot_stock_id
        Quant._update_available_quantity(self.standard, stock, -1.0)
        Quant._update_available_quantity(self.standard, other, 1.0)
        problems = self.problems()
        self.assertEqual(
            [problem[:2] for problem in problems],
            [("quantities", self.standard)] * 2,
            "one for each cost location",
        )

    def test_quants_of_the_wrong_lot(self):
        Quant = self.env["stock.quant"]
        lots = self.env["stock.lot"].search([("product_id", "=", self.lots.id)])
        for lot, quantity in zip(lots, (1.0, -1.0), strict=True):
            Quant._update_available_quantity(
                self.lots, self.warehouse.lot_stock_id, quantity, lot_id=lot
            )
        self.assertEqual(
            [problem[:2] for problem in self.problems()],
            [("quantities", self.lots)] * 2,
        )

    # -- Applications --------------------------------------------------------------

    def application(self, product):
        return self.env["stock.cost.application"].search(
            [
                (
                    "outbound_entry_id",
                    "in",
                    self.ledger_entries(self.deliveries[product]).ids,
                )
            ],
            limit=1,
        )

    def test_applied_beyond_the_quantity(self):
        application = self.application(self.fifo)
        self.corrupt(
            "stock.cost.application",
            "UPDATE stock_cost_application SET quantity = quantity + 1 WHERE id = %s",
            application.id,
        )
        problems = self.problems()
        self.assertEqual(
            sorted((name, entry.id) for name, entry, _message in problems),
            sorted(
                ("applications", entry.id)
                for entry in (
                    application.inbound_entry_id | application.outbound_entry_id
                )
            ),
            "the increase and the decrease",
        )

    def test_an_application_lost(self):
        application = self.application(self.average)
        entries = application.inbound_entry_id | application.outbound_entry_id
        self.corrupt(
            "stock.cost.application",
            "DELETE FROM stock_cost_application WHERE id = %s",
            application.id,
        )
        self.assertEqual(
            {entry for _name, entry, _message in self.problems()}, set(entries)
        )

    def test_a_remaining_quantity_that_differs(self):
        entry = self.ledger_entries(self.deliveries[self.fifo])
        self.corrupt(
            "stock.ledger.entry",
            "UPDATE stock_ledger_entry SET remaining_quantity = -1, open = true "
            "WHERE id = %s",
            entry.id,
        )
        self.assertFires("applications", entry, str(entry.id))

    # -- Values --------------------------------------------------------------------

    def test_value_left_without_stock(self):
        """The value entries and the balance agree, yet sold-out goods have a value."""
        entry = self.entries(self.moves(self.gone))[0]
        self.corrupt(
            "stock.value.entry",
            "UPDATE stock_value_entry SET cost_amount_actual = "
            "cost_amount_actual + 0.03 WHERE id = %s",
            entry.id,
        )
        self.corrupt(
            "stock.cost.balance",
            "UPDATE stock_cost_balance SET value_actual = value_actual + 0.03 "
            "WHERE product_id = %s",
            self.gone.id,
        )
        self.assertFires("emptied", self.gone, "0.03")
        # While something is queued it is not known yet.
        self.env["stock.cost.queue"]._enqueue(entry, counted=True)
        self.assertEqual(self.problems(), [])

    def test_value_left_at_one_location_and_missing_at_another(self):
        """The product as a whole has stock, and its value adds up."""
        product = self.make_product("fifo")
        order = self.buy(product, 5, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.transfer(product, 5, date="2026-01-06")
        self.assertEqual(self.problems(), [])
        emptied = self.balance(product)
        self.assertEqual(emptied.quantity, 0.0)
        moved = self.env["stock.cost.balance"].search(
            [("product_id", "=", product.id), ("id", "!=", emptied.id)]
        )
        for balance, amount in ((emptied, 0.02), (moved, -0.02)):
            value = self.env["stock.value.entry"].search(
                [
                    ("product_id", "=", product.id),
                    ("cost_location_id", "=", balance.cost_location_id.id),
                ],
                limit=1,
            )
            self.corrupt(
                "stock.value.entry",
                "UPDATE stock_value_entry SET cost_amount_actual = "
                "cost_amount_actual + %s WHERE id = %s",
                amount,
                value.id,
            )
            self.corrupt(
                "stock.cost.balance",
                "UPDATE stock_cost_balance SET value_actual = value_actual + %s "
                "WHERE id = %s",
                amount,
                balance.id,
            )
        self.assertFires(
            "emptied", product, "0.02", self.warehouse.view_location_id.complete_name
        )

    def test_averages_over_all_locations_may_leave_value_at_one(self):
        """Each warehouse's deliveries take the average of both."""
        product = self.make_product("average")
        for warehouse, cost in ((self.warehouse, 10.0), (self.warehouse_2, 20.0)):
            order = self.buy(product, 5, cost, date="2026-01-05", warehouse=warehouse)
            self.receive(order, date="2026-01-05")
        self.deliver(self.sell(product, 5, date="2026-01-06"), date="2026-01-06")
        balance = self.balance(product)
        self.assertEqual((balance.quantity, balance.value_expected), (0.0, -25.0))
        self.assertEqual(self.problems(), [])
        self.assertNotIn(
            product.id,
            self.env["stock.cost.item"]._averaged_over_locations(
                self.company, self.fifo
            ),
        )

    # -- Loops -------------------------------------------------------------------------

    def loop(self):
        """Make a delivery take the cost of what came back from it; return both."""
        delivery = self.ledger_entries(self.deliveries[self.fifo])
        returned = self.env["stock.ledger.entry"].search(
            [("applies_from_entry_id", "=", delivery.id)], limit=1
        )
        self.corrupt(
            "stock.cost.application",
            "INSERT INTO stock_cost_application (company_id, inbound_entry_id, "
            "outbound_entry_id, quantity, cost_follows, recorded_at) "
            "VALUES (%s, %s, %s, 1, true, now())",
            self.company.id,
            returned.id,
            delivery.id,
        )
        return delivery, returned

    def test_cost_that_depends_on_itself(self):
        delivery, _returned = self.loop()
        problems = [problem for problem in self.problems() if problem[0] == "loops"]
        self.assertEqual([problem[1] for problem in problems], [delivery])
        self.assertIn(self.fifo.display_name, problems[0][2])
        self.assertIn(f"#{delivery.id}", problems[0][2])

    def test_a_loop_ends_with_a_report_on_the_run(self):
        """Adjusting neither hangs nor fails: the product is left out, with the path."""
        delivery, returned = self.loop()
        queue = self.env["stock.cost.queue"]
        for product in (self.fifo, self.lifo):
            queue._enqueue(self.entries(self.receipts[product])[:1], counted=True)
        action = self.env["inventory.cost.adjust"].create({}).action_adjust()
        run = self.env["inventory.cost.run"].browse(action["res_id"])
        self.assertRecordValues(run, [{"state": "done", "skipped_count": 1}])
        self.assertEqual(run.line_ids.product_id, self.fifo)
        for entry in (delivery, returned):
            self.assertIn(f"#{entry.id}", run.line_ids.reason)
        self.assertFalse(queue.search([("product_id", "=", self.lifo.id)]))

    def test_expected_cost_left_when_all_is_invoiced(self):
        receipt = self.receipts[self.fifo]
        entry = self.ledger_entries(receipt)
        self.assertEqual(entry.invoiced_quantity, entry.quantity)
        first = self.entries(receipt)[0]
        self.assertTrue(first.cost_amount_expected)
        self.corrupt(
            "stock.value.entry",
            "UPDATE stock_value_entry SET cost_amount_expected = "
            "cost_amount_expected - 1, cost_amount_actual = cost_amount_actual + 1 "
            "WHERE id = %s",
            first.id,
        )
        self.corrupt(
            "stock.cost.balance",
            "UPDATE stock_cost_balance SET value_expected = value_expected - 1, "
            "value_actual = value_actual + 1 WHERE id = %s",
            self.balance(self.fifo).id,
        )
        self.assertFires("expected", entry, "-1")

    # -- Keys ----------------------------------------------------------------------

    def value_of_delivery(self):
        return self.env["stock.value.entry"].search(
            [
                ("source_model", "=", "stock.move"),
                ("source_id", "in", self.deliveries[self.fifo].move_ids.ids),
            ],
            limit=1,
        )

    def test_a_value_entry_of_another_product(self):
        value = self.value_of_delivery()
        self.corrupt(
            "stock.value.entry",
            "UPDATE stock_value_entry SET product_id = %s WHERE id = %s",
            self.average.id,
            value.id,
        )
        found = {problem[:2]: problem[2] for problem in self.problems()}
        self.assertIn(str(self.average.id), found["keys", value])
        self.assertIn(str(self.fifo.id), found["keys", value])

    def test_a_value_entry_of_nothing(self):
        value = self.value_of_delivery()
        self.corrupt(
            "stock.value.entry",
            "UPDATE stock_value_entry SET ledger_entry_id = -1 WHERE id = %s",
            value.id,
        )
        self.assertIn(("keys", value), [problem[:2] for problem in self.problems()])

    def test_an_adjustment_whose_cause_is_gone(self):
        value = self.env["stock.value.entry"].search(
            [("company_id", "=", self.company.id), ("adjustment", "=", True)], limit=1
        )
        for column in ("cause_value_entry_id", "applies_to_value_entry_id"):
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                self.corrupt(
                    "stock.value.entry",
                    "UPDATE stock_value_entry SET %s = -1 WHERE id = %s",
                    SQL.identifier(column),
                    value.id,
                )
                self.assertFires("keys", value)
                savepoint.rollback()

    def assertNamed(self, record, *columns):
        """Check that each column is missed when it names nothing."""
        for column in columns:
            with self.subTest(column=column), self.env.cr.savepoint() as savepoint:
                self.corrupt(
                    record._name,
                    "UPDATE %s SET %s = -1 WHERE id = %s",
                    SQL.identifier(record._table),
                    SQL.identifier(column),
                    record.id,
                )
                found = [problem[:2] for problem in self.problems()]
                self.assertIn(("keys", record), found)
                savepoint.rollback()

    def test_an_application_to_nothing(self):
        application = self.env["stock.cost.application"].search([], limit=1)
        self.assertNamed(application, "inbound_entry_id", "outbound_entry_id")

    def test_a_link_to_nothing(self):
        self.assertNamed(self.link(), "debit_line_id", "credit_line_id")

    # -- Links ---------------------------------------------------------------------

    def link(self):
        return self.env["stock.value.entry.link"].search(
            [("company_id", "=", self.company.id)], limit=1
        )

    def test_a_link_that_differs_from_its_journal_items(self):
        link = self.link()
        self.corrupt(
            "stock.value.entry.link",
            "UPDATE stock_value_entry_link SET amount = amount + 0.01 WHERE id = %s",
            link.id,
        )
        self.assertEqual(
            {problem[:2] for problem in self.defects()},
            {("links", link.debit_line_id), ("links", link.credit_line_id)},
        )

    def test_a_link_lost(self):
        link = self.link()
        lines = link.debit_line_id | link.credit_line_id
        self.corrupt(
            "stock.value.entry.link",
            "DELETE FROM stock_value_entry_link WHERE debit_line_id = %s",
            link.debit_line_id.id,
        )
        self.assertEqual(
            {problem[:2] for problem in self.defects()},
            {("links", line) for line in lines},
        )

    def test_a_journal_item_altered(self):
        line = self.link().debit_line_id
        self.corrupt(
            "account.move.line",
            "UPDATE account_move_line SET balance = balance + 5, debit = debit + 5 "
            "WHERE id = %s",
            line.id,
        )
        self.assertFires("links", line)

    def test_a_journal_entry_reset(self):
        move = self.link().debit_line_id.move_id
        self.corrupt(
            "account.move.line",
            "UPDATE account_move_line SET parent_state = 'draft' WHERE move_id = %s",
            move.id,
        )
        self.assertEqual(
            {problem[:2] for problem in self.defects()},
            {("links", line) for line in move.line_ids},
        )

    # -- Every night ---------------------------------------------------------------

    def test_the_scheduled_action_logs_and_asks_a_manager(self):
        manager = new_test_user(
            self.env,
            login="cost_manager",
            groups="base.group_user,inventory_cost_gl.group_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        cron = self.env.ref("inventory_cost_gl.ir_cron_check_integrity")
        activities = self.company.partner_id.activity_ids
        with self.assertNoLogs(LOGGER, "WARNING"):
            cron.method_direct_trigger()
        self.assertEqual(self.company.partner_id.activity_ids, activities)
        self.corrupt(
            "stock.cost.balance",
            "UPDATE stock_cost_balance SET quantity = quantity + 1 WHERE id = %s",
            self.balance(self.fifo).id,
        )
        for _night in range(2):
            with self.assertLogs(LOGGER, "WARNING") as logs:
                self.env["stock.cost.item"]._cron_check_integrity()
            self.assertEqual(len(logs.records), 1)
            self.assertIn(self.fifo.display_name, logs.output[0])
        self.company.partner_id.invalidate_recordset()
        activity = self.company.partner_id.activity_ids - activities
        self.assertEqual(len(activity), 1, "not one more every night")
        self.assertEqual(activity.user_id, manager)
        self.assertIn(self.fifo.display_name, str(activity.note))

    def test_another_companys_defects_are_its_own(self):
        other = self.make_company("Another Company")
        self.corrupt(
            "stock.cost.balance",
            "UPDATE stock_cost_balance SET quantity = quantity + 1 WHERE id = %s",
            self.balance(self.fifo).id,
        )
        self.assertEqual(self.env["stock.cost.item"]._check_integrity(other), [])
        self.assertTrue(self.problems())

    def test_as_many_queries_for_many_products(self):
        self.problems()
        with mute_logger(LOGGER):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self.problems()
            self.assertLessEqual(self.env.cr.sql_log_count - before, 12)
