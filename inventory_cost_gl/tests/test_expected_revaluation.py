from odoo import Command
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestExpectedRevaluation(InventoryCostCommon):
    """Standard products received but not billed: what they are expected to cost."""

    def setUp(self):
        super().setUp()
        self.order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        self.receipt = self.receive(self.order, date="2026-01-05")

    def sell_some(self, quantity, date="2026-01-06"):
        """Return the delivery of a new sale."""
        return self.deliver(self.sell(self.standard, quantity, date=date), date=date)

    def revalue(self, unit_cost, date="2026-01-31"):
        """Revalue what is left to a unit cost."""
        revaluation = self.env["inventory.revaluation"].create(
            {
                "date": date,
                "product_ids": [Command.set(self.standard.ids)],
                "reason": "Market price",
            }
        )
        revaluation.action_calculate()
        revaluation.line_ids.unit_cost_revalued = unit_cost
        revaluation.action_approve()
        revaluation.action_post()

    def assertCosts(self, delivery, delivered, received):
        """Compare the delivery's cost, and the receipt's as (expected, actual)."""
        self.assertEqual(self.cost(self.receipt), received)
        self.assertEqual(sum(self.cost(delivery)), delivered)

    # -- Taken back as they were made -------------------------------------------------

    def test_reset_bill_brings_back_what_the_revaluation_covered(self):
        delivery = self.sell_some(4)
        self.revalue(15.0)
        bill = self.bill(self.order, 5, date="2026-02-03")
        self.bill(self.order, 5, date="2026-02-04")
        bill.button_draft()
        self.assertCosts(delivery, -40.0, (65.0, 50.0))
        bill.action_post()
        self.assertCosts(delivery, -40.0, (0.0, 100.0))

    def test_each_revaluation_is_reversed_over_what_it_covered(self):
        """All 10 to 12, sell 4, the other 6 to 17: the bill leaves none of it."""
        self.revalue(12.0, "2026-01-10")
        delivery = self.sell_some(4, "2026-01-15")
        self.revalue(17.0, "2026-01-31")
        self.assertCosts(delivery, -48.0, (150.0, 0.0))
        bill = self.bill(self.order, date="2026-02-03")
        self.assertCosts(delivery, -40.0, (0.0, 100.0))
        bill.button_draft()
        self.assertCosts(delivery, -48.0, (150.0, 0.0))

    def test_bill_restated_after_a_second_revaluation(self):
        """A bill that came first covers more of the receipt when a return goes."""
        self.revalue(12.0, "2026-01-10")
        bill = self.bill(self.order, 5, date="2026-01-12")
        delivery = self.sell_some(4, "2026-01-15")
        self.revalue(17.0, "2026-01-31")
        self.bill(self.order, 5, date="2026-02-03")
        self.assertEqual(self.cost(self.receipt)[0], 0.0)
        before = sum(self.cost(delivery))
        bill.button_draft()
        bill.action_post()
        self.assertEqual(self.cost(self.receipt)[0], 0.0)
        self.assertEqual(sum(self.cost(delivery)), before)

    # -- Returns of what was not billed -----------------------------------------------

    def test_return_settles_the_revaluation_too(self):
        self.revalue(12.0)
        back = self.give_back(self.receipt, date="2026-02-02")
        self.assertEqual(self.cost(back), (0.0, -120.0))
        self.assertEqual(self.cost(self.receipt), (0.0, 120.0))

    def test_return_of_a_part_settles_its_share(self):
        self.revalue(12.0)
        back = self.give_back(self.receipt, 4, date="2026-02-02")
        self.assertEqual(self.cost(back), (0.0, -48.0))
        self.assertEqual(self.cost(self.receipt), (72.0, 48.0))
        self.bill(self.order, date="2026-02-03")
        self.assertEqual(self.cost(self.receipt)[0], 0.0)

    def test_return_clears_the_interim_accounts(self):
        self.company.write(
            {
                "automatic_cost_posting": "immediate",
                "expected_cost_posting": True,
            }
        )
        order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.revalue(12.0)
        self.env.cr.precommit.run()
        interim = self.gl("inventory_interim")
        self.give_back(receipt, date="2026-02-02")
        self.env.cr.precommit.run()
        self.assertEqual(self.gl("inventory_interim"), interim - 120.0)

    # -- The standard cost at the receipt ---------------------------------------------

    def test_order_price_changes_no_standard_cost(self):
        self.standard.standard_price = 12.0
        line = self.order.order_line
        for values in (
            {"price_unit": 11.0},
            {"discount": 10.0},
            {"tax_ids": [Command.clear()]},
        ):
            with self.subTest(values=values):
                line.write(values)
                self.assertEqual(self.cost(self.receipt), (100.0, 0.0))
        later = self.buy(self.standard, 10, 10.0, date="2026-01-07")
        later = self.receive(later, date="2026-01-07")
        self.assertEqual(self.cost(later), (120.0, 0.0))

    def test_order_price_changes_no_revaluation(self):
        self.revalue(15.0)
        self.order.order_line.price_unit = 11.0
        self.assertEqual(self.cost(self.receipt), (150.0, 0.0))
