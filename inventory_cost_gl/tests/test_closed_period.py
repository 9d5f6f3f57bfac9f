from psycopg2.errors import RestrictViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import InventoryCostCommon

LEDGERS = (
    "stock.ledger.entry",
    "stock.value.entry",
    "stock.cost.application",
    "stock.value.entry.link",
    "stock.cost.queue",
    "stock.cost.balance",
)


@tagged("post_install", "-at_install")
class TestClosedPeriod(InventoryCostCommon):
    """Nothing enters a closed period, whichever way it comes.

    January 2026 is closed; a receipt of 10 at 10.00 and a delivery of 4 lie in it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Who knows of stock and accounting, but not of inventory cost.
        cls.storekeeper = new_test_user(
            cls.env,
            login="storekeeper",
            groups="stock.group_stock_manager,account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.manager = new_test_user(
            cls.env,
            login="period_keeper",
            groups="base.group_user,inventory_cost_gl.group_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        self = cls()
        cls.order = self.buy(cls.fifo, 10, 10.0, date="2026-01-05")
        cls.receipt = self.receive(cls.order, date="2026-01-05")
        cls.sale = self.sell(cls.fifo, 4, date="2026-01-20")
        cls.delivery = self.deliver(cls.sale, date="2026-01-20")
        cls.period = cls.env["inventory.period"].create({"ending_date": "2026-01-31"})
        cls.period.action_close()

    def setUp(self):
        super().setUp()
        self.recorded = self.everything()

    def everything(self):
        """Return what the ledgers say: anything recorded would change it."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT (SELECT count(*) FROM stock_ledger_entry),"
            " (SELECT count(*) FROM stock_value_entry),"
            " (SELECT sum(cost_amount_actual + cost_amount_expected)"
            "    FROM stock_value_entry WHERE posting_date <= '2026-01-31')"
        )
        return self.env.cr.fetchone()

    def assertRefused(self, action, *words, error=UserError):
        """The action is refused in these words, and leaves the ledgers alone."""
        with (
            self.assertRaises(error) as refusal,
            self.env.cr.savepoint(),
            mute_logger("odoo.sql_db", "odoo.addons.base.models.ir_model"),
        ):
            action()
            self.env.flush_all()
        self.env.invalidate_all()
        for word in words:
            self.assertIn(word, str(refusal.exception))
        self.assertEqual(self.everything(), self.recorded)

    def call(self, records, method, *args, **kwargs):
        """Call a method as ``execute_kw`` does, as the storekeeper."""
        return call_kw(
            self.env[records._name].with_user(self.storekeeper),
            method,
            [records.ids, *args] if records else list(args),
            {**kwargs, "context": {"allowed_company_ids": self.company.ids}},
        )

    # -- Transfers -----------------------------------------------------------------

    def test_picking(self):
        order = self.buy(self.average, 5, 10.0, date="2026-02-02")
        receipt = order.picking_ids
        self.assertRefused(
            lambda: self.receive(order, date="2026-01-31"),
            receipt.name,
            "closed period",
            "ask an inventory cost manager",
        )
        self.assertNotEqual(receipt.state, "done")
        self.receive(order, date="2026-02-02")
        self.assertEqual(receipt.state, "done")

    def test_count_and_scrap(self):
        self.assertRefused(
            lambda: self.count(self.fifo, 8, date="2026-01-31"), "closed period"
        )
        self.assertRefused(
            lambda: self.scrap(self.fifo, 1, date="2026-01-31"), "closed period"
        )

    def test_transfer_between_warehouses(self):
        self.assertRefused(
            lambda: self.transfer(self.fifo, 1, date="2026-01-31"), "closed period"
        )

    def test_return(self):
        self.assertRefused(
            lambda: self.give_back(self.delivery, 1, date="2026-01-31"),
            "closed period",
        )

    def test_date_of_a_transfer_moved_in_or_out(self):
        later = self.receive(
            self.buy(self.fifo, 3, 10.0, date="2026-02-02"), date="2026-02-02"
        )
        self.recorded = self.everything()
        for picking, day in ((later, "2026-01-15"), (self.receipt, "2026-02-15")):
            with self.subTest(day=day):
                self.assertRefused(
                    lambda p=picking, d=day: p.write({"date_done": f"{d} 10:00:00"}),
                    picking.name,
                    "closed period",
                )
                self.assertRefused(
                    lambda p=picking, d=day: self.call(
                        p, "write", {"date_done": f"{d} 10:00:00"}
                    ),
                    picking.name,
                )
                self.assertRefused(
                    lambda p=picking, d=day: self.call(
                        p.move_ids, "write", {"date": f"{d} 10:00:00"}
                    ),
                    picking.name,
                )
        later.date_done = "2026-02-20 10:00:00"
        self.assertEqual(
            str(max(self.ledger_entries(later).mapped("posting_date"))), "2026-02-20"
        )

    def test_time_of_day_within_a_closed_period(self):
        self.receipt.date_done = "2026-01-05 15:00:00"
        self.assertEqual(self.everything(), self.recorded)

    def test_quantity_of_a_done_transfer(self):
        line = self.receipt.move_ids.move_line_ids
        self.assertRefused(
            lambda: self.call(line, "write", {"quantity": 12}),
            self.receipt.name,
            "closed period",
        )
        self.assertRefused(
            lambda: self.call(self.receipt.move_ids, "write", {"quantity": 12}),
            self.receipt.name,
        )
        self.assertRefused(
            lambda: self.call(
                line.browse(),
                "create",
                [
                    {
                        "move_id": line.move_id.id,
                        "product_id": self.fifo.id,
                        "quantity": 2,
                        "picked": True,
                        "location_id": line.location_id.id,
                        "location_dest_id": line.location_dest_id.id,
                    }
                ],
            ),
            self.receipt.name,
        )

    def test_done_move_created_by_rpc(self):
        """A move that is born done never was a document; its lines move stock."""
        move = self.receipt.move_ids
        values = {
            "product_id": self.fifo.id,
            "product_uom_qty": 2,
            "picked": True,
            "state": "done",
            "date": "2026-01-10 10:00:00",
            "location_id": move.location_id.id,
            "location_dest_id": move.location_dest_id.id,
            "move_line_ids": [
                Command.create(
                    {
                        "product_id": self.fifo.id,
                        "quantity": 2,
                        "picked": True,
                        "location_id": move.location_id.id,
                        "location_dest_id": move.location_dest_id.id,
                    }
                )
            ],
        }
        self.assertRefused(
            lambda: self.call(move.browse(), "create", [values]), "closed period"
        )

    # -- Values --------------------------------------------------------------------

    def test_revaluation(self):
        revaluation = self.env["inventory.revaluation"].create(
            {"date": "2026-01-31", "reason": "Year end", "product_ids": self.fifo.ids}
        )
        # What is completely billed can be revalued.
        self.period._reopen("Test")
        self.bill(self.order, date="2026-01-25")
        self.period.action_close()
        revaluation.action_calculate()
        revaluation.line_ids.unit_cost_revalued = 12.0
        revaluation.action_approve()
        self.recorded = self.everything()
        self.assertRefused(revaluation.action_post, revaluation.name, "closed period")
        self.assertEqual(revaluation.state, "approved")

    def test_cost_changed_while_today_is_closed(self):
        self.bill(self.order, date="2026-02-03")
        self.recorded = self.everything()
        with self.at("2026-01-31"):
            self.assertRefused(
                lambda: self.fifo.write({"standard_price": 15.0}), "closed period"
            )

    def test_price_of_the_order(self):
        """The expected cost is recorded anew, on the first open date."""
        with self.at("2026-01-31"):
            self.order.order_line.price_unit = 11.0
        added = self.entries(self.receipt)[-1]
        self.assertEqual(added.cost_amount_expected, 10.0)
        self.assertEqual(str(added.posting_date), "2026-02-01")
        self.assertEqual(self.everything()[2], self.recorded[2])

    # -- Bills and invoices --------------------------------------------------------

    def test_bill_goes_to_the_first_open_date_and_says_so(self):
        bill = self.bill(self.order, price=12.0, date="2026-01-25")
        self.assertEqual((bill.state, str(bill.date)), ("posted", "2026-01-25"))
        self.assertSaid(bill, "02/01/2026", "01/25/2026")
        self.assertEqual(self.everything()[2], self.recorded[2])
        self.assertEqual(self.cost(self.receipt), (0.0, 120.0))

    def test_invoice_and_credit_note(self):
        with self.at("2026-01-25"):
            invoice = self.invoice(self.sale, date="2026-01-25")
        self.assertSaid(invoice, "02/01/2026")
        credit = self.credit(invoice, date="2026-01-26")
        self.assertSaid(credit, "02/01/2026")
        self.assertEqual(self.everything()[2], self.recorded[2])

    def test_bill_of_the_closed_period_reset_and_deleted(self):
        self.period._reopen("Test")
        bill = self.bill(self.order, price=12.0, date="2026-01-25")
        self.period.action_close()
        before = self.everything()[2]
        messages = bill.message_ids
        bill.button_draft()
        self.assertSaid(bill, "02/01/2026", but=messages)
        self.assertEqual(self.everything()[2], before)
        bill.with_context(force_delete=True).unlink()
        self.assertEqual(self.everything()[2], before)
        self.assertEqual(self.cost(self.receipt), (100.0, 0.0))

    def test_bill_of_an_open_date_says_nothing(self):
        bill = self.bill(self.order, price=12.0, date="2026-02-25")
        self.assertNotIn("closed", str(bill.message_ids.mapped("body")))

    def assertSaid(self, document, *words, but=None):
        """The document's chatter says where its cost went."""
        messages = document.message_ids - (but or document.message_ids.browse())
        said = [body for body in messages.mapped("body") if "closed" in body]
        self.assertEqual(len(said), 1, messages.mapped("body"))
        for word in words:
            self.assertIn(word, said[0])

    # -- The ledgers themselves ----------------------------------------------------

    def test_ledgers_take_nothing_by_rpc_or_import(self):
        for user in (self.storekeeper, self.manager):
            for model in LEDGERS:
                with self.subTest(model=model, user=user.login):
                    records = self.env[model].with_user(user)
                    self.assertRefused(
                        lambda r=records: r.create({"company_id": self.company.id}),
                        error=AccessError,
                    )
                    result = records.load(["company_id/.id"], [[str(self.company.id)]])
                    self.assertFalse(result["ids"])
                    self.assertTrue(result["messages"])
        self.assertEqual(self.everything(), self.recorded)

    def test_ledgers_are_not_changed_by_rpc(self):
        entry = self.ledger_entries(self.receipt)
        for user in (self.storekeeper, self.manager):
            for records in (entry, entry.value_entry_ids):
                self.assertRefused(
                    lambda r=records, u=user: r.with_user(u).write(
                        {"posting_date": "2026-02-01"}
                    ),
                )

    def test_import_of_dates_and_quantities(self):
        move = self.receipt.move_ids.with_user(self.storekeeper)
        line = move.move_line_ids
        for records, column, value in (
            (move, "date", "2026-02-15 10:00:00"),
            (move.picking_id, "date_done", "2026-02-15 10:00:00"),
            (line, "quantity", "12"),
        ):
            with self.subTest(column=column):
                result = records.load([".id", column], [[str(records.id), value]])
                self.assertFalse(result["ids"])
                self.assertIn("closed period", str(result["messages"]))
                self.env.invalidate_all()
                self.assertEqual(self.everything(), self.recorded)

    @mute_logger("odoo.sql_db")
    def test_postgresql_refuses_what_no_document_brings(self):
        entry = self.ledger_entries(self.receipt)
        value = {
            "ledger_entry_id": entry.id,
            "entry_type": "direct_cost",
            "cost_amount_actual": 1.0,
            "source_model": "stock.move",
            "source_id": self.receipt.move_ids.id,
        }
        ledger = self.env["stock.value.entry"]
        self.assertRefused(
            lambda: ledger._append([{**value, "posting_date": "2026-01-31"}]),
            "stock_value_entry",
            "2026-01-31",
            "open the period again",
            error=RestrictViolation,
        )
        for table, column in (
            ("stock_ledger_entry", "stock_move_id"),
            ("stock_value_entry", "source_id"),
        ):
            columns = [
                field
                for field in self.env[table.replace("_", ".")]._fields.values()
                if field.store and field.column_type and field.name != "id"
            ]
            names = ", ".join(field.name for field in columns)
            self.assertRefused(
                lambda table=table, names=names, column=column: self.env.cr.execute(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} "
                    f"WHERE {column} = %s LIMIT 1",
                    [self.receipt.move_ids.id],
                ),
                "closed until 2026-01-31",
                error=RestrictViolation,
            )
        ledger._append([{**value, "posting_date": "2026-02-01"}])

    def test_another_company_is_open(self):
        other = self.make_company("Open Company")
        self.assertFalse(
            self.env["inventory.period"]._earliest_open_date(other), "no date is closed"
        )
        self.env["inventory.period"]._check_open(
            other, [(fields.Date.to_date("2026-01-10"), "X")]
        )

    # -- Odoo's own lock dates -----------------------------------------------------

    def test_lock_dates_count_as_closed(self):
        self.company.fiscalyear_lock_date = "2026-03-31"
        self.assertRefused(
            lambda: self.count(self.average, 5, date="2026-03-15"), "closed period"
        )
        self.assertEqual(
            str(self.env["inventory.period"]._earliest_open_date(self.company)),
            "2026-04-01",
        )


@tagged("post_install", "-at_install")
class TestPeriodTest(InventoryCostCommon):
    """Close Inventory Period – Test: one finding each, blocking or not, with a link."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.with_group("reader", "user")
        cls.keeper = cls.with_group("keeper", "manager")

    @classmethod
    def with_group(cls, login, group):
        return new_test_user(
            cls.env,
            login=login,
            groups=f"base.group_user,stock.group_stock_user,"
            f"inventory_cost_gl.group_{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def test(self, day="2026-01-31", user=None):
        """Return the test of a period, as the screen opens it."""
        tests = self.env["inventory.period.test"].with_user(user or self.user)
        action = tests._open(
            self.company.with_user(user or self.user), fields.Date.to_date(day)
        )
        return tests.browse(action["res_id"])

    def found(self, **values):
        """Return ``{kind: line}``."""
        return {line.kind: line for line in self.test(**values).line_ids}

    def receive_and_post(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-06")
        self.env["inventory.cost.post"].create({}).action_run()
        return order

    def test_nothing_to_do(self):
        self.receive_and_post()
        test = self.test()
        self.assertFalse(test.line_ids)
        self.assertFalse(test.blocked)
        self.assertTrue(test.tested_at)

    def test_not_adjusted_blocks(self):
        self.company.automatic_cost_adjustment = "never"
        self.receive(self.buy(self.fifo, 1, 10.0, date="2026-01-05"), date="2026-01-05")
        test = self.test()
        line = test.line_ids.filtered("blocks")
        self.assertEqual(line.kind, "not_adjusted")
        self.assertTrue(test.blocked)
        self.assertEqual((line.count, line.examples), (1, self.fifo.display_name))
        action = line.action_open()
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]), self.fifo
        )
        with self.assertRaisesRegex(UserError, "not adjusted"):
            self.close()
        self.env["inventory.cost.adjust"].create({}).action_adjust()
        self.assertFalse(self.test().blocked)
        with self.assertRaisesRegex(UserError, "This is done"):
            line.action_open()

    def close(self, day="2026-01-31"):
        period = self.env["inventory.period"].create({"ending_date": day})
        period.action_close()
        return period

    def test_without_supply_blocks(self):
        sale = self.sell(self.fifo, 5, date="2026-01-20")
        delivery = self.deliver(sale, date="2026-01-20")
        line = self.found()["without_supply"]
        self.assertTrue(line.blocks)
        self.assertIn(delivery.name, line.examples)
        self.assertIn("5 of Product fifo", line.examples)
        action = line.action_open()
        self.assertEqual(
            self.env[action["res_model"]].search(action["domain"]),
            self.ledger_entries(delivery),
        )
        self.assertNotIn("without_supply", self.found(day="2026-01-19"))

    def test_opposite_open_entries_block_until_they_are_counted(self):
        """-1 and +1 that are not applied to each other (rule h.6, last row)."""
        sale = self.sell(self.fifo, 1, date="2026-01-20")
        self.deliver(sale, date="2026-01-20")
        period = self.env["inventory.period"].create({"ending_date": "2026-01-31"})
        with self.assertRaisesRegex(UserError, "not in stock"):
            period.action_close()
        self.count(self.fifo, 0, date="2026-01-21")
        period.action_close()
        self.assertTrue(period.closed)

    def test_not_posted_and_not_reconciled_are_noted(self):
        self.receive(self.buy(self.fifo, 1, 10.0, date="2026-01-05"), date="2026-01-05")
        found = self.found()
        self.assertEqual(set(found), {"not_posted", "not_reconciled"})
        self.assertFalse(any(line.blocks for line in found.values()))
        self.assertEqual(found["not_posted"].count, 1)
        action = found["not_posted"].action_open()
        self.assertEqual(
            self.env[action["res_model"]].search_count(action["domain"]), 1
        )
        self.assertIn("10.00", found["not_reconciled"].examples)
        action = found["not_reconciled"].action_open()
        shown = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(str(shown.date_to), "2026-01-31")
        self.assertTrue(self.close().closed, "neither keeps it from closing")

    def test_what_nothing_explains_is_named(self):
        self.receive(self.buy(self.fifo, 1, 10.0, date="2026-01-05"), date="2026-01-05")
        self.assertNotIn("unexplained", self.found()["not_reconciled"].examples)
        self.env["stock.value.entry.queue"].search([]).sudo().unlink()
        examples = self.found()["not_reconciled"].examples
        self.assertIn("of which unexplained", examples)
        self.assertEqual(examples.count("10.00"), 4, "twice for both interim accounts")

    def test_drafts_are_noted(self):
        order = self.receive_and_post()
        bill = self.bill(order, quantity=1, date="2026-01-20", post=False)
        with self.at("2026-01-20"):
            revaluation = self.env["inventory.revaluation"].create(
                {"date": "2026-01-20", "reason": "x"}
            )
            waiting = self.buy(self.average, 1, 1.0).picking_ids
            waiting.scheduled_date = "2026-01-31 22:00:00"
        found = self.found()
        for kind, record in (
            ("draft_bills", bill),
            ("draft_revaluations", revaluation),
            ("waiting_transfers", waiting),
        ):
            with self.subTest(kind=kind):
                action = found[kind].action_open()
                self.assertEqual(
                    self.env[action["res_model"]].search(action["domain"]), record
                )
                self.assertFalse(found[kind].blocks)
        self.assertFalse(self.found(day="2026-01-15"))

    def test_only_a_few_examples(self):
        for _number in range(7):
            sale = self.sell(self.fifo, 1, date="2026-01-20")
            self.deliver(sale, date="2026-01-20")
        line = self.found()["without_supply"]
        self.assertEqual(line.count, 7)
        self.assertEqual(len(line.examples.splitlines()), 6)
        self.assertIn("and 2 more", line.examples)

    def test_screen_of_the_next_period(self):
        self.close("2026-01-31")
        self.env["inventory.period"].create(
            [{"ending_date": "2026-03-31"}, {"ending_date": "2026-02-28"}]
        )
        action = self.env["inventory.period.test"].with_user(self.user).action_open()
        form = Form(self.env["inventory.period.test"].browse(action["res_id"]))
        self.assertEqual(str(form.ending_date), "2026-02-28")
        form.ending_date = "2026-03-31"
        self.assertFalse(form.tested_at, "findings of another period are hidden")

    def test_print(self):
        self.company.automatic_cost_adjustment = "never"
        self.receive(self.buy(self.fifo, 1, 10.0, date="2026-01-05"), date="2026-01-05")
        test = self.test()
        action = test.action_print()
        self.assertEqual(action["type"], "ir.actions.report")
        html = self.env["ir.actions.report"]._render_qweb_html(
            action["report_name"], test.ids
        )[0]
        text = html.decode()
        for words in ("can't be closed", "not adjusted", "Run Adjust Cost", "Product"):
            self.assertIn(words, text.replace("&#39;", "'"))

    def test_another_company_is_not_tested(self):
        other = self.make_company("Other Company")
        with self.assertRaises(UserError):
            self.env["inventory.period.test"].with_user(self.user)._open(
                other.with_user(self.user), fields.Date.to_date("2026-01-31")
            )

    # -- Closing and re-opening -------------------------------------------------------

    def test_closing_is_recorded(self):
        self.receive_and_post()
        period = self.env["inventory.period"].create({"ending_date": "2026-01-31"})
        self.assertEqual(period.name, "January 2026")
        period.with_user(self.keeper).action_close()
        self.assertEqual(
            period.last_value_entry_id,
            self.env["stock.value.entry"].search(
                [("company_id", "=", self.company.id)], order="id desc", limit=1
            ),
        )
        self.assertTrue(period.closed_at)
        self.assertEqual(period.write_uid, self.keeper)

    def test_reopening_asks_why_and_tells_every_period(self):
        january, february = self.env["inventory.period"].create(
            [{"ending_date": "2026-01-31"}, {"ending_date": "2026-02-28"}]
        )
        february.action_close()
        action = january.with_user(self.keeper).action_reopen()
        wizards = self.env[action["res_model"]].with_user(self.keeper)
        wizard = wizards.with_context(**action["context"]).create({"reason": "  "})
        self.assertEqual(wizard.opened_names, "February 2026, January 2026")
        with self.assertRaisesRegex(UserError, "Say why"):
            wizard.action_reopen()
        wizard.reason = "A receipt was forgotten"
        wizard.action_reopen()
        for period in (january, february):
            self.assertFalse(period.closed)
            self.assertIn("A receipt was forgotten", period.message_ids[0].body)
            self.assertEqual(period.message_ids[0].author_id, self.keeper.partner_id)

    def test_only_managers_reopen(self):
        period = self.close()
        accountant = self.with_group("acc", "accountant")
        with self.assertRaises(AccessError):
            period.with_user(accountant).action_reopen()
        with self.assertRaises(AccessError):
            self.env["inventory.period.reopen"].with_user(accountant).create(
                {"period_id": period.id, "reason": "x"}
            )
        self.assertTrue(period.closed)

    def test_a_period_with_a_history_is_kept(self):
        period = self.close()
        period._reopen("Test")
        with self.assertRaisesRegex(UserError, "has been closed before"):
            period.unlink()
        with self.assertRaisesRegex(UserError, "button"):
            period.with_user(self.keeper).write({"closed_at": False})

    def test_the_test_takes_no_guard(self):
        """It only reads, so that it can't hold anybody up, however long it takes."""
        self.receive_and_post()
        guard = self.env["inventory.cost.guard"].search(
            [("company_id", "=", self.company.id)]
        )
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT xmax, version FROM inventory_cost_guard WHERE id = %s", [guard.id]
        )
        before = self.env.cr.fetchone()
        self.test()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT xmax, version FROM inventory_cost_guard WHERE id = %s", [guard.id]
        )
        self.assertEqual(self.env.cr.fetchone(), before)
