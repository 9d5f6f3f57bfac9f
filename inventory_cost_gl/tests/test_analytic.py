from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .posting_common import PostingCommon


class AnalyticCommon(PostingCommon):
    """Two analytic accounts of a plan, and what documents and postings make of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls.env["account.analytic.plan"].create({"name": "Departments"})
        cls.north, cls.south = cls.env["account.analytic.account"].create(
            [{"name": name, "plan_id": cls.plan.id} for name in ("North", "South")]
        )
        cls.to_north = {str(cls.north.id): 100.0}
        cls.to_south = {str(cls.south.id): 100.0}

    def distributions(self, records):
        """Return the distribution of each value entry of moves or pickings."""
        return self.entries(records).mapped(lambda value: value.analytic_distribution)

    def add_model(self, distribution, **criteria):
        """Return a new distribution model of the company."""
        return self.env["account.analytic.distribution.model"].create(
            {"analytic_distribution": distribution, **criteria}
        )

    def amounts(self, account):
        """Return the amounts of an analytic account's items, in order."""
        return self.analytic_lines(account).sorted("id").mapped("amount")

    def total(self, account):
        """Return the balance of an analytic account; a cost is negative."""
        return self.currency.round(sum(self.amounts(account)))


@tagged("post_install", "-at_install")
class TestAnalyticSource(AnalyticCommon):
    """Where the distribution of a value entry comes from."""

    def test_a_purchase_line(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        receipt = self.receive(order)
        self.assertEqual(self.distributions(receipt), [self.to_north])
        self.bill(order)
        self.assertEqual(self.distributions(receipt), [self.to_north] * 2)

    def test_a_sales_line(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        delivery = self.deliver(sale)
        self.assertEqual(self.distributions(delivery), [self.to_south])
        self.invoice(sale)
        self.assertEqual(self.distributions(delivery), [self.to_south] * 2)

    def test_a_drop_shipment_has_one_of_each(self):
        order = self.buy(self.fifo, 1, 7.0, analytic_distribution=self.to_north)
        sale = self.sell(self.fifo, 1, analytic_distribution=self.to_south)
        move = order.picking_ids.move_ids
        move.sale_line_id = sale.order_line
        for entry_type, distribution in (
            ("purchase", self.to_north),
            ("sale", self.to_south),
        ):
            self.assertEqual(
                move._inventory_analytic_distribution(entry_type), distribution
            )

    def test_a_bill_line_has_its_own(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        receipt = self.receive(order)
        bill = self.bill(order, post=False)
        bill.invoice_line_ids.analytic_distribution = self.to_south
        bill.action_post()
        self.assertEqual(self.distributions(receipt), [self.to_north, self.to_south])

    def test_a_bill_line_without_any_contributes_without_any(self):
        """What Direct Cost Applied is credited with is what the bill was charged to."""
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        receipt = self.receive(order)
        bill = self.bill(order, post=False)
        bill.invoice_line_ids.analytic_distribution = False
        bill.action_post()
        self.assertEqual(self.distributions(receipt), [self.to_north, {}])
        bill.button_draft()
        self.assertEqual(self.distributions(receipt), [self.to_north, {}, {}])
        run = self.post()
        self.assertFalse(run.skipped_count)
        self.assertFalse(self.total(self.north))

    def test_an_invoice_line_without_any_leaves_it_to_the_order(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        delivery = self.deliver(sale)
        invoice = self.invoice(sale, post=False)
        invoice.invoice_line_ids.analytic_distribution = False
        invoice.action_post()
        self.assertEqual(self.distributions(delivery), [self.to_south] * 2)

    def test_an_invoice_line_of_another_department(self):
        self.receive(self.buy(self.fifo, 10, 7.0))
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        delivery = self.deliver(sale)
        invoice = self.invoice(sale, post=False)
        invoice.invoice_line_ids.analytic_distribution = self.to_north
        invoice.action_post()
        self.assertEqual(self.distributions(delivery), [self.to_south, self.to_north])

    def test_odoos_hook_on_moves(self):
        """Projects and manufacturing orders answer it, without being named here."""
        self.receive(self.buy(self.fifo, 10, 7.0))
        hook = patch.object(
            type(self.env["stock.move"]),
            "_get_analytic_distribution",
            lambda move: self.to_north,
        )
        with hook:
            scrap = self.scrap(self.fifo, 2)
        self.assertEqual(self.distributions(scrap), [self.to_north])
        self.assertFalse(scrap.analytic_account_line_ids, "the journal item has them")
        self.assertFalse(self.total(self.north))
        self.post()
        self.assertEqual(self.total(self.north), -14.0)

    def test_the_order_line_comes_before_the_hook(self):
        order = self.buy(self.fifo, 1, 7.0, analytic_distribution=self.to_north)
        hook = patch.object(
            type(self.env["stock.move"]),
            "_get_analytic_distribution",
            lambda move: self.to_south,
        )
        with hook:
            receipt = self.receive(order)
        self.assertEqual(self.distributions(receipt), [self.to_north])

    def test_unmanaged_moves_keep_odoos_analytic_items(self):
        self.categories["periodic"] = self.env["product.category"].create(
            {"name": "Periodic", "property_valuation": "periodic"}
        )
        product = self.make_product("periodic")
        product.standard_price = 7.0
        hook = patch.object(
            type(self.env["stock.move"]),
            "_get_analytic_distribution",
            lambda move: self.to_north,
        )
        with hook:
            self.receive(self.buy(product, 1, 7.0))
        self.assertEqual(self.total(self.north), 7.0)

    def test_a_return_and_a_correction(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        receipt = self.receive(order)
        back = self.give_back(receipt, 3)
        self.assertEqual(set(map(str, self.distributions(back))), {str(self.to_north)})
        receipt.move_ids.move_line_ids.quantity = 9.0
        self.assertEqual(
            set(map(str, self.distributions(receipt))), {str(self.to_north)}
        )

    def test_nothing_at_all(self):
        receipt = self.receive(self.buy(self.fifo, 10, 7.0))
        gain = self.count(self.fifo, 12)
        self.assertEqual(self.distributions(receipt), [False])
        self.assertEqual(self.distributions(gain), [False])


@tagged("post_install", "-at_install")
class TestAnalyticDistributionModel(AnalyticCommon):
    """Distribution models: for moves without an order line."""

    def found(self, product=None, partner=None):
        """Return what is found for a product and a partner in the company."""
        return self.env["account.analytic.distribution.model"]._inventory_distribution(
            self.company, product or self.fifo, partner or self.vendor.browse()
        )

    def test_of_a_product(self):
        self.add_model(self.to_north, product_id=self.fifo.id)
        gain = self.count(self.fifo, 5)
        other = self.count(self.average, 5)
        self.assertEqual(self.distributions(gain), [self.to_north])
        self.assertEqual(self.distributions(other), [False])

    def test_of_a_category_a_partner_and_a_partner_category(self):
        tag = self.env["res.partner.category"].create({"name": "Big"})
        self.add_model(self.to_north, product_categ_id=self.fifo.categ_id.id)
        self.assertEqual(self.found(), self.to_north)
        self.assertFalse(self.found(self.average))
        partner_model = self.add_model(self.to_south, partner_id=self.vendor.id)
        self.assertEqual(self.found(self.average, self.vendor), self.to_south)
        self.assertFalse(self.found(self.average, self.customer))
        partner_model.write({"partner_id": False, "partner_category_id": tag.id})
        self.assertFalse(self.found(self.average, self.vendor))
        self.vendor.category_id = tag
        self.assertEqual(self.found(self.average, self.vendor), self.to_south)

    def test_found_as_odoo_finds_it(self):
        """Whatever the combination, Odoo's own function gives the same."""
        tag = self.env["res.partner.category"].create({"name": "Big"})
        self.customer.category_id = tag
        other_plan = self.env["account.analytic.plan"].create({"name": "Regions"})
        region = self.env["account.analytic.account"].create(
            {"name": "Region", "plan_id": other_plan.id}
        )
        self.add_model(self.to_north, product_id=self.fifo.id, sequence=1)
        self.add_model(self.to_south, product_categ_id=self.lifo.categ_id.id)
        self.add_model({str(region.id): 100.0}, partner_id=self.vendor.id)
        self.add_model(self.to_south, partner_category_id=tag.id, sequence=20)
        models = self.env["account.analytic.distribution.model"]
        for product in (self.fifo, self.lifo, self.average):
            for partner in (self.vendor, self.customer, self.vendor.browse()):
                with self.subTest(product=product.name, partner=partner.name):
                    self.assertEqual(
                        self.found(product, partner),
                        models._get_distribution(
                            {
                                "product_id": product.id,
                                "product_categ_id": product.categ_id.id,
                                "partner_id": partner.id,
                                "partner_category_id": partner.category_id.ids,
                                "company_id": self.company.id,
                            }
                        ),
                    )
        self.assertEqual(
            self.found(self.fifo, self.vendor),
            {**self.to_north, str(region.id): 100.0},
        )

    def test_changes_are_seen_at_once(self):
        self.assertFalse(self.found())
        model = self.add_model(self.to_north)
        self.assertEqual(self.found(), self.to_north)
        model.analytic_distribution = self.to_south
        self.assertEqual(self.found(), self.to_south)
        model.unlink()
        self.assertFalse(self.found())

    def test_models_for_an_account_prefix_stay_out(self):
        self.add_model(self.to_north, account_prefix="77")
        self.assertFalse(self.found())

    def test_another_companys_model_stays_out(self):
        other = self.make_company("Other")
        (self.north | self.south).company_id = False
        self.env.flush_all()
        self.add_model(self.to_north, company_id=other.id)
        self.assertFalse(self.found())
        self.add_model(self.to_south, company_id=False)
        self.assertEqual(self.found(), self.to_south)

    def test_an_order_line_emptied_by_hand_stays_empty(self):
        self.add_model(self.to_north)
        order = self.buy(self.fifo, 10, 7.0)
        self.assertEqual(order.order_line.analytic_distribution, self.to_north)
        order.order_line.analytic_distribution = False
        self.assertEqual(self.distributions(self.receive(order)), [False])

    def test_queries(self):
        products = self.env["product.product"].union(
            *(self.make_product("fifo", name=f"P{place}") for place in range(20))
        )
        products.fetch(["categ_id"])
        self.found()
        with self.assertQueryCount(0):
            for product in products:
                self.assertFalse(self.found(product))
        self.add_model(self.to_north, product_categ_id=self.fifo.categ_id.id)
        self.found()
        with self.assertQueryCount(0):
            for product in products:
                self.assertEqual(self.found(product), self.to_north)


@tagged("post_install", "-at_install")
class TestAnalyticAdjustment(AnalyticCommon):
    """Adjustments, revaluations and reversals take over what they correct."""

    def test_an_adjustment_has_that_of_the_entry_it_adjusts(self):
        order = self.buy(self.fifo, 10, 7.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        delivery = self.deliver(sale, date="2026-01-06")
        invoice = self.invoice(sale, date="2026-01-06", post=False)
        invoice.invoice_line_ids.analytic_distribution = self.to_north
        with self.at("2026-01-06"):
            invoice.action_post()
        self.bill(order, price=8.0, date="2026-01-20")
        adjustment = self.entries(delivery).filtered("adjustment")
        self.assertEqual(sum(adjustment.mapped("cost_amount_actual")), -4.0)
        for entry in adjustment:
            self.assertEqual(
                entry.analytic_distribution,
                entry.applies_to_value_entry_id.analytic_distribution,
            )
        self.assertIn(
            self.to_north, adjustment.mapped(lambda entry: entry.analytic_distribution)
        )

    def test_each_row_keeps_its_own(self):
        first = self.entry(1.0, analytic_distribution=self.to_north)
        second = self.entry(
            2.0,
            ledger_entry=first.ledger_entry_id,
            adjustment=True,
            cause_value_entry_id=first.id,
            applies_to_value_entry_id=first.id,
        )
        own = self.entry(
            3.0,
            ledger_entry=first.ledger_entry_id,
            adjustment=True,
            cause_value_entry_id=first.id,
            applies_to_value_entry_id=first.id,
            analytic_distribution=self.to_south,
        )
        plain = self.entry(4.0, ledger_entry=first.ledger_entry_id)
        self.assertEqual(second.analytic_distribution, self.to_north)
        self.assertEqual(own.analytic_distribution, self.to_south)
        self.assertFalse(plain.analytic_distribution)

    def test_a_changed_document_leaves_what_is_recorded(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        receipt = self.receive(order)
        order.order_line.analytic_distribution = self.to_south
        self.assertEqual(self.distributions(receipt), [self.to_north])

    def test_a_reset_bill_takes_back_what_it_charged(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        self.receive(order)
        bill = self.bill(order)
        self.post()
        credited = self.total(self.north)
        self.assertEqual(credited, 0.0, "bill charged, subledger credited")
        bill.button_draft()
        self.post()
        self.assertEqual(self.total(self.north), 0.0)


@tagged("post_install", "-at_install")
class TestAnalyticPosting(AnalyticCommon):
    """What journal items carry, and the analytic items Odoo makes of it."""

    def make_mandatory(self, **values):
        """Make the plan mandatory in journal entries, as ``values`` narrow it."""
        return self.env["account.analytic.applicability"].create(
            {
                "analytic_plan_id": self.plan.id,
                "business_domain": "general",
                "applicability": "mandatory",
                **values,
            }
        )

    def test_income_and_expense_accounts_have_it(self):
        entry = self.entry(-5.0, "sale", analytic_distribution=self.to_north)
        self.post()
        cogs, inventory = entry.link_ids.debit_line_id, entry.link_ids.credit_line_id
        self.assertEqual(cogs.account_id, self.accounts["cogs"])
        self.assertEqual(cogs.analytic_distribution, self.to_north)
        self.assertFalse(inventory.analytic_distribution)
        self.assertEqual(self.amounts(self.north), [-5.0])

    def test_every_role(self):
        """Cost to income and expense, nothing from the balance sheet: right sign."""
        for ledger_type, amount, total in (
            ("sale", -5.0, -5.0),
            ("sale", 2.0, 2.0),
            ("purchase", 7.0, 7.0),
            ("negative_adjustment", -3.0, -3.0),
            ("positive_adjustment", 4.0, 4.0),
        ):
            with self.subTest(ledger_type=ledger_type, amount=amount):
                before = self.total(self.north)
                self.entry(amount, ledger_type, analytic_distribution=self.to_north)
                self.post()
                self.assertAlmostEqual(self.total(self.north) - before, total)

    def test_interim_accounts_have_no_analytic_items(self):
        self.entry(0.0, expected_amount=70.0, analytic_distribution=self.to_north)
        run = self.post()
        self.assertEqual(self.gl("inventory_interim"), 70.0)
        self.assertFalse(
            any(run.journal_entry_ids.line_ids.mapped("analytic_distribution"))
        )
        self.assertFalse(self.amounts(self.north))

    def test_an_interim_account_of_the_income_statement_has(self):
        self.accounts["cogs_interim"].account_type = "expense_direct_cost"
        self.entry(
            0.0, "sale", expected_amount=-9.0, analytic_distribution=self.to_north
        )
        self.post()
        self.assertEqual(self.amounts(self.north), [-9.0])

    def test_bought_billed_and_sold(self):
        """Only the cost of what is sold is left on the analytic accounts."""
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        self.receive(order)
        self.bill(order, price=8.0)
        self.assertEqual(self.total(self.north), -80.0, "the bill's expense")
        self.post()
        self.assertEqual(self.total(self.north), 0.0, "it is in stock")
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        self.deliver(sale)
        self.post()
        self.assertEqual(self.total(self.south), 0.0, "delivered, not invoiced")
        self.invoice(sale)
        self.post()
        self.assertEqual(self.total(self.south), 100.0 - 32.0, "revenue less cost")
        self.assertConserved()

    def test_a_reversed_run_takes_it_back(self):
        self.entry(-5.0, "sale", analytic_distribution=self.to_north)
        run = self.post()
        wizard = self.env["inventory.cost.run.reverse"].create(
            {"run_id": run.id, "date": "2026-02-01"}
        )
        wizard.action_reverse()
        self.assertEqual(self.total(self.north), 0.0)

    def test_distributions_are_kept_apart_and_added_up(self):
        for amount, distribution in (
            (-1.0, self.to_north),
            (-2.0, self.to_north),
            (-4.0, self.to_south),
            (-8.0, None),
            (-16.0, {}),
        ):
            self.entry(amount, "sale", analytic_distribution=distribution)
        run = self.post()
        self.assertEqual(len(run.journal_entry_ids.line_ids), 6)
        self.assertEqual(self.total(self.north), -3.0)
        self.assertEqual(self.total(self.south), -4.0)

    def test_two_plans_and_shares(self):
        regions = self.env["account.analytic.plan"].create({"name": "Regions"})
        region = self.env["account.analytic.account"].create(
            {"name": "Region", "plan_id": regions.id}
        )
        self.entry(
            -10.0,
            "sale",
            analytic_distribution={
                f"{self.north.id},{region.id}": 30.0,
                f"{self.south.id},{region.id}": 70.0,
            },
        )
        self.post()
        self.assertEqual(self.total(self.north), -3.0)
        self.assertEqual(self.total(self.south), -7.0)
        self.assertEqual(self.total(region), -10.0)

    def test_deleted_accounts_are_left_out_before_grouping(self):
        gone = self.north.copy()
        with_gone = {str(gone.id): 40.0, str(self.south.id): 60.0}
        self.entry(-1.0, "sale", analytic_distribution=with_gone)
        self.entry(-2.0, "sale", analytic_distribution={str(self.south.id): 60.0})
        gone.unlink()
        run = self.post()
        self.assertEqual(len(run.journal_entry_ids.line_ids), 2)
        self.assertEqual(self.total(self.south), -1.8)

    def test_the_preview_shows_what_posting_writes(self):
        self.entry(-5.0, "sale", analytic_distribution=self.to_north)
        preview = self.post(mode="preview")
        self.assertEqual(
            preview.plan_line_ids.mapped(lambda line: line.analytic_distribution),
            [self.to_north],
        )
        self.assertEqual(
            self.post().plan_line_ids.mapped(lambda line: line.analytic_distribution),
            [self.to_north],
        )

    def test_queries_do_not_grow_with_the_distributions(self):
        counts = []
        for number in (2, 30):
            accounts = self.env["account.analytic.account"].create(
                [{"name": f"A{n}", "plan_id": self.plan.id} for n in range(number)]
            )
            texts = {f'{{"{account.id}": 100.0}}' for account in accounts}
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            kept = self.runs._existing_distributions(texts)
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(set(kept.values()), texts)
        self.assertEqual(counts, [1, 1])

    # -- Mandatory plans --------------------------------------------------------------

    def test_the_run_says_how_many_lack_a_mandatory_plan(self):
        self.make_mandatory(account_prefix=self.accounts["cogs"].code)
        self.entry(-5.0, "sale")
        self.entry(-6.0, "sale", analytic_distribution=self.to_north)
        self.entry(-7.0, "sale", analytic_distribution={str(self.north.id): 60.0})
        run = self.post()
        self.assertEqual(
            (run.entry_count, run.skipped_count, run.without_plan_count), (3, 0, 2)
        )
        self.assertEqual(self.total(self.north), -6.0 - 4.2)

    def test_a_plan_mandatory_for_a_product_category(self):
        self.make_mandatory(product_categ_id=self.average.categ_id.id)
        self.entry(-5.0, "sale")
        entry = self.entry(
            -6.0, "sale", ledger_entry=self.ledger_entry("sale", self.average)
        )
        self.assertEqual(self.post().without_plan_count, 1)
        wrong = self.entry(-7.0, "sale", ledger_entry=entry.ledger_entry_id)
        with self.assertRaisesRegex(UserError, "Departments"), self.env.cr.savepoint():
            self.runs._post_immediately(wrong)

    def test_a_plan_mandatory_by_default(self):
        self.plan.default_applicability = "mandatory"
        self.entry(-5.0, "sale")
        self.assertEqual(self.post().without_plan_count, 1)

    def test_another_companys_rule_does_not_count(self):
        other = self.make_company("Other")
        self.make_mandatory(company_id=other.id)
        self.entry(-5.0, "sale")
        self.assertEqual(self.post().without_plan_count, 0)

    def test_immediate_names_plan_product_and_account(self):
        self.make_mandatory(account_prefix=self.accounts["cogs"].code)
        entry = self.entry(-5.0, "sale", document_ref="WH/OUT/9")
        with self.assertRaises(UserError) as error, self.env.cr.savepoint():
            self.runs._post_immediately(entry)
        for part in (
            "Departments",
            self.fifo.name,
            self.accounts["cogs"].name,
            "WH/OUT/9",
        ):
            self.assertIn(part, str(error.exception))

    def test_immediate_stops_the_document_and_nothing_is_left(self):
        self.company.automatic_cost_posting = "immediate"
        self.make_mandatory(account_prefix=self.accounts["cogs"].code)
        self.bill(order := self.buy(self.fifo, 10, 7.0))
        self.receive(order)
        self.env.cr.precommit.run()
        sale = self.sell(self.fifo, 4)
        self.deliver(sale)
        self.env.cr.precommit.run()
        with self.assertRaisesRegex(UserError, "Departments"):
            self.invoice(sale)
            self.env.cr.precommit.run()

    def test_immediate_with_the_plan(self):
        self.company.automatic_cost_posting = "immediate"
        self.make_mandatory(account_prefix=self.accounts["cogs"].code)
        order = self.buy(self.fifo, 10, 7.0)
        self.receive(order)
        self.bill(order)
        sale = self.sell(self.fifo, 4, analytic_distribution=self.to_south)
        self.deliver(sale)
        self.invoice(sale)
        self.env.cr.precommit.run()
        self.assertEqual(self.gl("cogs"), 28.0)
        self.assertEqual(self.total(self.south), 100.0 - 28.0)
        self.assertFalse(self.waiting())

    def test_without_mandatory_plans_nothing_is_read(self):
        entry = self.entry(-5.0, "sale")
        patched = patch.object(
            type(self.runs), "_products_of", side_effect=AssertionError("read")
        )
        with patched:
            self.runs._post_immediately(entry)
        self.assertEqual(entry.cost_posted_to_gl, -5.0)

    def test_an_order_with_several_departments(self):
        order = self.buy(self.fifo, 10, 7.0, analytic_distribution=self.to_north)
        order.order_line = [
            Command.create(
                {
                    "product_id": self.average.id,
                    "product_qty": 2,
                    "price_unit": 3.0,
                    "analytic_distribution": self.to_south,
                }
            )
        ]
        receipt = self.receive(order)
        by_product = {
            value.product_id: value.analytic_distribution
            for value in self.entries(receipt)
        }
        self.assertEqual(
            by_product, {self.fifo: self.to_north, self.average: self.to_south}
        )
