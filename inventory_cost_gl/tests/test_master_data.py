"""What the ledgers rest on can't be changed under them: one test for each field."""

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import InventoryCostCommon


class MasterDataCommon(InventoryCostCommon):
    def record(self, product, quantity=4.0, value=40.0, company=None, **values):
        """Return a ledger entry with its value entry and balance, as receipts have."""
        company = company or self.company
        place = values.pop("place", self.warehouse.view_location_id)
        lot = values.pop("lot", self.env["stock.lot"])
        invoiced = values.pop("invoiced", quantity)
        entry = self.env["stock.ledger.entry"].create(
            {
                "company_id": company.id,
                "product_id": product.id,
                "lot_id": lot.id,
                "cost_location_id": place.id,
                "entry_type": "purchase",
                "quantity": quantity,
                "remaining_quantity": quantity,
                "open": True,
                "posting_date": "2026-01-10",
                "valuation_date": "2026-01-10",
                **values,
            }
        )
        self.env["stock.value.entry"].create(
            {
                "company_id": company.id,
                "ledger_entry_id": entry.id,
                "product_id": product.id,
                "entry_type": "direct_cost",
                "item_ledger_entry_type": "purchase",
                "cost_amount_actual": value,
                "ledger_entry_quantity": quantity,
                "invoiced_quantity": invoiced,
                "valued_quantity": quantity,
                "posting_date": entry.posting_date,
                "valuation_date": "2026-01-10",
                "source_model": "stock.move",
                "source_id": 1,
                "cost_location_id": place.id,
                "recorded_at": fields.Datetime.now(),
            }
        )
        self.add_to_balance(entry, quantity, value)
        return entry

    def add_to_balance(self, entry, quantity, value):
        """Count an entry in the balance of its item, cost location and lot."""
        item = self.env["stock.cost.item"].search(
            [
                ("product_id", "=", entry.product_id.id),
                ("company_id", "=", entry.company_id.id),
            ]
        )
        key = {
            "item_id": item.id,
            "cost_location_id": entry.cost_location_id.id,
            "lot_id": entry.lot_id.id,
        }
        balance = item.balance_ids.search(
            [(field, "=", record_id) for field, record_id in key.items()]
        ) or item.balance_ids.create(
            {
                **key,
                "company_id": entry.company_id.id,
                "product_id": entry.product_id.id,
            }
        )
        balance.quantity += quantity
        balance.value_actual += value

    def assertRefused(self, record, values, *words):
        """The change is refused with these words, and nothing changes."""
        before = {name: record[name] for name in values}
        with self.assertRaises(UserError) as raised, self.cr.savepoint():
            record.write(values)
        for word in words:
            self.assertIn(word, str(raised.exception))
        # What the rolled back transaction of a user leaves behind: nothing cached.
        self.env.registry.clear_all_caches()
        self.env.invalidate_all()
        self.assertEqual({name: record[name] for name in values}, before)


@tagged("post_install", "-at_install")
class TestProductGuards(MasterDataCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain_category = cls.env["product.category"].create(
            {
                "name": "Unmanaged",
                "property_valuation": "periodic",
                "property_cost_method": "fifo",
            }
        )

    def test_costing_method(self):
        self.record(self.fifo)
        self.assertRefused(
            self.categories["fifo"],
            {"property_cost_method": "average"},
            "Product fifo",
            "Cost Method",
            self.company.name,
            "Create a new product",
        )

    def test_costing_method_without_entries(self):
        self.categories["fifo"].property_cost_method = "average"
        self.assertEqual(self.fifo.cost_method, "average")

    def test_valuation(self):
        self.record(self.fifo)
        self.assertRefused(
            self.categories["fifo"],
            {"property_valuation": "periodic"},
            "Product fifo",
            "Valuation",
        )

    def test_valuation_without_entries(self):
        self.categories["fifo"].property_valuation = "periodic"
        self.assertFalse(self.fifo._is_managed())

    def test_valuation_in_another_company_is_free(self):
        """The guard is per company: entries of one do not bind the other."""
        self.record(self.fifo)
        other = self.make_company("Other Company")
        self.env.user.company_ids += other
        category = self.categories["fifo"].with_company(other)
        category.property_valuation = "value_entries"
        category.property_valuation = "periodic"
        self.assertEqual(self.categories["fifo"].property_valuation, "value_entries")

    def test_company_defaults(self):
        """The company's defaults are those of the categories without a value."""
        self.company.write({"inventory_valuation": "value_entries"})
        category = self.env["product.category"].create({"name": "Defaults"})
        product = self.make_product("fifo", categ_id=category.id)
        self.assertTrue(product._is_managed())
        self.record(product)
        self.assertRefused(
            self.company, {"inventory_valuation": "periodic"}, product.name
        )
        self.assertTrue(product._is_managed())

    def test_storable(self):
        self.record(self.fifo)
        self.assertRefused(
            self.fifo.product_tmpl_id, {"is_storable": False}, "Product fifo"
        )

    def test_type(self):
        self.record(self.fifo)
        self.assertRefused(self.fifo.product_tmpl_id, {"type": "service"}, "Product")

    def test_unit(self):
        self.record(self.fifo)
        dozen = self.env.ref("uom.product_uom_dozen")
        self.assertRefused(self.fifo, {"uom_id": dozen.id}, "Product fifo", "Unit")
        self.average.uom_id = dozen
        self.assertEqual(self.average.uom_id, dozen)

    def test_lot_valuated(self):
        product = self.make_product("fifo", tracking="lot")
        self.record(product)
        self.assertRefused(
            product.product_tmpl_id, {"lot_valuated": True}, "Valuation by Lot"
        )

    def test_tracking_that_ends_lot_valuation(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        self.record(product)
        self.assertRefused(product.product_tmpl_id, {"tracking": "none"}, "Lot")

    def test_category(self):
        self.record(self.fifo)
        template = self.fifo.product_tmpl_id
        self.assertRefused(template, {"categ_id": self.plain_category.id}, "Valuation")
        self.assertRefused(
            template, {"categ_id": self.categories["average"].id}, "Cost Method"
        )

    def test_category_with_the_same_costing(self):
        self.record(self.fifo)
        category = self.make_category("fifo", name="Twin")
        self.fifo.categ_id = category
        self.assertEqual(self.fifo.categ_id, category)

    def test_other_fields_are_free(self):
        self.record(self.fifo)
        self.fifo.write({"name": "Renamed", "list_price": 3.0})
        self.categories["fifo"].write(
            {"name": "Renamed", "property_cost_method": "fifo"}
        )
        self.assertEqual(self.fifo.name, "Renamed")

    def test_cost_of_stock(self):
        """A cost typed in while there is stock revalues it with new entries."""
        gain = self.count(self.fifo, 4)
        self.fifo.standard_price = 12.0
        self.assertEqual(self.cost(gain), (0.0, 48.0))
        self.assertEqual(
            self.entries(gain).mapped("entry_type"), ["direct_cost", "revaluation"]
        )
        self.env.invalidate_all()
        self.assertEqual(self.fifo.total_value, 48.0)

    def test_cost_without_stock(self):
        self.standard.standard_price = 12.0
        item = self.env["stock.cost.item"].search(
            [("product_id", "=", self.standard.id)]
        )
        self.assertEqual(item.unit_cost, 12.0)
        log = self.env["product.value"].search([("product_id", "=", self.standard.id)])
        self.assertFalse(log)

    def test_cost_of_lot(self):
        """The cost of a lot revalues that lot alone."""
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = [self.make_lot(product, name) for name in ("A", "B")]
        gains = [self.count(product, 4, lot=lot) for lot in lots]
        lots[0].standard_price = 3.0
        self.assertEqual([self.cost(gain) for gain in gains], [(0, 12.0), (0, 40.0)])

    def test_delete(self):
        """A product that never moved can be deleted with its cost item."""
        self.average.unlink()
        self.assertFalse(
            self.env["stock.cost.item"].search([("product_id", "=", self.average.id)])
        )

    def test_guard_is_one_query_for_all(self):
        template = self.env["product.template"]
        for number in range(20):
            product = self.make_product("fifo", name=f"Bulk {number}")
            template |= product.product_tmpl_id
        recorded = template.product_variant_ids
        self.record(recorded[0])
        self.env.flush_all()
        with self.assertQueryCount(1):
            found = recorded._with_ledger_entries(self.company)
        self.assertEqual(found, {self.company: recorded[0]})


@tagged("post_install", "-at_install")
class TestEnteringTheLedger(MasterDataCommon):
    """Products with stock or open moves the ledgers do not know aren't managed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.category = cls.env["product.category"].create(
            {
                "name": "Unmanaged",
                "property_valuation": "periodic",
                "property_cost_method": "fifo",
            }
        )
        cls.product = cls.make_product("fifo", categ_id=cls.category.id, name="Plain")

    def test_stock_on_hand(self):
        self.count(self.product, 3)
        self.assertRefused(
            self.category,
            {"property_valuation": "value_entries"},
            "Plain",
            "there is stock on hand",
            "receive it again",
        )

    def test_stock_of_a_moved_product(self):
        self.count(self.product, 3)
        self.assertRefused(
            self.product, {"categ_id": self.categories["fifo"].id}, "stock on hand"
        )

    def test_stock_of_others(self):
        """Goods owned by others are not the company's stock."""
        self.env["stock.quant"]._update_available_quantity(
            self.product, self.warehouse.lot_stock_id, 3, owner_id=self.vendor
        )
        self.category.property_valuation = "value_entries"
        self.assertTrue(self.product._is_managed())

    def test_not_billed(self):
        order = self.buy(self.product, 2, 5.0)
        self.receive(order)
        self.count(self.product, 0)
        self.assertRefused(
            self.category, {"property_valuation": "value_entries"}, "not billed"
        )
        self.bill(order)
        self.category.property_valuation = "value_entries"
        self.assertTrue(self.product._is_managed())

    def test_not_invoiced(self):
        self.count(self.product, 2)
        order = self.sell(self.product, 2)
        self.deliver(order)
        self.assertRefused(
            self.category, {"property_valuation": "value_entries"}, "not invoiced"
        )
        self.invoice(order)
        self.category.property_valuation = "value_entries"
        self.assertTrue(self.product._is_managed())

    def test_cost_item(self):
        """The category's products get the lock of the cost ledger, at their cost."""
        Item = self.env["stock.cost.item"]
        domain = [("product_id", "=", self.product.id)]
        self.assertFalse(Item.search(domain))
        self.category.property_valuation = "value_entries"
        item = Item.search(domain)
        self.assertEqual(item.company_id, self.company)
        self.assertEqual(item.unit_cost, 10.0)

    def test_cost_item_of_a_moved_product(self):
        self.product.categ_id = self.categories["average"]
        item = self.env["stock.cost.item"].search(
            [("product_id", "=", self.product.id)]
        )
        self.assertEqual(len(item), 1)

    def test_cost_item_of_a_company_default(self):
        category = self.env["product.category"].create(
            {"name": "Defaults", "property_valuation": False}
        )
        product = self.make_product("fifo", categ_id=category.id)
        self.assertFalse(product._is_managed())
        self.company.inventory_valuation = "value_entries"
        self.assertTrue(product._is_managed())
        item = self.env["stock.cost.item"].search([("product_id", "=", product.id)])
        self.assertEqual(len(item), 1)

    def test_cost_items_are_made_once_and_in_bulk(self):
        products = self.env["product.product"].create(
            [{"name": f"P{n}", "is_storable": True} for n in range(30)]
        )
        Item = self.env["stock.cost.item"]
        self.env.flush_all()
        with self.assertQueryCount(1):
            Item._create_missing(self.company, products)
        Item._create_missing(self.company, products)
        self.assertEqual(
            Item.search_count([("product_id", "in", products.ids)]), len(products)
        )


@tagged("post_install", "-at_install")
class TestLifo(MasterDataCommon):
    def test_category(self):
        self.assertEqual(self.lifo.cost_method, "lifo")
        with self.assertRaisesRegex(ValidationError, "LIFO needs the valuation"):
            self.categories["lifo"].property_valuation = "periodic"

    def test_unmanaged_category(self):
        with self.assertRaisesRegex(ValidationError, "category Unmanaged"):
            self.env["product.category"].create(
                {
                    "name": "Unmanaged",
                    "property_valuation": "real_time",
                    "property_cost_method": "lifo",
                }
            )

    def test_company(self):
        with self.assertRaisesRegex(ValidationError, "LIFO needs the valuation"):
            self.company.cost_method = "lifo"
        self.company.write(
            {"cost_method": "lifo", "inventory_valuation": "value_entries"}
        )
        self.assertEqual(self.company.cost_method, "lifo")

    def test_quant(self):
        quant = self.env["stock.quant"].create(
            {
                "product_id": self.lifo.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "quantity": 1,
            }
        )
        self.assertEqual(quant.cost_method, "lifo")


@tagged("post_install", "-at_install")
class TestLocationGuard(MasterDataCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = cls.env["stock.location"].create(
            {"name": "Shelf", "location_id": cls.warehouse.lot_stock_id.id}
        )

    def stock(self, product, location):
        """Put stock in a location that the ledger knows."""
        self.record(product)
        self.env["stock.quant"]._update_available_quantity(product, location, 4)

    def test_cost_location(self):
        Location = self.env["stock.location"]
        view = self.warehouse.view_location_id
        self.assertEqual(self.shelf._cost_location(), view)
        self.assertEqual(self.warehouse.wh_input_stock_loc_id._cost_location(), view)
        transit = Location.create(
            {"name": "Van", "usage": "transit", "company_id": self.company.id}
        )
        self.assertEqual(transit._cost_location(), transit)
        outside = Location.create(
            {"name": "Depot", "usage": "internal", "company_id": self.company.id}
        )
        self.assertEqual(outside._cost_location(), outside)
        self.assertFalse(
            self.env.ref("stock.stock_location_customers")._cost_location()
        )
        self.assertFalse(
            self.env.ref("stock.stock_location_inter_company")._cost_location()
        )
        loss = self.fifo.property_stock_inventory
        self.assertFalse(loss._cost_location())

    def test_other_warehouse(self):
        self.stock(self.fifo, self.shelf)
        self.assertRefused(
            self.shelf,
            {"location_id": self.warehouse_2.lot_stock_id.id},
            "Shelf",
            "transfer",
        )

    def test_parent_with_stock_below(self):
        row = self.env["stock.location"].create(
            {"name": "Row", "location_id": self.shelf.id}
        )
        self.stock(self.fifo, row)
        self.assertRefused(
            self.shelf, {"location_id": self.warehouse_2.lot_stock_id.id}, "Row"
        )

    def test_within_the_warehouse(self):
        self.stock(self.fifo, self.shelf)
        other = self.env["stock.location"].create(
            {"name": "Hall", "location_id": self.warehouse.lot_stock_id.id}
        )
        self.shelf.location_id = other
        self.assertEqual(self.shelf.location_id, other)

    def test_history_without_stock(self):
        """Done moves of the location are recorded at its cost location."""
        self.count(self.fifo, 3, location=self.shelf)
        self.count(self.fifo, 0, location=self.shelf)
        self.assertRefused(
            self.shelf, {"location_id": self.warehouse_2.lot_stock_id.id}, "Shelf"
        )

    def test_without_managed_stock(self):
        category = self.env["product.category"].create(
            {"name": "Unmanaged", "property_valuation": "periodic"}
        )
        product = self.make_product("fifo", categ_id=category.id)
        self.env["stock.quant"]._update_available_quantity(product, self.shelf, 4)
        self.shelf.location_id = self.warehouse_2.lot_stock_id
        self.assertEqual(self.shelf._cost_location(), self.warehouse_2.view_location_id)

    def test_usage(self):
        """A location that is no longer the company's own is no cost location."""
        self.count(self.fifo, 3, location=self.shelf)
        self.count(self.fifo, 0, location=self.shelf)
        self.assertRefused(self.shelf, {"usage": "inventory"}, "Shelf")

    def test_view_of_the_warehouse(self):
        self.stock(self.fifo, self.shelf)
        self.assertRefused(
            self.warehouse,
            {"view_location_id": self.warehouse_2.view_location_id.id},
            "Shelf",
        )


@tagged("post_install", "-at_install")
class TestCompanyGuards(MasterDataCommon):
    def test_currency(self):
        self.record(self.fifo)
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.assertRefused(
            self.company, {"currency_id": euro.id}, self.company.name, "USD"
        )

    def test_currency_without_entries(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.company.currency_id = euro
        self.assertEqual(self.company.currency_id, euro)

    def test_average_settings_without_entries(self):
        values = {
            "average_cost_period": "month",
            "average_cost_calc_type": "item_location",
        }
        self.company.write(values)
        self.assertRecordValues(self.company, [values])

    def test_average_settings_unchanged(self):
        self.record(self.average)
        self.company.write({"average_cost_period": "transaction", "name": "Renamed"})
        self.assertEqual(self.company.name, "Renamed")
