import os
import signal
import time
from contextlib import closing
from unittest.mock import patch

from psycopg2 import sql

from odoo import SUPERUSER_ID, Command, api, sql_db
from odoo.modules.registry import Registry
from odoo.tests import TransactionCase
from odoo.tests.common import get_db_name
from odoo.tools import config

from .common import InventoryCostCommon

# Whoever waits longer for a lock waits in vain: the other one is the same thread.
PATIENCE = "3s"


class ConcurrencyCommon(InventoryCostCommon):
    """Several real connections at once (DESIGN §§ 5, 6, 12).

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
            query = sql.SQL(query).format(*map(sql.Identifier, names))
            cr.execute(query)  # pylint: disable=sql-injection

    # -- Connections ---------------------------------------------------------------

    def connect(self):
        """Return an environment on a connection of its own, its snapshot taken."""
        cr = self.registry.cursor()
        self.addCleanup(cr.close)
        cr.execute("SET lock_timeout = %s", [PATIENCE])
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

    # -- Situations ----------------------------------------------------------------

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

    # -- Processes that die ---------------------------------------------------------

    def kill_after(self, place, method, work):
        """Do work in a process of its own and kill -9 it right after a step of it.

        ``work`` is called with an environment on a connection of the process. Returns
        when PostgreSQL has noticed.
        """
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            self.work_until_killed(writer, place, method, work)
        os.close(writer)
        try:
            told = os.read(reader, 20)
            self.assertTrue(told, f"the process came as far as {method}")
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)
        self.wait_for_backend(int(told))

    def work_until_killed(self, writer, place, method, work):
        """What the child does; it never returns."""
        try:
            cr = self.own_connections()
            env = api.Environment(cr, SUPERUSER_ID, self.env.context)
            backend = cr._cnx.info.backend_pid
            step = getattr(place, method)

            def step_and_wait(*args, **kwargs):
                step(*args, **kwargs)
                env.flush_all()
                os.write(writer, str(backend).encode())
                signal.pause()

            with patch.object(place, method, step_and_wait):
                work(env)
        finally:
            os._exit(1)

    def own_connections(self):
        """Leave the parent's connections alone in a child; return a cursor."""
        sql_db._Pool = None
        self.registry._db = sql_db.db_connect(self.database)
        return self.registry.cursor()

    def wait_for_backend(self, pid):
        """Wait until PostgreSQL has ended a dead process's session, with its locks."""
        for _try in range(100):
            self.cr.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
            gone = not self.cr.rowcount
            self.cr.commit()
            if gone:
                return
            time.sleep(0.05)
        self.fail("the dead process's session goes on")

    # -- Periods -------------------------------------------------------------------

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
