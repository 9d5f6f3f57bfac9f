from odoo import Command
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestBillLines(InventoryCostCommon):
    """What a bill line states of the receipts it invoices, to the cent."""

    # 32.00 in three parts: 10.67 each would be a cent too much.
    PRICE = 32.0 / 3

    def billed(self, *receipts):
        """Return what bills and credit notes state of each ledger entry."""
        entries = self.env["stock.picking"].union(*receipts)
        direct = self.entries(entries).filtered(
            lambda value: value.source_model == "account.move.line"
            and value.entry_type == "direct_cost"
        )
        return [
            self.currency.round(
                sum(
                    direct.filtered(
                        lambda v, own=entry: v.ledger_entry_id == own
                    ).mapped("cost_amount_actual")
                )
            )
            for entry in self.ledger_entries(entries)
        ]

    def billed_to_gl(self):
        """Return what Direct Cost Applied holds once the documents are posted."""
        self.env.cr.precommit.run()
        return self.gl("direct_cost_applied")

    def receive_lots(self, product):
        """Return an order received as three lots of 1, and the receipt."""
        order = self.buy(product, 3, 10.0, date="2026-01-05")
        lots = {self.make_lot(product, name): 1.0 for name in "ABC"}
        return order, self.receive(order, date="2026-01-05", lots=lots)

    # -- A line spread over several ledger entries ------------------------------------

    def test_lots_share_a_bill_line_to_the_cent(self):
        self.company.automatic_cost_posting = "immediate"
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        order, receipt = self.receive_lots(product)
        bill = self.bill(order, price=self.PRICE, date="2026-01-06")
        self.assertEqual(bill.invoice_line_ids.balance, 32.0)
        self.assertEqual(self.billed(receipt), [10.67, 10.66, 10.67])
        self.assertEqual(self.cost(receipt), (0.0, 32.0))
        self.assertEqual(self.billed_to_gl(), -32.0)
        bill.button_draft()
        self.assertEqual(self.billed(receipt), [0.0, 0.0, 0.0])
        self.assertEqual(self.billed_to_gl(), 0.0)
        bill.action_post()
        self.assertEqual(self.billed(receipt), [10.67, 10.66, 10.67])
        self.credit(bill, date="2026-01-07")
        self.assertEqual(self.billed(receipt), [0.0, 0.0, 0.0])
        self.assertEqual(self.billed_to_gl(), 0.0)

    def test_receipts_share_a_bill_line_to_the_cent(self):
        order = self.buy(self.fifo, 3, 10.0, date="2026-01-05")
        receipts = [self.receive(order, 1, date="2026-01-05") for _number in range(3)]
        bill = self.bill(order, price=self.PRICE, date="2026-01-06")
        self.assertEqual(self.billed(*receipts), [10.67, 10.66, 10.67])
        refund = self.credit(bill, date="2026-01-07")
        self.assertEqual(self.billed(*receipts), [0.0, 0.0, 0.0])
        refund.button_draft()
        self.assertEqual(sum(self.billed(*receipts)), 32.0)

    def test_receipts_after_the_bill_take_what_is_left_of_it(self):
        for product in (self.average, self.standard):
            with self.subTest(product=product.name):
                product.purchase_method = "purchase"
                order = self.buy(product, 3, 10.0, date="2026-01-05")
                self.bill(order, price=self.PRICE, date="2026-01-06")
                receipts = []
                for stated in (10.67, 21.33, 32.0):
                    receipts.append(self.receive(order, 1, date="2026-01-07"))
                    self.assertAlmostEqual(sum(self.billed(*receipts)), stated, 6)

    def test_a_receipt_on_another_date_keeps_the_bill_complete(self):
        order = self.buy(self.fifo, 3, 10.0, date="2026-01-05")
        receipts = [self.receive(order, 1, date="2026-01-05") for _number in range(3)]
        self.bill(order, price=self.PRICE, date="2026-01-06")
        receipts[1].date_done = "2026-01-03 12:00:00"
        self.assertAlmostEqual(sum(self.billed(*receipts)), 32.0, 6)
        self.assertEqual(sum(self.cost(receipts[1])), 10.66)

    def test_a_corrected_quantity_corrected_back_keeps_the_bill_complete(self):
        order = self.buy(self.fifo, 7, 10.0, date="2026-01-05")
        first = self.receive(order, 3, date="2026-01-05")
        second = self.receive(order, 4, date="2026-01-06")
        self.bill(order, price=10.0 / 7, date="2026-01-07")
        self.assertEqual(self.billed(first, second), [4.29, 5.71])
        for quantity in (2, 3, 1, 2, 3):
            first.move_ids.move_line_ids.quantity = quantity
        self.assertAlmostEqual(sum(self.billed(first, second)), 10.0, 6)
        self.assertEqual(self.cost(first | second), (0.0, 10.0))

    # -- A line linked to its order afterwards ----------------------------------------

    def bill_alone(self, product, quantity, price, date="2026-01-06"):
        """Return a posted bill of no order."""
        with self.at(date):
            bill = self.env["account.move"].create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor.id,
                    "invoice_date": date,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "quantity": quantity,
                                "price_unit": price,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            )
            bill.action_post()
        return bill

    def test_bills_matched_with_their_order_afterwards(self):
        """Bill Matching takes posted bills when several are matched at once."""
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 4, date="2026-01-05")
        delivery = self.deliver(sale, date="2026-01-05")
        bills = self.bill_alone(self.fifo, 5, 12.0)
        bills |= self.bill_alone(self.fifo, 5, 12.0)
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.env.flush_all()
        self.env["purchase.bill.line.match"].search(
            [
                "|",
                ("aml_id", "in", bills.invoice_line_ids.ids),
                ("pol_id", "in", order.order_line.ids),
            ]
        ).action_match_lines()
        self.assertEqual(bills.invoice_line_ids.purchase_line_id, order.order_line)
        self.assertEqual(self.cost(receipt), (0.0, 120.0))
        self.assertEqual(sum(self.cost(delivery)), -48.0)
        bills.invoice_line_ids.purchase_line_id = False
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.assertEqual(sum(self.cost(delivery)), -40.0)

    def test_bill_line_linked_to_another_order(self):
        orders = [self.buy(self.fifo, 10, 10.0, date="2026-01-05") for _n in range(2)]
        receipts = [self.receive(order, date="2026-01-05") for order in orders]
        bill = self.bill(orders[0], price=12.0, date="2026-01-06")
        bill.invoice_line_ids.purchase_line_id = orders[1].order_line
        self.assertEqual(self.cost(receipts[0]), (100.0, 0.0))
        self.assertEqual(self.cost(receipts[1]), (0.0, 120.0))
