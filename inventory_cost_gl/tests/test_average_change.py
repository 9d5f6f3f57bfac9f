"""Changing Average Cost Calc. Type and Average Cost Period once cost is recorded."""

from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import InventoryCostCommon


class AverageChangeCommon(InventoryCostCommon):
    """Two warehouses, an average product, January and what follows."""

    def stock(self, quantity, price, day, warehouse=None, product=None, bill=True):
        """Receive goods in a warehouse, billed unless told not to; return the order."""
        order = self.buy(
            product or self.average,
            quantity,
            price,
            date=day,
            warehouse=warehouse or self.warehouse,
        )
        self.receive(order, date=day)
        if bill:
            self.bill(order, date=day)
        return order

    def sale(self, quantity, day, warehouse=None, product=None):
        """Deliver goods from a warehouse; return the delivery."""
        order = self.sell(
            product or self.average,
            quantity,
            date=day,
            warehouse=warehouse or self.warehouse,
        )
        return self.deliver(order, date=day)

    def close(self, day):
        """Close the inventory period that ends on a day."""
        self.env["inventory.period"].create(
            {"company_id": self.company.id, "ending_date": day}
        ).action_close()

    def lock(self, day):
        """Set Odoo's fiscal year lock date."""
        self.env.flush_all()
        self.company.fiscalyear_lock_date = day

    def change(self, **values):
        """Change the settings through the wizard; return the run, if there is one."""
        wizard = self.env["inventory.average.change"].create(values)
        run_id = wizard.action_change().get("res_id")
        return self.env["inventory.cost.run"].browse(run_id)

    def adjust(self):
        self.env["inventory.cost.adjust"].create({}).action_adjust()

    def total(self, picking):
        """Return what a picking cost, expected and actual, positive out or in."""
        return self.currency.round(abs(sum(self.cost(picking))))

    def pool(self, warehouse):
        """Return quantity and value of the average product in a warehouse."""
        balances = self.env["stock.cost.balance"].search(
            [
                ("product_id", "=", self.average.id),
                ("company_id", "=", self.company.id),
                ("cost_location_id", "=", warehouse.view_location_id.id),
            ]
        )
        balances.invalidate_recordset()
        value = sum(balances.mapped("value_actual"))
        value += sum(balances.mapped("value_expected"))
        return sum(balances.mapped("quantity")), self.currency.round(value)

    def revaluations(self):
        """Return what was recorded to form the pools: {warehouse: amount}."""
        entries = self.env["stock.value.entry"].search(
            [("source_model", "=", "inventory.average.setting")]
        )
        amounts = {}
        for entry in entries:
            place = entry.cost_location_id
            amounts[place] = amounts.get(place, 0.0) + entry.cost_amount_actual
        return {
            warehouse: self.currency.round(amounts.get(warehouse.view_location_id, 0.0))
            for warehouse in (self.warehouse, self.warehouse_2)
        }

    def assertSound(self):
        """Nothing waits, and the nightly checks find nothing."""
        queue = self.env["stock.cost.queue"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertFalse(queue)
        checks = self.env["inventory.cost.integrity"]
        self.assertEqual(checks._check_integrity(self.company), [])


@tagged("post_install", "-at_install")
class TestAverageChange(AverageChangeCommon):
    """What a change does to recorded cost."""

    def january(self):
        """10 at 10.00 here, 10 at 20.00 there; 10 sold here at the item's 15.00."""
        self.stock(10, 10.0, "2026-01-05")
        self.stock(10, 20.0, "2026-01-05", self.warehouse_2)
        sold = self.sale(10, "2026-01-20")
        self.assertEqual(self.total(sold), 150.0)
        return sold

    # -- Calculation type --------------------------------------------------------------

    def test_per_warehouse_with_nothing_closed(self):
        sold = self.january()
        self.change(average_cost_calc_type="item_location")
        self.assertEqual(self.total(sold), 100.0)
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (10.0, 200.0))
        self.assertFalse(self.company.average_cost_since)
        self.assertSound()

    def test_per_warehouse_after_a_closed_period(self):
        """January stays; the pools are formed with what adds up to nothing."""
        sold = self.january()
        self.close("2026-01-31")
        later = self.sale(4, "2026-02-10", self.warehouse_2)
        self.assertEqual(self.total(later), 60.0)
        self.change(average_cost_calc_type="item_location")
        self.assertEqual(self.company.average_cost_since, date(2026, 2, 1))
        self.assertEqual(self.total(sold), 150.0)
        self.assertEqual(self.total(later), 60.0)
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (6.0, 90.0))
        self.assertEqual(
            self.revaluations(), {self.warehouse: 50.0, self.warehouse_2: -50.0}
        )
        entries = self.env["stock.value.entry"].search(
            [("source_model", "=", "inventory.average.setting")]
        )
        self.assertEqual(set(entries.mapped("posting_date")), {date(2026, 2, 1)})
        self.assertEqual(set(entries.mapped("entry_type")), {"revaluation"})
        self.assertSound()

    def test_later_documents_take_the_average_of_their_warehouse(self):
        self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.stock(5, 30.0, "2026-02-05")
        here = self.sale(5, "2026-02-06")
        there = self.sale(10, "2026-02-06", self.warehouse_2)
        self.assertEqual((self.total(here), self.total(there)), (150.0, 150.0))
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (0.0, 0.0))
        self.assertSound()

    def test_late_cost_of_closed_days_follows_their_setting(self):
        """A bill for January's receipt reaches January's sale by the old average."""
        order = self.stock(10, 10.0, "2026-01-05", bill=False)
        self.stock(10, 20.0, "2026-01-05", self.warehouse_2)
        sold = self.sale(10, "2026-01-20")
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.bill(order, date="2026-02-10", price=12.0)
        self.assertEqual(self.total(sold), 160.0)
        adjustment = self.entries(sold).filtered("adjustment")
        self.assertEqual(adjustment.posting_date, date(2026, 2, 1))
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (10.0, 160.0))
        self.assertSound()

    def test_late_cost_reaches_sales_of_both_settings(self):
        order = self.stock(10, 10.0, "2026-01-05", bill=False)
        self.stock(10, 20.0, "2026-01-05", self.warehouse_2)
        first = self.sale(5, "2026-01-20")
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        second = self.sale(5, "2026-02-03", self.warehouse_2)
        self.bill(order, date="2026-02-10", price=14.0)
        # 340 for 20 are 17.00 a piece in January, in each warehouse afterwards too
        self.assertEqual((self.total(first), self.total(second)), (85.0, 85.0))
        self.assertEqual(self.pool(self.warehouse), (5.0, 85.0))
        self.assertEqual(self.pool(self.warehouse_2), (5.0, 85.0))
        self.assertSound()

    def test_per_item_again(self):
        self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.stock(10, 25.0, "2026-02-03")
        sold = self.sale(10, "2026-02-04", self.warehouse_2)
        self.assertEqual(self.total(sold), 150.0)
        self.change(average_cost_calc_type="item")
        self.assertEqual(self.total(sold), 200.0)
        self.assertEqual(
            self.revaluations(), {self.warehouse: 0.0, self.warehouse_2: 0.0}
        )
        self.assertSound()

    def test_per_warehouse_after_two_closed_periods(self):
        """Each stretch of days keeps its own setting."""
        self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.stock(10, 25.0, "2026-02-03")
        february = self.sale(5, "2026-02-04")
        self.close("2026-02-28")
        self.change(average_cost_calc_type="item")
        march = self.sale(5, "2026-03-04")
        self.assertEqual(self.total(february), 125.0)
        # 10 there at 15.00, 5 here at 25.00
        self.assertEqual(self.total(march), 91.67)
        settings = self.env["inventory.average.setting"]._in_force(self.company)
        self.assertEqual(
            [(row.since, row.average_cost_calc_type) for row in settings],
            [
                (None, "item"),
                (date(2026, 2, 1), "item_location"),
                (date(2026, 3, 1), "item"),
            ],
        )
        self.assertSound()

    def test_reopened_and_changed_again(self):
        """What an ended setting recorded does not disturb the one that replaces it."""
        sold = self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.env["inventory.period"].search(
            [("company_id", "=", self.company.id)]
        ).sudo().closed = False
        self.change(average_cost_period="month")
        self.assertEqual(self.total(sold), 100.0)
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (10.0, 200.0))
        self.assertEqual(
            self.revaluations(), {self.warehouse: 0.0, self.warehouse_2: 0.0}
        )
        self.assertSound()

    def test_goods_sold_before_they_came(self):
        """A warehouse that never had any keeps the provisional cost of its sale."""
        self.stock(10, 10.0, "2026-01-05")
        self.lock("2026-01-31")
        sold = self.sale(3, "2026-02-02", self.warehouse_2)
        self.change(average_cost_calc_type="item_location")
        self.stock(3, 40.0, "2026-02-05", self.warehouse_2)
        self.assertEqual(self.total(sold), 120.0)
        self.assertEqual(self.pool(self.warehouse_2), (0.0, 0.0))
        self.assertSound()

    def test_transferred_goods(self):
        self.stock(10, 10.0, "2026-01-05")
        self.stock(10, 20.0, "2026-01-06", self.warehouse_2)
        self.transfer(self.average, 5, date="2026-01-10")
        self.close("2026-01-31")
        moved = self.transfer(self.average, 5, date="2026-02-02")
        self.change(average_cost_calc_type="item_location")
        self.assertEqual(self.pool(self.warehouse), (0.0, 0.0))
        self.assertEqual(self.pool(self.warehouse_2), (20.0, 300.0))
        self.assertEqual(sum(self.entries(moved).mapped("cost_amount_actual")), 0.0)
        self.assertSound()

    # -- Period ------------------------------------------------------------------------

    def test_month_with_nothing_closed(self):
        self.stock(10, 10.0, "2026-01-05")
        sold = self.sale(5, "2026-01-10")
        self.stock(10, 25.0, "2026-01-20")
        self.assertEqual(self.total(sold), 50.0)
        self.change(average_cost_period="month")
        self.assertEqual(self.total(sold), 87.5)
        self.change(average_cost_period="transaction")
        self.assertEqual(self.total(sold), 50.0)
        self.assertSound()

    def test_month_after_a_closed_period(self):
        self.stock(10, 10.0, "2026-01-05")
        closed = self.sale(5, "2026-01-10")
        self.stock(5, 40.0, "2026-01-20")
        self.close("2026-01-31")
        sold = self.sale(5, "2026-02-10")
        self.stock(10, 10.0, "2026-02-20")
        self.assertEqual(self.total(sold), 125.0)
        self.change(average_cost_period="month")
        self.assertEqual(self.total(closed), 50.0)
        # 10 for 250.00 from January and 10 for 100.00
        self.assertEqual(self.total(sold), 87.5)
        self.assertSound()

    def test_a_lock_date_in_the_middle_of_a_month(self):
        """The first period begins on the first open day."""
        self.stock(10, 10.0, "2026-02-02")
        locked = self.sale(5, "2026-02-05")
        self.lock("2026-02-14")
        sold = self.sale(2, "2026-02-16")
        self.stock(5, 30.0, "2026-02-20")
        self.change(average_cost_period="month")
        self.assertEqual(self.company.average_cost_since, date(2026, 2, 15))
        self.assertEqual(self.total(locked), 50.0)
        # 5 for 50.00 on 14 February and 5 for 150.00
        self.assertEqual(self.total(sold), 40.0)
        again = self.sale(1, "2026-02-25")
        self.assertEqual(self.total(again), 20.0)
        self.assertSound()

    def test_late_cost_of_a_locked_day(self):
        order = self.stock(10, 10.0, "2026-01-05", bill=False)
        locked = self.sale(5, "2026-01-10")
        self.stock(5, 20.0, "2026-01-20")
        self.close("2026-01-31")
        self.change(average_cost_period="month")
        self.bill(order, date="2026-02-10", price=12.0)
        # by transaction: the receipt of 20 January came after the sale
        self.assertEqual(self.total(locked), 60.0)
        self.assertSound()

    # -- Who, what, how much -----------------------------------------------------------

    def test_other_methods_are_left_alone(self):
        order = self.buy(self.fifo, 5, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        entries = self.entries(receipt)
        run = self.change(average_cost_period="month")
        self.assertEqual(self.entries(receipt), entries)
        self.assertEqual(run.item_count, 0)

    def test_before_the_first_entry_nothing_is_remembered(self):
        self.company.write(
            {"average_cost_period": "month", "average_cost_calc_type": "item_location"}
        )
        settings = self.env["inventory.average.setting"]
        self.assertFalse(settings.search([("company_id", "=", self.company.id)]))
        self.assertFalse(self.company.average_cost_since)

    def test_nothing_is_adjusted_before_adjust_cost(self):
        """Also where cost is never adjusted automatically."""
        self.company.automatic_cost_adjustment = "never"
        sold = self.january()
        self.adjust()
        self.company.average_cost_calc_type = "item_location"
        self.assertEqual(self.total(sold), 150.0)
        self.adjust()
        self.assertEqual(self.total(sold), 100.0)
        self.assertSound()

    def test_excluded_products_wait(self):
        sold = self.january()
        item = self.env["stock.cost.item"].search(
            [
                ("product_id", "=", self.average.id),
                ("company_id", "=", self.company.id),
            ]
        )
        item.sudo().excluded = True
        run = self.change(average_cost_calc_type="item_location")
        self.assertEqual(run.line_ids.product_id, self.average)
        self.assertEqual(self.total(sold), 150.0)
        item.sudo().excluded = False
        self.adjust()
        self.assertEqual(self.total(sold), 100.0)

    def test_the_moves_show_the_new_cost(self):
        sold = self.january()
        self.change(average_cost_calc_type="item_location")
        self.assertEqual(sold.move_ids.value, 100.0)
        self.assertEqual(self.average.standard_price, 20.0)

    def test_receipts_that_form_the_pools_show_it(self):
        self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        moves = self.moves(self.average).filtered("is_in")
        self.assertEqual(moves.mapped("value"), [150.0, 150.0])

    def test_another_company_is_left_alone(self):
        other = self.make_company("Other Company")
        self.january()
        self.change(average_cost_calc_type="item_location")
        self.assertEqual(other.average_cost_calc_type, "item")
        settings = self.env["inventory.average.setting"]
        self.assertFalse(settings.search([("company_id", "=", other.id)]))

    def test_posting_what_formed_the_pools(self):
        """It moves nothing in the general ledger but between warehouses' accounts."""
        self.january()
        self.close("2026-01-31")
        self.change(average_cost_calc_type="item_location")
        self.env["inventory.cost.post"].create({"mode": "post"}).action_run()
        self.assertEqual(self.gl("inventory"), 300.0)
        self.assertEqual(self.gl("inventory_interim"), -150.0)
        self.assertEqual(self.gl("inventory_adjustment"), 0.0)
        self.assertSound()


@tagged("post_install", "-at_install")
class TestAverageChangeWizard(AverageChangeCommon):
    """What is asked, and of whom."""

    def test_it_says_what_is_re_opened(self):
        self.stock(10, 10.0, "2026-01-05")
        self.stock(10, 10.0, "2026-01-05", product=self.fifo)
        self.close("2026-01-31")
        self.sale(2, "2026-02-02")
        with Form(self.env["inventory.average.change"]) as form:
            self.assertFalse(form.is_changed)
            form.average_cost_period = "week"
            self.assertTrue(form.is_changed)
            self.assertEqual(form.date_from, date(2026, 2, 1))
            self.assertEqual((form.product_count, form.entry_count), (1, 1))
        self.assertEqual(self.company.average_cost_period, "transaction")

    def test_with_nothing_closed_everything_is_re_opened(self):
        self.stock(10, 10.0, "2026-01-05")
        wizard = self.env["inventory.average.change"].create({})
        self.assertFalse(wizard.date_from)
        self.assertEqual((wizard.product_count, wizard.entry_count), (1, 1))

    def test_the_same_settings(self):
        self.stock(10, 10.0, "2026-01-05")
        with self.assertRaisesRegex(UserError, "in force already"):
            self.change(average_cost_period="transaction")

    def test_managers_only(self):
        self.stock(10, 10.0, "2026-01-05")
        accountant = new_test_user(
            self.env,
            "average accountant",
            groups="inventory_cost_gl.group_accountant",
            company_id=self.company.id,
        )
        with self.assertRaises(AccessError):
            self.env["inventory.average.change"].with_user(accountant).create({})
        wizard = self.env["inventory.average.change"].create(
            {"average_cost_period": "month"}
        )
        with self.assertRaises(AccessError):
            wizard.with_user(accountant).action_change()
        settings = self.env["inventory.average.setting"].with_user(accountant)
        with self.assertRaises(AccessError):
            settings.create(
                {
                    "company_id": self.company.id,
                    "average_cost_calc_type": "item",
                    "average_cost_period": "day",
                }
            )

    def test_of_the_own_company(self):
        other = self.make_company("Other Company")
        wizard = self.env["inventory.average.change"].create(
            {"average_cost_period": "month"}
        )
        wizard.sudo().company_id = other
        with self.assertRaisesRegex(UserError, "Switch to the company"):
            wizard.action_change()

    def test_it_is_remembered_who_changed_what(self):
        self.stock(10, 10.0, "2026-01-05")
        self.change(average_cost_period="month")
        settings = self.env["inventory.average.setting"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(
            settings.mapped("average_cost_period"), ["month", "transaction"]
        )
        self.assertEqual(settings[0].user_id, self.env.user)

    def test_the_settings_screen_offers_it(self):
        self.assertFalse(self.env["res.config.settings"].create({}).has_value_entries)
        self.stock(10, 10.0, "2026-01-05")
        with Form(self.env["res.config.settings"]) as form:
            self.assertTrue(form.has_value_entries)
            with self.assertRaisesRegex(AssertionError, "readonly"):
                form.average_cost_period = "month"
