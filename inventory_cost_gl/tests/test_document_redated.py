from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDocumentRedated(InventoryCostCommon):
    """Done transfers, receipts and returns: corrected, returned, on another date."""

    def setUp(self):
        super().setUp()
        self.lot_product = self.make_product("fifo", tracking="lot", lot_valuated=True)

    def stock(self, product, warehouse=None):
        """Return the quantity and the value of a product, or of it in a warehouse."""
        balances = self.env["stock.cost.balance"].search(
            [("product_id", "=", product.id), ("company_id", "=", self.company.id)]
        )
        if warehouse:
            place = warehouse.view_location_id
            balances = balances.filtered(lambda b: b.cost_location_id == place)
        value = sum(b.value_actual + b.value_expected for b in balances)
        return sum(balances.mapped("quantity")), self.currency.round(value)

    def received(self, product, quantity, price, date="2026-01-05"):
        """Return the order and the receipt of goods."""
        order = self.buy(product, quantity, price, date=date)
        return order, self.receive(order, date=date)

    def assert_stock(self, product, first, second):
        self.assertEqual(self.stock(product, self.warehouse), first)
        self.assertEqual(self.stock(product, self.warehouse_2), second)

    # -- Transfers --------------------------------------------------------------------

    def test_quantity_of_a_done_transfer_corrected(self):
        for method, product in self.products.items():
            with self.subTest(method):
                self.received(product, 10, 10.0)
                transfer = self.transfer(product, 5, date="2026-01-06")
                line = transfer.move_ids.move_line_ids
                line.quantity = 3
                self.assert_stock(product, (7.0, 70.0), (3.0, 30.0))
                entries = self.ledger_entries(transfer)
                self.assertEqual(entries.mapped("quantity"), [-5.0, 5.0, -2.0, 2.0])
                self.assertEqual(entries[2].applies_to_entry_id, entries[1])
                self.assertEqual(entries[3].applies_from_entry_id, entries[2])
                line.quantity = 6
                self.assert_stock(product, (4.0, 40.0), (6.0, 60.0))
                line.quantity = 0
                self.assert_stock(product, (10.0, 100.0), (0.0, 0.0))

    def test_corrected_transfer_follows_a_late_bill(self):
        for method in ("fifo", "lifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                order, _receipt = self.received(product, 10, 10.0)
                transfer = self.transfer(product, 5, date="2026-01-06")
                transfer.move_ids.move_line_ids.quantity = 3
                self.bill(order, price=12.0, date="2026-01-08")
                self.assert_stock(product, (7.0, 84.0), (3.0, 36.0))

    def test_transfer_corrected_after_the_goods_were_sold(self):
        self.received(self.fifo, 10, 10.0)
        transfer = self.transfer(self.fifo, 5, date="2026-01-06")
        sale = self.sell(self.fifo, 4, date="2026-01-07", warehouse=self.warehouse_2)
        delivery = self.deliver(sale, date="2026-01-07")
        transfer.move_ids.move_line_ids.quantity = 3
        self.assert_stock(self.fifo, (7.0, 70.0), (-1.0, -10.0))
        self.assertEqual(self.ledger_entries(delivery).remaining_quantity, -1.0)

    def test_returned_transfer_brings_back_what_it_took(self):
        for method, left in (("fifo", 250.0), ("lifo", 200.0), ("standard", 150.0)):
            product = self.products[method]
            with self.subTest(method):
                first, _receipt = self.received(product, 10, 10.0)
                self.received(product, 10, 20.0, date="2026-01-06")
                value = self.stock(product)[1]
                transfer = self.transfer(product, 5, date="2026-01-07")
                self.assertEqual(self.stock(product, self.warehouse), (15.0, left))
                self.give_back(transfer, date="2026-01-08")
                self.assert_stock(product, (20.0, value), (0.0, 0.0))
                self.bill(first, price=14.0, date="2026-01-09")
                late = 0.0 if method == "standard" else 40.0
                self.assert_stock(product, (20.0, value + late), (0.0, 0.0))

    def test_returned_transfer_of_an_average_product(self):
        first, _receipt = self.received(self.average, 10, 10.0)
        self.received(self.average, 10, 20.0, date="2026-01-06")
        transfer = self.transfer(self.average, 5, date="2026-01-07")
        self.give_back(transfer, 3, date="2026-01-08")
        self.assert_stock(self.average, (18.0, 270.0), (2.0, 30.0))
        self.bill(first, price=14.0, date="2026-01-09")
        self.assert_stock(self.average, (18.0, 306.0), (2.0, 34.0))

    def test_return_of_a_transfer_corrected(self):
        self.received(self.fifo, 10, 10.0)
        transfer = self.transfer(self.fifo, 5, date="2026-01-06")
        back = self.give_back(transfer, 4, date="2026-01-08")
        back.move_ids.move_line_ids.quantity = 1
        self.assert_stock(self.fifo, (6.0, 60.0), (4.0, 40.0))

    def test_date_of_a_done_transfer_changed(self):
        for method, product in self.products.items():
            for date in ("2026-01-08 12:00:00", "2026-01-05 18:00:00"):
                with self.subTest(method, date=date):
                    product = self.make_product(method)
                    order, _receipt = self.received(product, 5, 10.0)
                    transfer = self.transfer(product, 5, date="2026-01-06")
                    transfer.date_done = date
                    self.assert_stock(product, (0.0, 0.0), (5.0, 50.0))
                    self.bill(order, price=12.0, date="2026-01-09")
                    value = 50.0 if method == "standard" else 60.0
                    self.assert_stock(product, (0.0, 0.0), (5.0, value))
                    last = self.ledger_entries(transfer).sorted("id")[-1]
                    self.assertEqual(str(last.posting_date), date[:10])

    def test_date_of_a_done_transfer_of_lots_changed(self):
        lot = self.make_lot(self.lot_product, "L1")
        order = self.buy(self.lot_product, 5, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05", lots={lot: 5})
        transfer = self.transfer(self.lot_product, 5, date="2026-01-06")
        transfer.date_done = "2026-01-08 12:00:00"
        self.assert_stock(self.lot_product, (0.0, 0.0), (5.0, 50.0))

    def test_corrected_transfer_on_another_date(self):
        self.received(self.fifo, 10, 10.0)
        transfer = self.transfer(self.fifo, 5, date="2026-01-06")
        transfer.move_ids.move_line_ids.quantity = 3
        transfer.date_done = "2026-01-08 12:00:00"
        self.assert_stock(self.fifo, (7.0, 70.0), (3.0, 30.0))
        transfer.date_done = "2026-01-06 12:00:00"
        self.assert_stock(self.fifo, (7.0, 70.0), (3.0, 30.0))

    # -- Receipts ---------------------------------------------------------------------

    def test_bill_of_a_corrected_receipt(self):
        for method in ("fifo", "lifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                order, receipt = self.received(product, 10, 10.0)
                receipt.move_ids.move_line_ids.quantity = 7
                self.assertEqual(self.stock(product), (7.0, 70.0))
                receipt.move_ids.move_line_ids.quantity = 9
                self.bill(order, 9, 11.0, date="2026-01-06")
                self.assertEqual(self.cost(receipt), (0.0, 99.0))
                self.assertEqual(self.stock(product), (9.0, 99.0))

    def test_corrected_receipt_takes_back_its_own_cost_only(self):
        for method in ("fifo", "lifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                order, receipt = self.received(product, 10, 10.0)
                sale = self.sell(product, 5, date="2026-01-06")
                delivery = self.deliver(sale, date="2026-01-06")
                receipt.move_ids.move_line_ids.quantity = 7
                self.bill(order, 7, 11.0, date="2026-01-07")
                self.assertEqual(self.cost(delivery), (-55.0, 0.0))
                self.assertEqual(self.stock(product), (2.0, 22.0))

    def test_receipt_corrected_after_its_bill(self):
        order, receipt = self.received(self.fifo, 10, 10.0)
        self.bill(order, price=11.0, date="2026-01-06")
        receipt.move_ids.move_line_ids.quantity = 7
        self.assertEqual(self.stock(self.fifo), (7.0, 77.0))

    def test_receipt_corrected_to_less_than_was_sold(self):
        order, receipt = self.received(self.fifo, 10, 10.0)
        sale = self.sell(self.fifo, 9, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        receipt.move_ids.move_line_ids.quantity = 7
        self.assertEqual(self.stock(self.fifo), (-2.0, -20.0))
        self.bill(order, 7, 11.0, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (-97.0, 0.0))
        other, _receipt = self.received(self.fifo, 2, 30.0, date="2026-01-08")
        self.assertEqual(self.cost(delivery), (-137.0, 0.0))
        self.assertEqual(self.stock(self.fifo), (0.0, 0.0))
        self.bill(other, price=31.0, date="2026-01-09")
        self.assertEqual(self.cost(delivery), (-139.0, 0.0))

    def test_bill_of_a_redated_receipt_reaches_what_was_sold(self):
        for method in ("fifo", "lifo", "average"):
            for date in ("2026-01-03 12:00:00", "2026-01-08 12:00:00"):
                with self.subTest(method, date=date):
                    product = self.make_product(method)
                    order, receipt = self.received(product, 10, 10.0)
                    sale = self.sell(product, 10, date="2026-01-06")
                    delivery = self.deliver(sale, date="2026-01-06")
                    receipt.date_done = date
                    self.bill(order, price=12.0, date="2026-01-09")
                    self.assertEqual(self.cost(delivery), (-120.0, 0.0))
                    self.assertEqual(self.stock(product), (0.0, 0.0))
                    self.assertEqual(self.cost(receipt), (0.0, 120.0))

    def test_redated_receipt_keeps_what_was_returned(self):
        order, receipt = self.received(self.fifo, 10, 10.0)
        self.give_back(receipt, 2, date="2026-01-07")
        receipt.date_done = "2026-01-06 12:00:00"
        self.assertEqual(self.stock(self.fifo), (8.0, 80.0))
        self.bill(order, 8, 12.0, date="2026-01-09")
        self.assertEqual(self.stock(self.fifo), (8.0, 96.0))

    def test_revalued_standard_cost_receipt_corrected(self):
        _order, receipt = self.received(self.standard, 10, 10.0)
        sale = self.sell(self.standard, 4, date="2026-01-06")
        self.deliver(sale, date="2026-01-06")
        with self.at("2026-01-07"):
            self.standard.standard_price = 12.0
        before = self.stock(self.standard)[1]
        receipt.move_ids.move_line_ids.quantity = 8
        self.assertEqual(self.stock(self.standard), (4.0, before / 6 * 4))

    # -- Links that stay ---------------------------------------------------------------

    def test_redated_customer_return_keeps_its_sales_cost(self):
        for method in ("fifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                order, _receipt = self.received(product, 10, 10.0)
                sale = self.sell(product, 6, date="2026-01-06")
                delivery = self.deliver(sale, date="2026-01-06")
                back = self.give_back(delivery, 2, date="2026-01-07")
                self.received(product, 10, 40.0, date="2026-01-08")
                back.date_done = "2026-01-10 12:00:00"
                last = self.ledger_entries(back)[-1]
                sold = self.ledger_entries(delivery)
                self.assertEqual(last.applies_from_entry_id, sold)
                self.assertEqual(sum(self.cost(back)), 20.0)
                self.bill(order, price=12.0, date="2026-01-11")
                self.assertEqual(sum(self.cost(back)), 24.0)

    def test_redated_drop_shipment_stays_tied(self):
        for method in ("fifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                self.received(product, 10, 10.0)
                purchase = self.buy(product, 4, 30.0, date="2026-01-06")
                purchase.picking_ids.action_cancel()
                move = self.env["stock.move"].create(
                    {
                        "product_id": product.id,
                        "product_uom_qty": 4,
                        "location_id": self.vendor.property_stock_supplier.id,
                        "location_dest_id": self.customer.property_stock_customer.id,
                        "purchase_line_id": purchase.order_line.id,
                    }
                )
                with self.at("2026-01-06"):
                    move._action_confirm()
                    move.quantity = 4
                    move.picked = True
                    move._action_done()
                move.date = "2026-01-08 12:00:00"
                anew = self.ledger_entries(move).filtered(
                    lambda entry: str(entry.posting_date) == "2026-01-08"
                )
                bought, sold = anew
                self.assertEqual(sold.applies_to_entry_id, bought)
                self.assertFalse(self.ledger_entries(move).filtered("open"))
                self.bill(purchase, 4, 31.0, date="2026-01-09")
                self.assertEqual(sold.cost_amount_actual, -124.0)
                self.assertEqual(sum(self.cost(move)), 0.0)
                self.assertEqual(self.stock(product, self.warehouse), (10.0, 100.0))

    def test_redated_fixed_application_stays_fixed(self):
        for method in ("fifo", "average"):
            product = self.products[method]
            with self.subTest(method):
                self.received(product, 5, 10.0)
                order, receipt = self.received(product, 5, 20.0)
                dear = self.ledger_entries(receipt)
                sale = self.sell(product, 4, date="2026-01-10")
                sale.picking_ids.move_ids.applies_to_entry_id = dear
                delivery = self.deliver(sale, date="2026-01-10")
                delivery.date_done = "2026-01-12 12:00:00"
                self.assertEqual(sum(self.cost(delivery)), -80.0)
                self.assertEqual(self.stock(product), (6.0, 70.0))
                self.bill(order, price=22.0, date="2026-01-13")
                self.assertEqual(sum(self.cost(delivery)), -88.0)
                self.assertEqual(self.stock(product), (6.0, 72.0))

    def test_redated_vendor_return_keeps_its_receipts_cost(self):
        self.received(self.fifo, 10, 10.0)
        order, receipt = self.received(self.fifo, 10, 20.0, date="2026-01-06")
        back = self.give_back(receipt, 8, date="2026-01-07")
        back.date_done = "2026-01-09 12:00:00"
        self.assertEqual(sum(self.cost(back)), -160.0)
        self.assertEqual(self.stock(self.fifo), (12.0, 140.0))

    def test_delivery_corrected_twice_is_invoiced_once(self):
        self.received(self.fifo, 10, 10.0)
        sale = self.sell(self.fifo, 6, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        delivery.move_ids.move_line_ids.quantity = 3
        delivery.move_ids.move_line_ids.quantity = 5
        self.assertEqual(self.stock(self.fifo), (5.0, 50.0))
        self.invoice(sale, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (0.0, -50.0))
