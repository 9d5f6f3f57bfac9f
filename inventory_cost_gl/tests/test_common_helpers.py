"""The helpers of ``common`` press the buttons they say they press."""

from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestCommonHelpers(InventoryCostCommon):
    def test_purchase_documents(self):
        order = self.buy(self.fifo, 10, 4.0, date="2026-01-05")
        receipt = self.receive(order, 6, date="2026-01-07")
        self.assertEqual(receipt.state, "done")
        self.assertEqual(receipt.move_ids.date.day, 7)
        self.assertEqual(order.order_line.qty_received, 6)
        backorder = self.receive(order, date="2026-01-08")
        self.assertEqual(backorder.move_ids.quantity, 4)
        bill = self.bill(order, quantity=3, price=5.0, date="2026-02-01")
        self.assertEqual((bill.state, bill.amount_untaxed), ("posted", 15.0))
        refund = self.credit(bill, date="2026-02-02")
        self.assertEqual((refund.state, refund.move_type), ("posted", "in_refund"))
        returned = self.give_back(receipt, 2, date="2026-02-03")
        self.assertEqual(returned.state, "done")
        self.assertEqual(returned.move_ids.quantity, 2)

    def test_sales_documents(self):
        self.count(self.average, 20, date="2026-01-02")
        order = self.sell(self.average, 5, date="2026-01-05")
        delivery = self.deliver(order, date="2026-01-06")
        self.assertEqual(delivery.state, "done")
        invoice = self.invoice(order, quantity=2, date="2026-01-07")
        self.assertEqual((invoice.state, invoice.amount_untaxed), ("posted", 50.0))
        returned = self.give_back(delivery, 1, date="2026-01-08")
        self.assertEqual(returned.move_ids.quantity, 1)

    def test_stock_documents(self):
        [gain] = self.count(self.standard, 9, date="2026-01-02")
        self.assertEqual(gain.quantity, 9)
        [scrap] = self.scrap(self.standard, 2, date="2026-01-03")
        self.assertEqual((scrap.state, scrap.quantity), ("done", 2))
        transfer = self.transfer(self.standard, 3, date="2026-01-04")
        self.assertEqual(transfer.state, "done")
        location = self.warehouse_2.lot_stock_id
        quants = self.standard.stock_quant_ids.filtered(
            lambda quant: quant.location_id == location
        )
        self.assertEqual(quants.quantity, 3)

    def test_lots(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = [self.make_lot(product, name) for name in ("A", "B")]
        order = self.buy(product, 5, 4.0)
        receipt = self.receive(order, lots={lots[0]: 2, lots[1]: 3})
        self.assertEqual(receipt.state, "done")
        self.assertEqual([lot.product_qty for lot in lots], [2, 3])
