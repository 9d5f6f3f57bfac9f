from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestRevaluation(InventoryCostCommon):
    """The revaluation document, and Odoo's own ways of changing a value."""

    def stock(self, product, quantity=10, price=10.0, date="2026-01-05"):
        """Receive and bill goods; return the receipt."""
        order = self.buy(product, quantity, price, date=date)
        receipt = self.receive(order, date=date)
        self.bill(order, date=date)
        return receipt

    def revaluation(self, product, date, per="item"):
        """Return a calculated draft."""
        revaluation = self.env["inventory.revaluation"].create(
            {
                "date": date,
                "calculate_per": per,
                "product_ids": [Command.set(product.ids)],
                "reason": "Market price",
            }
        )
        revaluation.action_calculate()
        return revaluation

    def post(self, revaluation):
        revaluation.action_approve()
        revaluation.action_post()

    def test_form_calculates_and_posts_per_product(self):
        receipt = self.stock(self.fifo)
        sale = self.sell(self.fifo, 4, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        line = revaluation.line_ids
        self.assertEqual((line.quantity, line.value_calculated), (6.0, 60.0))
        with Form(revaluation) as form:
            with form.line_ids.edit(0) as line_form:
                line_form.unit_cost_revalued = 8.0
                self.assertEqual(line_form.value_revalued, 48.0)
        self.assertEqual(revaluation.amount, -12.0)
        self.post(revaluation)
        self.assertEqual(sum(self.cost(receipt)), 88.0)
        self.assertEqual(sum(self.cost(delivery)), -40.0)
        entry = self.entries(receipt).filtered(lambda e: e.entry_type == "revaluation")
        self.assertEqual(entry.cost_amount_actual, -12.0)
        self.assertEqual(entry.valued_quantity, 6.0)
        self.assertTrue(entry.partial_revaluation)
        self.assertEqual(str(entry.posting_date), "2026-01-31")
        self.assertEqual(entry.document_ref, revaluation.name)
        self.assertEqual(self.fifo.standard_price, 8.0)
        later = self.sell(self.fifo, 6, date="2026-02-01")
        self.assertEqual(sum(self.cost(self.deliver(later, date="2026-02-01"))), -48.0)

    def test_average_per_product(self):
        self.stock(self.average)
        self.stock(self.average, 10, 20.0)
        revaluation = self.revaluation(self.average, "2026-01-31")
        line = revaluation.line_ids
        self.assertEqual((line.quantity, line.value_calculated), (20.0, 300.0))
        line.value_revalued = 330.0
        self.post(revaluation)
        self.assertEqual(self.average.standard_price, 16.5)

    def test_average_month_only_at_its_end(self):
        self.company.average_cost_period = "month"
        self.stock(self.average)
        with self.assertRaisesRegex(UserError, "last day of an average period"):
            self.revaluation(self.average, "2026-01-20")
        self.assertTrue(self.revaluation(self.average, "2026-01-31").line_ids)

    def test_per_ledger_entry_and_per_warehouse(self):
        self.stock(self.fifo)
        self.stock(self.fifo, 10, 20.0)
        by_entry = self.revaluation(self.fifo, "2026-01-31", "entry")
        self.assertEqual(by_entry.line_ids.mapped("value_calculated"), [100.0, 200.0])
        self.transfer(self.fifo, 5, date="2026-01-10")
        by_warehouse = self.revaluation(self.fifo, "2026-01-31", "item_location")
        self.assertEqual(
            {
                line.cost_location_id: line.value_calculated
                for line in by_warehouse.line_ids
            },
            {
                self.warehouse.view_location_id: 250.0,
                self.warehouse_2.view_location_id: 50.0,
            },
        )

    def test_nothing_left_and_unbilled_stock_are_refused(self):
        with self.assertRaisesRegex(UserError, "Nothing is left"):
            self.revaluation(self.fifo, "2026-01-31")
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        with self.assertRaisesRegex(UserError, "completely billed"):
            self.revaluation(self.fifo, "2026-01-31")

    def test_stock_sold_since_the_calculation(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        sale = self.sell(self.fifo, 4, date="2026-01-30")
        self.deliver(sale, date="2026-01-30")
        revaluation.action_approve()
        with self.assertRaisesRegex(UserError, "Calculate the inventory"):
            revaluation.action_post()
        self.assertEqual(revaluation.state, "approved")

    def test_closed_period(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        self.env["inventory.period"].create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-01-31",
                "closed": True,
            }
        )
        revaluation.action_approve()
        with self.assertRaisesRegex(UserError, "closed until"):
            revaluation.action_post()

    def test_posted_is_final(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        self.post(revaluation)
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.reason = "Another"
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.unlink()
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.action_post()
        self.assertEqual(self.fifo.standard_price, 9.0)

    def test_who_may(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        reader, accountant = (
            new_test_user(
                self.env,
                f"reval {group}",
                groups=f"inventory_cost_gl.group_{group},stock.group_stock_user",
                company_id=self.company.id,
            )
            for group in ("user", "accountant")
        )
        with self.assertRaises(AccessError):
            revaluation.with_user(reader).action_post()
        with self.assertRaises(AccessError):
            revaluation.with_user(accountant).action_approve()
        with self.assertRaisesRegex(UserError, "approved first"):
            revaluation.with_user(accountant).action_post()

    def test_edited_cost_revalues_stock(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                receipt = self.stock(product)
                with self.at("2026-01-20"):
                    product.standard_price = 12.0
                self.assertEqual(sum(self.cost(receipt)), 120.0)
                self.assertEqual(product.standard_price, 12.0)
                entry = self.entries(receipt).filtered(
                    lambda e: e.entry_type == "revaluation"
                )
                self.assertEqual(str(entry.posting_date), "2026-01-20")

    def test_edited_standard_cost_changes_later_entries_only(self):
        receipt = self.stock(self.standard)
        self.standard.standard_price = 12.0
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        self.assertEqual(sum(self.cost(self.stock(self.standard))), 120.0)

    def test_edited_cost_in_the_middle_of_an_average_period(self):
        self.company.average_cost_period = "month"
        receipt = self.stock(self.average)
        with self.at("2026-01-20"):
            self.average.standard_price = 12.0
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        self.assertEqual(self.average.standard_price, 10.0)
        draft = self.env["inventory.revaluation"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual((draft.state, str(draft.date)), ("draft", "2026-01-31"))
        self.assertTrue(draft.activity_ids)

    def test_adjusted_valuation_of_a_move(self):
        receipt = self.stock(self.fifo)
        delivery = self.deliver(
            self.sell(self.fifo, 5, date="2026-01-06"), date="2026-01-06"
        )
        with self.at("2026-01-20"):
            receipt.move_ids.value_manual = 140.0
        self.assertEqual(sum(self.cost(receipt)), 120.0)
        self.assertEqual(sum(self.cost(delivery)), -50.0)
