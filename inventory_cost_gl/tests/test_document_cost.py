from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDocumentCost(InventoryCostCommon):
    """Cost of real documents, through the buttons users press."""

    def test_receipt_bill_sale_invoice_fifo(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        bill = self.bill(order, price=12.0, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (0.0, 120.0))
        sale = self.sell(self.fifo, 6, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        invoice = self.invoice(sale, date="2026-01-08")
        self.assertEqual(self.cost(delivery), (0.0, -72.0))
        self.assertEqual(delivery.move_ids.value, 72.0)
        self.assertEqual(self.fifo.standard_price, 12.0)
        invoice.button_draft()
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        bill.button_draft()
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))

    def test_late_bill_reaches_what_was_sold(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                order = self.buy(product, 10, 10.0, date="2026-01-05")
                receipt = self.receive(order, date="2026-01-05")
                sale = self.sell(product, 6, date="2026-01-07")
                delivery = self.deliver(sale, date="2026-01-07")
                self.invoice(sale, date="2026-01-08")
                self.assertEqual(self.cost(delivery), (0.0, -60.0))
                self.bill(order, price=12.0, date="2026-01-20")
                self.assertEqual(self.cost(receipt), (0.0, 120.0))
                self.assertEqual(self.cost(delivery), (0.0, -72.0))

    def test_sale_before_the_purchase(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                sale = self.sell(product, 5, date="2026-01-03")
                delivery = self.deliver(sale, date="2026-01-03")
                self.assertEqual(self.cost(delivery), (-50.0, 0.0))
                order = self.buy(product, 8, 13.0, date="2026-01-10")
                self.receive(order, date="2026-01-10")
                self.assertEqual(self.cost(delivery), (-65.0, 0.0))
                entry = self.ledger_entries(delivery)
                self.assertEqual(str(entry.valuation_date), "2026-01-10")
                self.assertFalse(entry.open)

    def test_standard_cost_with_purchase_variance(self):
        order = self.buy(self.standard, 10, 11.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.bill(order, price=12.0, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (0.0, 100.0))
        variance = self.entries(receipt).filtered("variance_type")
        self.assertEqual(variance.cost_amount_actual, -20.0)

    def test_partial_bills_over_two_receipts(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        first = self.receive(order, 4, date="2026-01-05")
        second = self.receive(order, 6, date="2026-01-06")
        self.bill(order, 6, 11.0, date="2026-01-07")
        self.assertEqual(self.cost(first), (0.0, 44.0))
        self.assertEqual(self.cost(second), (40.0, 22.0))
        self.bill(order, 4, 15.0, date="2026-01-08")
        self.assertEqual(self.cost(first), (0.0, 44.0))
        self.assertEqual(self.cost(second), (0.0, 82.0))

    def test_count_and_scrap(self):
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        loss = self.count(self.average, 8, date="2026-01-06")
        self.assertEqual(self.cost(loss), (0.0, -20.0))
        scrap = self.scrap(self.average, 1, date="2026-01-07")
        self.assertEqual(self.cost(scrap), (0.0, -10.0))
        gain = self.count(self.average, 9, date="2026-01-08")
        self.assertEqual(self.cost(gain), (0.0, 20.0))

    def test_transfer_between_warehouses(self):
        for price in (10.0, 20.0):
            order = self.buy(self.fifo, 5, price, date="2026-01-05")
            self.receive(order, date="2026-01-05")
        picking = self.transfer(self.fifo, 8, date="2026-01-06")
        entries = self.ledger_entries(picking)
        self.assertEqual(
            sorted(entries.mapped("cost_amount_actual")), [-110.0, 50.0, 60.0]
        )

    def test_a_sale_covered_in_part(self):
        order = self.buy(self.fifo, 4, 12.0, date="2026-01-02")
        self.receive(order, date="2026-01-02")
        elsewhere = self.buy(
            self.fifo, 4, 20.0, date="2026-01-02", warehouse=self.warehouse_2
        )
        self.receive(elsewhere, date="2026-01-02")
        sale = self.sell(self.fifo, 10, date="2026-01-03")
        delivery = self.deliver(sale, date="2026-01-03")
        entries = self.entries(delivery)
        # What waits for supply stands at the unit cost of all stock, 16.
        self.assertEqual(sum(self.cost(delivery)), -48.0 - 6 * 16.0)
        adjusted = entries.filtered("adjustment")
        self.assertEqual(adjusted.applies_to_value_entry_id, entries[0])
        late = self.buy(self.fifo, 6, 20.0, date="2026-01-05")
        self.receive(late, date="2026-01-05")
        self.assertEqual(sum(self.cost(delivery)), -48.0 - 120.0)
        self.assertFalse(self.ledger_entries(delivery).open)
