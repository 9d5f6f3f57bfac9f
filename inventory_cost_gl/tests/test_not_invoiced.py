from datetime import date

from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .posting_common import PostingCommon


class NotInvoicedCommon(PostingCommon):
    """Goods received at 7.00 and not billed, goods shipped and not invoiced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rows_model = cls.env["inventory.not.invoiced"]

    def rows(self, kind="received", on=None, **context):
        """Return the rows of a list at a date."""
        self.env.flush_all()
        rows = self.rows_model.with_context(not_invoiced_on=on, **context)
        return rows.search([("company_id", "=", self.company.id), ("kind", "=", kind)])

    def total(self, kind="received", on=None):
        """Return the sum of a list at a date."""
        return self.currency.round(sum(self.rows(kind, on).mapped("amount")))

    def received(self, quantity=10, price=7.0, date="2026-01-05", product=None):
        """Return an order of goods that are received."""
        order = self.buy(product or self.fifo, quantity, price, date=date)
        self.receive(order, date=date)
        return order

    def shipped(self, quantity=4, date="2026-01-07", product=None):
        """Return a sales order of goods that are delivered."""
        sale = self.sell(product or self.fifo, quantity, date=date)
        self.deliver(sale, date=date)
        return sale


@tagged("post_install", "-at_install")
class TestNotInvoiced(NotInvoicedCommon):
    """What the lists show, and when."""

    def test_a_receipt(self):
        order = self.received()
        self.assertRecordValues(
            self.rows(on="2026-01-31"),
            [
                {
                    "kind": "received",
                    "purchase_order_id": order.id,
                    "purchase_line_id": order.order_line.id,
                    "sale_order_id": False,
                    "order_ref": order.name,
                    "partner_id": self.vendor.id,
                    "product_id": self.fifo.id,
                    "category_id": self.fifo.categ_id.id,
                    "age": 26,
                    "quantity": 10.0,
                    "amount": 70.0,
                    "amount_30": 70.0,
                    "amount_60": 0.0,
                    "amount_90": 0.0,
                    "amount_older": 0.0,
                    "posted_amount": 0.0,
                    "currency_id": self.currency.id,
                }
            ],
        )
        self.assertFalse(self.rows("shipped"))

    def test_a_delivery_is_positive(self):
        self.received()
        sale = self.shipped()
        self.assertRecordValues(
            self.rows("shipped"),
            [
                {
                    "kind": "shipped",
                    "sale_order_id": sale.id,
                    "sale_line_id": sale.order_line.id,
                    "purchase_order_id": False,
                    "partner_id": self.customer.id,
                    "quantity": 4.0,
                    "amount": 28.0,
                }
            ],
        )

    def test_partly_invoiced(self):
        order = self.received()
        self.bill(order, 3, date="2026-01-10")
        self.assertEqual(self.rows().mapped("quantity"), [7.0])
        self.assertEqual(self.total(), 49.0)
        self.bill(order, 7, date="2026-01-11")
        self.assertFalse(self.rows())

    def test_at_a_date(self):
        """A list of the past is as it was: later receipts and bills do not count."""
        order = self.received(date="2026-01-05")
        self.bill(order, 3, date="2026-01-10")
        self.received(date="2026-02-03")
        for on, total in (
            ("2026-01-04", 0.0),
            ("2026-01-05", 70.0),
            ("2026-01-09", 70.0),
            ("2026-01-10", 49.0),
            ("2026-02-02", 49.0),
            ("2026-02-03", 119.0),
            (None, 119.0),
        ):
            self.assertEqual(self.total(on=on), total, on)

    def test_ages(self):
        """By the posting date of the receipt, on both sides of each limit."""
        self.received(1, 1.0, date="2026-05-31")
        for days, field in (
            ("2026-05-31", "amount_30"),
            ("2026-06-30", "amount_30"),
            ("2026-07-01", "amount_60"),
            ("2026-07-30", "amount_60"),
            ("2026-07-31", "amount_90"),
            ("2026-08-29", "amount_90"),
            ("2026-08-30", "amount_older"),
        ):
            row = self.rows(on=days)
            amounts = {
                name: row[name]
                for name in ("amount_30", "amount_60", "amount_90", "amount_older")
            }
            self.assertEqual({k for k, v in amounts.items() if v}, {field}, days)
            self.assertEqual(sum(amounts.values()), row.amount)

    def test_two_receipts_of_a_line_of_different_age(self):
        order = self.buy(self.fifo, 10, 7.0, date="2026-01-05")
        self.receive(order, 4, date="2026-01-05")
        self.receive(order, 6, date="2026-02-20")
        row = self.rows(on="2026-03-01")
        self.assertEqual((row.amount_30, row.amount_60, row.amount), (42.0, 28.0, 70.0))
        self.assertEqual((str(row.since), row.age), ("2026-01-05", 55))

    def test_a_line_of_an_order_each(self):
        order = self.buy(self.fifo, 10, 7.0, date="2026-01-05")
        order.order_line.copy({"order_id": order.id, "product_qty": 2})
        self.receive(order, date="2026-01-05")
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(len(set(self.rows().ids)), 2)

    def test_a_return_that_is_not_credited(self):
        order = self.received()
        self.bill(order, date="2026-01-10")
        self.give_back(order.picking_ids, 3, date="2026-01-12")
        self.assertEqual(self.rows().mapped("quantity"), [-3.0])
        self.assertEqual(self.total(), -21.0)

    def test_goods_without_a_price(self):
        self.received(price=0.0)
        self.assertEqual(self.rows().mapped("quantity"), [10.0])
        self.assertEqual(self.total(), 0.0)

    def test_what_needs_no_invoice_is_not_listed(self):
        self.count(self.fifo, 5, date="2026-01-05")
        self.scrap(self.fifo, 1, date="2026-01-06")
        self.transfer(self.fifo, 1, date="2026-01-06")
        self.assertFalse(self.rows() | self.rows("shipped"))

    def test_no_date_or_a_wrong_one(self):
        self.received()
        self.assertEqual(self.total(on=""), 70.0)
        with self.assertRaises(ValueError):
            self.rows(on="soon'; DROP TABLE stock_value_entry")

    # -- Equal to the interim accounts ------------------------------------------------

    def assertInterim(self, on):
        """The lists at a date are the interim accounts' balances at it."""
        lines = self.env["account.move.line"]
        balances = {}
        for role in ("inventory_interim", "accrual_interim", "cogs_interim"):
            [[balance]] = lines._read_group(
                [
                    ("account_id", "=", self.accounts[role].id),
                    ("parent_state", "=", "posted"),
                    ("date", "<=", on),
                ],
                [],
                ["balance:sum"],
            )
            balances[role] = self.currency.round(balance or 0.0)
        received, shipped = self.total(on=on), self.total("shipped", on)
        self.assertEqual(balances["accrual_interim"], -received, on)
        self.assertEqual(balances["cogs_interim"], shipped, on)
        self.assertEqual(
            balances["inventory_interim"], self.currency.round(received - shipped), on
        )
        for kind in ("received", "shipped"):
            rows = self.rows(kind, on)
            self.assertEqual(rows.mapped("posted_amount"), rows.mapped("amount"), on)

    def test_a_month_of_documents(self):
        """Every method, partly billed, credited, returned, repriced, written off."""
        for product in (self.fifo, self.average, self.standard, self.lifo):
            order = self.received(10, 7.77, "2026-01-05", product)
            self.bill(order, 3, 8.88, date="2026-01-08")
            other = self.received(5, 9.99, "2026-01-09", product)
            bill = self.bill(other, 5, date="2026-01-12")
            self.credit(bill, date="2026-01-14")
            sale = self.shipped(6, "2026-01-15", product)
            invoice = self.invoice(sale, 2, date="2026-01-16")
            self.give_back(order.picking_ids, 2, date="2026-01-17")
            order.order_line.price_unit = 6.66
            invoice.button_draft()
            late = self.received(3, 5.55, "2026-01-20", product)
            self.ledger_entries(late.picking_ids)._write_off_expected(date(2026, 1, 22))
            self.shipped(2, "2026-01-23", product)
        self.env["stock.cost.item"]._adjust_queued(self.company)
        run = self.post()
        self.assertFalse(run.skipped_count)
        self.assertTrue(self.total() and self.total("shipped"))
        for day in range(4, 32):
            self.assertInterim(f"2026-01-{day:02}")

    def test_not_posted_yet(self):
        self.received()
        self.post()
        self.received()
        self.assertEqual(sorted(self.rows().mapped("posted_amount")), [0.0, 70.0])
        self.assertEqual(
            self.rows_model.search_count(
                [("company_id", "=", self.company.id), ("posted_amount", "=", 0)]
            ),
            1,
        )

    # -- Screens ----------------------------------------------------------------------

    def test_grouping_keeps_the_date(self):
        self.received(date="2026-01-05")
        self.received(date="2026-02-05")
        for on, total in (("2026-01-31", 70.0), (None, 140.0)):
            [[partner, amount]] = self.rows_model.with_context(
                not_invoiced_on=on
            )._read_group(
                [("company_id", "=", self.company.id)], ["partner_id"], ["amount:sum"]
            )
            self.assertEqual((partner, amount), (self.vendor, total))

    def test_the_date_is_asked_for(self):
        self.received()
        sale = self.shipped()
        wizard = Form(self.env["inventory.not.invoiced.date"])
        wizard.kind = "shipped"
        wizard.date = "2026-01-31"
        action = wizard.save().action_show()
        self.assertEqual(action["context"]["not_invoiced_on"], "2026-01-31")
        self.assertIn("01/31/2026", action["name"])
        self.assertEqual(action["display_name"], action["name"])
        rows = self.env[action["res_model"]].with_context(**action["context"])
        rows = rows.search([("kind", "=", "shipped"), ("sale_order_id", "=", sale.id)])
        self.assertEqual(rows.amount, 28.0)

    def test_opening_what_is_behind(self):
        order = self.received()
        sale = self.shipped()
        row = self.rows()
        action = row.action_open_order()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (order._name, order.id)
        )
        action = self.rows("shipped").action_open_order()
        self.assertEqual((action["res_model"], action["res_id"]), (sale._name, sale.id))
        action = row.action_open_transfers()
        self.assertEqual(
            self.env["stock.picking"].search(action["domain"]), order.picking_ids
        )
        action = row.action_open_value_entries()
        self.assertEqual(
            self.env["stock.value.entry"].search(action["domain"]),
            self.entries(order.picking_ids),
        )

    def test_the_menus(self):
        for kind in ("received", "shipped"):
            action = self.env.ref(
                f"inventory_cost_gl.inventory_not_invoiced_action_{kind}"
            )
            menu = self.env.ref(f"inventory_cost_gl.menu_{kind}_not_invoiced")
            self.assertEqual(menu.action, action)
            for view in ("list", "pivot", "search"):
                arch = self.rows_model.get_view(view_type=view)["arch"]
                self.assertIn("partner_id", arch)

    # -- Access -----------------------------------------------------------------------

    def test_readers_read(self):
        self.received()
        reader = self.user_with("group_user")
        rows = self.as_user(self.rows_model, reader).search([])
        self.assertEqual(rows.mapped("amount"), [70.0])
        self.assertTrue(rows.action_open_value_entries()["domain"][0][2])
        with self.assertRaises(AccessError):
            rows.write({"amount": 1.0})

    def test_others_do_not(self):
        self.received()
        stranger = self.user_with("stock.group_stock_manager")
        with self.assertRaises(AccessError):
            self.as_user(self.rows_model, stranger).search([])

    def test_another_company_sees_nothing(self):
        self.received()
        other = self.make_company("Other")
        reader = self.user_with("group_user", company=other)
        self.assertFalse(self.as_user(self.rows_model, reader).search([]))
