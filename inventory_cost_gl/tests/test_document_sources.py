from odoo import Command, fields
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDocumentSources(InventoryCostCommon):
    """What receipts and bills say goods cost: prices, discounts, currencies, taxes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.env.ref("base.EUR")
        cls.euro.active = True
        cls.env["res.currency.rate"].create(
            [
                {
                    "name": day,
                    "rate": rate,
                    "currency_id": cls.euro.id,
                    "company_id": cls.company.id,
                }
                for day, rate in (("2026-01-01", 0.5), ("2026-01-10", 0.8))
            ]
        )

    def receive_without_order(self, product, quantity, price_unit, source=None):
        """Return the picking of a receipt at a price, or at none, without an order."""
        source = source or self.vendor.property_stock_supplier
        with self.at("2026-01-05"):
            picking = self.env["stock.picking"].create(
                {
                    "picking_type_id": self.warehouse.in_type_id.id,
                    "location_id": source.id,
                    "location_dest_id": self.warehouse.lot_stock_id.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": quantity,
                                "price_unit": price_unit,
                                "location_id": source.id,
                                "location_dest_id": self.warehouse.lot_stock_id.id,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
        return self.validate(picking, date="2026-01-05")

    def half_deductible_tax(self, amount=20.0):
        """Return a purchase tax of which half cannot be deducted."""
        half = [
            Command.create({"repartition_type": "base"}),
            Command.create(
                {
                    "repartition_type": "tax",
                    "factor_percent": 50,
                    "account_id": self.accounts["wip"].id,
                }
            ),
            Command.create({"repartition_type": "tax", "factor_percent": 50}),
        ]
        return self.env["account.tax"].create(
            {
                "name": "Half deductible",
                "amount": amount,
                "type_tax_use": "purchase",
                "invoice_repartition_line_ids": half,
                "refund_repartition_line_ids": half,
            }
        )

    # -- Without an order -------------------------------------------------------------

    def test_a_receipt_without_an_order_costs_the_moves_price(self):
        for product in (self.fifo, self.average, self.lifo):
            with self.subTest(product=product.name):
                receipt = self.receive_without_order(product, 4, 12.5)
                self.assertEqual(self.cost(receipt), (0.0, 50.0))
                self.assertEqual(product.standard_price, 12.5)

    def test_without_a_price_it_costs_the_current_unit_cost(self):
        receipt = self.receive_without_order(self.fifo, 4, 0.0)
        self.assertEqual(self.cost(receipt), (0.0, 40.0))

    def test_a_gain_costs_the_moves_price(self):
        gain = self.receive_without_order(
            self.fifo, 4, 7.0, self.fifo.property_stock_inventory
        )
        self.assertEqual(self.ledger_entries(gain).entry_type, "positive_adjustment")
        self.assertEqual(self.cost(gain), (0.0, 28.0))

    def test_a_standard_cost_stays_whatever_the_moves_price(self):
        receipt = self.receive_without_order(self.standard, 4, 12.5)
        self.assertEqual(self.cost(receipt), (0.0, 40.0))
        self.assertEqual(self.standard.standard_price, 10.0)

    # -- Bills ------------------------------------------------------------------------

    def test_a_bills_own_discount(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05", discount=10)
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (90.0, 0.0))
        bill = self.bill(order, date="2026-01-06", post=False)
        bill.invoice_line_ids.discount = 25
        bill.action_post()
        self.assertEqual(self.cost(receipt), (0.0, 75.0))

    def test_a_bill_in_another_currency_than_the_order(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, 4, 8.0, date="2026-01-10", post=False)
        bill.currency_id = self.euro
        bill.invoice_line_ids.price_unit = 8.0
        bill.action_post()
        self.assertEqual(self.cost(receipt), (60.0, 40.0))
        actual = self.entries(receipt).filtered("cost_amount_actual")
        self.assertEqual(actual.source_amount, 32.0)
        self.assertEqual(actual.source_currency_id, self.euro)

    def test_currency_discount_and_tax_together(self):
        tax = self.half_deductible_tax()
        order = self.buy(
            self.fifo,
            10,
            10.0,
            date="2026-01-05",
            currency=self.euro,
            discount=10,
            tax_ids=[Command.set(tax.ids)],
        )
        receipt = self.receive(order, date="2026-01-05")
        # 90 euro and half of 18 of tax, at 0.5 euro each.
        self.assertEqual(self.cost(receipt), (198.0, 0.0))
        self.bill(order, 4, date="2026-01-10")
        # 36 euro and half of 7.20, at 0.8.
        self.assertEqual(self.cost(receipt), (118.8, 49.5))
        self.bill(order, 6, date="2026-01-10")
        self.assertEqual(self.cost(receipt), (0.0, 123.75))

    def test_tax_that_is_deducted_is_no_cost(self):
        tax = self.half_deductible_tax()
        for repartition in tax.invoice_repartition_line_ids:
            if repartition.repartition_type == "tax":
                repartition.account_id = self.accounts["wip"]
        order = self.buy(
            self.fifo, 10, 10.0, date="2026-01-05", tax_ids=[Command.set(tax.ids)]
        )
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        self.bill(order, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (0.0, 100.0))

    def test_a_credit_note_in_another_currency(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05", currency=self.euro)
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, date="2026-01-05")
        self.assertEqual(self.cost(receipt), (0.0, 200.0))
        back = self.give_back(receipt, 4, date="2026-01-06")
        with self.at("2026-01-10"):
            refund = bill._reverse_moves([{"invoice_date": fields.Date.today()}])
            refund.invoice_line_ids.quantity = 4
            refund.action_post()
        # The goods leave at what they cost, whatever the credit note's rate.
        self.assertEqual(self.cost(back), (0.0, -80.0))

    # -- The order's price ------------------------------------------------------------

    def test_the_order_changed_after_the_receipt(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        for values, expected in (
            ({"price_unit": 12.0}, 120.0),
            ({"discount": 50.0}, 60.0),
            ({"price_unit": 0.0}, 0.0),
            ({"price_unit": 10.0, "discount": 0.0}, 100.0),
        ):
            with self.subTest(values=values):
                order.order_line.write(values)
                self.assertEqual(self.cost(receipt), (expected, 0.0))

    def test_the_order_changed_after_a_return(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        back = self.give_back(receipt, 4, date="2026-01-06")
        order.order_line.price_unit = 12.0
        # The return and its part of the receipt were settled at the old price.
        self.assertEqual(self.cost(receipt), (72.0, 40.0))
        self.assertEqual(self.cost(back)[0], 0.0)

    # -- Returns, both ways, billed and not -------------------------------------------

    def test_a_vendor_return_of_what_was_billed_in_part(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, 6, 12.0, date="2026-01-06")
        back = self.give_back(receipt, 8, date="2026-01-07")
        # Four were not billed: they settle; the other four wait for a credit note.
        self.assertEqual(self.cost(receipt), (0.0, 112.0))
        self.assertEqual(self.ledger_entries(back).invoiced_quantity, -4.0)
        self.assertEqual(sum(self.cost(back)), -89.6)
        with self.at("2026-01-08"):
            refund = bill._reverse_moves([{"invoice_date": fields.Date.today()}])
            refund.invoice_line_ids.quantity = 4
            refund.action_post()
        self.assertEqual(self.cost(back), (0.0, -89.6))
        self.assertEqual(self.cost(receipt), (0.0, 112.0))

    def test_a_customer_return_of_what_was_invoiced_in_part(self):
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.average, 10, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        self.invoice(sale, 6, date="2026-01-06")
        back = self.give_back(delivery, 7, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (0.0, -100.0))
        self.assertEqual(self.ledger_entries(back).invoiced_quantity, 4.0)
        self.assertEqual(self.cost(back), (30.0, 40.0))
