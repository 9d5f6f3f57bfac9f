from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.inventory_cost_gl.tests.common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestLandedCosts(InventoryCostCommon):
    """Landed costs through their own buttons."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.freight = cls.env["product.product"].create(
            {
                "name": "Freight",
                "type": "service",
                "landed_cost_ok": True,
                "supplier_taxes_id": [Command.clear()],
            }
        )
        cls.freight_account = cls.accounts["direct_cost_applied"].copy(
            {"code": "778000", "name": "Freight bills"}
        )

    def landed_cost(self, receipts, amount, split="equal", date="2026-01-20"):
        with self.at(date):
            cost = self.env["stock.landed.cost"].create(
                {
                    "date": date,
                    "picking_ids": [Command.set(receipts.ids)],
                    "account_journal_id": self.company.inventory_cost_journal_id.id,
                    "cost_lines": [
                        Command.create(
                            {
                                "product_id": self.freight.id,
                                "price_unit": amount,
                                "split_method": split,
                                "account_id": self.freight_account.id,
                            }
                        )
                    ],
                }
            )
            cost.compute_landed_cost()
            cost.button_validate()
        return cost

    def test_reaches_what_was_sold_already(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                order = self.buy(product, 10, 10.0, date="2026-01-05")
                receipt = self.receive(order, date="2026-01-05")
                self.bill(order, date="2026-01-05")
                sale = self.sell(product, 6, date="2026-01-06")
                delivery = self.deliver(sale, date="2026-01-06")
                self.invoice(sale, date="2026-01-06")
                self.landed_cost(receipt, 50.0)
                self.assertEqual(self.cost(receipt), (0.0, 150.0))
                self.assertEqual(self.cost(delivery), (0.0, -90.0))
                charge = self.entries(receipt).filtered("charge_product_id")
                self.assertEqual(charge.charge_product_id, self.freight)
                self.assertEqual(charge.counter_account, self.freight_account.id)
                self.assertEqual(str(charge.posting_date), "2026-01-20")
                self.assertEqual(str(charge.valuation_date), "2026-01-05")

    def test_adjustments_lead_to_the_landed_cost(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 6, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        cost = self.landed_cost(receipt, 50.0)
        charge = self.entries(receipt).filtered("charge_product_id")
        adjustments = self.entries(delivery).filtered("adjustment")
        self.assertEqual(sum(adjustments.mapped("cost_amount_expected")), -30.0)
        for entry in charge | adjustments:
            action = entry.action_open_cause()
            self.assertEqual(
                (action["res_model"], action["res_id"]), (cost._name, cost.id)
            )

    def test_the_tree_behind_a_cost_names_the_charge(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.landed_cost(receipt, 50.0)
        action = self.fifo.action_explain_cost()
        root, layer = self.env[action["res_model"]].search(action["domain"])
        layer.action_unfold()
        sources = self.env[action["res_model"]].search(action["domain"])[2:]
        self.assertEqual(root.amount, 150.0)
        self.assertEqual(
            [(line.name, line.amount) for line in sources],
            [
                ("Expected cost, not billed or invoiced yet", 100.0),
                ("Freight", 50.0),
            ],
        )

    def test_negative_one_takes_it_back(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.landed_cost(receipt, 50.0)
        self.landed_cost(receipt, -50.0)
        self.assertEqual(sum(self.cost(receipt)), 100.0)

    def test_standard_cost_stays_at_standard(self):
        order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        self.landed_cost(receipt, 30.0)
        self.assertEqual(self.cost(receipt), (0.0, 100.0))
        variance = self.entries(receipt).filtered("variance_type")
        self.assertEqual(variance.cost_amount_actual, -30.0)

    def test_every_split_method_is_exact(self):
        self.fifo.write({"weight": 1.0, "volume": 2.0})
        self.average.write({"weight": 2.0, "volume": 1.0})
        for split in (
            "equal",
            "by_quantity",
            "by_current_cost_price",
            "by_weight",
            "by_volume",
        ):
            with self.subTest(split=split):
                receipts = self.env["stock.picking"]
                for product, quantity in ((self.fifo, 3), (self.average, 7)):
                    order = self.buy(product, quantity, 10.0, date="2026-01-05")
                    receipts |= self.receive(order, date="2026-01-05")
                before = sum(self.cost(receipts))
                self.landed_cost(receipts, 10.01, split)
                self.assertAlmostEqual(sum(self.cost(receipts)) - before, 10.01)

    def test_of_other_products_a_closed_period_is_no_concern(self):
        category = self.env["product.category"].create(
            {"name": "Periodic", "property_cost_method": "fifo"}
        )
        category.property_valuation = "periodic"
        product = self.make_product("fifo", categ_id=category.id)
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.env["inventory.period"].create(
            {"ending_date": "2026-01-31"}
        ).action_close()
        cost = self.landed_cost(receipt, 50.0, date="2026-01-20")
        self.assertEqual(cost.state, "done")

    def test_drafts_are_noted_before_closing(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        with self.at("2026-01-20"):
            draft = self.env["stock.landed.cost"].create(
                {
                    "date": "2026-01-20",
                    "picking_ids": [Command.set(receipt.ids)],
                    "account_journal_id": self.company.inventory_cost_journal_id.id,
                }
            )
        periods = self.env["inventory.period"]
        for day, count in (("2026-01-19", 0), ("2026-01-20", 1)):
            found = [
                finding
                for finding in periods._findings(self.company, fields.Date.to_date(day))
                if finding.kind == "draft_landed_costs"
            ]
            self.assertEqual(len(found), count)
        self.assertEqual(found[0].examples, [draft.display_name])
        self.assertFalse(found[0].blocks)

    def value_left(self, product):
        balances = self.env["stock.cost.balance"].search(
            [("product_id", "=", product.id), ("company_id", "=", self.company.id)]
        )
        return sum(b.value_actual + b.value_expected for b in balances)

    def test_on_another_date_all_of_it_is_on_the_entry_that_counts(self):
        for before in (False, True):
            for method in ("fifo", "average", "standard"):
                with self.subTest(method, before=before):
                    product = self.make_product(method)
                    order = self.buy(product, 10, 10.0, date="2026-01-05")
                    receipt = self.receive(order, date="2026-01-05")
                    if before:
                        self.landed_cost(receipt, 50.0)
                    receipt.date_done = "2026-01-08 12:00:00"
                    if not before:
                        self.landed_cost(receipt, 50.0)
                    last = self.ledger_entries(receipt)[-1]
                    charges = self.entries(receipt).filtered(
                        lambda value, last=last: (
                            value.charge_product_id and value.ledger_entry_id == last
                        )
                    )
                    charged = charges.filtered(lambda value: not value.variance_type)
                    self.assertEqual(sum(charged.mapped("cost_amount_actual")), 50.0)
                    late = 0.0 if method == "standard" else 50.0
                    self.assertEqual(self.value_left(product), 100.0 + late)
                    self.assertEqual(sum(self.cost(receipt)), 100.0 + late)

    def test_of_a_corrected_receipt_all_of_it_is_on_what_stands(self):
        for before in (False, True):
            for method in ("fifo", "average"):
                with self.subTest(method, before=before):
                    product = self.make_product(method)
                    order = self.buy(product, 10, 10.0, date="2026-01-05")
                    receipt = self.receive(order, date="2026-01-05")
                    sale = self.sell(product, 4, date="2026-01-06")
                    delivery = self.deliver(sale, date="2026-01-06")
                    if before:
                        self.landed_cost(receipt, 40.0)
                    receipt.move_ids.move_line_ids.quantity = 8
                    if not before:
                        self.landed_cost(receipt, 40.0)
                    self.assertEqual(sum(self.cost(receipt)), 120.0)
                    self.assertEqual(sum(self.cost(delivery)), -60.0)
                    self.assertEqual(self.value_left(product), 60.0)
                    bill = self.bill(order, 8, 11.0, date="2026-01-21")
                    self.assertEqual(sum(self.cost(delivery)), -64.0)
                    bill.button_draft()
                    self.assertEqual(sum(self.cost(delivery)), -60.0)

    def test_refused_in_a_closed_period(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-02-05")
        receipt = self.receive(order, date="2026-02-05")
        self.env["inventory.period"].create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-01-31",
                "closed": True,
            }
        )
        with self.assertRaisesRegex(UserError, "LC/.*closed until"):
            self.landed_cost(receipt, 50.0, date="2026-01-20")
        self.assertEqual(sum(self.cost(receipt)), 100.0)

    def bill_freight(self, receipt, **line_values):
        """Return a bill of freight of 40.00, and the landed cost made from it."""
        bill = self.env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": self.vendor.id,
                "invoice_date": "2026-01-10",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.freight.id,
                            "quantity": 1,
                            "price_unit": 40.0,
                            "tax_ids": [Command.clear()],
                            "account_id": self.freight_account.id,
                            "is_landed_costs_line": True,
                            **line_values,
                        }
                    )
                ],
            }
        )
        bill.action_post()
        action = bill.button_create_landed_costs()
        cost = self.env["stock.landed.cost"].browse(action["res_id"])
        cost.write(
            {
                "picking_ids": [Command.set(receipt.ids)],
                "date": "2026-01-10",
                "account_journal_id": self.company.inventory_cost_journal_id.id,
            }
        )
        cost.button_validate()
        return bill, cost

    def test_from_a_bill_credits_the_bills_account(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        bill, _cost = self.bill_freight(receipt)
        charge = self.entries(receipt).filtered("charge_product_id")
        self.assertEqual(charge.counter_account, self.freight_account.id)
        self.assertEqual(charge.document_ref, bill.name)

    def test_the_bills_analytic_accounts_get_back_what_they_were_charged(self):
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        north, south = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("North", "South")]
        )
        to_north, to_south = {str(north.id): 100.0}, {str(south.id): 100.0}
        for on_bill, on_order, expected in (
            (to_north, to_south, to_north),
            (False, to_south, {}),
            (to_north, False, to_north),
        ):
            with self.subTest(on_bill=on_bill, on_order=on_order):
                order = self.buy(self.fifo, 10, 10.0, analytic_distribution=on_order)
                receipt = self.receive(order)
                self.bill_freight(receipt, analytic_distribution=on_bill)
                charge = self.entries(receipt).filtered("charge_product_id")
                self.assertEqual(charge.analytic_distribution, expected)
        self.env["inventory.cost.post"].create({"mode": "post"}).action_run()
        lines = self.env["account.analytic.line"].search(
            [("account_id", "=", False), (plan._column_name(), "!=", False)]
        )
        self.assertEqual(round(sum(lines.mapped("amount")), 2), 0.0)
        self.assertTrue(lines)

    def test_without_a_bill_it_is_the_receipts_distribution(self):
        plan = self.env["account.analytic.plan"].create({"name": "Departments"})
        north = self.env["account.analytic.account"].create(
            {"name": "North", "plan_id": plan.id}
        )
        order = self.buy(
            self.fifo, 10, 10.0, analytic_distribution={str(north.id): 100.0}
        )
        receipt = self.receive(order)
        self.landed_cost(receipt, 40.0)
        charge = self.entries(receipt).filtered("charge_product_id")
        self.assertEqual(charge.analytic_distribution, {str(north.id): 100.0})
