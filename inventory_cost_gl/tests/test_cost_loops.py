from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestCostLoops(InventoryCostCommon):
    """Documents make no cost depend on itself, and none is stopped by one that does."""

    def there_and_back(self, product):
        """Transfer goods that are not in stock to another warehouse and back."""
        there, back = self.warehouse.lot_stock_id, self.warehouse_2.lot_stock_id
        return [
            self.transfer(product, 5, "2026-01-05", there, back),
            self.transfer(product, 5, "2026-01-06", back, there),
        ]

    def queued(self, product):
        return self.env["stock.cost.queue"].search([("product_id", "=", product.id)])

    def test_transfers_there_and_back_without_stock(self):
        for method, product in self.products.items():
            with self.subTest(method):
                pickings = self.there_and_back(product)
                self.assertEqual([one.state for one in pickings], ["done", "done"])
                departure, *_others, arrival = self.ledger_entries(
                    pickings[0] | pickings[1]
                )
                # They wait for other goods: none supplies the other.
                self.assertEqual(departure.remaining_quantity, -5.0)
                self.assertEqual(arrival.remaining_quantity, 5.0)
                self.assertFalse(self.queued(product))
                order = self.buy(product, 5, 12.0, date="2026-01-07")
                self.receive(order, date="2026-01-07")
                self.assertEqual(departure.remaining_quantity, 0.0)
                price = 10.0 if method == "standard" else 12.0
                self.assertEqual(departure.cost_amount_actual, -5 * price)
                for picking in pickings:
                    # What leaves one warehouse arrives in the other.
                    self.assertEqual(sum(self.cost(picking)), 0.0)

    def test_dates_follow_through_goods_that_are_passed_on(self):
        """What was made of goods that came late is not valued before them."""
        first, second = self.there_and_back(self.fifo)
        sale = self.sell(self.fifo, 2, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        order = self.buy(self.fifo, 5, 12.0, date="2026-01-20")
        self.receive(order, date="2026-01-20")
        for entry in self.ledger_entries(first | second | delivery):
            self.assertEqual(str(entry.valuation_date), "2026-01-20")
        self.assertEqual(sum(self.cost(delivery)), -24.0)

    def loop(self, product):
        """Make a delivery take the cost of what came back from it."""
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(product, 6, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        returned = self.give_back(delivery, 2, date="2026-01-08")
        self.env.cr.execute(
            "INSERT INTO stock_cost_application (company_id, inbound_entry_id, "
            "outbound_entry_id, quantity, cost_follows, recorded_at) "
            "VALUES (%s, %s, %s, 1, true, now())",
            [
                self.company.id,
                self.ledger_entries(returned).id,
                self.ledger_entries(delivery).id,
            ],
        )
        return order, delivery, returned

    def test_bill_that_meets_a_loop(self):
        for method in ("fifo", "average", "lifo"):
            with self.subTest(method):
                product = self.products[method]
                order, delivery, _returned = self.loop(product)
                bill = self.bill(order, price=12.0, date="2026-01-20")
                self.assertEqual(bill.state, "posted")
                self.assertEqual(sum(self.cost(order.picking_ids)), 120.0)
                self.assertEqual(sum(self.cost(delivery)), -60.0)
                self.assertTrue(self.queued(product))

    def test_pickings_that_meet_a_loop(self):
        """They are done, cost what goods cost last, and the run names the entries."""
        order, delivery, returned = self.loop(self.fifo)
        again = self.give_back(delivery, 3, date="2026-01-21")
        self.assertEqual(again.state, "done")
        self.assertEqual(sum(self.cost(again)), 30.0)
        self.assertEqual(again.move_ids.value, 30.0)
        balance = self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)]
        )
        self.assertEqual(balance.quantity, 9.0)
        self.assertEqual(balance.value_actual + balance.value_expected, 90.0)
        self.assertTrue(self.queued(self.fifo))
        action = self.env["inventory.cost.adjust"].create({}).action_adjust()
        run = self.env["inventory.cost.run"].browse(action["res_id"])
        self.assertRecordValues(run, [{"state": "done", "skipped_count": 1}])
        self.assertEqual(run.line_ids.product_id, self.fifo)
        self.assertIn("depends on itself", run.line_ids.reason)
        for entry in self.ledger_entries(delivery | returned):
            self.assertIn(f"#{entry.id}", run.line_ids.reason)

    def test_other_products_of_the_document_are_costed(self):
        order, delivery, _returned = self.loop(self.fifo)
        other = self.buy(self.lifo, 10, 10.0, date="2026-01-05")
        self.receive(other, date="2026-01-05")
        sale = self.sell(self.lifo, 6, date="2026-01-07")
        sold = self.deliver(sale, date="2026-01-07")
        with self.at("2026-01-20"):
            (order | other).action_create_invoice()
            bill = (order | other).invoice_ids
            bill.invoice_date = "2026-01-20"
            bill.invoice_line_ids.filtered("purchase_line_id").price_unit = 12.0
            bill.action_post()
        self.assertEqual(bill.mapped("state"), ["posted"])
        self.assertEqual(sum(self.cost(delivery)), -60.0)
        self.assertEqual(sum(self.cost(sold)), -72.0)
        self.assertFalse(self.queued(self.lifo))
        self.assertTrue(self.queued(self.fifo))
