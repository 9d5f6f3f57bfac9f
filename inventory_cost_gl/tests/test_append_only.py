from psycopg2.errors import RestrictViolation

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..hooks import uninstall_hook
from .common import InventoryCostCommon

LEDGERS = (
    "stock.ledger.entry",
    "stock.value.entry",
    "stock.cost.application",
    "stock.value.entry.link",
)
# What applications, valuation and merging partners change by rule.
CHANGING = {
    "stock.ledger.entry": {
        "remaining_quantity",
        "open",
        "valuation_date",
        "partner_id",
    },
}
# Tables an immutable table must not point to: their rows are deleted or merged.
DELETABLE = {
    "res_users",
    "res_partner",
    "account_account",
    "account_move",
    "account_move_line",
    "account_analytic_account",
    "purchase_order",
    "purchase_order_line",
    "sale_order",
    "sale_order_line",
}


@tagged("post_install", "-at_install")
class TestAppendOnly(InventoryCostCommon):
    """Nobody changes what is recorded: not by the client, not by code, not by SQL."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            name: new_test_user(
                cls.env,
                login=f"cost_{name}",
                groups=f"base.group_user,stock.group_stock_user,inventory_cost_gl.{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for name, group in (
                ("reader", "group_user"),
                ("accountant", "group_accountant"),
                ("manager", "group_manager"),
            )
        }
        cls.fill_ledgers()

    @classmethod
    def fill_ledgers(cls):
        """Buy, bill and sell, and post the cost: one row at least in each ledger."""
        self = cls()
        cls.order = self.buy(cls.fifo, 10, 10.0, date="2026-01-05")
        cls.receipt = self.receive(cls.order, date="2026-01-05")
        cls.bill_move = self.bill(cls.order, price=12.0, date="2026-01-06")
        cls.sale = self.sell(cls.fifo, 6, date="2026-01-07")
        cls.delivery = self.deliver(cls.sale, date="2026-01-07")
        cls.env["inventory.cost.post"].create({"mode": "post"}).action_run()
        cls.env.flush_all()
        cls.rows = {name: self.ledger_rows(name) for name in LEDGERS}
        for name in LEDGERS:
            if not cls.rows[name]:
                raise AssertionError(f"{name} is empty: the tests would prove nothing")

    def ledger_rows(self, name, without=()):
        """Return a ledger's rows of the company as the database holds them."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "SELECT to_jsonb(t) - %s::text[] FROM %s t WHERE company_id = %s "
                "ORDER BY id",
                list(without),
                SQL.identifier(self.env[name]._table),
                self.company.id,
            )
        )
        return [row for (row,) in self.env.cr.fetchall()]

    def one(self, name):
        """Return the first record of a ledger of the company."""
        return self.env[name].browse(self.rows[name][0]["id"])

    def assertUntouched(self, without=()):
        for name in LEDGERS:
            rows = [
                {key: value for key, value in row.items() if key not in without}
                for row in self.rows[name]
            ]
            found = self.ledger_rows(name, without)
            self.assertEqual(found[: len(rows)], rows, name)

    def execute(self, query, *args):
        """Run a query that must fail in a savepoint of its own."""
        with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False):
            self.env.cr.execute(SQL(query, *args))

    # -- SQL -----------------------------------------------------------------------

    def test_sql_update_of_any_column_is_refused(self):
        for name in LEDGERS:
            record = self.one(name)
            table = SQL.identifier(record._table)
            for field in record._fields.values():
                if not field.store or not field.column_type or field.name == "id":
                    continue
                column = SQL.identifier(field.name)
                with self.subTest(model=name, column=field.name):
                    change = SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s",
                        table,
                        column,
                        self.other_value(record, field),
                        record.id,
                    )
                    if field.name in CHANGING.get(name, ()):
                        continue
                    with (
                        self.assertRaises(RestrictViolation),
                        mute_logger("odoo.sql_db"),
                        self.env.cr.savepoint(flush=False),
                    ):
                        self.env.cr.execute(change)
        self.assertUntouched()

    def other_value(self, record, field):
        """Return SQL of a value that differs from the recorded one."""
        column = SQL.identifier(field.name)
        others = {
            "boolean": SQL("NOT COALESCE(%s, false)", column),
            "integer": SQL("COALESCE(%s, 0) + 1", column),
            "many2one": SQL("COALESCE(%s, 0) + 1", column),
            "many2one_reference": SQL("COALESCE(%s, 0) + 1", column),
            "float": SQL("COALESCE(%s, 0) + 1", column),
            "monetary": SQL("COALESCE(%s, 0) + 1", column),
            "char": SQL("COALESCE(%s, '') || 'x'", column),
            "selection": SQL("COALESCE(%s, '') || 'x'", column),
            "date": SQL("COALESCE(%s, '2000-01-01') + 1", column),
            "datetime": SQL("COALESCE(%s, now()) + interval '1 day'", column),
            "json": SQL("""COALESCE(%s, '{}') || '{"x": 1}'""", column),
        }
        return others[field.type]

    def test_sql_can_change_what_changes_by_rule(self):
        entry = self.ledger_entries(self.receipt)
        self.env.cr.execute(
            SQL(
                "UPDATE stock_ledger_entry SET remaining_quantity = 3, open = true, "
                "valuation_date = '2026-02-01', partner_id = NULL WHERE id = %s",
                entry.id,
            )
        )
        entry.invalidate_recordset()
        self.assertEqual(entry.remaining_quantity, 3.0)
        # A column that may change does not open the others.
        with self.assertRaises(RestrictViolation):
            self.execute(
                "UPDATE stock_ledger_entry SET partner_id = NULL, quantity = 11 "
                "WHERE id = %s",
                entry.id,
            )

    def test_sql_delete_and_truncate_are_refused(self):
        for name in LEDGERS:
            table = SQL.identifier(self.env[name]._table)
            for query in (
                SQL("DELETE FROM %s WHERE company_id = %s", table, self.company.id),
                SQL("DELETE FROM %s", table),
                SQL("TRUNCATE %s CASCADE", table),
            ):
                with self.subTest(query=query.code, model=name):
                    with self.assertRaises(RestrictViolation):
                        self.execute("%s", query)
        self.assertUntouched()

    def test_truncating_a_table_behind_it_is_refused(self):
        with self.assertRaises(RestrictViolation):
            self.execute("TRUNCATE stock_move CASCADE")
        self.assertUntouched()

    def test_every_ledger_has_its_triggers(self):
        self.env.cr.execute(
            "SELECT tgrelid::regclass::text, count(*) FROM pg_trigger "
            "WHERE tgname LIKE 'append_only_%' AND tgenabled = 'O' GROUP BY 1"
        )
        triggers = dict(self.env.cr.fetchall())
        ledgers = {
            model._table
            for model in map(self.env.get, self.env.registry)
            if isinstance(model, type(self.env["inventory.append.only.mixin"]))
            and not model._abstract
        }
        self.assertTrue({self.env[name]._table for name in LEDGERS} <= ledgers)
        self.assertEqual(triggers, dict.fromkeys(ledgers, 2))

    def test_lifting_is_logged_and_reaches_one_table(self):
        link, entry = self.one("stock.value.entry.link"), self.one("stock.value.entry")
        entry._lift_append_only("Test of the lift")
        self.env.cr.execute(
            SQL("UPDATE stock_value_entry SET source_ref = 'x' WHERE id = %s", entry.id)
        )
        with self.assertRaises(RestrictViolation):
            self.execute("DELETE FROM stock_value_entry_link WHERE id = %s", link.id)
        self.assertTrue(
            self.env["ir.logging"].search([("message", "like", "Test of the lift")])
        )

    # -- Foreign keys --------------------------------------------------------------

    def test_no_foreign_key_to_what_is_deleted_or_merged(self):
        self.env.cr.execute(
            """
            SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text,
                   c.confdeltype
            FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND c.conrelid::regclass::text IN %s
            """,
            [tuple(self.env[name]._table for name in LEDGERS)],
        )
        keys = {row[:3]: row[3] for row in self.env.cr.fetchall()}
        to_deletable = {key for key in keys if key[2] in DELETABLE}
        self.assertEqual(
            to_deletable, {("stock_ledger_entry", "partner_id", "res_partner")}
        )
        for key, on_delete in keys.items():
            expected = "n" if key[2] == "res_partner" else "r"
            self.assertEqual(on_delete, expected, key)

    def test_journal_items_with_links_are_never_deleted(self):
        link = self.one("stock.value.entry.link")
        for line in (link.debit_line_id, link.credit_line_id):
            for query, record in (
                ("DELETE FROM account_move_line WHERE id = %s", line),
                ("DELETE FROM account_move WHERE id = %s", line.move_id),
            ):
                with (
                    self.subTest(query=query, line=line),
                    self.assertRaisesRegex(RestrictViolation, "Reverse the run"),
                ):
                    self.execute(query, record.id)
        self.assertUntouched()

    def test_other_journal_items_are_deleted_as_ever(self):
        entry = self.env["account.move"].create(
            {
                "journal_id": self.company.inventory_cost_journal_id.id,
                "line_ids": [
                    Command.create({"account_id": account.id, "balance": balance})
                    for account, balance in (
                        (self.accounts["cogs"], 5.0),
                        (self.accounts["inventory"], -5.0),
                    )
                ],
            }
        )
        entry.unlink()
        self.env.flush_all()
        self.assertFalse(entry.exists())

    # -- The ORM and remote calls --------------------------------------------------

    def test_orm_write_and_unlink_are_refused_to_everybody(self):
        for name in LEDGERS:
            for record in (self.one(name), self.one(name).sudo()):
                with self.subTest(model=name, sudo=record.env.su):
                    with self.assertRaisesRegex(UserError, "never changed or deleted"):
                        record.write({"company_id": self.company.id})
                    with self.assertRaisesRegex(UserError, "never changed or deleted"):
                        record.unlink()
        self.assertUntouched()

    def test_remote_calls_are_refused_to_every_role(self):
        for name in LEDGERS:
            record = self.one(name)
            for role, user in self.users.items():
                model = self.env[name].with_user(user)
                for method, args in (
                    ("write", [record.ids, {"company_id": self.company.id}]),
                    ("web_save", [record.ids, {"company_id": self.company.id}, {}]),
                    ("unlink", [record.ids]),
                    ("create", [[{"company_id": self.company.id}]]),
                    ("copy", [record.ids]),
                    ("_append", [[]]),
                    ("_lift_append_only", ["no reason"]),
                    ("_write", [record.ids, {"company_id": 1}]),
                ):
                    with self.subTest(model=name, role=role, method=method):
                        # Access errors are user errors, too.
                        with self.assertRaises(UserError):
                            call_kw(model, method, args, {})
        self.assertUntouched()

    def test_reading_is_allowed_to_readers_only(self):
        stranger = new_test_user(
            self.env, login="cost_stranger", groups="base.group_user"
        )
        for name in LEDGERS:
            model = self.env[name]
            found = call_kw(
                model.with_user(self.users["reader"]),
                "search_read",
                [[], ["company_id"]],
                {},
            )
            self.assertEqual(len(found), len(self.rows[name]))
            with self.assertRaises(AccessError):
                call_kw(model.with_user(stranger), "search_read", [[]], {})

    def test_import_is_refused(self):
        for name in LEDGERS:
            record = self.one(name)
            for role, user in (*self.users.items(), ("admin", self.env.user)):
                model = self.env[name].with_user(user)
                with self.subTest(model=name, role=role):
                    result = call_kw(
                        model,
                        "load",
                        [[".id", "company_id/.id"], [[record.id, self.company.id + 1]]],
                        {},
                    )
                    self.assertFalse(result["ids"])
                    self.assertTrue(result["messages"])
        self.assertUntouched()

    def test_admin_call_of_the_client_is_refused(self):
        admin = self.env.ref("base.user_admin")
        for name in LEDGERS:
            record = self.one(name).with_user(admin)
            with self.assertRaises(UserError):
                call_kw(record, "write", [record.ids, {"company_id": 1}], {})
            with self.assertRaises(UserError):
                call_kw(record, "unlink", [record.ids], {})
        self.assertUntouched()

    # -- What users delete and merge -----------------------------------------------

    def test_deleting_a_reset_bill_and_its_lines(self):
        bill = self.bill_move
        bill.button_draft()
        count = len(self.ledger_rows("stock.value.entry"))
        bill.invoice_line_ids.unlink()
        bill.unlink()
        self.assertFalse(bill.exists())
        self.assertEqual(len(self.ledger_rows("stock.value.entry")), count)
        self.assertUntouched(without=("valuation_date", "open", "remaining_quantity"))
        self.assertEqual(self.cost(self.receipt), (100.0, 0.0))
        # What the deleted bill did can still be read.
        entry = self.entries(self.receipt).filtered(
            lambda value: value.source_model == "account.move.line"
        )[0]
        self.assertTrue(entry.source_ref)

    def test_deleting_a_user_who_recorded_entries(self):
        user = self.users["accountant"]
        user.group_ids |= self.env.ref("stock.group_stock_manager")
        user.group_ids |= self.env.ref("purchase.group_purchase_manager")
        order = self.buy(self.fifo, 2, 10.0)
        picking = order.picking_ids
        for move in picking.move_ids:
            self._fill(move, None, None)
        picking.with_user(user).with_context(skip_backorder=True).button_validate()
        entry = self.entries(picking)
        self.assertEqual(entry.user_ref, user.id)
        rows = self.ledger_rows("stock.value.entry")
        self.env.cr.execute(SQL("DELETE FROM res_users WHERE id = %s", user.id))
        self.assertEqual(self.ledger_rows("stock.value.entry"), rows)
        self.env.invalidate_all()
        self.assertEqual(entry.user_ref, user.id)

    def test_merging_partners(self):
        other = self.env["res.partner"].create({"name": "Vendor & Sons"})
        vendor_id = self.vendor.id
        self.assertIn(
            vendor_id, [row["partner_id"] for row in self.rows["stock.ledger.entry"]]
        )
        self.env["base.partner.merge.automatic.wizard"]._merge(
            [vendor_id, other.id], other, extra_checks=False
        )
        self.assertFalse(self.env["res.partner"].browse(vendor_id).exists())
        self.assertUntouched(without=("partner_id",))
        entry = self.ledger_entries(self.receipt)
        self.assertEqual(entry.partner_id, other)

    def test_deleting_a_partner_is_no_reason_to_change_more(self):
        entry = self.ledger_entries(self.delivery)
        self.env.cr.execute(
            SQL(
                "UPDATE stock_ledger_entry SET partner_id = NULL WHERE partner_id = %s",
                self.customer.id,
            )
        )
        entry.invalidate_recordset()
        self.assertFalse(entry.partner_id)
        self.assertUntouched(without=("partner_id",))

    def test_archiving_and_deleting_accounts(self):
        spare = self.env["account.account"].create(
            {"name": "Spare", "code": "779900", "account_type": "expense"}
        )
        self.env["stock.value.entry"]._append(
            [
                {
                    "ledger_entry_id": self.ledger_entries(self.receipt).id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 1.0,
                    "counter_account": spare.id,
                    "posting_date": "2026-01-08",
                    "source_model": "stock.move",
                    "source_id": 1,
                }
            ]
        )
        rows = self.ledger_rows("stock.value.entry")
        self.accounts["inventory"].active = False
        spare.unlink()
        self.assertFalse(spare.exists())
        self.assertEqual(self.ledger_rows("stock.value.entry"), rows)
        self.assertUntouched()

    def test_deleting_a_product_is_refused_in_plain_words(self):
        for records in (self.fifo, self.fifo.product_tmpl_id):
            with (
                self.subTest(model=records._name),
                self.assertRaisesRegex(UserError, self.fifo.name),
                mute_logger("odoo.sql_db"),
            ):
                records.unlink()
        self.assertTrue(self.fifo.exists())
        self.assertUntouched()

    def test_deleting_a_product_that_never_moved(self):
        for product in (self.make_product("fifo"), self.make_product("average")):
            self.assertTrue(
                self.env["stock.cost.item"].search([("product_id", "=", product.id)])
            )
        product.unlink()
        self.assertFalse(product.exists())
        product = self.make_product("fifo")
        product.product_tmpl_id.unlink()
        self.assertFalse(product.exists())

    # -- Uninstalling --------------------------------------------------------------

    def test_uninstalling_leaves_nothing_of_the_addon_in_any_company(self):
        """With entries in the ledgers, and in companies the user may not see."""
        other = self.make_company("Hidden Company")
        category = self.categories["lifo"]
        category.with_company(other).write(
            {"property_valuation": "value_entries", "property_cost_method": "lifo"}
        )
        other.write({"inventory_valuation": "value_entries", "cost_method": "lifo"})
        uninstall_hook(self.env)
        for company, method in ((self.company, "fifo"), (other, "fifo")):
            here = category.with_company(company)
            self.assertEqual(here.property_valuation, "periodic")
            self.assertEqual(here.property_cost_method, method)
        average = self.categories["average"]
        self.assertEqual(average.property_valuation, "periodic")
        self.assertEqual(average.property_cost_method, "average")
        self.assertEqual(
            (other.inventory_valuation, other.cost_method), ("periodic", "fifo")
        )
        self.env.cr.execute(
            """
            SELECT count(*) FROM product_category
             WHERE property_valuation::text LIKE '%value_entries%'
                OR property_cost_method::text LIKE '%lifo%'
             UNION ALL
            SELECT count(*) FROM ir_default
             WHERE json_value IN ('"value_entries"', '"lifo"')
             UNION ALL
            SELECT count(*) FROM pg_proc WHERE proname LIKE 'inventory_cost%'
             UNION ALL
            SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'append_only%'
                OR tgname LIKE '%closed_period%' OR tgname LIKE 'inventory_cost%'
            """
        )
        self.assertEqual(self.env.cr.fetchall(), [(0,)] * 4)

    def test_resetting_the_journal_entry_of_a_run_is_refused(self):
        entry = self.one("stock.value.entry.link").debit_line_id.move_id
        with self.assertRaises(UserError):
            entry.button_draft()
        self.assertUntouched()
