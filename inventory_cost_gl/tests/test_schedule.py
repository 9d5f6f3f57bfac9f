from datetime import datetime, timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestSchedule(InventoryCostCommon):
    """The nightly runs: when they start, what they do, who is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.with_group("night_manager", "manager")
        cls.accountant = cls.with_group("night_accountant", "accountant")
        cls.company.inventory_cost_responsible_id = cls.accountant
        cls.company.automatic_cost_adjustment = "never"
        cls.schedules = cls.env["inventory.cost.schedule"]
        cls.runs = cls.env["inventory.cost.run"]

    @classmethod
    def with_group(cls, login, group):
        return new_test_user(
            cls.env,
            login=login,
            groups=f"base.group_user,inventory_cost_gl.group_{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def schedule(self, now="2026-03-10 20:00:00", **values):
        with self.at(now):
            return self.schedules.create(values)

    def night(self, now):
        """Let the scheduled actions do what they do, at a moment."""
        with (
            self.at(now),
            patch.object(self.env.cr, "commit", self.env.cr.flush),
            patch.object(self.env.cr, "rollback"),
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", lambda *_a, **_k: 1.0
            ),
        ):
            self.schedules._cron_start()
            self.env["stock.cost.queue"]._work()
            self.runs._cron_post_inventory_cost()
        self.env.invalidate_all()

    def late_bill(self, product=None):
        """Sell before the bill comes at another price; return the delivery."""
        product = product or self.fifo
        order = self.buy(product, 10, 10.0, date="2026-03-05")
        self.receive(order, date="2026-03-05")
        sale = self.sell(product, 6, date="2026-03-06")
        delivery = self.deliver(sale, date="2026-03-06")
        self.bill(order, price=12.0, date="2026-03-07")
        return delivery

    # -- When ----------------------------------------------------------------------

    def test_next_start(self):
        schedule = self.schedule("2026-03-10 20:00:00", time_of_day=2.5)
        self.assertEqual(schedule.next_start, datetime(2026, 3, 11, 2, 30))
        with self.at("2026-03-11 00:10:00"):
            schedule.time_of_day = 23.75
        self.assertEqual(schedule.next_start, datetime(2026, 3, 11, 23, 45))
        schedule.active = False
        self.assertFalse(schedule.next_start)

    def test_time_zone_of_the_company_and_summer_time(self):
        self.company.inventory_cost_tz = "Europe/Brussels"
        schedule = self.schedule("2026-03-10 20:00:00", time_of_day=2.5)
        self.assertEqual(schedule.time_zone, "Europe/Brussels")
        self.assertEqual(schedule.next_start, datetime(2026, 3, 11, 1, 30))
        # 29 March has no 02:30, 25 October has two.
        for moment, start in (
            ("2026-03-28 20:00", "2026-03-29 01:30"),
            ("2026-03-29 20:00", "2026-03-30 00:30"),
            ("2026-10-24 20:00", "2026-10-25 01:30"),
        ):
            after = schedule._next_start_after(datetime.fromisoformat(moment))
            self.assertEqual(after, datetime.fromisoformat(start))
            self.assertGreater(
                schedule._next_start_after(after) - after, timedelta(hours=20)
            )

    def test_scheduled_action_wakes_up(self):
        cron = self.env.ref("inventory_cost_gl.ir_cron_nightly")
        self.schedule("2026-03-10 20:00:00", time_of_day=2.0)
        calls = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertIn(datetime(2026, 3, 11, 2, 0), calls.mapped("call_at"))

    def test_time_of_day_is_one(self):
        for hours in (-1.0, 24.0):
            with self.assertRaises(ValidationError):
                self.schedule(time_of_day=hours)

    def test_starts_once_a_night(self):
        schedule = self.schedule(time_of_day=2.0)
        self.late_bill()
        self.night("2026-03-11 01:59:00")
        self.assertFalse(schedule.last_start)
        self.night("2026-03-11 02:01:00")
        run = schedule.last_run_id
        self.assertTrue(run)
        self.night("2026-03-11 02:30:00")
        self.assertEqual(schedule.last_run_id, run)
        self.assertEqual(schedule.next_start, datetime(2026, 3, 12, 2, 0))

    def test_switched_off(self):
        schedule = self.schedule(active=False)
        self.late_bill()
        self.night("2026-03-12 02:01:00")
        self.assertFalse(schedule.last_start)

    # -- What ----------------------------------------------------------------------

    def test_adjusts_then_posts(self):
        schedule = self.schedule()
        delivery = self.late_bill()
        self.night("2026-03-11 02:01:00")
        run = schedule.last_run_id
        self.assertRecordValues(
            run | run.posting_run_id,
            [
                {"kind": "adjust", "state": "done", "automatic": True},
                {"kind": "post", "state": "done", "automatic": True},
            ],
        )
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertEqual(self.gl("inventory"), 120.0)
        self.assertEqual(self.gl("cogs_interim"), 72.0)
        self.assertEqual(schedule.result, "Done")
        self.assertFalse(self.accountant.activity_ids)
        self.night("2026-03-12 02:01:00")
        self.assertFalse(schedule.last_run_id, "nothing was to be done")
        self.assertIn("Nothing to adjust", schedule.result)

    def test_adjusts_only_or_posts_only(self):
        schedule = self.schedule(post=False)
        delivery = self.late_bill()
        self.night("2026-03-11 02:01:00")
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertFalse(self.gl("inventory"))
        schedule.write({"post": True, "adjust": False})
        other = self.late_bill(self.average)
        self.night("2026-03-12 02:01:00")
        self.assertEqual(self.cost(other), (-60.0, 0.0))
        self.assertEqual(schedule.last_run_id.kind, "post")
        self.assertEqual(self.gl("inventory"), 240.0)

    def test_granularity_and_posting_dates(self):
        schedule = self.schedule(granularity="entry", until="last_month")
        self.receive(self.buy(self.fifo, 1, 10.0, date="2026-02-27"), date="2026-02-27")
        self.receive(self.buy(self.fifo, 1, 20.0, date="2026-03-02"), date="2026-03-02")
        self.night("2026-03-11 02:01:00")
        run = schedule.last_run_id.posting_run_id
        self.assertRecordValues(
            run,
            [{"granularity": "entry", "until_date": fields.Date.to_date("2026-02-28")}],
        )
        self.assertEqual(self.gl("inventory_interim"), 10.0)
        schedule.until = "yesterday"
        with self.at("2026-03-11 05:00:00"):
            self.assertEqual(str(schedule._until_date()), "2026-03-10")

    def test_companies_are_apart(self):
        other = self.make_company("Other Company")
        theirs = self.schedules.create({"company_id": other.id})
        mine = self.schedule()
        self.late_bill()
        self.night("2026-03-11 02:01:00")
        self.assertTrue(mine.last_run_id)
        self.assertFalse(theirs.last_run_id)
        self.assertFalse(
            self.schedules.with_user(self.manager).search(
                [("company_id", "=", other.id)]
            )
        )
        with self.assertRaises(AccessError):
            theirs.with_user(self.manager).read(["adjust"])
        with (
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
            mute_logger("odoo.sql_db"),
        ):
            self.schedule()

    def test_killed_between_chunks_it_goes_on(self):
        """The workers take up a run that stopped; one product is done already."""
        schedule = self.schedule()
        deliveries = self.late_bill(self.fifo) | self.late_bill(self.average)
        with self.at("2026-03-11 02:01:00"):
            run = schedule._start()
            self.runs._adjust_products(self.company, self.fifo)
        self.assertEqual(run.state, "running")
        self.night("2026-03-11 02:10:00")
        self.assertRecordValues(run, [{"state": "done", "item_count": 2}])
        self.assertEqual(self.cost(deliveries), (-144.0, 0.0))

    # -- Who is told ---------------------------------------------------------------

    def told(self):
        return self.env["mail.activity"].search([("user_id", "=", self.accountant.id)])

    def test_a_posting_run_that_fails(self):
        schedule = self.schedule()
        self.late_bill()
        self.company.inventory_cost_journal_id = False
        self.night("2026-03-11 02:01:00")
        run = schedule.last_run_id.posting_run_id
        self.assertEqual(run.state, "failed")
        self.assertIn("no journal", run.message)
        self.assertEqual(self.told().res_model, "inventory.cost.run")
        self.assertEqual(self.told().res_id, run.id)
        self.assertIn("Failed", schedule.result)

    def test_a_product_that_fails_is_left_out(self):
        schedule = self.schedule()
        delivery = self.late_bill(self.average)
        self.late_bill(self.fifo)
        adjust_queued = type(self.env["stock.cost.item"])._adjust_queued

        def fail(items, company, products=None, **options):
            if self.fifo in products:
                raise ValueError("broken")
            return adjust_queued(items, company, products=products, **options)

        with (
            patch.object(type(self.env["stock.cost.item"]), "_adjust_queued", fail),
            self.assertLogs("odoo.addons.inventory_cost_gl", "ERROR"),
        ):
            self.night("2026-03-11 02:01:00")
        run = schedule.last_run_id
        self.assertRecordValues(run, [{"state": "done", "skipped_count": 1}])
        self.assertEqual(run.line_ids.product_id, self.fifo)
        self.assertIn("broken", run.line_ids.reason)
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertIn("left out", schedule.result)
        self.assertIn("not adjusted", self.told().summary)

    def test_work_that_waits_too_long(self):
        schedule = self.schedule(adjust=True)
        with self.at("2026-03-08 10:00:00"):
            self.late_bill()
        self.env.cr.execute(
            "UPDATE stock_cost_queue SET recorded_at = '2026-03-08 10:00:00'"
        )
        with self.at("2026-03-09 20:00:00"):
            schedule._warn_of_lag()
            self.assertFalse(self.told(), "a night is yet to come")
        with self.at("2026-03-10 20:00:00"):
            schedule._warn_of_lag()
            schedule._warn_of_lag()
            self.assertEqual(len(self.told()), 1)
            self.assertIn("waits for adjustment", self.told().note)
        self.night("2026-03-11 02:01:00")
        with self.at("2026-03-11 03:00:00"):
            schedule._warn_of_lag()
        self.assertFalse(self.told().filtered(lambda a: a.res_id == schedule.id))

    # -- The screen ----------------------------------------------------------------

    def test_assistant(self):
        screen = self.schedules.with_user(self.manager)
        action = screen.action_open()
        self.assertFalse(action["res_id"])
        form = Form(screen.with_context(**action["context"]))
        self.assertEqual(form.time_of_day, 2.0)
        self.assertEqual(form.result, "Not started yet")
        form.time_of_day = 3.0
        form.responsible_id = self.manager
        schedule = form.save()
        self.assertEqual(schedule.company_id, self.company)
        self.assertEqual(self.company.inventory_cost_responsible_id, self.manager)
        self.assertEqual(screen.action_open()["res_id"], schedule.id)
        self.late_bill()
        form = Form(schedule)
        self.assertEqual(form.adjust_count, 1)
        self.assertGreater(form.post_count, 1)
        self.assertTrue(form.adjust_since and form.post_since)
        action = schedule.action_start()
        run = self.runs.browse(action["res_id"])
        self.assertEqual(schedule.last_run_id, run)
        self.assertEqual(schedule.result, "Still running")

    def test_start_now_with_nothing_to_do(self):
        action = self.schedule().with_user(self.manager).action_start()
        self.assertIn("Nothing to adjust", action["params"]["message"])

    def test_scheduled_actions_that_are_off(self):
        schedule = self.schedule()
        self.assertFalse(schedule.stopped_actions)
        self.env.ref("inventory_cost_gl.ir_cron_adjust_cost").active = False
        schedule.invalidate_recordset()
        self.assertIn("worker 1", schedule.with_user(self.manager).stopped_actions)

    def test_only_managers_set_it_up(self):
        with self.assertRaises(AccessError):
            self.schedules.with_user(self.accountant).create({})
        schedule = self.schedule()
        self.assertEqual(schedule.with_user(self.accountant).result, "Not started yet")
        with self.assertRaises(AccessError):
            schedule.with_user(self.accountant).write({"post": False})
        with self.assertRaises(AccessError):
            schedule.with_user(self.accountant).action_start()
