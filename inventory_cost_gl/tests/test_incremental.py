from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDeliveryInThePast(InventoryCostCommon):
    """Goods that left on an earlier day change the average of later days."""

    def test_later_deliveries(self):
        for period, later in (("transaction", -83.33), ("day", -83.33), ("month", -75)):
            with self.subTest(period):
                self.company.average_cost_period = period
                product = self.make_product("average")
                for day, price in (("2026-01-02", 10.0), ("2026-01-10", 20.0)):
                    order = self.buy(product, 10, price, date=day)
                    self.receive(order, date=day)
                sale = self.sell(product, 5, date="2026-01-15")
                delivery = self.deliver(sale, date="2026-01-15")
                self.assertEqual(sum(self.cost(delivery)), -75.0)
                sale = self.sell(product, 5, date="2026-01-05")
                earlier = self.deliver(sale, date="2026-01-05")
                own = -75.0 if period == "month" else -50.0
                self.assertEqual(sum(self.cost(earlier)), own)
                self.assertEqual(sum(self.cost(delivery)), later)
