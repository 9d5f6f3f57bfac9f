import traceback
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from .common import InventoryCostCommon

# Measured once with 200, which takes minutes: as flat as with these.
MANY = 60
# Moves of a large picking.
MANY_MOVES = 201
# Methods that pass on to Odoo's own: what those query is not the addon's.
HOOKS = {
    "_action_done",
    "_get_value_data",
    "_post",
    "_set_value",
    "button_draft",
    "create",
    "unlink",
    "write",
}
# Queries a picking may send beyond those of a periodic product (DESIGN § 11).
EXTRA = 12
# Queries the addon may send for a batch.
LIMITS = {
    "receipt": 22,
    "delivery": 22,
    "bill": 38,
    "bill reset": 40,
    "invoice": 38,
    "adjustment": 48,
}
ADDON = f"{Path(__file__).parents[1]}/"


class Queries:
    """The queries of a block: how many, and which of them the addon's code sent."""

    def __init__(self):
        self.count = 0
        self.senders = Counter()

    def note(self):
        self.count += 1
        for frame in reversed(traceback.extract_stack()):
            if frame.filename.startswith(ADDON) and "/tests/" not in frame.filename:
                if frame.name in HOOKS:
                    break
                place = frame.filename.removeprefix(ADDON)
                self.senders[f"{place}:{frame.lineno} {frame.name}"] += 1
                break

    @property
    def own(self):
        """The number of queries the addon sent."""
        return sum(self.senders.values())

    def __str__(self):
        return "\n".join(
            f"{count:5} {sender}" for sender, count in self.senders.most_common()
        )


@tagged("post_install", "-at_install")
class TestQueryCounts(InventoryCostCommon):
    """How many queries the addon adds to a batch, however large (DESIGN § 11).

    The same batch of a periodic product of standard cost is Odoo's floor.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.categories["periodic"] = cls.env["product.category"].create(
            {
                "name": "Periodic",
                "property_cost_method": "standard",
                "property_valuation": "periodic",
            }
        )
        cls.products["periodic"] = cls.make_product("periodic")
        cls.supplier_location = cls.env.ref("stock.stock_location_suppliers")
        cls.customer_location = cls.env.ref("stock.stock_location_customers")

    @contextmanager
    def queries(self):
        """Count the queries of a block, what it leaves to write included."""
        self.env.flush_all()
        self.env.invalidate_all()
        log, cursor = Queries(), type(self.env.cr)
        execute = cursor.execute

        def counted(cr, query, params=None, log_exceptions=True):
            log.note()
            return execute(cr, query, params, log_exceptions)

        with patch.object(cursor, "execute", counted):
            yield log
            self.env.flush_all()

    def make_products(self, method, number):
        return self.env["product.product"].union(
            *(
                self.make_product(method, name=f"{method} {place}")
                for place in range(number)
            )
        )

    # -- Pickings ------------------------------------------------------------------

    def make_picking(self, products, kind):
        """Return a picking ready to validate: a move of 2 units of each product."""
        warehouse, stock = self.warehouse, self.warehouse.lot_stock_id
        picking_type, source, destination = {
            "receipt": (warehouse.in_type_id, self.supplier_location, stock),
            "delivery": (warehouse.out_type_id, stock, self.customer_location),
        }[kind]
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": picking_type.id,
                "location_id": source.id,
                "location_dest_id": destination.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": 2,
                            "location_id": source.id,
                            "location_dest_id": destination.id,
                        }
                    )
                    for product in products
                ],
            }
        )
        picking.action_confirm()
        for move in picking.move_ids:
            move.quantity = 2
        picking.move_ids.picked = True
        return picking

    def validated(self, methods, kind, number):
        """Return the queries of validating a picking of so many products a method."""
        products = self.env["product.product"].union(
            *(self.make_products(method, number) for method in methods)
        )
        if kind == "delivery":
            self.make_picking(products, "receipt").button_validate()
        picking = self.make_picking(products, kind)
        with self.queries() as log:
            picking.button_validate()
        self.assertEqual(picking.state, "done")
        return log

    def assertFlat(self, what, few, many):
        """As many queries for many records as for few, and no more than the limit."""
        grown = {
            sender: (few.senders[sender], count)
            for sender, count in many.senders.items()
            # One more may be a cache that was filled before.
            if count > few.senders[sender] + 1
        }
        self.assertFalse(grown, f"{what}: queries that grow with the batch")
        self.assertGreater(few.own, 0, "nothing was counted")
        self.assertLessEqual(many.own, LIMITS[what], f"{what}:\n{many}")

    def test_pickings_of_each_method(self):
        for kind in ("receipt", "delivery"):
            for method in ("standard", "average", "fifo", "lifo"):
                with self.subTest(kind=kind, method=method):
                    few = self.validated([method], kind, 1)
                    many = self.validated([method], kind, 12)
                    self.assertFlat(kind, few, many)

    def test_pickings_of_many_products(self):
        methods = ["standard", "average", "fifo"]
        for kind in ("receipt", "delivery"):
            with self.subTest(kind=kind):
                few = self.validated(methods, kind, 1)
                many = self.validated(methods, kind, MANY_MOVES // 3)
                self.assertFlat(kind, few, many)

    def test_pickings_against_a_periodic_product(self):
        """What the addon adds to Odoo's floor, less what it saves of Odoo's own."""
        for kind in ("receipt", "delivery"):
            floor = self.validated(["periodic"], kind, 12)
            self.assertLessEqual(floor.own, 3, f"periodic products:\n{floor}")
            for method in ("standard", "average", "fifo", "lifo"):
                with self.subTest(kind=kind, method=method):
                    managed = self.validated([method], kind, 12)
                    self.assertLessEqual(managed.count, floor.count + EXTRA, managed)

    def test_pickings_of_orders_against_a_periodic_product(self):
        for kind in ("bill", "invoice"):
            floor = self.validated_of_order("periodic", kind)
            for method in ("standard", "average", "fifo", "lifo"):
                with self.subTest(kind=kind, method=method):
                    managed = self.validated_of_order(method, kind)
                    self.assertLessEqual(managed.count, floor.count + EXTRA, managed)

    def validated_of_order(self, method, kind):
        """Return the queries of receiving or delivering an order of 12 products."""
        products = self.make_products(method, 12)
        if kind == "invoice":
            self.make_picking(products, "receipt").button_validate()
        picking = self.order_of(products, kind, validate=False).picking_ids
        for move in picking.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        with self.queries() as log:
            picking.button_validate()
        self.assertEqual(picking.state, "done")
        return log

    def test_many_moves_of_one_product(self):
        few = self.validated(["average"], "receipt", 1)
        product = self.make_products("average", 1)
        pickings = self.env["stock.picking"].union(
            *(self.make_picking(product, "receipt") for _number in range(20))
        )
        with self.queries() as many:
            pickings.button_validate()
        self.assertEqual(len(self.ledger_entries(pickings)), 20)
        self.assertFlat("receipt", few, many)

    # -- Bills and invoices --------------------------------------------------------

    def order_of(self, products, kind, validate=True):
        """Return a purchase or sales order of the products, received or delivered
        when ``validate``."""
        purchase = kind != "invoice"
        order = self.env["purchase.order" if purchase else "sale.order"].create(
            {
                "partner_id": (self.vendor if purchase else self.customer).id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_qty" if purchase else "product_uom_qty": 2,
                            "price_unit": 11.0,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for product in products
                ],
            }
        )
        order.button_confirm() if purchase else order.action_confirm()
        if validate:
            self.validate(order.picking_ids)
        return order

    def posted(self, kind, number):
        """Return the queries of posting (and resetting) a bill or invoice."""
        products = self.env["product.product"].union(
            *(
                self.make_products(method, number)
                for method in ("standard", "average", "fifo")
            )
        )
        if kind == "invoice":
            self.make_picking(products, "receipt").button_validate()
        order = self.order_of(products, kind)
        document = (self.bill if kind == "bill" else self.invoice)(order, post=False)
        with self.queries() as log:
            document.action_post()
        self.assertEqual(document.state, "posted")
        for entry in self.ledger_entries(order.picking_ids):
            self.assertEqual(entry.invoiced_quantity, entry.quantity)
        with self.queries() as reset:
            document.button_draft()
        return log, reset

    def test_bills(self):
        few, few_reset = self.posted("bill", 1)
        many, many_reset = self.posted("bill", MANY // 3)
        self.assertFlat("bill", few, many)
        self.assertFlat("bill reset", few_reset, many_reset)

    def test_invoices(self):
        few, few_reset = self.posted("invoice", 1)
        many, many_reset = self.posted("invoice", MANY // 3)
        self.assertFlat("invoice", few, many)
        self.assertFlat("invoice", few_reset, many_reset)

    # -- Adjust Cost ---------------------------------------------------------------

    def test_adjustment(self):
        """1 item and 100 items whose receipts got dearer after the delivery."""
        counts = []
        for number in (1, 100):
            products = self.make_products("average", number)
            receipt = self.make_picking(products, "receipt")
            receipt.button_validate()
            self.make_picking(products, "delivery").button_validate()
            charges = self.env["stock.value.entry"]._append(
                [
                    {
                        "ledger_entry_id": entry.id,
                        "entry_type": "direct_cost",
                        "cost_amount_actual": 4.0,
                        "posting_date": entry.posting_date,
                        "source_model": "stock.move",
                        "source_id": entry.stock_move_id.id,
                    }
                    for entry in self.ledger_entries(receipt)
                ]
            )
            self.env["stock.cost.queue"]._enqueue(charges, counted=False)
            with self.queries() as log:
                adjusted = self.env["stock.cost.item"]._adjust_queued(
                    self.company, products
                )
            self.assertEqual(adjusted.product_id, products)
            for product in products:
                moves = self.moves(product)
                self.assertEqual([self.cost(move)[1] for move in moves], [24.0, -24.0])
            counts.append(log)
        self.assertFlat("adjustment", *counts)
