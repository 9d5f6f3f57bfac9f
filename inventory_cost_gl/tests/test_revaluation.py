from lxml import html

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestRevaluation(InventoryCostCommon):
    """The revaluation document, and Odoo's own ways of changing a value."""

    def stock(self, product, quantity=10, price=10.0, date="2026-01-05"):
        """Receive and bill goods; return the receipt."""
        order = self.buy(product, quantity, price, date=date)
        receipt = self.receive(order, date=date)
        self.bill(order, date=date)
        return receipt

    def revaluation(self, product, date, per="item"):
        """Return a calculated draft."""
        revaluation = self.env["inventory.revaluation"].create(
            {
                "date": date,
                "calculate_per": per,
                "product_ids": [Command.set(product.ids)],
                "reason": "Market price",
            }
        )
        revaluation.action_calculate()
        return revaluation

    def post(self, revaluation):
        revaluation.action_approve()
        revaluation.action_post()

    def test_form_calculates_and_posts_per_product(self):
        receipt = self.stock(self.fifo)
        sale = self.sell(self.fifo, 4, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        line = revaluation.line_ids
        self.assertEqual((line.quantity, line.value_calculated), (6.0, 60.0))
        with Form(revaluation) as form:
            with form.line_ids.edit(0) as line_form:
                line_form.unit_cost_revalued = 8.0
                self.assertEqual(line_form.value_revalued, 48.0)
        self.assertEqual(revaluation.amount, -12.0)
        self.post(revaluation)
        self.assertEqual(sum(self.cost(receipt)), 88.0)
        self.assertEqual(sum(self.cost(delivery)), -40.0)
        entry = self.entries(receipt).filtered(lambda e: e.entry_type == "revaluation")
        self.assertEqual(entry.cost_amount_actual, -12.0)
        self.assertEqual(entry.valued_quantity, 6.0)
        self.assertTrue(entry.partial_revaluation)
        self.assertEqual(str(entry.posting_date), "2026-01-31")
        self.assertEqual(entry.document_ref, revaluation.name)
        self.assertEqual(self.fifo.standard_price, 8.0)
        later = self.sell(self.fifo, 6, date="2026-02-01")
        self.assertEqual(sum(self.cost(self.deliver(later, date="2026-02-01"))), -48.0)

    def test_average_per_product(self):
        self.stock(self.average)
        self.stock(self.average, 10, 20.0)
        revaluation = self.revaluation(self.average, "2026-01-31")
        line = revaluation.line_ids
        self.assertEqual((line.quantity, line.value_calculated), (20.0, 300.0))
        line.value_revalued = 330.0
        self.post(revaluation)
        self.assertEqual(self.average.standard_price, 16.5)

    def test_average_month_only_at_its_end(self):
        self.company.average_cost_period = "month"
        self.stock(self.average)
        with self.assertRaisesRegex(UserError, "last day of an average period"):
            self.revaluation(self.average, "2026-01-20")
        self.assertTrue(self.revaluation(self.average, "2026-01-31").line_ids)

    def test_per_ledger_entry_and_per_warehouse(self):
        self.stock(self.fifo)
        self.stock(self.fifo, 10, 20.0)
        by_entry = self.revaluation(self.fifo, "2026-01-31", "entry")
        self.assertEqual(by_entry.line_ids.mapped("value_calculated"), [100.0, 200.0])
        self.transfer(self.fifo, 5, date="2026-01-10")
        by_warehouse = self.revaluation(self.fifo, "2026-01-31", "item_location")
        self.assertEqual(
            {
                line.cost_location_id: line.value_calculated
                for line in by_warehouse.line_ids
            },
            {
                self.warehouse.view_location_id: 250.0,
                self.warehouse_2.view_location_id: 50.0,
            },
        )

    def test_nothing_left_and_unbilled_stock_are_refused(self):
        with self.assertRaisesRegex(UserError, "Nothing is left"):
            self.revaluation(self.fifo, "2026-01-31")
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        with self.assertRaisesRegex(UserError, "completely billed"):
            self.revaluation(self.fifo, "2026-01-31")

    def test_stock_sold_since_the_calculation(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        sale = self.sell(self.fifo, 4, date="2026-01-30")
        self.deliver(sale, date="2026-01-30")
        revaluation.action_approve()
        with self.assertRaisesRegex(UserError, "Calculate the inventory"):
            revaluation.action_post()
        self.assertEqual(revaluation.state, "approved")

    def test_closed_period(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        self.env["inventory.period"].create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-01-31",
                "closed": True,
            }
        )
        revaluation.action_approve()
        with self.assertRaisesRegex(UserError, "closed until"):
            revaluation.action_post()

    def test_posted_is_final(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        self.post(revaluation)
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.reason = "Another"
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.unlink()
        with self.assertRaisesRegex(UserError, "is posted"):
            revaluation.action_post()
        self.assertEqual(self.fifo.standard_price, 9.0)

    def test_who_may(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        reader, accountant = (
            new_test_user(
                self.env,
                f"reval {group}",
                groups=f"inventory_cost_gl.group_{group},stock.group_stock_user",
                company_id=self.company.id,
            )
            for group in ("user", "accountant")
        )
        with self.assertRaises(AccessError):
            revaluation.with_user(reader).action_post()
        with self.assertRaises(AccessError):
            revaluation.with_user(accountant).action_approve()
        with self.assertRaisesRegex(UserError, "approved first"):
            revaluation.with_user(accountant).action_post()

    def test_edited_cost_revalues_stock(self):
        for product in (self.fifo, self.average):
            with self.subTest(product=product.name):
                receipt = self.stock(product)
                with self.at("2026-01-20"):
                    product.standard_price = 12.0
                self.assertEqual(sum(self.cost(receipt)), 120.0)
                self.assertEqual(product.standard_price, 12.0)
                entry = self.entries(receipt).filtered(
                    lambda e: e.entry_type == "revaluation"
                )
                self.assertEqual(str(entry.posting_date), "2026-01-20")

    def test_edited_standard_cost_changes_later_entries_only(self):
        receipt = self.stock(self.standard)
        self.standard.standard_price = 12.0
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        self.assertEqual(sum(self.cost(self.stock(self.standard))), 120.0)

    def test_edited_cost_in_the_middle_of_an_average_period(self):
        self.company.average_cost_period = "month"
        receipt = self.stock(self.average)
        with self.at("2026-01-20"):
            self.average.standard_price = 12.0
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        self.assertEqual(self.average.standard_price, 10.0)
        draft = self.env["inventory.revaluation"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual((draft.state, str(draft.date)), ("draft", "2026-01-31"))
        self.assertTrue(draft.activity_ids)

    def test_adjusted_valuation_of_a_move(self):
        receipt = self.stock(self.fifo)
        delivery = self.deliver(
            self.sell(self.fifo, 5, date="2026-01-06"), date="2026-01-06"
        )
        with self.at("2026-01-20"):
            receipt.move_ids.value_manual = 140.0
        self.assertEqual(sum(self.cost(receipt)), 120.0)
        self.assertEqual(sum(self.cost(delivery)), -50.0)

    # -- Calculate Inventory Value (h.1) -----------------------------------------------

    def draft(self, products, date="2026-01-31", **values):
        """Return a draft that is not calculated yet."""
        return self.env["inventory.revaluation"].create(
            {
                "date": date,
                "product_ids": [Command.set(products.ids)],
                "reason": "Market price",
                **values,
            }
        )

    def test_categories(self):
        self.stock(self.fifo)
        self.stock(self.lifo)
        revaluation = self.draft(
            self.lifo, category_ids=[Command.set(self.categories["fifo"].ids)]
        )
        revaluation.action_calculate()
        self.assertEqual(revaluation.line_ids.product_id, self.fifo | self.lifo)
        self.assertEqual(revaluation.value_calculated, 200.0)

    def test_nothing_chosen(self):
        with self.assertRaisesRegex(UserError, "Choose the products or categories"):
            self.draft(self.fifo.browse()).action_calculate()

    def test_one_warehouse(self):
        self.stock(self.fifo)
        self.transfer(self.fifo, 4, date="2026-01-10")
        revaluation = self.draft(
            self.fifo, warehouse_ids=[Command.set(self.warehouse_2.ids)]
        )
        revaluation.action_calculate()
        self.assertEqual(
            revaluation.line_ids.mapped("warehouse_name"), [self.warehouse_2.name]
        )
        revaluation.line_ids.value_revalued = 30.0
        self.post(revaluation)
        value = self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)], order="cost_location_id"
        )
        self.assertEqual(sorted(value.mapped("value_actual")), [30.0, 60.0])

    def test_last_direct_cost(self):
        self.stock(self.fifo, 10, 10.0)
        self.stock(self.fifo, 5, 14.0, date="2026-01-08")
        self.stock(self.fifo, 5, 99.0, date="2026-02-08")
        revaluation = self.draft(self.fifo, calculation_base="last_direct_cost")
        revaluation.action_calculate()
        line = revaluation.line_ids
        self.assertEqual((line.value_calculated, line.value_revalued), (170.0, 210.0))

    def test_standard_cost_base_and_its_update(self):
        receipt = self.stock(self.standard)
        self.stock(self.fifo)
        revaluation = self.draft(
            self.standard | self.fifo,
            calculation_base="standard_cost",
            update_standard_cost=True,
        )
        self.standard.standard_price = 12.0
        revaluation.action_calculate()
        self.assertEqual(revaluation.line_ids.mapped("value_revalued"), [120.0, 100.0])
        revaluation.line_ids[0].unit_cost_revalued = 13.5
        self.post(revaluation)
        self.assertEqual(sum(self.cost(receipt)), 135.0)
        self.assertEqual(self.standard.standard_price, 13.5)
        self.assertEqual(self.fifo.standard_price, 10.0)

    def test_goods_billed_later_than_the_date(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-02-03")
        with self.assertRaisesRegex(UserError, "completely billed by then"):
            self.revaluation(self.fifo, "2026-01-31")
        self.assertTrue(self.revaluation(self.fifo, "2026-02-03").line_ids)

    def test_expected_cost_of_standard_products(self):
        """Goods not billed are revalued as expected cost; the bill reverses it."""
        order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        revaluation = self.revaluation(self.standard, "2026-01-31")
        revaluation.line_ids.unit_cost_revalued = 15.0
        revaluation.update_standard_cost = True
        self.post(revaluation)
        self.assertEqual(self.cost(receipt), (150.0, 0.0))
        self.bill(order, date="2026-02-03")
        self.assertEqual(self.cost(receipt), (0.0, 150.0))
        amounts = {
            (entry.entry_type, entry.variance_type): entry.cost_amount_actual
            for entry in self.entries(receipt)
            if entry.cost_amount_actual
        }
        self.assertEqual(
            amounts, {("direct_cost", False): 100.0, ("variance", "purchase"): 50.0}
        )

    def test_expected_cost_of_what_is_left_billed_in_parts(self):
        """Goods sold before the revaluation keep their cost, whatever is billed."""
        order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        sale = self.sell(self.standard, 4, date="2026-01-06")
        delivery = self.deliver(sale, date="2026-01-06")
        revaluation = self.revaluation(self.standard, "2026-01-31")
        revaluation.line_ids.unit_cost_revalued = 15.0
        self.post(revaluation)
        self.assertEqual(self.cost(receipt), (130.0, 0.0))
        self.assertEqual(sum(self.cost(delivery)), -40.0)
        bill = self.bill(order, quantity=5, date="2026-02-03")
        self.assertEqual(self.cost(receipt), (65.0, 50.0))
        self.bill(order, date="2026-02-04")
        self.assertEqual(self.cost(receipt), (0.0, 100.0))
        reversals = self.entries(receipt).filtered(
            lambda entry: entry.entry_type == "revaluation"
            and entry.source_model == "account.move.line"
        )
        self.assertEqual(reversals.mapped("cost_amount_expected"), [-15.0, -15.0])
        self.assertTrue(all(reversals.mapped("partial_revaluation")))
        self.assertEqual(set(reversals.mapped("valued_quantity")), {6.0})
        self.assertEqual(sum(self.cost(delivery)), -40.0)
        bill.button_draft()
        self.assertEqual(sum(self.cost(receipt)), 115.0)

    def test_average_is_revalued_as_it_is_worked_out(self):
        self.stock(self.average)
        with self.assertRaisesRegex(UserError, "worked out per product: calculate"):
            self.revaluation(self.average, "2026-01-31", "item_location")
        with self.assertRaisesRegex(UserError, "without choosing warehouses"):
            self.draft(
                self.average, warehouse_ids=[Command.set(self.warehouse.ids)]
            ).action_calculate()
        self.company.average_cost_calc_type = "item_location"
        with self.assertRaisesRegex(UserError, "'Product and Warehouse'"):
            self.revaluation(self.average, "2026-01-31", "item")
        for calc_type in ("item", "item_location"):
            self.company.average_cost_calc_type = calc_type
            revaluation = self.revaluation(self.average, "2026-01-31", "entry")
            self.assertTrue(revaluation.line_ids.ledger_entry_id)

    def test_average_per_warehouse(self):
        self.company.average_cost_calc_type = "item_location"
        self.stock(self.average)
        order = self.buy(
            self.average, 10, 20.0, date="2026-01-05", warehouse=self.warehouse_2
        )
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        revaluation = self.revaluation(self.average, "2026-01-31", "item_location")
        self.assertEqual(
            revaluation.line_ids.mapped("value_calculated"), [100.0, 200.0]
        )
        revaluation.line_ids[1].value_revalued = 150.0
        self.post(revaluation)
        sale = self.sell(self.average, 2, date="2026-02-02", warehouse=self.warehouse_2)
        self.assertEqual(sum(self.cost(self.deliver(sale, date="2026-02-02"))), -30.0)

    def test_average_not_adjusted(self):
        self.company.automatic_cost_adjustment = "never"
        self.stock(self.average)
        with self.assertRaisesRegex(UserError, "Run Adjust Cost first"):
            self.revaluation(self.average, "2026-01-31")
        self.env["inventory.cost.adjust"].create({}).action_adjust()
        self.assertTrue(self.revaluation(self.average, "2026-01-31").line_ids)

    def test_average_short_of_stock(self):
        self.stock(self.average, 2)
        sale = self.sell(self.average, 1, date="2026-01-06", warehouse=self.warehouse_2)
        self.deliver(sale, date="2026-01-06")
        with self.assertRaisesRegex(UserError, "More of .* was taken"):
            self.revaluation(self.average, "2026-01-31")

    def test_unit_costs_have_five_decimals_and_values_cents(self):
        self.stock(self.fifo, 3, 10.0)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        with Form(revaluation) as form, form.line_ids.edit(0) as line:
            line.value_revalued = 10.0
            self.assertAlmostEqual(line.unit_cost_revalued, 3.33333, 5)
            line.unit_cost_revalued = 1.23456
            self.assertEqual(line.value_revalued, 3.7)

    # -- Approval ----------------------------------------------------------------------

    def user(self, group):
        return new_test_user(
            self.env,
            f"revaluation {group}",
            groups=f"inventory_cost_gl.group_{group},stock.group_stock_user",
            company_id=self.company.id,
        )

    def test_approved_values_stay(self):
        """Neither the document nor a line changes after its approval."""
        self.stock(self.fifo)
        accountant, manager = self.user("accountant"), self.user("manager")
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.with_user(manager).action_approve()
        self.assertEqual(revaluation.approved_by_id, manager)
        self.assertTrue(revaluation.approved_on)
        mine = revaluation.with_user(accountant)
        for change in (
            lambda: mine.write({"reason": "Another"}),
            lambda: mine.write({"update_standard_cost": True}),
            lambda: mine.line_ids.write({"value_revalued": 1.0}),
            lambda: mine.line_ids.unlink(),
            lambda: mine.line_ids.create(
                {"revaluation_id": mine.id, "product_id": self.fifo.id}
            ),
            mine.action_calculate,
        ):
            with self.assertRaisesRegex(UserError, "is approved"):
                change()
        mine.action_draft()
        self.assertFalse(revaluation.approved_by_id)
        mine.line_ids.value_revalued = 90.0
        with self.assertRaisesRegex(UserError, "approved first"):
            mine.action_post()

    def test_posted_lines_stay(self):
        self.stock(self.fifo)
        revaluation = self.revaluation(self.fifo, "2026-01-31")
        revaluation.line_ids.value_revalued = 90.0
        self.post(revaluation)
        for change in (
            lambda: revaluation.line_ids.write({"value_revalued": 1.0}),
            lambda: revaluation.line_ids.unlink(),
            revaluation.action_draft,
            revaluation.action_calculate,
            revaluation.action_approve,
        ):
            with self.assertRaisesRegex(UserError, "is posted"):
                change()

    def test_lines_move_to_no_approved_or_posted_document(self):
        """Nor do they leave one, nor come to one by import."""
        self.stock(self.fifo)
        accountant, manager = self.user("accountant"), self.user("manager")
        approved = self.revaluation(self.fifo, "2026-01-31")
        approved.with_user(manager).action_approve()
        draft = self.revaluation(self.fifo, "2026-01-31").with_user(accountant)
        line = draft.line_ids
        line.value_revalued = 1.0
        for move in (
            lambda: line.write({"revaluation_id": approved.id}),
            lambda: draft.write(
                {"line_ids": [Command.update(line.id, {"revaluation_id": approved.id})]}
            ),
            lambda: approved.line_ids.with_user(accountant).write(
                {"revaluation_id": draft.id}
            ),
            lambda: line.create(
                {"revaluation_id": approved.id, "product_id": self.fifo.id}
            ),
            lambda: line.with_context(default_revaluation_id=approved.id).create(
                {"product_id": self.fifo.id}
            ),
        ):
            with self.assertRaisesRegex(UserError, "is approved"), self.cr.savepoint():
                move()
        approved.action_post()
        with self.assertRaisesRegex(UserError, "is posted"), self.cr.savepoint():
            line.write({"revaluation_id": approved.id})
        other = self.revaluation(self.fifo, "2026-01-31")
        line.revaluation_id = other
        self.assertIn(line, other.line_ids)

    def test_state_only_by_buttons(self):
        revaluation = self.draft(self.fifo).with_user(self.user("accountant"))
        with self.assertRaisesRegex(UserError, "with its buttons"):
            revaluation.state = "approved"

    def test_none_is_created_approved_or_posted(self):
        accountant = self.user("accountant")
        values = {"reason": "Damaged", "company_id": self.company.id}
        for decided in (
            {"state": "posted"},
            {"state": "approved"},
            {"approved_by_id": accountant.id},
        ):
            with (
                self.subTest(decided),
                self.assertRaisesRegex(UserError, "with its buttons"),
            ):
                self.env["inventory.revaluation"].with_user(accountant).create(
                    {**values, **decided}
                )

    def test_none_is_created_approved_by_a_default(self):
        accountant = self.user("accountant")
        revaluations = self.env["inventory.revaluation"].with_user(accountant)
        revaluation = revaluations.with_context(
            default_state="approved", default_approved_by_id=accountant.id
        ).create({"reason": "Damaged", "company_id": self.company.id})
        self.assertEqual(revaluation.state, "draft")
        self.assertFalse(revaluation.approved_by_id)

    def test_another_company_sees_nothing(self):
        other = self.make_company("Other Company")
        stranger = new_test_user(
            self.env,
            "stranger",
            groups="inventory_cost_gl.group_manager",
            company_id=other.id,
        )
        revaluation = self.draft(self.fifo)
        theirs = revaluation.with_user(stranger).with_context(
            allowed_company_ids=other.ids
        )
        self.assertFalse(theirs.search([]))
        with self.assertRaises(AccessError):
            theirs.read(["reason"])

    def test_an_unsaved_one_is_new(self):
        form = Form(self.env["inventory.revaluation"])
        self.assertFalse(form.name)
        form.reason = "Damaged"
        revaluation = form.save()
        self.assertTrue(revaluation.name)
        self.assertEqual(revaluation.display_name, revaluation.name)
        new = self.env["inventory.revaluation"].new({})
        self.assertEqual(new.display_name, "New Revaluation")

    # -- Print -------------------------------------------------------------------------

    def printed(self, revaluation):
        """Return the cells of the report: {name of table: [[text of each cell]]}."""
        content, _type = self.env["ir.actions.report"]._render_qweb_html(
            "inventory_cost_gl.report_inventory_revaluation", revaluation.ids
        )
        return {
            table.get("name"): [
                [
                    " ".join(cell.text_content().replace("\ufeff", "").split())
                    for cell in row
                ]
                for row in table.iter("tr")
            ]
            for table in html.fromstring(content).iter("table")
        }

    def test_print(self):
        self.stock(self.fifo, 3, 10.0)
        self.stock(self.lifo, 10, 10.0)
        revaluation = self.revaluation(self.fifo | self.lifo, "2026-01-31")
        self.assertIn(["Approved by", "Not approved yet"], self.head(revaluation))
        revaluation.line_ids[0].value_revalued = 20.0
        self.post(revaluation)
        manager = self.env.user.name
        approved = [r for r in self.head(revaluation) if r[0] == "Approved by"]
        self.assertIn(manager, approved[0][1])
        rows = self.printed(revaluation)["lines"]
        self.assertEqual(rows[1][1:3], ["3.00", "Units"])
        self.assertEqual(
            rows[1][3:], ["10.00000", "30.00", "6.66667", "20.00", "-10.00"]
        )
        self.assertEqual(rows[-1], ["Total", "130.00", "", "120.00", "-10.00"])

    def head(self, revaluation):
        return self.printed(revaluation)["head"]

    def test_print_per_warehouse_and_entry(self):
        receipt = self.stock(self.fifo)
        by_warehouse = self.revaluation(self.fifo, "2026-01-31", "item_location")
        rows = self.printed(by_warehouse)["lines"]
        self.assertEqual(rows[0][1], "Warehouse")
        self.assertEqual(rows[1][1], self.warehouse.name)
        by_entry = self.revaluation(self.fifo, "2026-01-31", "entry")
        rows = self.printed(by_entry)["lines"]
        self.assertEqual(rows[1][1], self.ledger_entries(receipt).display_name)

    # -- Odoo's own ways ---------------------------------------------------------------

    def adjust_valuation(self, receipt, value, date="2026-01-20"):
        """Press *Adjust Valuation* on the receipt's move, as accountants do."""
        with self.at(date):
            action = receipt.move_ids.action_adjust_valuation()
            form = Form(
                self.env[action["res_model"]].with_context(**action["context"]),
            )
            form.value = value
            form.save()

    def test_adjust_valuation_button(self):
        for product in (self.fifo, self.lifo, self.average):
            with self.subTest(product=product.name):
                receipt = self.stock(product)
                self.adjust_valuation(receipt, 130.0)
                self.assertEqual(sum(self.cost(receipt)), 130.0)
                entry = self.entries(receipt)[-1]
                self.assertEqual(entry.entry_type, "revaluation")
                self.assertEqual(str(entry.posting_date), "2026-01-20")
                self.assertEqual(receipt.move_ids.value, 130.0)

    def test_adjust_valuation_in_the_middle_of_an_average_period(self):
        self.company.average_cost_period = "month"
        receipt = self.stock(self.average)
        self.adjust_valuation(receipt, 130.0)
        self.assertEqual(sum(self.cost(receipt)), 100.0)
        draft = self.env["inventory.revaluation"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual((draft.state, str(draft.date)), ("draft", "2026-01-31"))
        self.assertEqual(draft.line_ids.value_revalued, 130.0)

    def test_adjust_valuation_where_nothing_is_left(self):
        """A used-up receipt, a delivery and a planned receipt have no value to set."""
        for product in (self.fifo, self.average, self.standard):
            with self.subTest(product=product.name):
                receipt = self.stock(product)
                sale = self.sell(product, 10, date="2026-01-06")
                delivery = self.deliver(sale, date="2026-01-06")
                planned = self.buy(product, 5, 10.0, date="2026-01-07").picking_ids
                for picking in (receipt, delivery, planned):
                    count = self.env["product.value"].search_count([])
                    message = f"Nothing of {picking.name}.* is in stock.*bill"
                    with (
                        self.assertRaisesRegex(UserError, message),
                        self.cr.savepoint(),
                    ):
                        self.adjust_valuation(picking, 130.0)
                    self.assertEqual(self.env["product.value"].search_count([]), count)
                self.assertEqual(sum(self.cost(delivery)), -100.0)

    def test_edited_cost_on_the_product_form(self):
        receipt = self.stock(self.fifo)
        with self.at("2026-01-20"), Form(self.fifo) as form:
            form.standard_price = 12.5
        self.assertEqual(sum(self.cost(receipt)), 125.0)
        revaluation = self.env["inventory.revaluation"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual((revaluation.state, revaluation.amount), ("posted", 25.0))
        approved = [r for r in self.head(revaluation) if r[0] == "Approved by"]
        self.assertIn("Not asked for", approved[0][1])

    def test_edited_cost_of_an_average_per_warehouse(self):
        """Each warehouse's own average goes to the cost typed in."""
        self.company.average_cost_calc_type = "item_location"
        self.stock(self.average)
        order = self.buy(
            self.average, 10, 20.0, date="2026-01-05", warehouse=self.warehouse_2
        )
        self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        with self.at("2026-01-20"):
            self.average.standard_price = 12.0
        values = self.env["stock.cost.balance"].search(
            [("product_id", "=", self.average.id)]
        )
        self.assertEqual(values.mapped("value_actual"), [120.0, 120.0])

    def test_edited_cost_of_a_lot(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = self.make_lot(product, "A") | self.make_lot(product, "B")
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05", lots={lots[0]: 4, lots[1]: 6})
        self.bill(order, date="2026-01-05")
        with self.at("2026-01-20"):
            lots[0].standard_price = 15.0
        by_lot = {
            entry.lot_id: sum(entry.value_entry_ids.mapped("cost_amount_actual"))
            for entry in self.ledger_entries(receipt)
        }
        self.assertEqual(by_lot, {lots[0]: 60.0, lots[1]: 60.0})

    def test_edited_cost_by_warehouse_people(self):
        self.stock(self.fifo)
        clerk = new_test_user(
            self.env,
            "clerk",
            groups="stock.group_stock_manager,product.group_product_manager",
            company_id=self.company.id,
        )
        with (
            self.assertRaisesRegex(UserError, "accountant may do"),
            self.cr.savepoint(),
        ):
            self.fifo.with_user(clerk).standard_price = 12.0
        self.fifo.invalidate_recordset()
        self.assertEqual(self.fifo.standard_price, 10.0)
