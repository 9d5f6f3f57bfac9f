from functools import partial
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..engine.store import Store
from ..engine.update import CostUpdate
from .concurrency_common import ConcurrencyCommon


@tagged("post_install", "-at_install")
class TestConcurrency(ConcurrencyCommon):
    """Documents and workers beside each other, and beside a close."""

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
                self.kill_after(place, method, partial(self.adjust_in, product=product))
                self.commit()
                self.assertEqual(self.env["stock.value.entry"].search_count([]), before)
                self.assertEqual(self.queued(product), queued)
                self.work()
                self.assertExact(product, 6, 72.0, 48.0)

    def adjust_in(self, env, product):
        env["stock.cost.item"]._adjust_queued(
            self.company.with_env(env), product.with_env(env)
        )

    def test_a_run_killed_between_chunks_goes_on(self):
        """The scheduled action takes up what is left of a large run."""
        products = [self.left_to_a_worker(m)[0] for m in ("fifo", "average", "fifo")]
        runs = self.env["inventory.cost.run"]
        run = runs._start_adjustment(self.company)
        self.commit()
        for place, stage, left in (
            (type(self.env["ir.cron"]), "_commit_progress", 2),
            (type(runs), "_adjust_products", 2),
            (type(runs), "_finish_adjustment", 0),
        ):
            with self.subTest(killed_after=stage):
                self.kill_after(
                    place,
                    stage,
                    lambda env: run.with_env(env)._run_adjustment_in_steps(1),
                )
                self.commit()
                self.assertEqual(run.state, "running")
                self.assertEqual(len(run._todo()), left)
        self.work()
        self.assertRecordValues(
            run, [{"state": "done", "item_count": 3, "skipped_count": 0}]
        )
        self.assertEqual(run.entry_count, 3)
        for product in products:
            self.assertExact(product, 6, 72.0, 48.0)

    def test_two_workers_on_one_run(self):
        """Neither waits for the other, and one of them finishes the run."""
        products = [self.left_to_a_worker()[0] for _number in range(3)]
        runs = self.env["inventory.cost.run"]
        run = runs._start_adjustment(self.company)
        self.commit()
        one, other = self.connect(), self.connect()
        first = run.with_env(one)
        self.assertFalse(first._adjust_products(self.company, products[0]))
        self.assertTrue(run.with_env(other)._run_adjustment_in_steps(1))
        self.commit()
        self.assertEqual(run.state, "running")
        self.assertEqual(run._todo(), products[0])
        one.cr.commit()
        first._run_adjustment_in_steps(1)
        self.commit()
        self.assertRecordValues(run, [{"state": "done", "entry_count": 3}])
        for product in products:
            self.assertExact(product, 6, 72.0, 48.0)

    def test_a_worker_that_meets_a_close_goes_on(self):
        """Its transaction is void, the run is not: the work is done later."""
        product, _order = self.left_to_a_worker()
        run = self.env["inventory.cost.run"]._start_adjustment(self.company)
        self.commit()
        worker = self.connect()
        guard = type(self.env["inventory.cost.guard"])
        hold, holds = guard._hold, []

        def hold_late(records, companies):
            if records.env.cr is worker.cr and not holds:
                holds.append(1)
                self.cr.rollback()
                guard._change(self.env["inventory.cost.guard"], self.company)
                self.cr.commit()
            return hold(records, companies)

        with (
            patch.object(guard, "_hold", hold_late),
            mute_logger(
                "odoo.sql_db",
                "odoo.addons.inventory_cost_gl.models.inventory_cost_run_adjust",
            ),
        ):
            run.with_env(worker)._run_adjustment_in_steps(1)
        self.assertTrue(holds)
        self.commit()
        self.assertEqual(run.state, "running")
        self.work()
        self.assertRecordValues(run, [{"state": "done", "entry_count": 1}])
        self.assertExact(product, 6, 72.0, 48.0)

    # -- Closing a period ----------------------------------------------------------

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

    def test_the_test_of_a_period_holds_nobody_up(self):
        """However long it takes: deliveries and closing go on beside it."""
        product, _orders = self.stocked("fifo", 10.0)
        delivery = self.ready_delivery(product, 4, self.shelves[0])
        reader, shipper = self.connect(), self.connect()
        tests = reader["inventory.period.test"]
        tests._open(self.company.with_env(reader), fields.Date.to_date("2026-01-31"))
        reader.flush_all()
        self.validate_in(shipper, delivery)
        shipper.cr.commit()
        self.assertTrue(self.close_period("2026-01-31").closed)
        reader.cr.commit()
        self.assertExact(product, 6, 60.0, 40.0)

    def test_checks_before_a_close_hold_nobody_up(self):
        """Only the last look is taken under the guard."""
        guarded = []
        period = self.env["inventory.period"].create({"ending_date": "2026-01-15"})
        self.commit()
        guard = type(self.env["inventory.cost.guard"])
        change = guard._change

        def check(records, _company_id, _day):
            guarded.append(bool(changed))

        changed = []

        def change_and_note(records, companies):
            changed.append(1)
            return change(records, companies)

        with (
            patch.object(type(period), "_check_closable", check),
            patch.object(guard, "_change", change_and_note),
        ):
            period.action_close()
        self.cr.rollback()
        self.assertEqual(guarded, [False, True])
