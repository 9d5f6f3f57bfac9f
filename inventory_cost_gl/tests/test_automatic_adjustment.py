from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestAutomaticAdjustment(InventoryCostCommon):
    """What documents and workers adjust by themselves, and what waits for a run."""

    def late_bill(self, product):
        """Sell before the bill comes at another price; return the delivery."""
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(product, 6, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        self.bill(order, price=12.0, date="2026-01-20")
        return delivery

    def queue(self, product):
        return self.env["stock.cost.queue"].search([("product_id", "=", product.id)])

    def work(self):
        """Do what the scheduled action does, in this transaction."""
        queue = self.env["stock.cost.queue"]
        for product in queue._automatic_products(self.company):
            self.env["inventory.cost.run"]._adjust_products(self.company, product)

    def test_never_leaves_it_to_the_accountant(self):
        self.company.automatic_cost_adjustment = "never"
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                delivery = self.late_bill(product)
                self.assertEqual(sum(self.cost(delivery)), -60.0)
                self.work()
                self.assertEqual(sum(self.cost(delivery)), -60.0)
                self.assertTrue(self.queue(product))
                self.env["stock.cost.item"]._adjust_queued(self.company, product)
                self.assertEqual(sum(self.cost(delivery)), -72.0)
                self.assertFalse(self.queue(product))

    def test_always_adjusts_at_once(self):
        delivery = self.late_bill(self.fifo)
        self.assertEqual(sum(self.cost(delivery)), -72.0)
        self.assertFalse(self.queue(self.fifo))

    def test_window_reaches_as_far_back_as_it_says(self):
        for period, cost in (("week", -60.0), ("month", -72.0)):
            with self.subTest(period=period):
                self.company.automatic_cost_adjustment = period
                product = self.make_product("fifo")
                self.assertEqual(sum(self.cost(self.late_bill(product))), cost)

    def test_worker_gives_busy_documents_their_exact_cost(self):
        """A provisional cost is made exact also where nothing else is adjusted."""
        for setting in ("never", "always"):
            with self.subTest(setting=setting):
                self.company.automatic_cost_adjustment = setting
                product = self.make_product("fifo")
                order = self.buy(product, 10, 14.0, date="2026-01-05")
                self.receive(order, date="2026-01-05")
                other = self.buy(product, 10, 20.0, date="2026-01-06")
                self.receive(other, date="2026-01-06")
                self.patch(
                    self.registry["stock.cost.item"],
                    "_lock",
                    lambda items, company, products: items.browse(),
                )
                sale = self.sell(product, 6, date="2026-01-07")
                delivery = self.deliver(sale, date="2026-01-07")
                self.assertEqual(sum(self.cost(delivery)), -6 * 17.0)
                self.registry["stock.cost.item"]._lock = self._lock
                self.work()
                self.assertEqual(sum(self.cost(delivery)), -6 * 14.0)
                self.assertFalse(self.queue(product).filtered(lambda r: not r.counted))
                balance = self.env["stock.cost.balance"].search(
                    [("product_id", "=", product.id)]
                )
                self.assertEqual(balance.quantity, 14.0)
                self.assertEqual(balance.value_expected, 340.0 - 84.0)

    def setUp(self):
        super().setUp()
        self._lock = self.registry["stock.cost.item"]._lock
