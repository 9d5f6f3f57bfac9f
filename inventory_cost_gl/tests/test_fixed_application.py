from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestFixedApplication(InventoryCostCommon):
    """Goods taken from a receipt that the user chose."""

    def receipts(self, product):
        """Return the ledger entries of two receipts, at 10 and at 20."""
        pickings = self.env["stock.picking"]
        for price in (10.0, 20.0):
            order = self.buy(product, 5, price, date="2026-01-05")
            pickings |= self.receive(order, date="2026-01-05")
        return self.ledger_entries(pickings)

    def sell_from(self, entry, product, quantity, date="2026-01-10", **values):
        """Return the delivery of goods that are taken from a ledger entry."""
        order = self.sell(product, quantity, date=date, **values)
        order.picking_ids.move_ids.applies_to_entry_id = entry
        return self.deliver(order, date=date)

    def test_takes_the_cost_of_the_chosen_receipt(self):
        for product in (self.fifo, self.average):
            with self.subTest(product.name):
                _cheap, dear = self.receipts(product)
                delivery = self.sell_from(dear, product, 2)
                self.assertEqual(self.cost(delivery), (-40.0, 0.0))
                self.assertEqual(
                    self.ledger_entries(delivery).applies_to_entry_id, dear
                )
                self.assertEqual(dear.remaining_quantity, 3.0)

    def test_backorder_is_free(self):
        _cheap, dear = self.receipts(self.fifo)
        order = self.sell(self.fifo, 4, date="2026-01-10")
        order.picking_ids.move_ids.applies_to_entry_id = dear
        first = self.deliver(order, 1, date="2026-01-10")
        rest = self.deliver(order, date="2026-01-11")
        self.assertEqual(self.cost(first), (-20.0, 0.0))
        self.assertEqual(self.cost(rest), (-30.0, 0.0))

    def test_refuses_more_than_is_left(self):
        _cheap, dear = self.receipts(self.fifo)
        with self.assertRaisesRegex(UserError, "only 5 are left"):
            self.sell_from(dear, self.fifo, 6)

    def test_refuses_another_warehouse(self):
        _cheap, dear = self.receipts(self.fifo)
        with self.assertRaisesRegex(UserError, "only 0 are left"):
            self.sell_from(dear, self.fifo, 1, warehouse=self.warehouse_2)

    def test_refuses_another_product_and_decreases(self):
        _cheap, dear = self.receipts(self.fifo)
        order = self.sell(self.lifo, 1, date="2026-01-10")
        with self.assertRaisesRegex(UserError, "only be applied to a receipt"):
            order.picking_ids.move_ids.applies_to_entry_id = dear
        delivery = self.sell_from(dear, self.fifo, 1)
        order = self.sell(self.fifo, 1, date="2026-01-10")
        with self.assertRaisesRegex(UserError, "only be applied to a receipt"):
            order.picking_ids.move_ids.applies_to_entry_id = self.ledger_entries(
                delivery
            )
