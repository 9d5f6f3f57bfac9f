"""The third valuation: Odoo's own valuation and accounting stand aside."""

from unittest.mock import patch

from odoo import fields
from odoo.fields import Domain
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.stock_account.models.product import ProductProduct as CoreProduct
from odoo.addons.stock_account.models.stock_lot import StockLot as CoreLot
from odoo.addons.stock_account.models.stock_move import StockMove as CoreMove

from .common import InventoryCostCommon
from .test_master_data import MasterDataCommon

# What Odoo works out by replaying moves, one record at a time or over all history.
REPLAYS = (
    (CoreProduct, "_run_avco"),
    (CoreProduct, "_run_fifo"),
    (CoreProduct, "_run_fifo_get_stack"),
    (CoreProduct, "_get_value_from_lots"),
    (CoreProduct, "_get_last_in"),
    (CoreMove, "_get_value_data"),
    (CoreMove, "_get_value_from_std_price"),
    (CoreMove, "_get_manual_value"),
)


def refuse(*args, **kwargs):
    raise AssertionError("Odoo's replay ran for a managed product")


@tagged("post_install", "-at_install")
class TestValuation(InventoryCostCommon):
    def plain_product(self, valuation="real_time", **values):
        """Return a product that is not managed."""
        category = self.env["product.category"].create(
            {
                "name": f"Plain {valuation}",
                "property_valuation": valuation,
                "property_cost_method": "fifo",
            }
        )
        return self.make_product("fifo", categ_id=category.id, **values)

    # -- Which products ---------------------------------------------------------------

    def test_managed(self):
        self.assertTrue(self.fifo._is_managed())
        self.assertFalse(self.plain_product()._is_managed())
        service = self.make_product("fifo", type="service", is_storable=False)
        self.assertFalse(service._is_managed())
        products = self.fifo | service | self.average
        self.assertEqual(products._filter_managed(), self.fifo | self.average)

    def test_managed_per_company(self):
        other = self.make_company("Other Company")
        self.assertFalse(self.fifo.with_company(other)._is_managed())
        self.assertTrue(self.fifo.with_company(self.company)._is_managed())

    def test_company_default(self):
        category = self.env["product.category"].create(
            {"name": "Defaults", "property_valuation": False}
        )
        product = self.make_product("fifo", categ_id=category.id)
        self.assertFalse(product._is_managed())
        self.company.inventory_valuation = "value_entries"
        self.assertTrue(product._is_managed())

    def test_search(self):
        plain = self.plain_product()
        Product = self.env["product.product"]
        ours = self.fifo | self.average | self.standard | self.lifo
        mine = Domain("id", "in", (ours | plain).ids)
        for operator, value, expected in (
            ("=", "value_entries", ours),
            ("=", "real_time", plain),
            ("in", ["value_entries"], ours),
            ("in", ["value_entries", "real_time"], ours | plain),
            ("=", "periodic", Product),
        ):
            with self.subTest(operator=operator, value=value):
                found = Product.search(mine & Domain("valuation", operator, value))
                self.assertEqual(set(found.ids), set(expected.ids))

    def test_search_company_default(self):
        category = self.env["product.category"].create(
            {"name": "Defaults", "property_valuation": False}
        )
        product = self.make_product("fifo", categ_id=category.id)
        domain = [("valuation", "=", "value_entries"), ("id", "=", product.id)]
        self.assertFalse(product.search(domain))
        self.company.inventory_valuation = "value_entries"
        self.assertEqual(product.search(domain), product)

    # -- Odoo's accounting ------------------------------------------------------------

    def test_bill_keeps_the_expense_account(self):
        order = self.buy(self.fifo, 2, 5.0)
        self.receive(order)
        bill = self.bill(order)
        self.assertEqual(
            bill.invoice_line_ids.account_id, self.company.expense_account_id
        )

    def test_invoice_without_cogs_lines(self):
        self.count(self.fifo, 5)
        order = self.sell(self.fifo, 2)
        self.deliver(order)
        invoice = self.invoice(order)
        self.assertFalse(
            invoice.line_ids.filtered(lambda line: line.display_type == "cogs")
        )

    def test_no_price_difference_lines(self):
        difference = self.env["account.account"].create(
            {"code": "778899", "name": "Differences", "account_type": "expense"}
        )
        self.categories["standard"].property_price_difference_account_id = difference
        order = self.buy(self.standard, 2, 50.0)
        self.receive(order)
        bill = self.bill(order)
        self.assertNotIn(difference, bill.line_ids.account_id)

    def test_no_entry_of_a_move(self):
        loss = self.standard.property_stock_inventory
        loss.valuation_account_id = self.company.expense_account_id
        moves = self.count(self.standard, 5) | self.scrap(self.standard, 1)
        self.assertEqual(len(moves), 2)
        self.assertFalse(moves.account_move_id)

    def test_unmanaged_as_without_the_addon(self):
        """A real-time product posts what Odoo posts, and has no ledger entries."""
        product = self.plain_product()
        loss = product.property_stock_inventory
        loss.valuation_account_id = self.company.expense_account_id
        order = self.buy(product, 2, 5.0)
        receipt = self.receive(order)
        bill = self.bill(order, price=6.0)
        self.assertEqual(
            bill.invoice_line_ids.account_id, self.company.account_stock_valuation_id
        )
        self.assertEqual(receipt.move_ids.value, 12.0)
        self.assertEqual(product.total_value, 12.0)
        self.assertEqual(product.standard_price, 6.0)
        sale = self.sell(product, 1)
        self.deliver(sale)
        invoice = self.invoice(sale)
        cogs = invoice.line_ids.filtered(lambda line: line.display_type == "cogs")
        self.assertEqual(sorted(cogs.mapped("balance")), [-6.0, 6.0])
        scrap = self.scrap(product, 1)
        self.assertTrue(scrap.account_move_id)
        self.assertFalse(self.ledger_entries(self.moves(product)))
        self.assertFalse(
            self.env["stock.cost.item"].search([("product_id", "=", product.id)])
        )

    def test_closing_leaves_managed_products_out(self):
        plain = self.plain_product("periodic")
        self.receive(self.buy(self.fifo, 2, 5.0))
        self.receive(self.buy(plain, 3, 5.0))
        accounts = self.company._get_accounts_by_product()
        self.assertIn(plain, accounts)
        self.assertNotIn(self.fifo, accounts)
        both = self.company._get_accounts_by_product(plain | self.fifo)
        self.assertEqual(list(both), [plain])
        self.assertEqual(
            self.company.stock_value()[self.company.account_stock_valuation_id], 15.0
        )
        closing = self.env["account.move"].browse(
            self.company.action_close_stock_valuation(auto_post=True)["res_id"]
        )
        stock_line = closing.line_ids.filtered(
            lambda line: line.account_id == self.company.account_stock_valuation_id
        )
        self.assertEqual(stock_line.balance, 15.0)

    def test_scheduled_closing(self):
        """The scheduled closing passes over companies with nothing to close."""
        self.env["res.company"].search([]).inventory_period = "manual"
        self.company.write(
            {"inventory_period": "daily", "inventory_valuation": "value_entries"}
        )
        self.receive(self.buy(self.fifo, 2, 5.0))
        before = self.env["account.move"].search_count([])
        with self.at("2026-03-10"):
            self.env["res.company"]._cron_post_stock_valuation()
        self.assertEqual(self.env["account.move"].search_count([]), before)

    def test_valuation_report(self):
        """Odoo's valuation report shows the products it answers for."""
        self.receive(self.buy(self.fifo, 2, 5.0))
        data = self.env["stock_account.stock.valuation.report"].get_report_values()
        self.assertEqual(data["data"]["ending_stock"]["value"], 0.0)

    def test_count_has_no_accounting_date(self):
        quant = self.env["stock.quant"].create(
            {
                "product_id": self.fifo.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "inventory_quantity": 3,
            }
        )
        wizard = self.env["stock.inventory.adjustment.name"].create(
            {"quant_ids": quant.ids}
        )
        self.assertFalse(wizard.should_show_accounting_date)

    # -- Posting groups ---------------------------------------------------------------

    def test_groups_of_the_category_tree(self):
        child = self.make_category(
            "fifo",
            name="Child",
            parent_id=self.categories["fifo"].id,
            inventory_posting_group_id=False,
            product_posting_group_id=False,
        )
        product = self.make_product("fifo", categ_id=child.id)
        self.assertEqual(product._get_inventory_posting_group(), self.inventory_group)
        self.assertEqual(product._get_product_posting_group(), self.product_group)
        own = self.env["inventory.posting.group"].create({"code": "C", "name": "C"})
        child.inventory_posting_group_id = own
        self.assertEqual(product._get_inventory_posting_group(), own)

    def test_groups_of_the_product(self):
        own = self.env["product.posting.group"].create({"code": "P", "name": "P"})
        self.fifo.product_posting_group_id = own
        self.assertEqual(self.fifo._get_product_posting_group(), own)
        self.assertEqual(self.average._get_product_posting_group(), self.product_group)

    def test_no_groups(self):
        product = self.plain_product()
        self.assertFalse(product._get_inventory_posting_group())
        self.assertFalse(product._get_product_posting_group())

    def test_groups_per_company(self):
        other = self.make_company("Other Company")
        product = self.fifo.with_company(other)
        self.assertFalse(product._get_inventory_posting_group())
        vendor = self.vendor.with_company(other)
        self.assertFalse(vendor._get_business_posting_group())

    def test_business_group(self):
        Partner = self.env["res.partner"]
        self.assertEqual(Partner._get_business_posting_group(), self.business_group)
        self.assertEqual(self.vendor._get_business_posting_group(), self.business_group)
        export = self.env["business.posting.group"].create({"code": "E", "name": "E"})
        self.vendor.business_posting_group_id = export
        contact = Partner.create({"name": "Contact", "parent_id": self.vendor.id})
        self.assertEqual(contact._get_business_posting_group(), export)

    # -- Posting dates ----------------------------------------------------------------

    def test_posting_date(self):
        """The day of the company's zone, whatever the user's."""
        late = fields.Datetime.to_datetime("2026-01-31 23:30:00")
        early = fields.Datetime.to_datetime("2026-02-01 03:00:00")
        for zone, moment, day in (
            ("UTC", late, "2026-01-31"),
            ("Asia/Tokyo", late, "2026-02-01"),
            ("America/New_York", early, "2026-01-31"),
            ("Europe/Berlin", late, "2026-02-01"),
        ):
            with self.subTest(zone=zone, moment=moment):
                self.company.inventory_cost_tz = zone
                company = self.company.with_context(tz="Pacific/Auckland")
                self.assertEqual(
                    company._inventory_posting_date(moment), fields.Date.to_date(day)
                )

    def test_posting_date_without_zone(self):
        late = fields.Datetime.to_datetime("2026-01-31 23:30:00")
        self.company.inventory_cost_tz = False
        self.company.partner_id.tz = "Asia/Tokyo"
        self.assertEqual(self.company._inventory_posting_date(late).day, 1)
        self.company.partner_id.tz = False
        self.assertEqual(self.company._inventory_posting_date(late).day, 31)


@tagged("post_install", "-at_install")
class TestProjections(MasterDataCommon):
    """Odoo's value fields of managed products are read from the ledgers."""

    def refuse_replays(self):
        """Make Odoo's replay functions fail."""
        for model, method in REPLAYS:
            self.startPatcher(patch.object(model, method, refuse))

    def test_documents_without_replay(self):
        """Receipts, deliveries, bills, fields and the report: nothing is replayed."""
        self.refuse_replays()
        for method, product in self.products.items():
            with self.subTest(method=method):
                order = self.buy(product, 10, 4.0)
                receipt = self.receive(order)
                self.bill(order, price=5.0)
                sale = self.sell(product, 3)
                self.deliver(sale)
                self.invoice(sale)
                self.give_back(receipt, 1)
                self.count(product, 20)
                self.scrap(product, 1)
                self.transfer(product, 2)
                moves = self.moves(product)
                self.assertGreaterEqual(len(moves), 5)
                self.assertTrue(product.total_value)
                self.assertTrue(product.avg_cost)
                self.assertTrue(product.with_context(to_date="2036-01-01").total_value)
                self.assertTrue(any(moves.mapped("remaining_qty")))
                self.assertTrue(any(moves.mapped("remaining_value")))
                self.assertTrue(any(moves.mapped("value_justification")))
                quants = product.stock_quant_ids.filtered(
                    lambda quant: quant.location_id.usage == "internal"
                )
                self.assertTrue(any(quants.mapped("value")))
                product._update_standard_price()
        self.env["stock_account.stock.valuation.report"].get_report_values()

    def test_replay_check_can_fail(self):
        """The same check catches the replay of a product that is not managed."""
        category = self.env["product.category"].create(
            {
                "name": "Plain",
                "property_valuation": "periodic",
                "property_cost_method": "average",
            }
        )
        product = self.make_product("fifo", categ_id=category.id)
        order = self.buy(product, 10, 4.0)
        self.refuse_replays()
        with self.assertRaisesRegex(AssertionError, "replay"):
            self.receive(order)

    def test_lots_without_replay(self):
        self.refuse_replays()
        self.startPatcher(patch.object(CoreLot, "_update_standard_price", lambda s: s))
        product = self.make_product("average", tracking="lot", lot_valuated=True)
        lots = [self.make_lot(product, name) for name in ("A", "B")]
        self.receive(self.buy(product, 5, 4.0), lots={lots[0]: 2, lots[1]: 3})
        self.assertEqual([lot.total_value for lot in lots], [8.0, 12.0])
        self.assertEqual(product.total_value, 20.0)

    def test_total_value(self):
        """The value of all balances, expected cost included."""
        self.record(self.fifo, 4, 40.0)
        self.record(self.fifo, 6, 90.0, place=self.warehouse_2.view_location_id)
        self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)], limit=1
        ).value_expected = 5.0
        self.env.invalidate_all()
        self.assertEqual(self.fifo.total_value, 135.0)
        self.assertEqual(self.fifo.avg_cost, 13.5)
        self.assertEqual(self.average.total_value, 0.0)
        self.assertEqual(self.average.avg_cost, 0.0)

    def test_total_value_of_a_warehouse(self):
        self.record(self.fifo, 4, 40.0)
        self.record(self.fifo, 6, 90.0, place=self.warehouse_2.view_location_id)
        for warehouses in (self.warehouse_2.id, self.warehouse_2.ids):
            product = self.fifo.with_context(warehouse_id=warehouses)
            self.assertEqual((product.total_value, product.avg_cost), (90.0, 15.0))

    def test_total_value_at_a_date(self):
        self.record(self.fifo, 4, 40.0)
        self.record(self.fifo, 6, 90.0, posting_date="2026-02-01")
        for day, value in (
            ("2026-01-09", 0.0),
            ("2026-01-10", 40.0),
            ("2026-01-31 23:00:00", 40.0),
            ("2026-02-01", 130.0),
        ):
            with self.subTest(day=day):
                product = self.fifo.with_context(to_date=day)
                self.assertEqual(product.total_value, value)

    def test_total_value_at_any_date_adds_up(self):
        """Early dates add up what was posted, late ones take off what came later."""
        entries = [
            self.record(self.fifo, quantity, value, posting_date=f"2026-{month:02}-15")
            for month, (quantity, value) in enumerate(
                [(4, 40.0), (6, 61.11), (-3, -30.33), (5, 0.07), (2, 19.99)], start=1
            )
        ]
        self.assertEqual(len(entries), 5)
        # Of a busy item: recorded, and not in the balances yet.
        late = self.env["stock.value.entry"].search(
            [("product_id", "=", self.fifo.id)], order="id desc", limit=1
        )
        self.env["stock.cost.queue"]._enqueue(late, counted=False)
        self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)]
        ).write({"quantity": 12, "value_actual": 70.85, "value_expected": 0.0})
        days = [f"2026-{month:02}-{day}" for month in range(1, 7) for day in (14, 15)]
        values = [
            self.fifo.with_context(to_date=day)._ledger_values().get(self.fifo.id)
            for day in days
        ]
        sums = [(4, 40.0), (10, 101.11), (7, 70.78), (12, 70.85), (14, 90.84)]
        expected = [None, *(value for value in sums for _twice in range(2)), sums[-1]]
        self.assertEqual(values, expected)

    def test_total_value_of_a_company(self):
        self.record(self.fifo, 4, 40.0)
        other = self.make_company("Other Company")
        self.assertEqual(self.fifo.with_company(other).total_value, 0.0)

    def test_total_value_is_one_query(self):
        products = self.env["product.product"].create(
            [
                {
                    "name": f"Bulk {number}",
                    "is_storable": True,
                    "categ_id": self.categories["fifo"].id,
                }
                for number in range(30)
            ]
        )
        for product in products:
            self.record(product, 2, 8.0)
        self.env.flush_all()
        self.env.invalidate_all()
        products.mapped("uom_id.rounding")
        products.mapped("valuation")
        products.mapped("cost_method")
        products.mapped("standard_price")
        products.mapped("cost_currency_id.rounding")
        with self.assertQueryCount(1):
            self.assertEqual(sum(products.mapped("total_value")), 240.0)

    def test_lots(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        first, second = (self.make_lot(product, name) for name in ("A", "B"))
        self.record(product, 2, 8.0, lot=first)
        self.record(product, 3, 30.0, lot=second, posting_date="2026-02-01")
        lots = first | second
        self.env.invalidate_all()
        lots._compute_avg_cost()
        self.assertEqual(lots.mapped("total_value"), [8.0, 30.0])
        self.assertEqual(lots.mapped("avg_cost"), [4.0, 10.0])
        self.assertEqual(product.total_value, 38.0)
        january = lots.with_context(to_date="2026-01-31")
        self.assertEqual(january.mapped("total_value"), [8.0, 0.0])

    def test_unit_cost_functions(self):
        self.record(self.fifo, 4, 40.0)
        self.fifo.with_context(disable_auto_revaluation=True).standard_price = 3.0
        self.assertEqual(self.fifo._run_avco(), (10.0, 40.0))
        self.assertEqual(self.fifo._run_fifo(2), 20.0)
        self.assertEqual(self.fifo._run_fifo_get_stack(), ([], 0))
        before = fields.Datetime.to_datetime("2026-01-01")
        self.assertEqual(self.fifo._run_avco(at_date=before), (3.0, 0.0))

    def test_update_standard_price_leaves_it(self):
        self.record(self.average, 4, 100.0)
        self.average._update_standard_price()
        self.assertEqual(self.average.standard_price, 10.0)

    def test_remaining(self):
        receipt = self.receive(self.buy(self.fifo, 10, 4.0))
        self.receive(self.buy(self.fifo, 5, 6.0))
        self.deliver(self.sell(self.fifo, 3))
        move = receipt.move_ids
        self.env.invalidate_all()
        self.assertEqual(move.remaining_qty, 7.0)
        self.assertEqual(move.remaining_value, 28.0)
        found = (
            self.env["stock.move"]
            .with_context(default_product_id=self.fifo.id)
            .search([("remaining_qty", "=", True)])
        )
        self.assertEqual(sorted(found.mapped("remaining_qty")), [5.0, 7.0])

    def test_remaining_in_another_unit(self):
        """What remains of a dozen is counted in the product's unit."""
        order = self.buy(
            self.fifo,
            2,
            120.0,
            product_uom_id=self.env.ref("uom.product_uom_dozen").id,
        )
        move = self.receive(order).move_ids
        self.deliver(self.sell(self.fifo, 6))
        self.env.invalidate_all()
        self.assertEqual(move.remaining_qty, 18.0)
        self.assertEqual(move.remaining_value, 180.0)

    def test_value_of_a_move_at_a_date(self):
        with self.at("2026-01-05"):
            order = self.buy(self.fifo, 2, 10.0)
        receipt = self.receive(order, date="2026-01-10")
        self.bill(order, price=12.0, date="2026-02-10")
        move = receipt.move_ids
        for day, value in (
            ("2026-01-09", 0.0),
            ("2026-01-31", 20.0),
            ("2026-02-28", 24.0),
        ):
            with self.subTest(day=day):
                moment = fields.Datetime.to_datetime(day)
                self.assertEqual(move._get_value(at_date=moment), value)

    def test_value_is_not_computed(self):
        move = self.receive(self.buy(self.fifo, 2, 10.0)).move_ids
        move.value = 77.0
        move._set_value()
        move._set_value(correction_quantity=1)
        self.assertEqual(move.value, 77.0)


@tagged("post_install", "-at_install")
class TestForms(InventoryCostCommon):
    """The fields are on the forms, for those who may see them."""

    def test_category(self):
        with Form(self.categories["fifo"]) as form:
            form.inventory_posting_group_id = self.env[
                "inventory.posting.group"
            ].browse()
            form.product_posting_group_id = self.product_group
        self.assertFalse(self.categories["fifo"].inventory_posting_group_id)

    def test_product(self):
        with Form(self.fifo.product_tmpl_id) as form:
            form.inventory_posting_group_id = self.inventory_group
            form.indirect_cost_pct = 12.5
            form.overhead_rate = 0.25
        self.assertEqual(self.fifo.indirect_cost_pct, 12.5)
        self.assertEqual(self.fifo.overhead_rate, 0.25)
        other = self.make_company("Other Company")
        self.assertEqual(self.fifo.with_company(other).indirect_cost_pct, 0.0)

    def test_partner(self):
        with Form(self.vendor) as form:
            form.business_posting_group_id = self.business_group
        self.assertEqual(self.vendor.business_posting_group_id, self.business_group)

    def test_value_entry_buttons(self):
        self.receive(self.buy(self.fifo, 2, 10.0))
        for name, record in (
            ("product_template", self.fifo.product_tmpl_id),
            ("product_product", self.fifo),
        ):
            action = self.env.ref(f"inventory_cost_gl.{name}_value_entry_action")
            domain = safe_eval(action.domain, {"active_id": record.id})
            entries = self.env["stock.value.entry"].search(domain)
            self.assertEqual(entries.product_id, self.fifo)
