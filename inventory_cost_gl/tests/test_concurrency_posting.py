import os
import random
import signal
import traceback
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.inventory_cost_run_queue import CHUNK_SIZES
from .concurrency_common import ConcurrencyCommon

QUIET = ("odoo.sql_db", "odoo.service.model")


@tagged("post_install", "-at_install")
class TestConcurrencyPosting(ConcurrencyCommon):
    """Posting that is killed, runs twice at once, or beside everything else.

    Nothing is lost and nothing is posted twice (DESIGN § 12.6).
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.runs = cls.env["inventory.cost.run"]
        # A chunk for each posting date.
        sizes = dict.fromkeys(CHUNK_SIZES, 1)
        cls.startClassPatcher(patch.dict(CHUNK_SIZES, sizes))

    def setUp(self):
        super().setUp()
        self.cr.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [self.database]
        )
        [self.deadlocks] = self.cr.fetchone()

    # -- What waits ----------------------------------------------------------------

    def waiting_costs(self, method="fifo"):
        """Return a product with cost of four dates that waits to be posted."""
        product, order = self.stocked(method, 10.0)
        sale = self.sell(product, 4, date="2026-01-06")
        sale.picking_ids.move_ids.location_id = self.shelves[0]
        self.deliver(sale, date="2026-01-06")
        self.bill(order, price=12.0, date="2026-01-07")
        self.invoice(sale, date="2026-01-08")
        self.commit()
        return product

    def queue_rows(self):
        return self.env["stock.value.entry.queue"].search_count(
            [("company_id", "=", self.company.id)]
        )

    def new_run(self, **values):
        """Return a run that waits for the scheduled action."""
        run = self.runs.create(self.runs._prepare_posting(self.company, **values))
        self.commit()
        return run

    def post_all(self):
        """Run the scheduled action that posts, until its runs are done."""
        env = self.connect()
        self.runs.with_env(env)._cron_post_inventory_cost()
        env.cr.commit()
        self.commit()
        if self.queue_rows():
            run = self.new_run().with_env(env)
            env.cr.commit()
            run._run_posting_in_steps()
            env.cr.commit()
            self.commit()

    # -- What must hold ------------------------------------------------------------

    def assertWhole(self):
        """What is linked is posted, once; the rest is still queued."""
        self.commit()
        self.assertEqual(self.env["stock.cost.item"]._check_integrity(self.company), [])
        self.cr.execute(
            """
            SELECT entry.id, link.kind, sum(link.amount), queued.kind
              FROM stock_value_entry entry
              JOIN stock_value_entry_link link ON link.value_entry_id = entry.id
              LEFT JOIN stock_value_entry_queue queued
                     ON queued.value_entry_id = entry.id AND queued.kind = link.kind
             WHERE entry.company_id = %s
             GROUP BY entry.id, link.kind, queued.kind
            HAVING count(*) > 1 OR queued.kind IS NOT NULL
                OR sum(link.amount) <> CASE link.kind WHEN 'expected'
                   THEN entry.cost_amount_expected ELSE entry.cost_amount_actual END
            """,
            [self.company.id],
        )
        self.assertEqual(self.cr.fetchall(), [], "posted twice, or in part")

    def assertPosted(self):
        """Everything is posted, the ledgers agree, and nobody locked anybody out."""
        self.assertWhole()
        self.assertFalse(self.queue_rows())
        self.assertFalse(self.runs.search([("state", "in", ("draft", "running"))]))
        summary = self.env["inventory.gl.reconciliation"]._summary(self.company)
        self.assertTrue(summary.reconciled, summary.lines)
        for role in ("inventory", "inventory_interim", "cogs", "cogs_interim"):
            self.assertEqual(self.gl(role), summary.line(role).value_entry_amount, role)
        self.cr.execute("SELECT pg_stat_clear_snapshot()")
        self.cr.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [self.database]
        )
        self.assertEqual(self.cr.fetchone(), (self.deadlocks,))
        entries = self.env["stock.value.entry.link"].search_count([])
        self.post_all()
        self.assertEqual(
            self.env["stock.value.entry.link"].search_count([]), entries, "once more"
        )

    # -- Killed --------------------------------------------------------------------

    def test_killed_at_each_stage(self):
        """A chunk is posted whole or not at all; the next call finishes the run."""
        run_class = type(self.runs)
        cron_class = type(self.env["ir.cron"])
        for place, stage, posted in (
            (run_class, "_chunks", False),
            (run_class, "_plan", False),
            (run_class, "_create_journal_entries", False),
            (run_class, "_insert_links", False),
            (run_class, "_run_chunk", False),
            (cron_class, "_commit_progress", True),
        ):
            with self.subTest(killed_after=stage):
                self.waiting_costs()
                waiting = self.queue_rows()
                run = self.new_run()
                self.kill_after(
                    place,
                    stage,
                    lambda env, r=run: r.with_env(env)._try_posting_in_steps(),
                )
                self.assertWhole()
                if posted:
                    self.assertLess(self.queue_rows(), waiting)
                    self.assertTrue(run.journal_entry_ids)
                else:
                    self.assertEqual(self.queue_rows(), waiting)
                    self.assertFalse(run.journal_entry_ids)
                self.post_all()
                self.assertEqual(run.state, "done")
                self.assertEqual(run.skipped_count, 0)
                self.assertPosted()

    def test_killed_in_a_request(self):
        """What an accountant posts at once is one transaction: all of it or nothing."""
        run_class = type(self.runs)
        for stage in ("_insert_links", "_finish"):
            with self.subTest(killed_after=stage):
                self.waiting_costs()
                waiting = self.queue_rows()
                runs = self.runs.search_count([])
                self.kill_after(
                    run_class,
                    stage,
                    lambda env: env["inventory.cost.post"].create({}).action_run(),
                )
                self.assertWhole()
                self.assertEqual(self.queue_rows(), waiting)
                self.assertEqual(self.runs.search_count([]), runs)
                self.post_all()
                self.assertPosted()

    def test_killed_when_a_run_is_reversed(self):
        self.waiting_costs()
        run = self.new_run()
        self.post_all()
        self.kill_after(
            type(self.runs),
            "_add_journal_entries",
            lambda env: run.with_env(env)._reverse(run.journal_entry_ids[0].date),
        )
        self.assertFalse(run.reversal_run_ids)
        self.assertPosted()

    # -- Two at once ---------------------------------------------------------------

    def test_two_runs_at_once(self):
        self.waiting_costs()
        one, other = self.connect(), self.connect()
        first = one["inventory.cost.post"].create({})
        second = other["inventory.cost.post"].create({})
        first.action_run()
        one.flush_all()
        with self.assertRaisesRegex(UserError, "being posted"):
            second.action_run()
        other.cr.rollback()
        one.cr.commit()
        self.assertPosted()

    def test_a_run_whose_snapshot_is_older_than_the_other(self):
        """It still sees the queue, and may not post it again."""
        self.waiting_costs()
        late = self.connect()
        wizard = late["inventory.cost.post"].create({})
        self.assertTrue(late["stock.value.entry.queue"].search_count([]))
        self.post_all()
        with self.assertRaises(SerializationFailure), mute_logger(*QUIET):
            wizard.action_run()
            late.flush_all()
        late.cr.rollback()
        self.assertPosted()

    def test_workers_that_meet(self):
        """The one that comes second leaves the run to the first."""
        self.waiting_costs()
        run = self.new_run()
        one, other = self.connect(), self.connect()
        self.assertTrue(run.with_env(one)._try_posting_lock(self.company))
        self.assertFalse(run.with_env(other)._run_posting_in_steps())
        other.cr.rollback()
        one.cr.rollback()
        self.post_all()
        self.assertPosted()

    # -- Beside other work ---------------------------------------------------------

    def assertBeside(self, work, adjust=False):
        """Work and a posting run in two transactions, committed in either order."""
        for work_first in (True, False):
            with self.subTest(work_commits_first=work_first):
                self.waiting_costs()
                prepared = work(None)
                poster, worker = self.connect(), self.connect()
                run = self.new_run()
                poster.cr.rollback()
                poster.cr.execute("SELECT 1")
                work(worker, prepared)
                worker.flush_all()
                run.with_env(poster)._run_posting()
                poster.flush_all()
                for env in (worker, poster) if work_first else (poster, worker):
                    env.cr.commit()
                self.assertWhole()
                self.work()
                self.post_all()
                self.assertPosted()

    def test_beside_a_delivery(self):
        def deliver(env, picking=None):
            if not env:
                product, _order = self.stocked("fifo", 10.0)
                return self.ready_delivery(product, 4, self.shelves[0])
            return self.validate_in(env, picking)

        self.assertBeside(deliver)

    def test_beside_a_bill(self):
        def bill(env, bill=None):
            if not env:
                _product, order = self.stocked("average", 10.0)
                return self.draft_bill(order, 12.0)
            return bill.with_env(env).action_post()

        self.assertBeside(bill)

    def test_beside_a_worker_that_adjusts(self):
        def adjust(env, product=None):
            if not env:
                return self.left_to_a_worker("average")[0]
            return env["stock.cost.item"]._adjust_queued(
                self.company.with_env(env), product.with_env(env)
            )

        self.assertBeside(adjust)

    def test_beside_a_bill_that_is_reset(self):
        def reset(env, bill=None):
            if not env:
                _product, order = self.stocked("fifo", 10.0)
                bill = self.draft_bill(order, 12.0)
                bill.action_post()
                self.commit()
                return bill
            return bill.with_env(env).button_draft()

        self.assertBeside(reset)

    # -- All at once ---------------------------------------------------------------

    def test_everything_at_once(self):
        """Processes that deliver, bill, adjust and post side by side, then agree."""
        self.company.automatic_cost_adjustment = "never"
        self.addCleanup(self.adjust_always)
        products = [self.stocked(m, 10.0, 20.0) for m in ("fifo", "average", "fifo")]
        deliveries = [
            self.ready_delivery(product, 1, shelf)
            for product, _orders in products
            for shelf in self.shelves
            for _number in range(3)
        ]
        bills = [
            self.draft_bill(order, 13.0) for _product, own in products for order in own
        ]
        random.Random(7).shuffle(deliveries)
        children = [
            self.start(lambda env, p=p: self.validate_in(env, p) for p in deliveries),
            self.start(lambda env, b=b: b.with_env(env).action_post() for b in bills),
            self.start([self.adjust_in_turn] * 6),
            self.start([self.post_in_turn] * 6),
        ]
        failed = []
        for child in children:
            _pid, status = os.waitpid(child, 0)
            failed.append(os.waitstatus_to_exitcode(status))
        self.assertFalse(any(failed), failed)
        self.commit()
        for document in (*deliveries, *bills):
            self.assertIn(document.state, ("done", "posted"))
        self.adjust_always()
        self.work()
        self.post_all()
        self.assertFalse(self.env["stock.cost.queue"].search_count([]))
        self.assertPosted()

    def adjust_always(self):
        self.cr.rollback()
        self.company.automatic_cost_adjustment = "always"
        self.commit()

    def adjust_in_turn(self, env):
        env["stock.cost.item"]._adjust_queued(self.company.with_env(env))

    def post_in_turn(self, env):
        run = env["inventory.cost.run"]
        if run._last_value_entry_id(self.company.with_env(env)):
            try:
                run.create(
                    run._prepare_posting(self.company.with_env(env))
                )._run_posting()
            except UserError:
                env.cr.rollback()  # another run of the test's is not done yet

    def start(self, steps):
        """Start a process that takes steps, each a transaction that Odoo repeats."""
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            signal.alarm(120)
            self.own_connections().close()
            with mute_logger(*QUIET):
                for step in steps:
                    cr = self.registry.cursor()
                    env = api.Environment(cr, SUPERUSER_ID, self.env.context)
                    retrying(lambda s=step, e=env: s(e), env)
                    cr.close()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
