"""Documents load little, and cost what they would if everything were loaded."""

import random
from unittest.mock import patch

from odoo.tests import tagged

from ..engine import plain, update
from ..engine.load import Loader
from .common import InventoryCostCommon

DAY = "2026-01-{:02}"


@tagged("post_install", "-at_install")
class TestPlainDocuments(InventoryCostCommon):
    """What the engine loads for a document, and what it leaves to a worker."""

    def figures(self, product):
        """Return what can be seen of a product's cost."""
        values = self.env["stock.value.entry"].search(
            [("product_id", "=", product.id)], order="id"
        )
        entries = values.ledger_entry_id.sorted("id")
        balances = self.env["stock.cost.balance"].search(
            [("product_id", "=", product.id)]
        )
        self.env.invalidate_all()
        return {
            "values": sorted(
                (
                    v.entry_type,
                    v.cost_amount_actual,
                    v.cost_amount_expected,
                    v.valuation_date,
                    v.adjustment,
                    v.valued_by_average,
                )
                for v in values
            ),
            "entries": [
                (e.quantity, e.remaining_quantity, e.valuation_date) for e in entries
            ],
            "moves": [move.value for move in self.moves(product).sorted("id")],
            "balances": sorted(
                (b.quantity, b.value_actual, b.value_expected) for b in balances
            ),
            "unit cost": product.standard_price,
        }

    def play(self, product, seed):
        """A random month: receipts, sales (some before the goods), returns, a bill."""
        dice = random.Random(seed)
        done = []
        for number in range(14):
            day = DAY.format(1 + number + dice.choice([0, 0, 0, -1]) * (number > 3))
            kind = dice.choice(["buy", "sell", "sell", "scrap", "return", "bill"])
            if kind == "buy" or number == 0:
                price = dice.choice([10.0, 10.01, 13.37])
                order = self.buy(product, dice.randint(1, 7), price, date=day)
                done.append(self.receive(order, date=day))
            elif kind == "sell":
                order = self.sell(product, dice.randint(1, 4), date=day)
                done.append(self.deliver(order, date=day))
            elif kind == "scrap":
                self.count(product, dice.randint(0, 5), date=day)
            elif kind == "return" and done:
                self.give_back(done.pop(), date=day)
            elif kind == "bill":
                for picking in done:
                    order = picking.purchase_id
                    if order and not order.invoice_ids:
                        self.bill(order, price=11.11, date=day)
                        break

    def test_little_is_loaded_for_the_same_figures(self):
        for method in ("standard", "average", "fifo", "lifo"):
            for seed in (1, 2):
                with self.subTest(method=method, seed=seed):
                    first, second = (self.make_product(method) for _ in range(2))
                    with patch.object(
                        plain.PlainLoader,
                        "plain_books",
                        autospec=True,
                        side_effect=plain.PlainLoader.plain_books,
                    ) as loaded:
                        self.play(first, seed)
                    self.assertTrue(loaded.called)
                    with patch.object(
                        plain.PlainLoader, "plain_books", lambda *args: {}
                    ):
                        self.play(second, seed)
                    self.assertEqual(self.figures(first), self.figures(second))

    def rows_loaded(self, sale, date=None):
        """Deliver a sale; return how many rows the engine loaded for it."""
        count = 0
        rows = Loader._rows

        def counted(loader, query):
            nonlocal count
            result = rows(loader, query)
            count += len(result)
            return result

        with patch.object(Loader, "_rows", counted):
            self.deliver(sale, date=date)
        return count

    def test_few_of_many_layers_are_loaded(self):
        """As many rows with 15 open layers as with 60; more only to cover more."""
        loaded = {}
        for layers in (15, 60):
            product = self.make_product("fifo")
            for number in range(layers):
                order = self.buy(product, 1, 10.0 + number, date=DAY.format(2))
                self.receive(order, date=DAY.format(2))
            sale = self.sell(product, 2, date=DAY.format(3))
            loaded[layers] = self.rows_loaded(sale, DAY.format(3))
            self.assertEqual(sum(self.cost(sale.picking_ids)), -21.0)
        self.assertEqual(loaded[15], loaded[60])
        sale = self.sell(product, 30, date=DAY.format(4))
        self.deliver(sale, date=DAY.format(4))
        cost = sum(10.0 + number for number in range(2, 32))
        self.assertEqual(sum(self.cost(sale.picking_ids)), -cost)

    def test_history_of_average_is_not_loaded(self):
        loaded = {}
        for sales in (3, 12):
            product = self.make_product("average")
            self.receive(
                self.buy(product, 100, 7.0, date=DAY.format(2)), None, "2026-01-02"
            )
            for _number in range(sales):
                sale = self.sell(product, 1, date=DAY.format(3))
                self.deliver(sale, date=DAY.format(3))
            sale = self.sell(product, 1, date=DAY.format(3))
            loaded[sales] = self.rows_loaded(sale, DAY.format(3))
            self.assertEqual(sum(self.cost(sale.picking_ids)), -7.0)
        self.assertEqual(loaded[3], loaded[12])

    def test_used_up_layer_keeps_no_cent(self):
        """3 at 10.01 billed, sold one by one: 3.34 each, and a rounding entry."""
        order = self.buy(self.fifo, 3, 10.0 / 3)
        self.receive(order)
        bill = self.bill(order, post=False)
        bill.invoice_line_ids.price_unit = 3.335
        bill.action_post()
        for _number in range(3):
            self.scrap(self.fifo, 1)
        balance = self.env["stock.cost.balance"].search(
            [("product_id", "=", self.fifo.id)]
        )
        self.assertFalse(balance.quantity)
        self.assertTrue(self.env.company.currency_id.is_zero(balance.value_actual))
        rounding = self.env["stock.value.entry"].search(
            [("product_id", "=", self.fifo.id), ("entry_type", "=", "rounding")]
        )
        self.assertEqual(rounding.cost_amount_actual, 0.01)

    # -- What reaches far ------------------------------------------------------------

    def test_change_that_reaches_far_is_left_to_a_worker(self):
        for method in ("average", "fifo"):
            with self.subTest(method=method), patch.object(update, "INLINE_ENTRIES", 3):
                product = self.make_product(method)
                order = self.buy(product, 10, 10.0, date=DAY.format(2))
                self.receive(order, date=DAY.format(2))
                for number in range(5):
                    sale = self.sell(product, 1, date=DAY.format(3 + number))
                    self.deliver(sale, date=DAY.format(3 + number))
                self.bill(order, price=12.0, date=DAY.format(20))
                deliveries = self.moves(product).filtered("sale_line_id")
                self.assertEqual(sum(self.cost(deliveries)), -50.0)
                queue = self.env["stock.cost.queue"]
                self.assertEqual(queue._automatic_products(self.company), product)
                self.env["stock.cost.item"]._adjust_queued(self.company, product)
                self.assertEqual(sum(self.cost(deliveries)), -60.0)
                self.env.invalidate_all()
                self.assertEqual(deliveries.mapped("value"), [12.0] * 5)

    def test_delivery_in_the_past_shows_the_last_known_cost(self):
        """Until a worker knows the right one."""
        product = self.make_product("average")
        order = self.buy(product, 10, 10.0, date=DAY.format(2))
        self.receive(order, date=DAY.format(2))
        order = self.buy(product, 10, 20.0, date=DAY.format(4))
        self.receive(order, date=DAY.format(4))
        for number in range(5):
            sale = self.sell(product, 1, date=DAY.format(5 + number))
            self.deliver(sale, date=DAY.format(5 + number))
        sale = self.sell(product, 1, date=DAY.format(3))
        with patch.object(update, "INLINE_ENTRIES", 3):
            self.deliver(sale, date=DAY.format(3))
        move = sale.picking_ids.move_ids
        self.assertEqual(sum(self.cost(move)), -15.0)
        self.assertEqual(move.value, 15.0)
        self.env["stock.cost.item"]._adjust_queued(self.company, product)
        self.env.invalidate_all()
        self.assertEqual(sum(self.cost(move)), -10.0)
        self.assertEqual(move.value, 10.0)
