from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .test_smart_buttons import ScreensCommon

LEDGERS = (
    "stock.ledger.entry",
    "stock.value.entry",
    "stock.cost.application",
    "stock.cost.item",
    "stock.cost.queue",
)


@tagged("post_install", "-at_install")
class TestLedgerScreens(ScreensCommon):
    """What the screens of the ledgers show, to a user who may only read them."""

    def as_reader(self, records):
        return records.with_user(self.reader)

    def test_reader_opens_every_screen(self):
        self.env["stock.cost.queue"]._enqueue(self.entries(self.receipt)[:1], True)
        for model in LEDGERS:
            records = self.as_reader(self.env[model]).search([])
            self.assertTrue(records, model)
            for view_type in ("list", "form"):
                view = records.get_view(view_type=view_type)
                specification = {
                    name: {} for name in view["models"][model] if name != "source_id"
                }
                with self.subTest(model=model, view=view_type):
                    self.env.invalidate_all()
                    rows = records.web_read(specification)
                    self.assertEqual(len(rows), len(records))

    def test_nothing_can_be_entered(self):
        self.env["stock.cost.queue"]._enqueue(self.entries(self.receipt)[:1], True)
        for model in LEDGERS:
            for view_type in ("list", "form"):
                arch = self.env[model].get_view(view_type=view_type)["arch"]
                for right in ("create", "edit", "delete"):
                    self.assertRegex(arch, f'^<{view_type}[^>]* {right}="(0|False)"')
            with self.assertRaises(AccessError):
                self.as_reader(self.env[model]).search([], limit=1).unlink()

    def test_users_without_the_group_read_nothing(self):
        for model in (*LEDGERS, "inventory.period", "inventory.cost.overview"):
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.env[model].with_user(self.clerk).search([])

    def test_every_filter_and_grouping_works(self):
        for model in LEDGERS:
            arch = etree.fromstring(
                self.env[model].get_view(view_type="search")["arch"]
            )
            records = self.as_reader(self.env[model])
            filters = arch.xpath("//filter[@domain]")
            groupings = arch.xpath("//filter[contains(@context, 'group_by')]")
            self.assertTrue(groupings, model)
            for node in filters:
                domain = safe_eval(node.get("domain"))
                self.assertLessEqual(
                    records.search_count(domain), records.search_count([])
                )
            for node in groupings:
                group_by = safe_eval(node.get("context"))["group_by"]
                groups = records.formatted_read_group([], [group_by], ["__count"])
                self.assertEqual(
                    sum(group["__count"] for group in groups), records.search_count([])
                )

    def test_who_took_whose_quantity(self):
        received = self.as_reader(self.ledger_entries(self.receipt))
        delivered = self.as_reader(self.ledger_entries(self.delivery))
        scrapped = self.as_reader(self.ledger_entries(self.scrapped))
        self.assertEqual(received.supplies_ids.outbound_entry_id, delivered + scrapped)
        self.assertEqual(sum(received.supplies_ids.mapped("quantity")), 7.0)
        self.assertEqual(received.remaining_quantity, 3.0)
        self.assertEqual(delivered.supplied_by_ids.inbound_entry_id, received)
        self.assertFalse(received.supplied_by_ids)
        application = delivered.supplied_by_ids
        self.assertEqual(application.inbound_type, "purchase")
        self.assertEqual(application.outbound_type, "sale")
        self.assertEqual(application.uom_id, self.fifo.uom_id)

    def test_names_tell_entries_of_a_document_apart(self):
        entry = self.ledger_entries(self.receipt)
        self.assertEqual(entry.display_name, f"{self.receipt.name} (#{entry.id})")
        values = self.entries(self.receipt)
        self.assertEqual(len(set(values.mapped("display_name"))), len(values))

    def test_not_posted(self):
        company = [("company_id", "=", self.company.id)]
        entries = self.env["stock.value.entry"]
        waiting = entries.search([*company, ("to_post", "=", True)])
        self.assertTrue(waiting)
        self.assertTrue(all(waiting.mapped("to_post")))
        self.env["inventory.cost.post"].create({}).action_run()
        self.env.invalidate_all()
        self.assertFalse(entries.search([*company, ("to_post", "=", True)]))
        self.assertEqual(
            entries.search([*company, ("to_post", "=", False)]), entries.search(company)
        )
        link = waiting.link_ids[:1]
        self.assertEqual(link.journal_entry_id, link.debit_line_id.move_id)
        self.assertEqual(link.debit_account_id, link.debit_line_id.account_id)
        self.assertEqual(link.credit_account_id, link.credit_line_id.account_id)

    def test_documents_open(self):
        clerk = self.make_user(
            "opener",
            "inventory_cost_gl.group_user",
            "stock.group_stock_user",
            "account.group_account_invoice",
        )
        for value in self.entries(self.receipt):
            action = value.with_user(clerk).action_open_source()
            opened = self.env[action["res_model"]].browse(action["res_id"])
            self.assertIn(opened, (self.receipt, self.bill_))
        action = self.ledger_entries(self.receipt).with_user(clerk)
        opened = action.action_open_stock_move()
        self.assertEqual(opened["res_id"], self.receipt.id)

    def test_document_the_user_may_not_read_is_named(self):
        value = self.entries(self.receipt)[0]
        for model in ("stock.move", "stock.picking"):
            self.env["ir.rule"].create(
                {
                    "name": f"Nobody reads {model}",
                    "model_id": self.env["ir.model"]._get_id(model),
                    "domain_force": "[(0, '=', 1)]",
                }
            )
        with self.assertRaisesRegex(UserError, "not allowed to read"):
            self.as_reader(value).action_open_source()

    def test_deleted_document_leaves_the_entry(self):
        value = self.entries(self.receipt)[0]
        open_document = value._open_document
        for model, record_id in (
            ("stock.move", 0),
            ("account.move.line", 999_999_999),
            ("no.such.model", 1),
        ):
            with self.assertRaisesRegex(UserError, "does not exist any more"):
                open_document(model, record_id)

    def test_unit_costs_sum_the_balances(self):
        item = self.env["stock.cost.item"].search(
            [("product_id", "=", self.fifo.id), ("company_id", "=", self.company.id)]
        )
        self.assertRecordValues(
            item,
            [
                {
                    "quantity": 3.0,
                    "value_actual": 36.0,
                    "value_expected": 0.0,
                    "value": 36.0,
                    "unit_cost": 12.0,
                    "queued": False,
                }
            ],
        )
        self.env["stock.cost.queue"]._enqueue(self.entries(self.receipt)[:1], True)
        self.env.invalidate_all()
        self.assertTrue(item.queued)
        mine = [("company_id", "=", self.company.id)]
        search = item.search
        self.assertEqual(search([*mine, ("queued", "=", True)]), item)
        self.assertEqual(search([*mine, ("queued", "=", False)]), search(mine) - item)
        value_entries = item.action_open_value_entries()
        self.assertEqual(
            self.env["stock.value.entry"].search(value_entries["domain"]),
            self.env["stock.value.entry"].search([("product_id", "=", self.fifo.id)]),
        )
        ledger_entries = item.action_open_ledger_entries()
        self.assertEqual(
            self.env["stock.ledger.entry"].search_count(ledger_entries["domain"]), 3
        )

    def test_lists_take_the_same_queries_for_many(self):
        for model, names in (
            ("stock.value.entry", ["cost_posted_to_gl", "to_post", "user_name"]),
            ("stock.ledger.entry", ["cost_amount_actual", "invoiced_quantity"]),
            ("stock.cost.item", ["value", "queued"]),
        ):
            records = self.env[model].search([])
            self.assertGreater(len(records), 1)
            counts = []
            for some in (records[:1], records):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                some.read(names)
                counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(counts[0], counts[1], model)

    def test_overview_counts_what_is_to_do(self):
        values = self.entries(self.receipt)
        self.env["stock.cost.queue"]._enqueue(values, True)
        sale = self.sell(self.average, 2, date="2026-01-12")
        self.deliver(sale, date="2026-01-12")
        action = self.as_reader(self.env["inventory.cost.overview"]).action_open()
        overview = self.as_reader(self.env[action["res_model"]]).browse(
            action["res_id"]
        )
        waiting = self.env["stock.value.entry.queue"].search(
            [("company_id", "=", self.company.id)]
        )
        self.assertEqual(overview.adjust_count, 1)
        self.assertEqual(overview.post_count, len(waiting.value_entry_id))
        self.assertEqual(overview.post_from, min(waiting.mapped("posting_date")))
        self.assertEqual(overview.uncovered_count, 1)
        self.assertFalse(overview.run_ids)
        uncovered = self.env["stock.ledger.entry"].search(
            [
                *overview.action_uncovered()["domain"],
                ("remaining_quantity", "<", 0),
            ]
        )
        self.assertEqual(uncovered.product_id, self.average)
        form = Form(overview)
        self.assertEqual(form.adjust_count, 1)

    def test_overview_shows_the_last_runs(self):
        self.env["inventory.cost.post"].create({}).action_run()
        self.env["inventory.period"].create(
            {"ending_date": "2025-12-31", "company_id": self.company.id}
        ).action_close()
        overview = self.as_reader(self.env["inventory.cost.overview"]).create({})
        self.assertEqual(overview.run_ids.kind, "post")
        self.assertEqual(overview.post_count, 0)
        self.assertEqual(str(overview.closed_until), "2025-12-31")

    def test_entries_of_two_companies(self):
        other = self.make_company("Other Company")
        stranger = self.make_user("stranger", "inventory_cost_gl.group_user")
        stranger.sudo().write(
            {"company_ids": [Command.set(other.ids)], "company_id": other.id}
        )
        for model in LEDGERS:
            self.assertFalse(
                self.env[model]
                .with_user(stranger)
                .with_context(allowed_company_ids=other.ids)
                .search([("company_id", "=", self.company.id)]),
                model,
            )
