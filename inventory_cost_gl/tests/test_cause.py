from odoo import Command
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestCause(InventoryCostCommon):
    """From an adjustment one click leads to the document that caused it."""

    def adjustments(self, records):
        """Return the adjustments of moves or pickings."""
        adjustments = self.entries(records).filtered("adjustment")
        self.assertTrue(adjustments)
        return adjustments

    def assertCausedBy(self, adjustments, document):
        """Check that the click on each adjustment opens the document."""
        for adjustment in adjustments:
            action = adjustment.action_open_cause()
            self.assertEqual(
                (action["res_model"], action["res_id"]),
                (document._name, document.id),
                adjustment.display_name,
            )

    def receive_and_deliver(self, product):
        """Return an order of 10 at 10 and the delivery of 6 of them."""
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(product, 6, date="2026-01-07")
        return order, self.deliver(sale, date="2026-01-07")

    def test_a_bill(self):
        for product in (self.fifo, self.average, self.lifo):
            with self.subTest(product=product.name):
                order, delivery = self.receive_and_deliver(product)
                bill = self.bill(order, price=12.0, date="2026-01-20")
                self.assertCausedBy(self.adjustments(delivery), bill)

    def test_a_bill_through_a_transfer(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                order = self.buy(product, 10, 10.0, date="2026-01-05")
                self.receive(order, date="2026-01-05")
                transfer = self.transfer(product, 8, date="2026-01-06")
                sale = self.sell(
                    product, 3, date="2026-01-07", warehouse=self.warehouse_2
                )
                delivery = self.deliver(sale, date="2026-01-07")
                bill = self.bill(order, price=12.0, date="2026-01-20")
                self.assertCausedBy(self.adjustments(delivery), bill)
                self.assertEqual(sum(self.cost(delivery)), -36.0)
                if product == self.fifo:
                    self.assertCausedBy(self.adjustments(transfer), bill)

    def test_a_bill_through_a_return(self):
        order, delivery = self.receive_and_deliver(self.fifo)
        back = self.give_back(delivery, 2, date="2026-01-08")
        bill = self.bill(order, price=12.0, date="2026-01-20")
        self.assertCausedBy(self.adjustments(back), bill)

    def test_a_bill_that_was_reset(self):
        order, delivery = self.receive_and_deliver(self.fifo)
        bill = self.bill(order, price=12.0, date="2026-01-20")
        bill.button_draft()
        adjustments = self.adjustments(delivery)
        self.assertEqual(len(adjustments), 2)
        self.assertCausedBy(adjustments, bill)

    def test_a_revaluation(self):
        order, delivery = self.receive_and_deliver(self.average)
        sale = self.sell(self.average, 2, date="2026-01-15")
        later = self.deliver(sale, date="2026-01-15")
        self.bill(order, date="2026-01-07")
        revaluation = self.env["inventory.revaluation"].create(
            {
                "date": "2026-01-10",
                "product_ids": [Command.set(self.average.ids)],
                "reason": "Market price",
            }
        )
        revaluation.action_calculate()
        revaluation.line_ids.unit_cost_revalued = 15.0
        revaluation.action_approve()
        revaluation.action_post()
        self.assertFalse(self.entries(delivery).filtered("adjustment"))
        self.assertCausedBy(self.adjustments(later), revaluation)

    def test_a_receipt_that_changes_the_average(self):
        _order, delivery = self.receive_and_deliver(self.average)
        order = self.buy(self.average, 10, 20.0, date="2026-01-06")
        late = self.receive(order, date="2026-01-06")
        self.assertEqual(sum(self.cost(delivery)), -90.0)
        self.assertCausedBy(self.adjustments(delivery), late)

    def test_supply_that_came_late(self):
        sale = self.sell(self.fifo, 5, date="2026-01-03")
        delivery = self.deliver(sale, date="2026-01-03")
        order = self.buy(self.fifo, 8, 13.0, date="2026-01-10")
        receipt = self.receive(order, date="2026-01-10")
        self.assertCausedBy(self.adjustments(delivery), receipt)

    def test_an_order_closed_short(self):
        order, delivery = self.receive_and_deliver(self.fifo)
        order.button_cancel()
        self.assertCausedBy(self.adjustments(delivery), order)

    def test_what_is_no_adjustment_opens_its_own_document(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, price=12.0, date="2026-01-06")
        first, second = self.entries(receipt)
        self.assertCausedBy(first, receipt)
        self.assertCausedBy(second, bill)

    def test_the_first_cause_is_found_through_a_chain(self):
        order, delivery = self.receive_and_deliver(self.fifo)
        bill = self.bill(order, price=12.0, date="2026-01-20")
        adjustment = self.adjustments(delivery)
        chained = self.env["stock.value.entry"]._append(
            [
                {
                    "ledger_entry_id": adjustment.ledger_entry_id.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": -1.0,
                    "posting_date": "2026-01-20",
                    "adjustment": True,
                    "cause_value_entry_id": adjustment.id,
                }
            ]
        )
        self.assertFalse(chained._first_cause().adjustment)
        self.assertCausedBy(chained, bill)
