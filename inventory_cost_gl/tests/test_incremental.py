import itertools
import random
from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..costing.adjust import adjust
from ..costing.periods import period_end
from ..engine.load import Loader
from ..engine.units import Units
from .common import InventoryCostCommon

PERIODS = ("transaction", "day", "week", "month", "quarter", "year")
STEPS = 16
FIRST_DAY = date(2026, 1, 1)
KINDS = (
    "receipt receipt receipt sale sale bill bill charge revaluation transfer "
    "sale_return purchase_return"
).split()


class History:
    """A random history of one product on the ledgers' tables, in any order of dates.

    Each step records what a document does and lets the engine cost it; steps for which
    there is nothing are left out.
    """

    def __init__(self, test, product, seed, lots=()):
        self.test = test
        self.env = test.env
        self.company = test.company
        self.product = product
        self.random = random.Random(seed)
        self.places = [
            warehouse.lot_stock_id._cost_location()
            for warehouse in (test.warehouse, test.warehouse_2)
        ]
        self.lots = lots
        self.ledger = self.env["stock.ledger.entry"].sudo()
        self.values = self.env["stock.value.entry"].sudo()
        self.source = 0
        self.move = self.env["stock.move"].create(
            {
                "product_id": product.id,
                "location_id": test.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": test.warehouse.lot_stock_id.id,
                "product_uom_qty": 1.0,
            }
        )

    def step(self):
        """Play one step; return what it was."""
        kind = self.random.choice(KINDS)
        self.day = FIRST_DAY + timedelta(days=self.random.randrange(120))
        self.quantity = float(self.random.randint(1, 9))
        self.price = self.random.randint(100, 2000) / 100
        getattr(self, kind)()
        return f"{kind} {self.day} {self.quantity} {self.price}"

    # -- Steps ---------------------------------------------------------------------

    def receipt(self):
        expected = self.random.random() < 0.5
        amount = round(self.quantity * self.price, 2)
        self._record(
            "purchase",
            self.quantity,
            {
                "cost_amount_expected": amount if expected else 0.0,
                "cost_amount_actual": 0.0 if expected else amount,
                "invoiced_quantity": 0.0 if expected else self.quantity,
                "expected": expected,
            },
        )

    def sale(self):
        self._record("sale", -self.quantity)

    def transfer(self):
        source, destination = self.random.sample(self.places, 2)
        self._record("transfer", -self.quantity, place=source, arrival=destination)

    def sale_return(self):
        sale = self._pick([("entry_type", "=", "sale"), ("quantity", "<", 0)])
        returned = sum(
            self.ledger.search([("applies_from_entry_id", "=", sale.id)]).mapped(
                "quantity"
            )
        )
        quantity = min(self.quantity, -sale.quantity - returned)
        if sale and quantity > 0:
            self._record("sale", quantity, applies_from_entry_id=sale.id)

    def purchase_return(self):
        receipt = self._pick(
            [("entry_type", "=", "purchase"), ("remaining_quantity", ">", 0)]
        )
        if receipt:
            self._record(
                "purchase",
                -min(self.quantity, receipt.remaining_quantity),
                place=receipt.cost_location_id,
                lot_id=receipt.lot_id.id or None,
                applies_to_entry_id=receipt.id,
            )

    def bill(self):
        receipt = self._pick(
            [("entry_type", "=", "purchase"), ("quantity", ">", 0)],
            "cost_amount_expected",
        )
        if receipt:
            expected = receipt.cost_amount_expected
            share = self.random.choice([0.9, 1.0, 1.0, 1.2])
            self._state(
                receipt,
                cost_amount_expected=-expected,
                cost_amount_actual=round(expected * share, 2),
                invoiced_quantity=receipt.quantity,
            )

    def charge(self):
        receipt = self._pick([("quantity", ">", 0)])
        if receipt:
            self._state(
                receipt,
                cost_amount_actual=self.price,
                charge_product_id=self.test.charge.id,
            )

    def revaluation(self):
        period = self.company.average_cost_period
        if self.product.cost_method != "average":
            period = "day"
        document = self.env["inventory.revaluation"].create(
            {
                "date": period_end(self.day, period),
                "calculate_per": self.random.choice(["item", "entry"]),
                "product_ids": [Command.set(self.product.ids)],
                "reason": "Market price",
            }
        )
        try:
            with self.env.cr.savepoint():
                document.action_calculate()
                document.line_ids[:1].unit_cost_revalued = self.price
                document.action_approve()
                document.action_post()
        except UserError:
            return

    # -- Recording -----------------------------------------------------------------

    def _pick(self, domain, having="id"):
        found = self.ledger.search(
            [("product_id", "=", self.product.id), *domain], order="id"
        ).filtered(having)
        return self.random.choice(found) if found else found

    def _record(self, entry_type, quantity, stated=None, place=None, **values):
        arrival = values.pop("arrival", None)
        row = {
            "company_id": self.company.id,
            "product_id": self.product.id,
            "cost_location_id": (place or self.random.choice(self.places)).id,
            "lot_id": self.random.choice(self.lots).id if self.lots else None,
            "entry_type": entry_type,
            "posting_date": self.day,
            "valuation_date": self.day,
            "quantity": quantity,
            "stock_move_id": self.move.id,
            **values,
        }
        items, free = self.env["stock.cost.item"]._take(self.company, self.product)
        entries = self.ledger._insert([row])
        statement = {**entries._prepare_statement(), **(stated or {})}
        value_entries = self.values._state_first(
            "stock.move", [statement] if stated else []
        )
        arrivals = {entries.id: arrival.id} if arrival else {}
        items._cost(self.company, free, value_entries, entries, arrivals)

    def _state(self, entry, **values):
        self.source += 1
        value_entries = self.values._state(
            "account.move.line",
            [
                {
                    "source_id": self.source,
                    "ledger_entry_id": entry.id,
                    "entry_type": "direct_cost",
                    "posting_date": max(self.day, entry.posting_date),
                    **values,
                }
            ],
        )
        self.env["stock.cost.item"]._update(self.company, value_entries)


@tagged("post_install", "-at_install")
class TestIncremental(InventoryCostCommon):
    """What documents adjust bit by bit is what the whole history gives at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge = cls.env["product.product"].create(
            {"name": "Freight", "type": "service"}
        )

    def differences(self, product):
        """Return what working out the product's whole history would still adjust."""
        item = self.env["stock.cost.item"].search([("product_id", "=", product.id)])
        loader = Loader(self.company.sudo(), Units(self.currency))
        book = loader.load_history(item)[product.id]
        return [(a.entry_id, a.entry_type, a.actual, a.expected) for a in adjust(book)]

    def assertSameAsWhole(self, product, seed, lots=()):
        history, steps = History(self, product, seed, lots), []
        for _number in range(STEPS):
            steps.append(history.step())
            self.assertEqual(self.differences(product), [], "\n".join(steps))

    def test_methods(self):
        for method in ("fifo", "lifo", "standard"):
            for seed in (1, 3):
                with self.subTest(method=method, seed=seed), self.env.cr.savepoint():
                    self.assertSameAsWhole(self.make_product(method), seed)

    def test_lots(self):
        for seed in (1, 3):
            with self.subTest(seed=seed), self.env.cr.savepoint():
                product = self.make_product("fifo", tracking="lot", lot_valuated=True)
                lots = [self.make_lot(product, name) for name in ("one", "two")]
                self.assertSameAsWhole(product, seed, lots)

    def test_average(self):
        """Every average cost period and calculation type, each another history."""
        settings = itertools.product(("item", "item_location"), PERIODS)
        for seed, (calc_type, period) in enumerate(settings):
            self.company.average_cost_calc_type = calc_type
            self.company.average_cost_period = period
            with (
                self.subTest(period=period, calc_type=calc_type),
                self.env.cr.savepoint(),
            ):
                self.assertSameAsWhole(self.make_product("average"), seed % 4)


@tagged("post_install", "-at_install")
class TestLaterRevaluation(InventoryCostCommon):
    """A date before a revaluation is re-opened: the revaluation does not count yet."""

    def history(self, *days):
        """Two receipts, a third that is not billed, a sale, then a revaluation."""
        for day in days or ("2026-01-02", "2026-01-03"):
            order = self.buy(self.average, 10, 10.0, date=day)
            self.receive(order, date=day)
            self.bill(order, date=day)
        order = self.buy(self.average, 10, 10.0, date="2026-01-10")
        self.receive(order, date="2026-01-10")
        delivery = self.deliver(
            self.sell(self.average, 5, date="2026-01-15"), date="2026-01-15"
        )
        with self.at("2026-01-31"):
            self.average.standard_price = 12.0
        self.assertEqual(sum(self.cost(delivery)), -50.0)
        return order, delivery

    def test_late_bill(self):
        order, delivery = self.history()
        self.bill(order, date="2026-02-05")
        self.assertEqual(sum(self.cost(delivery)), -50.0)
        # 15 that were billed at 12.00, 10 at 10.00
        self.assertEqual(self.average.standard_price, 11.2)

    def test_landed_cost(self):
        """What a receipt costs more counts for the sale, the revaluation does not."""
        order, delivery = self.history()
        entry = self.ledger_entries(order.picking_ids)
        charge = self.env["stock.value.entry"]._state(
            "stock.move",
            [
                {
                    "source_id": entry.stock_move_id.id,
                    "ledger_entry_id": entry.id,
                    "entry_type": "direct_cost",
                    "cost_amount_actual": 30.0,
                    "cost_amount_expected": 100.0,
                    "posting_date": "2026-02-05",
                }
            ],
        )
        self.env["stock.cost.item"]._update(self.company, charge)
        self.assertEqual(sum(self.cost(delivery)), -55.0)

    def test_receipt_dated_back(self):
        _order, delivery = self.history()
        order = self.buy(self.average, 10, 10.0, date="2026-01-12")
        self.receive(order, date="2026-01-12")
        self.assertEqual(sum(self.cost(delivery)), -50.0)

    def test_within_a_month(self):
        self.company.average_cost_period = "month"
        order, delivery = self.history("2025-12-02", "2025-12-03")
        before = len(self.entries(delivery))
        self.bill(order, date="2026-02-05")
        self.assertEqual(sum(self.cost(delivery)), -50.0)
        self.assertEqual(len(self.entries(delivery)), before)


@tagged("post_install", "-at_install")
class TestDeliveryInThePast(InventoryCostCommon):
    """Goods that left on an earlier day change the average of later days."""

    def test_later_deliveries(self):
        for period, later in (("transaction", -83.33), ("day", -83.33), ("month", -75)):
            with self.subTest(period):
                self.company.average_cost_period = period
                product = self.make_product("average")
                for day, price in (("2026-01-02", 10.0), ("2026-01-10", 20.0)):
                    order = self.buy(product, 10, price, date=day)
                    self.receive(order, date=day)
                sale = self.sell(product, 5, date="2026-01-15")
                delivery = self.deliver(sale, date="2026-01-15")
                self.assertEqual(sum(self.cost(delivery)), -75.0)
                sale = self.sell(product, 5, date="2026-01-05")
                earlier = self.deliver(sale, date="2026-01-05")
                own = -75.0 if period == "month" else -50.0
                self.assertEqual(sum(self.cost(earlier)), own)
                self.assertEqual(sum(self.cost(delivery)), later)
