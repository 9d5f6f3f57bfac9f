from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..costing.records import CostLoopError
from ..engine import update as engine
from ..models import inventory_cost_run_adjust as run_adjust
from ..wizards import inventory_cost_adjust as wizard_module
from .common import InventoryCostCommon


class AdjustCostCommon(InventoryCostCommon):
    """Documents leave the adjustment to the accountant."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.automatic_cost_adjustment = "never"
        cls.accountant = cls.make_user("group_accountant")
        cls.reader = cls.make_user("group_user")

    @classmethod
    def make_user(cls, group, **values):
        """Return a user of the company with this group alone."""
        return new_test_user(
            cls.env,
            login=f"adjust_{group}_{values.get('name', '')}",
            groups=f"base.group_user,inventory_cost_gl.{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            **values,
        )

    def sell_before_the_bill(self, product):
        """Return a delivery that cost 10 a piece until the bill said 12."""
        order = self.buy(product, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        sale = self.sell(product, 6, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07")
        self.bill(order, price=12.0, date="2026-01-20")
        return delivery

    def wizard(self, user=None, **values):
        """Return the wizard as the accountant opens it."""
        env = self.env(user=user or self.accountant)
        return env["inventory.cost.adjust"].create(values)

    def adjust(self, **values):
        """Run the wizard; return its run."""
        action = self.wizard(**values).action_adjust()
        return self.env["inventory.cost.run"].browse(action["res_id"])

    def queued(self, product):
        return self.env["stock.cost.queue"].search_count(
            [("product_id", "=", product.id), ("company_id", "=", self.company.id)]
        )


@tagged("post_install", "-at_install")
class TestAdjustWizard(AdjustCostCommon):
    """Adjust Cost: what it adjusts, what it leaves out, and what it says of both."""

    def test_run_counts_what_it_recorded(self):
        fifo = self.sell_before_the_bill(self.fifo)
        average = self.sell_before_the_bill(self.average)
        self.assertEqual(self.cost(fifo), (-60.0, 0.0))
        run = self.adjust()
        self.assertEqual(self.cost(fifo), (-72.0, 0.0))
        self.assertEqual(self.cost(average), (-72.0, 0.0))
        self.assertRecordValues(
            run,
            [
                {
                    "kind": "adjust",
                    "state": "done",
                    "item_count": 2,
                    "skipped_count": 0,
                    "entry_count": 2,
                    "amount": -24.0,
                    "user_id": self.accountant.id,
                    "company_id": self.company.id,
                }
            ],
        )
        entries = self.env["stock.value.entry"].search([("run_ref", "=", run.id)])
        self.assertEqual(entries, self.entries(fifo + average).filtered("adjustment"))
        self.assertTrue(all(entries.mapped("cause_value_entry_id")))
        self.assertFalse(run.line_ids)

    def test_second_run_records_nothing(self):
        self.sell_before_the_bill(self.fifo)
        self.adjust()
        before = self.env["stock.value.entry"].search_count([])
        runs = self.env["inventory.cost.run"].search_count([])
        action = self.wizard().action_adjust()
        self.assertIn("all cost is up to date", action["params"]["message"])
        action = self.wizard(product_ids=[Command.set(self.fifo.ids)]).action_adjust()
        self.assertIn("these products", action["params"]["message"])
        self.assertEqual(self.env["stock.value.entry"].search_count([]), before)
        self.assertEqual(self.env["inventory.cost.run"].search_count([]), runs)

    def test_with_nothing_to_adjust_it_posts(self):
        self.sell_before_the_bill(self.fifo)
        self.adjust()
        action = self.wizard(post_afterwards=True).action_adjust()
        run = self.env["inventory.cost.run"].browse(action["res_id"])
        self.assertRecordValues(run, [{"kind": "post", "state": "done"}])
        self.assertTrue(run.entry_count)

    def test_form_counts_the_queued_products(self):
        self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        form = Form(self.env["inventory.cost.adjust"].with_user(self.accountant))
        self.assertEqual(form.queued_count, 2)
        form.product_ids.add(self.fifo)
        self.assertEqual(form.queued_count, 1)
        form.product_ids.remove(self.fifo.id)
        form.category_ids.add(self.categories["standard"])
        self.assertEqual(form.queued_count, 0)

    def test_products_narrow_the_run(self):
        fifo = self.sell_before_the_bill(self.fifo)
        average = self.sell_before_the_bill(self.average)
        run = self.adjust(product_ids=[Command.set(self.fifo.ids)])
        self.assertEqual(self.cost(fifo), (-72.0, 0.0))
        self.assertEqual(self.cost(average), (-60.0, 0.0))
        self.assertEqual(run.item_count, 1)
        self.assertFalse(self.queued(self.fifo))
        self.assertTrue(self.queued(self.average))

    def test_categories_reach_below_and_archived_products(self):
        fifo = self.sell_before_the_bill(self.fifo)
        average = self.sell_before_the_bill(self.average)
        parent = self.env["product.category"].create({"name": "Parent"})
        self.categories["fifo"].parent_id = parent
        self.fifo.action_archive()
        self.adjust(category_ids=[Command.set(parent.ids)])
        self.assertEqual(self.cost(fifo), (-72.0, 0.0))
        self.assertEqual(self.cost(average), (-60.0, 0.0))

    def test_products_and_categories_are_refused(self):
        self.sell_before_the_bill(self.fifo)
        wizard = self.wizard(
            product_ids=[Command.set(self.fifo.ids)],
            category_ids=[Command.set(self.categories["fifo"].ids)],
        )
        runs = self.env["inventory.cost.run"].search_count([])
        with self.assertRaisesRegex(UserError, "not both"):
            wizard.action_adjust()
        self.assertEqual(self.env["inventory.cost.run"].search_count([]), runs)
        self.assertTrue(self.queued(self.fifo))

    def test_excluded_product_is_listed(self):
        delivery = self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        item = self.env["stock.cost.item"].search([("product_id", "=", self.fifo.id)])
        item.with_user(self.accountant).action_exclude()
        run = self.adjust()
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))
        self.assertRecordValues(
            run, [{"state": "done", "item_count": 1, "skipped_count": 1}]
        )
        self.assertEqual(run.line_ids.product_id, self.fifo)
        self.assertIn("Excluded", run.line_ids.reason)
        action = run.line_ids.action_open_record()
        self.assertEqual(
            (action["res_model"], action["res_id"]), ("stock.cost.item", item.id)
        )
        item.with_user(self.accountant).action_include()
        self.adjust()
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))

    def test_only_accountants_exclude(self):
        self.sell_before_the_bill(self.fifo)
        item = self.env["stock.cost.item"].search([("product_id", "=", self.fifo.id)])
        with self.assertRaises(AccessError):
            item.with_user(self.reader).action_exclude()
        self.assertFalse(item.excluded)

    def test_busy_product_stays_queued(self):
        delivery = self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        lock = type(self.env["stock.cost.item"])._lock

        def busy(items, company, products):
            return lock(items, company, products - self.fifo)

        with patch.object(type(self.env["stock.cost.item"]), "_lock", busy):
            run = self.adjust()
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))
        self.assertTrue(self.queued(self.fifo))
        self.assertRecordValues(
            run, [{"item_count": 1, "skipped_count": 1, "entry_count": 1}]
        )
        self.assertEqual(run.line_ids.product_id, self.fifo)
        self.assertIn("stays queued", run.line_ids.reason)

    def test_loop_of_one_product_does_not_stop_the_others(self):
        looped = self.sell_before_the_bill(self.fifo)
        delivery = self.sell_before_the_bill(self.average)
        entry = self.ledger_entries(looped)
        adjust = engine.adjust

        def loop(book):
            if book.item.id == self.fifo.id:
                raise CostLoopError([entry.id, entry.id])
            return adjust(book)

        with patch.object(engine, "adjust", loop):
            run = self.adjust()
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertEqual(self.cost(looped), (-60.0, 0.0))
        self.assertTrue(self.queued(self.fifo))
        self.assertFalse(self.queued(self.average))
        self.assertRecordValues(
            run, [{"state": "done", "item_count": 1, "skipped_count": 1}]
        )
        self.assertEqual(run.line_ids.product_id, self.fifo)
        self.assertIn(looped.name, run.line_ids.reason)
        self.assertIn(f"#{entry.id}", run.line_ids.reason)
        self.adjust()
        self.assertEqual(self.cost(looped), (-72.0, 0.0))

    def test_loop_keeps_nothing_of_its_own_product(self):
        entry = self.ledger_entries(self.sell_before_the_bill(self.fifo))
        before = self.env["stock.value.entry"].search_count([])
        balances = self.env["stock.cost.balance"].search([]).read()

        def loop(book):
            raise CostLoopError([entry.id, entry.id])

        with patch.object(engine, "adjust", loop):
            self.adjust()
        self.assertEqual(self.env["stock.value.entry"].search_count([]), before)
        self.assertEqual(self.env["stock.cost.balance"].search([]).read(), balances)

    def test_post_afterwards(self):
        self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        run = self.adjust(
            product_ids=[Command.set(self.fifo.ids)], post_afterwards=True
        )
        posting = run.posting_run_id
        self.assertRecordValues(
            posting,
            [
                {
                    "kind": "post",
                    "mode": "post",
                    "state": "done",
                    "product_ids": self.fifo.ids,
                }
            ],
        )
        self.assertFalse(run.message)
        # Billed 120; the delivery is not invoiced, so nothing of it is actual.
        self.assertEqual(self.gl("inventory"), 120.0)
        linked = posting.journal_entry_ids.line_ids
        self.assertTrue(linked)
        waiting = self.env["stock.value.entry.queue"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertNotIn(self.fifo, waiting.product_id)
        self.assertIn(self.average, waiting.product_id)

    def test_post_afterwards_without_a_journal_changes_nothing(self):
        delivery = self.sell_before_the_bill(self.fifo)
        self.company.inventory_cost_journal_id = False
        with self.assertRaisesRegex(UserError, "no journal"):
            self.wizard(post_afterwards=True).action_adjust()
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))

    def test_refused_posting_keeps_the_adjustment(self):
        delivery = self.sell_before_the_bill(self.fifo)
        wizard = self.wizard(post_afterwards=True)
        post = type(self.env["inventory.cost.post"])
        with patch.object(post, "action_run", side_effect=UserError("being posted")):
            run = self.env["inventory.cost.run"].browse(
                wizard.action_adjust()["res_id"]
            )
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertEqual(run.state, "done")
        self.assertIn("being posted", run.message)


@tagged("post_install", "-at_install")
class TestAdjustInBackground(AdjustCostCommon):
    """Many products are adjusted by the workers; the run tells when they are done."""

    def setUp(self):
        super().setUp()
        self.patch(wizard_module, "INLINE_ITEMS", 1)
        self.patch(run_adjust, "INLINE_ITEMS", 1)
        self.patch(self.env.cr, "commit", self.env.cr.flush)

    def test_workers_finish_the_run(self):
        fifo = self.sell_before_the_bill(self.fifo)
        average = self.sell_before_the_bill(self.average)
        form = Form(self.env["inventory.cost.adjust"].with_user(self.accountant))
        self.assertTrue(form.in_background)
        cron = self.env.ref("inventory_cost_gl.ir_cron_adjust_cost")
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        run = self.adjust()
        self.assertEqual(run.state, "running")
        self.assertEqual(self.cost(fifo), (-60.0, 0.0))
        self.assertGreater(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]),
            triggers,
        )
        self.env["stock.cost.queue"]._work()
        self.assertEqual(self.cost(fifo + average), (-144.0, 0.0))
        self.assertRecordValues(
            run,
            [{"state": "done", "item_count": 2, "entry_count": 2, "amount": -24.0}],
        )

    def test_workers_adjust_without_a_run(self):
        delivery = self.sell_before_the_bill(self.fifo)
        runs = self.env["inventory.cost.run"].search_count([])
        self.company.automatic_cost_adjustment = "always"
        self.env["stock.cost.queue"]._work()
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        self.assertEqual(self.env["inventory.cost.run"].search_count([]), runs)

    def test_run_waits_for_what_another_worker_holds(self):
        self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        run = self.adjust()
        lock = type(self.env["stock.cost.item"])._lock

        def busy(items, company, products):
            return lock(items, company, products - self.fifo)

        with patch.object(type(self.env["stock.cost.item"]), "_lock", busy):
            self.env["stock.cost.queue"]._work()
        self.assertEqual(run.state, "running")
        self.env["stock.cost.queue"]._work()
        self.assertRecordValues(
            run, [{"state": "done", "item_count": 2, "skipped_count": 0}]
        )

    def test_run_with_a_loop_ends(self):
        looped = self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        run = self.adjust()
        self.company.automatic_cost_adjustment = "always"
        adjust = engine.adjust

        def loop(book):
            if book.item.id == self.fifo.id:
                raise CostLoopError(self.ledger_entries(looped).ids)
            return adjust(book)

        with (
            patch.object(engine, "adjust", loop),
            self.assertLogs(run_adjust.__name__, "WARNING"),
        ):
            self.env["stock.cost.queue"]._work()
        self.assertRecordValues(
            run, [{"state": "done", "item_count": 1, "skipped_count": 1}]
        )

    def test_what_is_queued_later_is_not_the_runs(self):
        self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        run = self.adjust()
        self.sell_before_the_bill(self.standard)
        self.assertNotIn(self.standard, run._todo())
        self.env["stock.cost.queue"]._work()
        self.assertEqual((run.state, run.item_count), ("done", 2))

    def test_posting_follows_the_workers(self):
        self.sell_before_the_bill(self.fifo)
        self.sell_before_the_bill(self.average)
        run = self.adjust(post_afterwards=True)
        self.assertFalse(run.posting_run_id)
        self.env["stock.cost.queue"]._work()
        self.assertEqual(run.posting_run_id.state, "done")
        self.assertEqual(run.posting_run_id.user_id, self.accountant)
        self.assertEqual(self.gl("inventory"), 240.0)


@tagged("post_install", "-at_install")
class TestAdjustAccess(AdjustCostCommon):
    """Who may adjust, and of which company."""

    def test_readers_are_refused(self):
        with self.assertRaises(AccessError):
            self.wizard(user=self.reader)
        wizard = self.wizard()
        with self.assertRaises(AccessError):
            wizard.with_user(self.reader).action_adjust()
        with self.assertRaises(AccessError):
            wizard.with_user(self.reader).sudo().action_adjust()

    def test_another_company_is_refused(self):
        other = self.make_company("Other Company")
        with self.assertRaises(UserError):
            self.wizard(company_id=other.id).action_adjust()

    def test_other_companies_stay_as_they_are(self):
        delivery = self.sell_before_the_bill(self.fifo)
        other = self.make_company("Other Company")
        self.env["stock.cost.item"]._create_missing(other, self.fifo)
        self.env["stock.cost.queue"]._enqueue_projection(other, self.fifo)
        run = self.adjust()
        self.assertEqual(run.item_count, 1)
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))
        left = (
            self.env["stock.cost.queue"].sudo().search([("company_id", "=", other.id)])
        )
        self.assertEqual(left.product_id, self.fifo)

    def test_run_of_another_company_is_not_read(self):
        self.sell_before_the_bill(self.fifo)
        run = self.adjust()
        other = self.make_company("Other Company")
        stranger = new_test_user(
            self.env,
            login="stranger",
            groups="inventory_cost_gl.group_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        env = self.env(user=stranger, context={"allowed_company_ids": other.ids})
        with self.assertRaises(AccessError):
            run.with_env(env).read(["name"])
        self.assertFalse(env["stock.value.entry"].search_count([]))
        self.assertFalse(env["inventory.cost.overview"].create({}).post_count)


@tagged("post_install", "-at_install")
class TestAdjustUntil(AdjustCostCommon):
    """Adjust Cost up to a valuation date."""

    def two_months(self, product):
        """Return a January and a February delivery; January's bill comes late, at 12.

        10 received in January, 5 of them sold; 10 at 20 in February, 5 sold.
        """
        self.company.average_cost_period = "day"
        january = self.buy(product, 10, 10.0, date="2026-01-05")
        self.receive(january, date="2026-01-05")
        first = self.deliver(
            self.sell(product, 5, date="2026-01-20"), date="2026-01-20"
        )
        february = self.buy(product, 10, 20.0, date="2026-02-05")
        self.receive(february, date="2026-02-05")
        second = self.deliver(
            self.sell(product, 5, date="2026-02-10"), date="2026-02-10"
        )
        self.bill(january, price=12.0, date="2026-02-20")
        return first, second

    def test_average_stops_at_the_date(self):
        first, second = self.two_months(self.average)
        run = self.adjust(adjust_until="2026-01-31")
        self.assertEqual(run.state, "done")
        self.assertFalse(run.line_ids)
        self.assertEqual(sum(self.cost(first)), -60.0)
        # (5 × 10 + 10 × 20) × 5 / 15, as it was recorded
        self.assertEqual(sum(self.cost(second)), -83.33)
        rows = self.env["stock.cost.queue"].search(
            [("product_id", "=", self.average.id)]
        )
        self.assertTrue(rows)
        self.assertEqual(
            min(rows.mapped("valuation_date")), fields.Date.to_date("2026-02-01")
        )
        self.adjust()
        # (5 × 12 + 10 × 20) × 5 / 15
        self.assertEqual(sum(self.cost(second)), -86.67)
        self.assertFalse(self.queued(self.average))

    def test_same_result_as_in_one_go(self):
        """Each stop in between, and the end is that of one run without a stop."""
        for period in ("transaction", "day", "month"):
            with self.subTest(period=period):
                product, other = (
                    self.make_product("average"),
                    self.make_product("average"),
                )
                deliveries = self.two_months(product), self.two_months(other)
                self.company.average_cost_period = period
                for day in ("2026-01-04", "2026-01-31", "2026-02-07"):
                    self.wizard(
                        product_ids=[Command.set(product.ids)], adjust_until=day
                    ).action_adjust()
                self.adjust()
                for stopped, straight in zip(*deliveries, strict=True):
                    self.assertEqual(sum(self.cost(stopped)), sum(self.cost(straight)))

    def test_period_can_be_closed_after_it(self):
        self.two_months(self.average)
        period = self.env["inventory.period"].create({"ending_date": "2026-01-31"})
        with self.assertRaisesRegex(UserError, "not adjusted"):
            period.action_close()
        self.adjust(adjust_until="2026-01-31")
        period.action_close()
        self.assertTrue(period.closed)

    def test_product_with_nothing_later_is_done(self):
        delivery = self.sell_before_the_bill(self.average)
        self.adjust(adjust_until="2026-01-31")
        self.assertEqual(sum(self.cost(delivery)), -72.0)
        self.assertFalse(self.queued(self.average))

    def test_other_methods_are_adjusted_as_a_whole(self):
        first, second = self.two_months(self.fifo)
        self.adjust(adjust_until="2026-01-31")
        self.assertEqual(sum(self.cost(first)), -60.0)
        self.assertEqual(sum(self.cost(second)), -60.0)
        self.assertFalse(self.queued(self.fifo))

    def test_what_changed_later_only_is_left(self):
        self.sell_before_the_bill(self.average)
        wizard = self.wizard(adjust_until="2026-01-01")
        self.assertFalse(wizard.queued_count)
        self.assertEqual(wizard.action_adjust()["tag"], "display_notification")
        self.assertTrue(self.queued(self.average))
