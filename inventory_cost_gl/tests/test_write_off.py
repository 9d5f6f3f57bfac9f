from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestWriteOff(InventoryCostCommon):
    """Order lines closed short: nothing more will be billed or invoiced."""

    def write_off(self, records, date="2026-02-01"):
        """Write off what is expected of moves or pickings; return value entries."""
        date = fields.Date.to_date(date)
        return self.ledger_entries(records)._write_off_expected(date)

    def invoiced(self, records):
        """Return the invoiced quantity of moves or pickings."""
        return sum(self.ledger_entries(records).mapped("invoiced_quantity"))

    def receive_and_bill(self, product, billed, price=10.0):
        """Return the order and receipt of 10, of which some are billed."""
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        if billed:
            self.bill(order, billed, price, date="2026-01-06")
        return order, receipt

    # -- Receipts never billed --------------------------------------------------------

    def test_the_rest_of_the_expected_cost_is_reversed(self):
        order, receipt = self.receive_and_bill(self.fifo, 6, 12.0)
        self.assertEqual(self.cost(receipt), (40.0, 72.0))
        value = self.write_off(receipt)
        self.assertEqual(self.cost(receipt), (0.0, 72.0))
        self.assertEqual(self.invoiced(receipt), 10.0)
        self.assertRecordValues(
            value,
            [
                {
                    "entry_type": "direct_cost",
                    "cost_amount_expected": -40.0,
                    "cost_amount_actual": 0.0,
                    "invoiced_quantity": 4.0,
                    "adjustment": False,
                    "source_model": "purchase.order.line",
                    "source_id": order.order_line.id,
                    "source_ref": order.name,
                    "document_ref": order.name,
                }
            ],
        )
        self.assertEqual(str(value.posting_date), "2026-02-01")
        self.assertEqual(value.action_open_source()["res_id"], order.id)

    def test_nothing_billed_at_all(self):
        _order, receipt = self.receive_and_bill(self.fifo, 0)
        self.write_off(receipt)
        self.assertEqual(self.cost(receipt), (0.0, 0.0))
        self.assertEqual(self.invoiced(receipt), 10.0)

    def test_writing_off_twice_appends_nothing(self):
        _order, receipt = self.receive_and_bill(self.fifo, 6)
        self.write_off(receipt)
        before = self.entries(receipt)
        self.assertFalse(self.write_off(receipt))
        self.assertEqual(self.entries(receipt), before)

    def test_nothing_is_left_to_write_off_of_what_is_billed(self):
        _order, receipt = self.receive_and_bill(self.fifo, 10)
        before = self.entries(receipt)
        self.assertFalse(self.write_off(receipt))
        self.assertEqual(self.entries(receipt), before)

    def test_a_count_has_nothing_to_write_off(self):
        gain = self.count(self.fifo, 5, date="2026-01-05")
        self.assertFalse(self.write_off(gain))
        self.assertEqual(self.cost(gain), (0.0, 50.0))

    def test_what_was_sold_meanwhile_costs_less(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                _order, receipt = self.receive_and_bill(product, 6)
                sale = self.sell(product, 5, date="2026-01-07")
                delivery = self.deliver(sale, date="2026-01-07")
                self.assertEqual(sum(self.cost(delivery)), -50.0)
                self.write_off(receipt)
                self.assertEqual(sum(self.cost(delivery)), -30.0)

    def test_a_standard_cost_stays_and_the_rest_is_variance(self):
        _order, receipt = self.receive_and_bill(self.standard, 6, 12.0)
        value = self.write_off(receipt)
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        variance = value.filtered("variance_type")
        self.assertEqual(variance.cost_amount_actual, 40.0)
        self.assertEqual(self.cost(receipt), (0.0, 100.0))

    def test_one_of_two_receipts(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        first = self.receive(order, 4, date="2026-01-05")
        second = self.receive(order, 6, date="2026-01-06")
        self.write_off(first)
        self.assertEqual(self.cost(first), (0.0, 0.0))
        self.assertEqual(self.cost(second), (60.0, 0.0))
        # A bill goes to what is not written off as long as there is any.
        self.bill(order, 6, 11.0, date="2026-01-07")
        self.assertEqual(self.cost(first), (0.0, 0.0))
        self.assertEqual(self.cost(second), (0.0, 66.0))

    # -- Reversible -------------------------------------------------------------------

    def test_a_late_bill_is_recorded_exactly(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                order, receipt = self.receive_and_bill(product, 6)
                self.write_off(receipt)
                self.bill(order, 3, 13.0, date="2026-02-10")
                self.assertEqual(self.cost(receipt), (0.0, 99.0))
                self.assertEqual(self.invoiced(receipt), 10.0)
                self.bill(order, 1, 15.0, date="2026-02-11")
                self.assertEqual(self.cost(receipt), (0.0, 114.0))
                self.assertEqual(self.invoiced(receipt), 10.0)

    def test_a_late_bill_at_standard_cost(self):
        order, receipt = self.receive_and_bill(self.standard, 6, 12.0)
        self.write_off(receipt)
        self.bill(order, 4, 11.0, date="2026-02-10")
        variance = self.entries(receipt).filtered("variance_type")
        self.assertEqual(sum(variance.mapped("cost_amount_actual")), -16.0)
        self.assertEqual(self.cost(receipt), (0.0, 100.0))

    def test_a_late_bill_reset_leaves_the_expected_cost_open(self):
        order, receipt = self.receive_and_bill(self.fifo, 6)
        self.write_off(receipt)
        self.bill(order, 4, 13.0, date="2026-02-10").button_draft()
        self.assertEqual(self.cost(receipt), (40.0, 60.0))

    def test_taken_back(self):
        _order, receipt = self.receive_and_bill(self.fifo, 6, 12.0)
        before = self.cost(receipt)
        self.write_off(receipt)
        self.ledger_entries(receipt)._take_back_write_off()
        self.assertEqual(self.cost(receipt), before)
        self.assertEqual(self.invoiced(receipt), 6.0)
        self.assertFalse(self.ledger_entries(receipt)._take_back_write_off())

    def test_the_order_price_does_not_reach_what_is_written_off(self):
        order, receipt = self.receive_and_bill(self.fifo, 6)
        self.write_off(receipt)
        order.order_line.price_unit = 20.0
        self.assertEqual(self.cost(receipt), (0.0, 60.0))

    # -- Returns, deliveries ----------------------------------------------------------

    def test_a_vendor_return_without_a_credit_note(self):
        order, receipt = self.receive_and_bill(self.fifo, 10)
        back = self.give_back(receipt, 4, date="2026-01-07")
        self.assertEqual(self.cost(back), (-40.0, 0.0))
        self.write_off(back)
        self.assertEqual(self.cost(back), (0.0, -40.0))
        self.assertEqual(self.cost(receipt), (0.0, 100.0))

    def test_a_delivery_never_invoiced_is_cost_all_the_same(self):
        self.receive_and_bill(self.fifo, 10)
        sale = self.sell(self.fifo, 5, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        self.invoice(sale, 2, date="2026-01-08")
        self.assertEqual(self.cost(delivery), (-30.0, -20.0))
        value = self.write_off(delivery)
        self.assertEqual(self.cost(delivery), (0.0, -50.0))
        self.assertEqual(value.source_model, "sale.order.line")
        self.assertEqual(value.action_open_source()["res_id"], sale.id)
        # Invoiced after all: nothing but the source of the quantity changes.
        self.invoice(sale, 3, date="2026-02-10")
        self.assertEqual(self.cost(delivery), (0.0, -50.0))
        self.assertEqual(self.invoiced(delivery), -5.0)

    # -- Orders cancelled -------------------------------------------------------------

    def test_a_cancelled_purchase_order_is_closed_short(self):
        order, receipt = self.receive_and_bill(self.fifo, 0)
        with self.at("2026-01-20"):
            order.button_cancel()
        self.assertEqual(self.cost(receipt), (0.0, 0.0))
        value = self.entries(receipt)[-1]
        self.assertEqual(value.source_model, "purchase.order")
        self.assertEqual(str(value.posting_date), "2026-01-20")
        self.assertEqual(value.action_open_source()["res_id"], order.id)
        order.button_draft()
        self.assertEqual(self.cost(receipt), (100.0, 0.0))
        order.button_confirm()
        self.bill(order, 10, 12.0, date="2026-01-25")
        self.assertEqual(self.cost(receipt), (0.0, 120.0))

    def test_a_cancelled_sales_order_is_cost_at_once(self):
        self.receive_and_bill(self.fifo, 10)
        sale = self.sell(self.fifo, 5, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        sale._action_cancel()
        self.assertEqual(self.cost(delivery), (0.0, -50.0))
        sale.action_draft()
        self.assertEqual(self.cost(delivery), (-50.0, 0.0))

    def test_goods_given_back_before_the_order_is_cancelled(self):
        order, receipt = self.receive_and_bill(self.fifo, 0)
        back = self.give_back(receipt, date="2026-01-06")
        before = self.cost(receipt), self.cost(back)
        order.button_cancel()
        self.assertEqual((self.cost(receipt), self.cost(back)), before)
        self.assertEqual(self.cost(receipt), (0.0, 100.0))

    # -- Periods, companies, the G/L --------------------------------------------------

    def test_a_closed_period_refuses_the_write_off(self):
        _order, receipt = self.receive_and_bill(self.fifo, 6)
        self.env["inventory.period"].create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-01-31",
                "closed": True,
            }
        )
        before = self.entries(receipt)
        with self.assertRaisesRegex(UserError, "closed until"):
            self.write_off(receipt, "2026-01-20")
        self.assertEqual(self.entries(receipt), before)

    def test_not_before_the_receipt(self):
        _order, receipt = self.receive_and_bill(self.fifo, 6)
        value = self.write_off(receipt, "2026-01-01")
        self.assertEqual(str(value.posting_date), "2026-01-05")
