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

    def test_what_waits_for_a_run_keeps_the_product_waiting(self):
        """A change too old for the window stops automatic adjustment (rule d.2)."""
        self.company.automatic_cost_adjustment = "week"
        old = self.late_bill(self.fifo)
        order = self.buy(self.fifo, 4, 10.0, date="2026-01-20")
        self.receive(order, date="2026-01-20")
        sale = self.sell(self.fifo, 6, date="2026-01-21")
        new = self.deliver(sale, date="2026-01-21")
        self.bill(order, price=15.0, date="2026-01-22")
        # 4 of the billed 12.00, 2 of the receipt at the order's 10.00
        self.assertEqual(sum(self.cost(new)), -4 * 12.0 - 2 * 10.0)
        self.env["stock.cost.item"]._adjust_queued(self.company, self.fifo)
        self.assertEqual(sum(self.cost(old)), -72.0)
        self.assertEqual(sum(self.cost(new)), -4 * 12.0 - 2 * 15.0)

    def test_what_the_window_reaches_leaves_nothing_queued(self):
        """A period all of whose changes were adjusted automatically can be closed."""
        self.company.automatic_cost_adjustment = "month"
        self.late_bill(self.fifo)
        self.assertFalse(self.queue(self.fifo))
        period = self.env["inventory.period"].create({"ending_date": "2026-01-31"})
        period.action_close()
        self.assertTrue(period.closed)

    def test_excluded_product_is_not_adjusted_automatically(self):
        for setting in ("always", "month"):
            with self.subTest(setting=setting):
                self.company.automatic_cost_adjustment = setting
                product = self.make_product("fifo")
                self.receive(
                    self.buy(product, 1, 1.0, date="2026-01-01"), date="2026-01-01"
                )
                self.env["stock.cost.item"].search(
                    [("product_id", "=", product.id)]
                ).excluded = True
                order = self.buy(product, 10, 10.0, date="2026-01-05")
                self.receive(order, date="2026-01-05")
                sale = self.sell(product, 11, date="2026-01-07")
                delivery = self.deliver(sale, date="2026-01-07")
                self.bill(order, price=12.0, date="2026-01-20")
                self.assertEqual(sum(self.cost(delivery)), -101.0)
                self.assertTrue(self.queue(product))

    def test_unit_cost_of_goods_sold_before_they_come(self):
        """Never adjusted: the first price known, then the last one (rule d.10)."""
        self.company.automatic_cost_adjustment = "never"
        product = self.make_product("fifo")
        order = self.buy(product, 2, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        first = self.deliver(
            self.sell(product, 5, date="2026-01-06"), date="2026-01-06"
        )
        self.assertEqual(sum(self.cost(first)), -2 * 10.0 - 3 * 10.0)
        # billed: the invoiced quantity turns from nothing to more than nothing
        self.bill(order, price=14.0, date="2026-01-07")
        second = self.deliver(
            self.sell(product, 1, date="2026-01-08"), date="2026-01-08"
        )
        self.assertEqual(sum(self.cost(second)), -14.0)
        self.assertEqual(product.standard_price, 14.0)

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
                # an adjustment brings the unit cost up to date: (140 + 200) / 20
                self.env["stock.cost.item"]._adjust_queued(self.company, product)
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
