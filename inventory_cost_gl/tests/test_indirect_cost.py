"""Indirect cost percentage and overhead rate on what is bought."""

from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestIndirectCost(InventoryCostCommon):
    """Through receipts, bills, returns and credit notes, to the accounts."""

    def amounts(self, records):
        """Return ``{entry type: (expected, actual)}`` of moves or pickings."""
        totals = {}
        for entry in self.entries(records):
            expected, actual = totals.get(entry.entry_type, (0.0, 0.0))
            totals[entry.entry_type] = (
                self.currency.round(expected + entry.cost_amount_expected),
                self.currency.round(actual + entry.cost_amount_actual),
            )
        return {key: both for key, both in totals.items() if any(both)}

    def post(self):
        self.env["inventory.cost.post"].create({"mode": "post"}).action_run()

    def assertBooked(self, **balances):
        """These accounts have these balances, the other roles none."""
        booked = {role: self.gl(role) for role in self.accounts}
        self.assertEqual(
            {role: amount for role, amount in booked.items() if amount}, balances
        )

    def test_worked_chain_of_links(self):
        """Steps 1 to 2d of the chain worked in reference b.4, to the accounts."""
        link = self.make_product("standard", name="LINK", standard_price=1.0)
        link.overhead_rate = 0.02
        order = self.buy(link, 150, 1.1, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (150.0, 0.0)})
        self.post()
        self.assertBooked(inventory_interim=150.0, accrual_interim=-150.0)
        self.bill(order, date="2026-01-10")
        self.assertEqual(
            self.amounts(receipt),
            {
                "direct_cost": (0.0, 165.0),
                "indirect_cost": (0.0, 3.0),
                "variance": (0.0, -18.0),
            },
        )
        self.post()
        self.assertBooked(
            inventory=150.0,
            direct_cost_applied=-165.0,
            overhead_applied=-3.0,
            purchase_variance=18.0,
        )

    def test_percentage_and_rate(self):
        """Expected with the order's price, actual with what is billed."""
        self.fifo.indirect_cost_pct = 10.0
        self.fifo.overhead_rate = 0.5
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (225.0, 0.0)})
        delivery = self.deliver(
            self.sell(self.fifo, 4, date="2026-01-06"), date="2026-01-06"
        )
        self.assertEqual(sum(self.cost(delivery)), -90.0)
        self.bill(order, price=22.0, date="2026-01-10")
        self.assertEqual(
            self.amounts(receipt),
            {"direct_cost": (0.0, 220.0), "indirect_cost": (0.0, 27.0)},
        )
        self.assertEqual(sum(self.cost(delivery)), -98.8)
        self.post()
        self.assertEqual(self.gl("overhead_applied"), -27.0)
        self.assertEqual(self.gl("direct_cost_applied"), -220.0)
        self.assertEqual(self.gl("accrual_interim"), 0.0)

    def test_bills_in_parts(self):
        self.fifo.indirect_cost_pct = 12.5
        self.fifo.overhead_rate = 0.03
        order = self.buy(self.fifo, 3, 9.99, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (33.81, 0.0)})
        for day, expected, direct, indirect in (
            ("2026-01-10", 22.54, 9.99, 1.28),
            ("2026-01-11", 11.27, 19.98, 2.56),
            ("2026-01-12", 0.0, 29.97, 3.84),
        ):
            self.bill(order, quantity=1, date=day)
            self.assertEqual(
                self.amounts(receipt),
                {
                    "direct_cost": (expected, direct),
                    "indirect_cost": (0.0, indirect),
                },
            )

    def test_bill_reset_and_credited(self):
        self.fifo.indirect_cost_pct = 10.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill = self.bill(order, date="2026-01-10")
        billed = {"direct_cost": (0.0, 200.0), "indirect_cost": (0.0, 20.0)}
        self.assertEqual(self.amounts(receipt), billed)
        bill.button_draft()
        self.assertEqual(self.amounts(receipt), {"direct_cost": (220.0, 0.0)})
        bill.action_post()
        self.assertEqual(self.amounts(receipt), billed)
        self.credit(bill, date="2026-01-11")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (220.0, 0.0)})
        self.post()
        self.assertBooked(inventory_interim=220.0, accrual_interim=-220.0)

    def test_vendor_return_takes_its_share_back(self):
        self.fifo.indirect_cost_pct = 10.0
        self.fifo.overhead_rate = 1.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-10")
        returned = self.give_back(receipt, 4, date="2026-01-12")
        self.assertEqual(sum(self.cost(returned)), -92.0)
        self.bill(order, date="2026-01-13")
        self.assertEqual(
            self.amounts(returned),
            {"direct_cost": (0.0, -80.0), "indirect_cost": (0.0, -12.0)},
        )
        self.post()
        self.assertBooked(
            inventory=138.0, direct_cost_applied=-120.0, overhead_applied=-18.0
        )

    def test_standard_cost_return(self):
        self.standard.overhead_rate = 1.0
        order = self.buy(self.standard, 10, 8.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-10")
        self.assertEqual(
            self.amounts(receipt),
            {
                "direct_cost": (0.0, 80.0),
                "indirect_cost": (0.0, 10.0),
                "variance": (0.0, 10.0),
            },
        )
        returned = self.give_back(receipt, 5, date="2026-01-12")
        self.bill(order, date="2026-01-13")
        self.assertEqual(
            self.amounts(returned),
            {
                "direct_cost": (0.0, -40.0),
                "indirect_cost": (0.0, -5.0),
                "variance": (0.0, -5.0),
            },
        )

    def test_customer_return_brings_it_back(self):
        self.fifo.overhead_rate = 2.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        delivery = self.deliver(
            self.sell(self.fifo, 4, date="2026-01-06"), date="2026-01-06"
        )
        returned = self.give_back(delivery, 1, date="2026-01-08")
        self.assertEqual(sum(self.cost(returned)), 22.0)

    def test_foreign_currency(self):
        """The percentage is of the amount in company currency, the rate is in it."""
        currency = self.env["res.currency"].create(
            {
                "name": "TST",
                "symbol": "T",
                "rounding": 0.01,
                "rate_ids": [
                    (0, 0, {"name": "2026-01-01", "rate": 4.0}),
                    (0, 0, {"name": "2026-01-10", "rate": 5.0}),
                ],
            }
        )
        self.average.indirect_cost_pct = 10.0
        self.average.overhead_rate = 1.0
        order = self.buy(self.average, 10, 40.0, date="2026-01-05", currency=currency)
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (120.0, 0.0)})
        self.bill(order, date="2026-01-12")
        self.assertEqual(
            self.amounts(receipt),
            {"direct_cost": (0.0, 80.0), "indirect_cost": (0.0, 18.0)},
        )

    def test_without_an_order_there_is_none(self):
        """Physical gains come in at the unit cost, which has the overhead in it."""
        self.fifo.overhead_rate = 2.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        gain = self.count(self.fifo, 11, date="2026-01-06")
        self.assertEqual(self.amounts(gain), {"direct_cost": (0.0, 22.0)})

    def test_changed_rates_count_for_new_receipts(self):
        self.fifo.indirect_cost_pct = 10.0
        first_order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        first = self.receive(first_order, date="2026-01-05")
        self.bill(first_order, date="2026-01-05")
        self.fifo.indirect_cost_pct = 20.0
        second_order = self.buy(self.fifo, 10, 20.0, date="2026-01-07")
        second = self.receive(second_order, date="2026-01-07")
        self.bill(second_order, date="2026-01-07")
        self.assertEqual(self.amounts(first)["indirect_cost"], (0.0, 20.0))
        self.assertEqual(self.amounts(second)["indirect_cost"], (0.0, 40.0))

    def test_a_bill_after_the_change(self):
        """As in Business Central the rates in force when it is billed count."""
        self.fifo.indirect_cost_pct = 10.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, quantity=5, date="2026-01-06")
        self.fifo.indirect_cost_pct = 20.0
        self.assertEqual(
            self.amounts(receipt),
            {"direct_cost": (110.0, 100.0), "indirect_cost": (0.0, 10.0)},
        )
        self.bill(order, date="2026-01-07")
        self.assertEqual(
            self.amounts(receipt),
            {"direct_cost": (0.0, 200.0), "indirect_cost": (0.0, 30.0)},
        )

    def test_rates_are_the_company_s(self):
        other = self.make_company("Other Company")
        self.fifo.with_company(other).overhead_rate = 5.0
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (0.0, 200.0)})

    def test_discount_and_unit_of_purchase(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.fifo.indirect_cost_pct = 10.0
        self.fifo.overhead_rate = 0.25
        order = self.buy(
            self.fifo, 2, 24.0, date="2026-01-05", product_uom_id=dozen.id, discount=50
        )
        receipt = self.receive(order, date="2026-01-05")
        self.assertEqual(self.amounts(receipt), {"direct_cost": (32.4, 0.0)})
        self.bill(order, date="2026-01-05")
        self.assertEqual(
            self.amounts(receipt),
            {"direct_cost": (0.0, 24.0), "indirect_cost": (0.0, 8.4)},
        )
