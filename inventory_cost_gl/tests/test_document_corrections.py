from odoo import Command, fields
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDocumentCorrections(InventoryCostCommon):
    """What comes late, in part, out of order, or is taken back."""

    # -- Bills ------------------------------------------------------------------------

    def test_bill_before_the_receipt(self):
        self.fifo.purchase_method = "purchase"
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.bill(order, 6, 12.0, date="2026-01-06")
        receipt = self.receive(order, date="2026-01-10")
        self.assertEqual(self.cost(receipt), (40.0, 72.0))

    def test_bill_reset_cancelled_and_deleted(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, price=12.0, date="2026-01-06")
        entries_before = self.entries(receipt)
        bill.button_draft()
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        bill.button_cancel()
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        bill.button_draft()
        bill.unlink()
        self.assertTrue(entries_before.exists())
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.bill(order, price=11.0, date="2026-01-07")
        self.assertEqual(self.cost(receipt), (0.0, 110.0))

    def test_bill_cancelled_from_posted(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, price=12.0, date="2026-01-06").button_cancel()
        self.assertEqual(self.cost(receipt), (100.0, 0.0))

    def test_resetting_one_bill_leaves_the_other_where_it_is(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        first = self.receive(order, 4, date="2026-01-05")
        second = self.receive(order, 6, date="2026-01-06")
        bill = self.bill(order, 4, 11.0, date="2026-01-07")
        self.bill(order, 6, 15.0, date="2026-01-08")
        bill.button_draft()
        self.assertEqual(self.cost(first), (40.0, 0.0))
        self.assertEqual(self.cost(second), (0.0, 90.0))
        bill.action_post()
        self.assertEqual(self.cost(first), (0.0, 44.0))
        self.assertEqual(self.cost(second), (0.0, 90.0))

    def test_credit_note_for_part_of_a_bill_reopens_the_expected_cost(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, price=12.0, date="2026-01-06")
        with self.at("2026-01-07"):
            refund = bill._reverse_moves(
                [{"invoice_date": fields.Date.today(), "date": fields.Date.today()}]
            )
            refund.invoice_line_ids.write({"quantity": 2, "price_unit": 15.0})
            refund.action_post()
        self.assertEqual(self.cost(receipt), (20.0, 90.0))

    def test_bill_reversed_completely(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, price=12.0, date="2026-01-06")
        bill._reverse_moves([{"invoice_date": bill.date}], cancel=True)
        self.assertEqual(self.cost(receipt), (100.0, 0.0))

    def test_bill_in_another_unit_and_currency(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            [
                {
                    "name": day,
                    "rate": rate,
                    "currency_id": euro.id,
                    "company_id": self.company.id,
                }
                for day, rate in (("2026-01-01", 0.5), ("2026-01-10", 0.8))
            ]
        )
        order = self.buy(
            self.fifo,
            2,
            12.0,
            date="2026-01-05",
            currency=euro,
            product_uom_id=dozen.id,
        )
        receipt = self.receive(order, date="2026-01-05")
        entry = self.ledger_entries(receipt)
        self.assertEqual(entry.quantity, 24.0)
        self.assertEqual(self.cost(receipt), (48.0, 0.0))
        bill = self.bill(order, date="2026-01-10")
        self.assertEqual(self.cost(receipt), (0.0, 30.0))
        actual = self.entries(receipt).filtered("cost_amount_actual")
        self.assertEqual(actual.source_amount, 24.0)
        self.assertEqual(actual.source_currency_id, euro)
        self.assertEqual(actual.document_ref, bill.name)

    def test_tax_that_cannot_be_deducted_is_cost(self):
        tax = self.env["account.tax"].create(
            {
                "name": "Half deductible",
                "amount": 10.0,
                "type_tax_use": "purchase",
                "invoice_repartition_line_ids": [
                    Command.create({"repartition_type": "base"}),
                    Command.create({"repartition_type": "tax", "factor_percent": 100}),
                ],
                "refund_repartition_line_ids": [
                    Command.create({"repartition_type": "base"}),
                    Command.create({"repartition_type": "tax", "factor_percent": 100}),
                ],
            }
        )
        order = self.buy(
            self.fifo,
            10,
            10.0,
            date="2026-01-05",
            discount=10,
            tax_ids=[Command.set(tax.ids)],
        )
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (99.0, 0.0))
        self.bill(order, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (0.0, 99.0))

    def test_order_price_changed_after_the_receipt(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, 4, 12.0, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (60.0, 48.0))
        order.order_line.price_unit = 11.0
        self.assertEqual(self.cost(receipt), (66.0, 48.0))
        self.bill(order, 6, 11.0, date="2026-01-07")
        self.assertEqual(self.cost(receipt), (0.0, 114.0))

    # -- Returns ----------------------------------------------------------------------

    def test_return_of_what_was_not_billed_settles_with_the_receipt(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        back = self.give_back(receipt, 4, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (60.0, 40.0))
        self.assertEqual(self.cost(back), (0.0, -40.0))
        self.bill(order, 6, 12.0, date="2026-01-07")
        self.assertEqual(self.cost(receipt), (0.0, 112.0))

    def test_vendor_return_reverses_the_returned_receipts_cost(self):
        first = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(first, date="2026-01-05")
        self.bill(first, date="2026-01-05")
        second = self.buy(self.fifo, 10, 20.0, date="2026-01-06")
        receipt = self.receive(second, date="2026-01-06")
        bill = self.bill(second, date="2026-01-06")
        back = self.give_back(receipt, 4, date="2026-01-07")
        self.assertEqual(self.cost(back), (-80.0, 0.0))
        with self.at("2026-01-08"):
            refund = bill._reverse_moves([{"invoice_date": fields.Date.today()}])
            refund.invoice_line_ids.quantity = 4
            refund.action_post()
        self.assertEqual(self.cost(back), (0.0, -80.0))
        self.assertEqual(self.cost(receipt), (0.0, 200.0))

    def test_customer_return_takes_back_the_deliverys_cost(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                order = self.buy(product, 10, 10.0, date="2026-01-05")
                self.receive(order, date="2026-01-05")
                sale = self.sell(product, 6, date="2026-01-06")
                delivery = self.deliver(sale, date="2026-01-06")
                invoice = self.invoice(sale, date="2026-01-06")
                back = self.give_back(delivery, 2, date="2026-01-07")
                self.assertEqual(self.cost(back), (20.0, 0.0))
                with self.at("2026-01-08"):
                    refund = invoice._reverse_moves(
                        [{"invoice_date": fields.Date.today()}]
                    )
                    refund.invoice_line_ids.quantity = 2
                    refund.action_post()
                self.assertEqual(self.cost(back), (0.0, 20.0))
                self.assertEqual(self.cost(delivery), (0.0, -60.0))
                self.bill(order, price=11.0, date="2026-01-09")
                self.assertEqual(self.cost(delivery), (0.0, -66.0))
                self.assertEqual(self.cost(back), (0.0, 22.0))

    def test_return_of_what_was_not_invoiced_settles_with_the_delivery(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 6, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        back = self.give_back(delivery, 2, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (-40.0, -20.0))
        self.assertEqual(self.cost(back), (0.0, 20.0))

    # -- Sales ------------------------------------------------------------------------

    def test_invoice_before_the_delivery(self):
        self.fifo.invoice_policy = "order"
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 6, date="2026-01-06")
        self.invoice(sale, 4, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (-20.0, -40.0))

    def test_partial_invoices_leave_no_cent_behind(self):
        order = self.buy(self.fifo, 3, 3.335, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 3, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        for _invoice in range(3):
            self.invoice(sale, 1, date="2026-01-07")
        expected, actual = self.cost(delivery)
        self.assertEqual(expected, 0.0)
        self.assertEqual(actual, -10.01)

    def test_delivery_without_a_sale_line_is_actual_at_once(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        with self.at("2026-01-06"):
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": self.warehouse.out_type_id.id,
                    "location_id": self.warehouse.lot_stock_id.id,
                    "location_dest_id": self.customer.property_stock_customer.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": self.fifo.id,
                                "product_uom_qty": 3,
                                "location_id": self.warehouse.lot_stock_id.id,
                                "location_dest_id": (
                                    self.customer.property_stock_customer.id
                                ),
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
        self.validate(picking, date="2026-01-06")
        self.assertEqual(self.cost(picking), (0.0, -30.0))

    # -- Done moves edited ------------------------------------------------------------

    def test_quantity_of_a_done_receipt_corrected(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        receipt.move_ids.move_line_ids.quantity = 7
        self.assertEqual(sum(self.ledger_entries(receipt).mapped("quantity")), 7.0)
        self.assertEqual(sum(self.cost(receipt)), 70.0)
        receipt.move_ids.move_line_ids.quantity = 9
        self.assertEqual(sum(self.ledger_entries(receipt).mapped("quantity")), 9.0)
        self.assertEqual(sum(self.cost(receipt)), 90.0)
        self.bill(order, 9, 11.0, date="2026-01-06")
        self.assertEqual(self.cost(receipt)[0], 0.0)

    def test_quantity_of_a_done_delivery_corrected(self):
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.average, 6, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        delivery.move_ids.move_line_ids.quantity = 4
        self.assertEqual(sum(self.ledger_entries(delivery).mapped("quantity")), -4.0)
        self.assertEqual(sum(self.cost(delivery)), -40.0)

    def test_date_of_a_done_receipt_changed(self):
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        order = self.buy(self.average, 10, 20.0, date="2026-01-20")
        late = self.receive(order, date="2026-01-20")
        sale = self.sell(self.average, 5, date="2026-01-10")
        delivery = self.deliver(sale, date="2026-01-10")
        self.assertEqual(sum(self.cost(delivery)), -50.0)
        late.date_done = "2026-01-08 12:00:00"
        self.assertEqual(sum(self.cost(delivery)), -75.0)
        self.assertEqual(sum(self.cost(late)), 200.0)
