import os
import signal
from contextlib import closing
from functools import partial
from unittest.mock import patch

from psycopg2 import sql
from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, Command, api, sql_db
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import TransactionCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import config, mute_logger

from ..engine.store import Store
from ..engine.update import CostUpdate
from .common import InventoryCostCommon

# Whoever waits longer for a lock waits in vain: the other one is the same thread.
PATIENCE = "3s"


@tagged("post_install", "-at_install")
class TestConcurrency(InventoryCostCommon):
    """Two real connections at once (DESIGN §§ 5, 6, 12).

    They need committed records, which the ledgers never let go again. Hence a copy of
    the tests' database, dropped afterwards.
    """

    @classmethod
    def setUpClass(cls):
        # Not TransactionCase's: its cursor is on the tests' own database.
        super(TransactionCase, cls).setUpClass()
        cls.database = f"{get_db_name()[:40]}_two_connections"
        cls.copy_database()
        cls.addClassCleanup(cls.drop_database)
        # A registry that is loaded in a test run starts tests of its own.
        with patch.dict(config.options, {"test_enable": False}):
            cls.registry = Registry(cls.database)
        cls.cr = cls.registry.cursor()
        cls.addClassCleanup(lambda: cls.cr.close())
        cls.env = api.Environment(cls.cr, SUPERUSER_ID, cls.default_env_context())
        cls.setup_company()
        cls.setup_posting()
        cls.setup_products()
        cls.shelves = cls.env["stock.location"].create(
            [
                {
                    "name": f"Shelf {number}",
                    "usage": "internal",
                    "location_id": cls.warehouse.lot_stock_id.id,
                }
                for number in (1, 2)
            ]
        )
        cls.customer_location = cls.env.ref("stock.stock_location_customers")
        cls.cr.commit()

    def setUp(self):
        super(TransactionCase, self).setUp()  # no savepoint: there are commits
        self.addCleanup(self.cr.rollback)

    @classmethod
    def copy_database(cls):
        sql_db.close_db(get_db_name())
        cls.drop_database()
        cls.administer("CREATE DATABASE {} TEMPLATE {}", cls.database, get_db_name())

    @classmethod
    def drop_database(cls):
        Registry.delete(cls.database)
        sql_db.close_db(cls.database)
        cls.administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", cls.database)

    @classmethod
    def administer(cls, query, *names):
        with closing(sql_db.db_connect("postgres").cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute(sql.SQL(query).format(*map(sql.Identifier, names)))

    # -- Connections ---------------------------------------------------------------

    def connect(self):
        """Return an environment on a connection of its own, its snapshot taken."""
        cr = self.registry.cursor()
        self.addCleanup(cr.close)
        cr.execute(f"SET lock_timeout = '{PATIENCE}'")
        cr.commit()
        cr.execute("SELECT 1")
        return api.Environment(cr, SUPERUSER_ID, self.env.context)

    def commit(self):
        """Commit what the test prepared, and see what others committed."""
        self.env.flush_all()
        self.cr.commit()
        self.env.invalidate_all()

    # -- Documents -----------------------------------------------------------------

    def stocked(self, method, *costs):
        """Return a new product and its order: 10 of it on each shelf, at the costs."""
        product = self.make_product(method)
        orders = self.env["purchase.order"]
        for shelf, cost in zip(self.shelves, costs, strict=False):
            order = self.buy(product, 10, cost, date="2026-01-05")
            order.picking_ids.move_ids.location_dest_id = shelf
            order.picking_ids.move_line_ids.location_dest_id = shelf
            self.receive(order, date="2026-01-05")
            orders |= order
        self.commit()
        return product, orders

    def ready_delivery(self, product, quantity, shelf):
        """Return a committed delivery from a shelf that only needs to be validated."""
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "location_id": shelf.id,
                "location_dest_id": self.customer_location.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": shelf.id,
                            "location_dest_id": self.customer_location.id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        picking.move_ids.quantity = quantity
        picking.move_ids.picked = True
        self.commit()
        return picking

    def validate_in(self, env, picking):
        picking.with_env(env).with_context(skip_backorder=True).button_validate()
        env.flush_all()

    def draft_bill(self, order, price):
        bill = self.bill(order, price=price, date="2026-01-10", post=False)
        self.commit()
        return bill

    def work(self):
        """Run the scheduled action until nothing is queued."""
        env = self.connect()
        env["stock.cost.queue"]._work()
        env.cr.commit()
        self.commit()

    # -- What must hold ------------------------------------------------------------

    def queued(self, product):
        return self.env["stock.cost.queue"].search([("product_id", "=", product.id)])

    def assertExact(self, product, quantity, value, delivered):
        """Everything is counted once, nothing waits, and the figures are these."""
        self.commit()
        self.assertFalse(self.queued(product))
        entries = self.env["stock.ledger.entry"].search(
            [("product_id", "=", product.id)]
        )
        values = entries.value_entry_ids
        balances = self.env["stock.cost.balance"].search(
            [("product_id", "=", product.id)]
        )
        quants = self.env["stock.quant"].search(
            [("product_id", "=", product.id), ("location_id.usage", "=", "internal")]
        )
        self.assertEqual(sum(quants.mapped("quantity")), quantity)
        self.assertEqual(sum(entries.mapped("quantity")), quantity)
        self.assertEqual(sum(values.mapped("ledger_entry_quantity")), quantity)
        self.assertEqual(sum(balances.mapped("quantity")), quantity)
        self.assertEqual(self.sum_of(values), value)
        self.assertEqual(
            self.currency.round(
                sum(balances.mapped("value_actual"))
                + sum(balances.mapped("value_expected"))
            ),
            value,
        )
        outgoing = values.filtered(lambda row: row.ledger_entry_id.quantity < 0)
        self.assertEqual(self.sum_of(outgoing), -delivered)
        self.assertEqual(self.env["stock.cost.item"]._check_integrity(self.company), [])

    def sum_of(self, values):
        return self.currency.round(
            sum(values.mapped("cost_amount_actual"))
            + sum(values.mapped("cost_amount_expected"))
        )

    # -- Documents beside documents ------------------------------------------------

    def test_two_deliveries_of_one_product(self):
        """The second does not wait: it records a provisional cost, and a worker makes
        the figures exact."""
        for method, delivered in (("fifo", 140.0), ("average", 180.0)):
            for first_commits_first in (True, False):
                with self.subTest(method=method, first=first_commits_first):
                    product, _orders = self.stocked(method, 10.0, 20.0)
                    one = self.ready_delivery(product, 5, self.shelves[0])
                    other = self.ready_delivery(product, 7, self.shelves[1])
                    first, second = self.connect(), self.connect()
                    self.validate_in(first, one)
                    self.validate_in(second, other)
                    if first_commits_first:
                        first.cr.commit()
                        second.cr.commit()
                    else:
                        second.cr.commit()
                        first.cr.commit()
                    self.commit()
                    self.assertEqual((one.state, other.state), ("done", "done"))
                    self.assertEqual(
                        self.queued(product).value_entry_id.ledger_entry_id,
                        self.ledger_entries(other),
                        "the second is left to a worker",
                    )
                    self.assertEqual(self.cost(other), (0.0, -105.0))  # at 15
                    self.work()
                    self.assertExact(product, 8, 300.0 - delivered, delivered)

    def test_a_delivery_that_began_before_another_committed(self):
        """No lock is held any more, but the item changed since the snapshot."""
        product, _orders = self.stocked("fifo", 10.0, 20.0)
        one = self.ready_delivery(product, 5, self.shelves[0])
        other = self.ready_delivery(product, 7, self.shelves[1])
        first, second = self.connect(), self.connect()
        self.validate_in(first, one)
        first.cr.commit()
        self.validate_in(second, other)
        second.cr.commit()
        self.commit()
        self.assertTrue(self.queued(product))
        self.work()
        self.assertExact(product, 8, 160.0, 140.0)

    def test_a_bill_beside_a_delivery(self):
        for bill_first in (True, False):
            with self.subTest(bill_first=bill_first):
                product, order = self.stocked("fifo", 10.0)
                delivery = self.ready_delivery(product, 4, self.shelves[0])
                bill = self.draft_bill(order, 12.0)
                biller, shipper = self.connect(), self.connect()
                post = bill.with_env(biller).action_post
                ship = partial(self.validate_in, shipper, delivery)
                for step in (post, ship) if bill_first else (ship, post):
                    step()
                biller.flush_all()
                (biller if bill_first else shipper).cr.commit()
                (shipper if bill_first else biller).cr.commit()
                self.commit()
                self.assertTrue(self.queued(product))
                self.work()
                self.assertExact(product, 6, 72.0, 48.0)
                self.assertEqual(self.cost(delivery), (0.0, -48.0))

    def test_what_a_document_counted_is_not_counted_again(self):
        """Without automatic adjustment a later document counts what the busy one left,
        and leaves it queued."""
        self.company.automatic_cost_adjustment = "never"
        self.addCleanup(self.adjust_always_again)
        product, order = self.stocked("fifo", 10.0, 20.0)
        one = self.ready_delivery(product, 5, self.shelves[0])
        other = self.ready_delivery(product, 7, self.shelves[1])
        first, second = self.connect(), self.connect()
        self.validate_in(first, one)
        self.validate_in(second, other)
        first.cr.commit()
        second.cr.commit()
        self.commit()
        self.assertIn(False, self.queued(product).mapped("counted"))
        self.bill(order[0], price=12.0, date="2026-01-10")
        self.commit()
        self.assertEqual(set(self.queued(product).mapped("counted")), {True})
        self.adjust_always_again()
        self.work()
        self.assertExact(product, 8, 160.0, 160.0)

    def adjust_always_again(self):
        self.cr.rollback()
        self.company.automatic_cost_adjustment = "always"
        self.commit()

    # -- Workers -------------------------------------------------------------------

    def left_to_a_worker(self, method="fifo"):
        """Return a product with a late bill that is queued, not forwarded."""
        product, order = self.stocked(method, 10.0)
        delivery = self.ready_delivery(product, 4, self.shelves[0])
        bill = self.draft_bill(order, 12.0)
        holder, biller = self.connect(), self.connect()
        self.validate_in(holder, delivery)
        bill.with_env(biller).action_post()
        biller.flush_all()
        holder.cr.commit()
        biller.cr.commit()
        self.commit()
        self.assertTrue(self.queued(product))
        return product, order

    def test_a_worker_beside_a_delivery(self):
        product, _order = self.left_to_a_worker()
        delivery = self.ready_delivery(product, 3, self.shelves[0])
        worker, shipper = self.connect(), self.connect()
        adjusted = worker["stock.cost.item"]._adjust_queued(
            self.company.with_env(worker), product.with_env(worker)
        )
        self.assertEqual(adjusted.product_id.id, product.id)
        self.validate_in(shipper, delivery)
        shipper.cr.commit()
        worker.cr.commit()
        self.commit()
        self.assertEqual(
            self.queued(product).value_entry_id.ledger_entry_id,
            self.ledger_entries(delivery),
            "the worker leaves what it did not see",
        )
        self.work()
        self.assertExact(product, 3, 36.0, 84.0)

    def test_a_worker_during_a_delivery(self):
        product, _order = self.left_to_a_worker()
        delivery = self.ready_delivery(product, 3, self.shelves[0])
        shipper, worker = self.connect(), self.connect()
        self.validate_in(shipper, delivery)
        adjusted = worker["stock.cost.item"]._adjust_queued(
            self.company.with_env(worker), product.with_env(worker)
        )
        self.assertFalse(adjusted, "the item is not free, and nobody waits")
        worker.cr.commit()
        shipper.cr.commit()
        self.work()
        self.assertExact(product, 3, 36.0, 84.0)

    def test_two_workers(self):
        products = [self.left_to_a_worker()[0] for _number in range(2)]
        one, other = self.connect(), self.connect()
        company = self.company

        def adjust(env, product=None):
            return (
                env["stock.cost.item"]
                ._adjust_queued(
                    company.with_env(env), product and product.with_env(env)
                )
                .product_id.ids
            )

        self.assertEqual(adjust(one, products[0]), products[0].ids)
        self.assertEqual(adjust(other), products[1].ids, "the one that is free")
        other.cr.commit()
        one.cr.commit()
        for product in products:
            self.assertExact(product, 6, 72.0, 48.0)
        entries = self.env["stock.value.entry"].search_count([])
        self.work()
        self.assertEqual(self.env["stock.value.entry"].search_count([]), entries)

    def test_a_worker_after_the_work_was_done(self):
        """Its snapshot still shows the queue of before."""
        product, _order = self.left_to_a_worker()
        late = self.connect()
        late["stock.cost.queue"].search([("product_id", "=", product.id)])
        self.work()
        entries = self.env["stock.value.entry"].search_count([])
        late["stock.cost.item"]._adjust_queued(
            self.company.with_env(late), product.with_env(late)
        )
        late.cr.commit()
        self.assertExact(product, 6, 72.0, 48.0)
        self.assertEqual(self.env["stock.value.entry"].search_count([]), entries)

    def test_a_killed_worker_leaves_everything_to_the_next(self):
        for place, method in (
            (Store, "balances"),
            (Store, "unit_costs"),
            (CostUpdate, "_adjust"),
            (CostUpdate, "adjust"),
        ):
            with self.subTest(killed_after=method):
                product, _order = self.left_to_a_worker("average")
                before = self.env["stock.value.entry"].search_count([])
                queued = self.queued(product)
                self.kill_worker_after(place, method, product)
                self.commit()
                self.assertEqual(self.env["stock.value.entry"].search_count([]), before)
                self.assertEqual(self.queued(product), queued)
                self.work()
                self.assertExact(product, 6, 72.0, 48.0)

    def kill_worker_after(self, place, method, product):
        """Run a worker in a process of its own and kill -9 it right after a step."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            self.work_until_killed(writer, place, method, product)
        os.close(writer)
        try:
            self.assertEqual(os.read(reader, 1), b"x", "the worker came that far")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)

    def work_until_killed(self, writer, place, method, product):
        """What the child does; it never returns."""
        try:
            # Connections of its own: the parent's are left alone.
            sql_db._Pool = None
            cr = sql_db.db_connect(self.database).cursor()
            env = api.Environment(cr, SUPERUSER_ID, self.env.context)
            step = getattr(place, method)

            def step_and_wait(*args, **kwargs):
                step(*args, **kwargs)
                env.flush_all()
                os.write(writer, b"x")
                signal.pause()

            with patch.object(place, method, step_and_wait):
                env["stock.cost.item"]._adjust_queued(
                    env["res.company"].browse(self.company.id),
                    env["product.product"].browse(product.id),
                )
        finally:
            os._exit(1)

    # -- Closing a period ----------------------------------------------------------

    def close_period(self, day):
        """Close a period in a connection of its own."""
        env = self.connect()
        period = env["inventory.period"].create(
            {"company_id": self.company.id, "ending_date": day}
        )
        period.action_close()
        env.flush_all()
        env.cr.commit()
        self.addCleanup(self.open_again)
        return period

    def open_again(self):
        self.cr.rollback()
        self.env["inventory.period"].search([("closed", "=", True)])._reopen("Test")
        self.commit()

    def test_a_picking_that_began_before_the_close(self):
        product, _orders = self.stocked("fifo", 10.0)
        delivery = self.ready_delivery(product, 4, self.shelves[0])
        shipper = self.connect()
        tries = []

        def ship():
            tries.append(1)
            with self.at("2026-03-15"):
                self.validate_in(shipper, delivery)

        self.close_period("2026-03-31")
        with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
            ship()
        shipper.cr.rollback()
        shipper.cr.execute("SELECT 1")
        shipper.invalidate_all()
        with self.assertRaisesRegex(UserError, "closed period"):
            ship()
        shipper.cr.rollback()
        self.assertExact(product, 10, 100.0, 0.0)
        self.assertEqual(delivery.state, "assigned")

    def test_odoo_tries_again_and_a_bill_gets_an_open_date(self):
        product, order = self.stocked("fifo", 10.0)
        bill = self.bill(order, price=12.0, date="2026-05-10", post=False)
        self.commit()
        biller = self.connect()
        tries = []

        def post():
            tries.append(1)
            bill.with_env(biller).action_post()
            biller.flush_all()

        self.close_period("2026-05-31")
        with (
            mute_logger("odoo.sql_db", "odoo.service.model"),
            patch("odoo.service.model.time.sleep"),
        ):
            retrying(post, biller)
        self.assertEqual(len(tries), 2)
        self.commit()
        self.assertEqual(bill.state, "posted")
        self.assertEqual(str(bill.date), "2026-05-10")
        entries = self.entries(order.picking_ids).filtered(
            lambda value: value.source_model == "account.move.line"
        )
        self.assertEqual(
            {str(day) for day in entries.mapped("posting_date")}, {"2026-06-01"}
        )
        self.assertExact(product, 10, 120.0, 0.0)

    def test_the_close_waits_for_documents_that_record_cost(self):
        product, _orders = self.stocked("fifo", 10.0)
        delivery = self.ready_delivery(product, 4, self.shelves[0])
        shipper, closer = self.connect(), self.connect()
        self.validate_in(shipper, delivery)
        period = closer["inventory.period"].create(
            {"company_id": self.company.id, "ending_date": "2026-02-28"}
        )
        with (
            self.assertRaisesRegex(Exception, "lock timeout"),
            mute_logger("odoo.sql_db"),
        ):
            period.action_close()
        closer.cr.rollback()
        shipper.cr.commit()
        self.assertExact(product, 6, 60.0, 40.0)
