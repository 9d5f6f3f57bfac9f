from odoo import Command
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestEntryTypes(InventoryCostCommon):
    """Which ledger entries each kind of movement makes; the table itself is tested in
    tests/costing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stock = cls.warehouse.lot_stock_id
        cls.stock_2 = cls.warehouse_2.lot_stock_id
        cls.supplier_location = cls.env.ref("stock.stock_location_suppliers")
        cls.customer_location = cls.env.ref("stock.stock_location_customers")
        cls.production_location = cls.env["stock.location"].search(
            [("usage", "=", "production"), ("company_id", "=", cls.company.id)], limit=1
        )
        cls.owner = cls.env["res.partner"].create({"name": "Owner of the Goods"})

    def make_move(self, source, destination, *quantities, product=None, date=None):
        """Do a move by hand; ``quantities`` are numbers or ``(quantity, owner)``."""
        product = product or self.fifo
        with self.at(date):
            move = self.env["stock.move"].create(
                {
                    "product_id": product.id,
                    "product_uom_qty": 1.0,
                    "location_id": source.id,
                    "location_dest_id": destination.id,
                    "company_id": self.company.id,
                }
            )
            move._action_confirm(merge=False)
            move.move_line_ids.unlink()
            for quantity in quantities:
                quantity, owner = (
                    quantity if isinstance(quantity, tuple) else (quantity, None)
                )
                move.move_line_ids = [
                    Command.create(
                        {
                            **move._prepare_move_line_vals(quantity=0),
                            "quantity": quantity,
                            "owner_id": owner.id if owner else False,
                        }
                    )
                ]
            move.picked = True
            move._action_done()
        self.assertEqual(move.state, "done")
        return move

    def made(self, records):
        """Return the ledger entries as sorted (type, quantity, cost location)."""
        return sorted(
            (entry.entry_type, entry.quantity, entry.cost_location_id)
            for entry in self.ledger_entries(records)
        )

    def assertMade(self, records, *expected):
        """``expected`` are (type, quantity[, warehouse or location])."""
        expected = [
            (*row[:2], self.place(row[2] if len(row) > 2 else self.warehouse))
            for row in expected
        ]
        self.assertEqual(self.made(records), sorted(expected))

    def place(self, record):
        if record._name == "stock.warehouse":
            return record.view_location_id
        return record

    # -- One company's own goods ---------------------------------------------------

    def test_receipt_and_vendor_return(self):
        receipt = self.receive(self.buy(self.fifo, 10, 10.0))
        self.assertMade(receipt, ("purchase", 10.0))
        returned = self.give_back(receipt, 4)
        self.assertMade(returned, ("purchase", -4.0))
        entry, back = self.ledger_entries(receipt | returned)
        self.assertEqual(back.applies_to_entry_id, entry)

    def test_delivery_and_customer_return(self):
        self.receive(self.buy(self.fifo, 10, 10.0))
        delivery = self.deliver(self.sell(self.fifo, 6))
        self.assertMade(delivery, ("sale", -6.0))
        returned = self.give_back(delivery, 2)
        self.assertMade(returned, ("sale", 2.0))
        entry, back = self.ledger_entries(delivery | returned)
        self.assertEqual(back.applies_from_entry_id, entry)

    def test_count_up_and_down(self):
        self.assertMade(self.count(self.fifo, 5), ("positive_adjustment", 5.0))
        self.assertMade(self.count(self.fifo, 2), ("negative_adjustment", -3.0))

    def test_scrap(self):
        self.count(self.fifo, 5)
        self.assertMade(self.scrap(self.fifo, 1), ("negative_adjustment", -1.0))

    def test_production_without_an_order_is_an_adjustment(self):
        self.count(self.fifo, 5)
        used = self.make_move(self.stock, self.production_location, 3.0)
        self.assertMade(used, ("negative_adjustment", -3.0))
        made = self.make_move(self.production_location, self.stock, 2.0)
        self.assertMade(made, ("positive_adjustment", 2.0))

    def test_receipt_without_an_order(self):
        move = self.make_move(self.supplier_location, self.stock, 3.0)
        self.assertMade(move, ("purchase", 3.0))
        self.assertEqual(self.cost(move), (0.0, 30.0))

    # -- Transfers -----------------------------------------------------------------

    def test_transfer_between_warehouses_makes_a_pair(self):
        self.count(self.fifo, 5)
        picking = self.transfer(self.fifo, 3)
        self.assertMade(
            picking, ("transfer", -3.0), ("transfer", 3.0, self.warehouse_2)
        )

    def test_move_inside_a_warehouse_makes_nothing(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "usage": "internal", "location_id": self.stock.id}
        )
        self.count(self.fifo, 5)
        picking = self.transfer(self.fifo, 3, destination=shelf)
        self.assertMade(picking)
        # What is on the shelf is sold from the same warehouse.
        move = self.make_move(shelf, self.customer_location, 1.0)
        self.assertMade(move, ("sale", -1.0))

    def test_two_step_transfer_through_transit(self):
        transit = self.company.internal_transit_location_id
        self.assertEqual(transit.usage, "transit")
        self.assertEqual(transit._cost_location(), transit)
        self.count(self.fifo, 5)
        out = self.make_move(self.stock, transit, 3.0)
        self.assertMade(out, ("transfer", -3.0), ("transfer", 3.0, transit))
        into = self.make_move(transit, self.stock_2, 3.0)
        self.assertMade(
            into, ("transfer", -3.0, transit), ("transfer", 3.0, self.warehouse_2)
        )
        balances = self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)]
        )
        self.assertEqual(
            {balance.cost_location_id: balance.quantity for balance in balances},
            {
                self.warehouse.view_location_id: 2.0,
                transit: 0.0,
                self.warehouse_2.view_location_id: 3.0,
            },
        )
        self.assertEqual(sum(balances.mapped("value_actual")), 50.0)

    # -- Other companies, dropship -------------------------------------------------

    def test_goods_for_a_sister_company_are_sold_and_bought(self):
        transit = self.env.ref("stock.stock_location_inter_company")
        transit.active = True
        self.assertFalse(transit.company_id)
        self.count(self.fifo, 5)
        sent = self.make_move(self.stock, transit, 3.0)
        self.assertMade(sent, ("sale", -3.0))
        got = self.make_move(transit, self.stock, 2.0)
        self.assertMade(got, ("purchase", 2.0))

    def test_dropship_is_bought_and_sold_and_never_in_stock(self):
        self.count(self.average, 5)
        before = self.average.standard_price
        move = self.make_move(
            self.supplier_location, self.customer_location, 3.0, product=self.average
        )
        self.assertMade(
            move,
            ("purchase", 3.0, self.supplier_location),
            ("sale", -3.0, self.supplier_location),
        )
        bought, sold = self.ledger_entries(move).sorted("quantity", reverse=True)
        self.assertFalse(bought.open or sold.open, "they are applied to each other")
        application = self.env["stock.cost.application"].search(
            [("inbound_entry_id", "=", bought.id)]
        )
        self.assertEqual(application.outbound_entry_id, sold)
        self.assertEqual(self.average.standard_price, before)

    def test_dropship_never_touches_the_average(self):
        self.count(self.average, 5)  # at 10
        with self.at("2026-02-01"):
            order = self.env["purchase.order"].create(
                {
                    "partner_id": self.vendor.id,
                    "order_line": [
                        Command.create(
                            {
                                "product_id": self.average.id,
                                "product_qty": 5,
                                "price_unit": 30.0,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            )
            order.button_confirm()
            move = order.picking_ids.move_ids
            move.location_dest_id = self.customer_location
            move.move_line_ids.location_dest_id = self.customer_location
            self.validate(order.picking_ids)
        self.assertEqual(
            sorted(self.ledger_entries(move).mapped("entry_type")), ["purchase", "sale"]
        )
        self.assertEqual(self.average.standard_price, 10.0)
        self.assertEqual(
            sum(self.entries(move).mapped("cost_amount_expected"))
            + sum(self.entries(move).mapped("cost_amount_actual")),
            0.0,
        )
        sold = self.make_move(
            self.stock, self.customer_location, 1.0, product=self.average
        )
        self.assertEqual(self.cost(sold), (0.0, -10.0))

    # -- Goods owned by others -----------------------------------------------------

    def test_goods_of_others_make_nothing(self):
        move = self.make_move(self.supplier_location, self.stock, (5.0, self.owner))
        self.assertMade(move)
        move = self.make_move(self.stock, self.customer_location, (5.0, self.owner))
        self.assertMade(move)
        self.assertFalse(
            self.env["stock.cost.balance"].search([("product_id", "=", self.fifo.id)])
        )

    def test_own_goods_among_those_of_others(self):
        move = self.make_move(
            self.supplier_location, self.stock, (5.0, self.owner), 2.0
        )
        self.assertMade(move, ("purchase", 2.0))
        self.assertEqual(self.cost(move), (0.0, 20.0))
        move = self.make_move(
            self.stock, self.customer_location, (3.0, self.owner), 1.0
        )
        self.assertMade(move, ("sale", -1.0))
        self.assertEqual(self.cost(move), (0.0, -10.0))

    def test_goods_owned_by_the_company_itself_are_its_own(self):
        move = self.make_move(
            self.supplier_location, self.stock, (5.0, self.company.partner_id)
        )
        self.assertMade(move, ("purchase", 5.0))

    # -- What is left out ----------------------------------------------------------

    def test_products_not_managed_make_nothing(self):
        category = self.env["product.category"].create({"name": "Periodic"})
        category.property_valuation = "periodic"
        product = self.make_product("fifo", categ_id=category.id)
        move = self.make_move(self.supplier_location, self.stock, 5.0, product=product)
        self.assertMade(move)

    def test_services_and_consumables_make_nothing(self):
        product = self.make_product("fifo", is_storable=False)
        move = self.make_move(self.supplier_location, self.stock, 5.0, product=product)
        self.assertMade(move)

    def test_one_entry_per_lot_of_a_product_valued_by_lot(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = self.make_lot(product, "A"), self.make_lot(product, "B")
        receipt = self.receive(
            self.buy(product, 5, 10.0), lots={lots[0]: 2.0, lots[1]: 3.0}
        )
        self.assertEqual(
            {entry.lot_id: entry.quantity for entry in self.ledger_entries(receipt)},
            {lots[0]: 2.0, lots[1]: 3.0},
        )

    def test_one_entry_for_all_lots_of_another_product(self):
        product = self.make_product("fifo", tracking="lot")
        lots = self.make_lot(product, "A"), self.make_lot(product, "B")
        receipt = self.receive(
            self.buy(product, 5, 10.0), lots={lots[0]: 2.0, lots[1]: 3.0}
        )
        self.assertMade(receipt, ("purchase", 5.0))

    def test_unit_of_measure_of_the_move(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.buy(self.fifo, 2, 120.0, product_uom_id=dozen.id)
        receipt = self.receive(order)
        self.assertMade(receipt, ("purchase", 24.0))
        self.assertEqual(self.cost(receipt), (240.0, 0.0))
