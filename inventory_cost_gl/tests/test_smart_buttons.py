from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from .common import InventoryCostCommon


class ScreensCommon(InventoryCostCommon):
    """One product bought, billed, sold and invoiced; one scrapped."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        cls.order = test.buy(cls.fifo, 10, 10.0, date="2026-01-05")
        cls.receipt = test.receive(cls.order, date="2026-01-05")
        cls.sale = test.sell(cls.fifo, 6, date="2026-01-07")
        cls.delivery = test.deliver(cls.sale, date="2026-01-07")
        cls.bill_ = test.bill(cls.order, price=12.0, date="2026-01-08")
        cls.invoice_ = test.invoice(cls.sale, date="2026-01-09")
        cls.scrapped = test.scrap(cls.fifo, 1, date="2026-01-10")
        cls.reader = cls.make_user("reader", "inventory_cost_gl.group_user")
        cls.clerk = cls.make_user(
            "clerk",
            "stock.group_stock_user",
            "purchase.group_purchase_user",
            "sales_team.group_sale_salesman_all_leads",
            "account.group_account_invoice",
        )

    @classmethod
    def make_user(cls, login, *groups):
        """Return a user of the company with these groups."""
        return new_test_user(
            cls.env,
            login=f"screens_{login}",
            groups=",".join(["base.group_user", *groups]),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def documents(self):
        """Return ``{document: its value entries}``."""
        received, delivered = self.entries(self.receipt), self.entries(self.delivery)
        return {
            self.receipt: received,
            self.order: received,
            self.delivery: delivered,
            self.sale: delivered,
            self.scrapped: self.entries(self.scrapped),
            self.scrapped.scrap_id: self.entries(self.scrapped),
            # The bill also made the delivery dearer.
            self.bill_: self.sourced(received + delivered, self.bill_),
            self.invoice_: self.sourced(delivered, self.invoice_),
        }

    def sourced(self, entries, move):
        """Return the value entries whose source is a line of a bill or invoice."""
        return entries.filtered(
            lambda value: value.source_model == "account.move.line"
            and value.source_id in move.invoice_line_ids.ids
        )


@tagged("post_install", "-at_install")
class TestSmartButtons(ScreensCommon):
    """The buttons from documents to their value entries."""

    def test_buttons_count_and_open_the_same_entries(self):
        for document, entries in self.documents().items():
            with self.subTest(model=document._name, id=document.id):
                self.assertTrue(entries)
                self.assertEqual(document.value_entry_count, len(entries))
                action = document.action_open_value_entries()
                self.assertEqual(
                    self.env["stock.value.entry"].search(action["domain"]), entries
                )

    def test_document_without_cost_shows_none(self):
        order = self.buy(self.fifo, 1, 10.0)
        self.assertEqual(order.value_entry_count, 0)
        self.assertEqual(order.picking_ids.value_entry_count, 0)
        self.assertEqual(self.env["sale.order"].new({}).value_entry_count, 0)

    def test_counting_takes_the_same_queries_for_many(self):
        order = self.buy(self.fifo, 3, 10.0, date="2026-01-12")
        pickings = self.receipt + self.receive(order, date="2026-01-12")
        counts = []
        for records in (pickings[:1], pickings):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.mapped("value_entry_count")
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertEqual(counts[0], 1)

    def test_nobody_else_sees_or_pays_for_it(self):
        reader_too = self.make_user(
            "both",
            "stock.group_stock_user",
            "purchase.group_purchase_user",
            "sales_team.group_sale_salesman_all_leads",
            "account.group_account_invoice",
            "inventory_cost_gl.group_user",
        )
        for document in (self.receipt, self.order, self.sale, self.bill_):
            with self.subTest(model=document._name):
                own = document.with_user(self.clerk)
                self.assertNotIn("value_entry_count", own.fields_get())
                with self.assertRaises(AccessError):
                    own.read(["value_entry_count"])
                with self.assertRaises(AccessError):
                    own.action_open_value_entries()
                arch = own.get_view(view_type="form")["arch"]
                self.assertNotIn("value_entry_count", arch)
                self.assertNotIn("action_open_value_entries", arch)
                shown = document.with_user(reader_too).get_view(view_type="form")
                self.assertIn("value_entry_count", shown["arch"])

    def test_reading_a_form_as_others_do_never_asks_the_ledgers(self):
        picking = self.receipt.with_user(self.clerk)
        self.env.invalidate_all()
        with patch.object(self.env.cr, "execute", wraps=self.env.cr.execute) as execute:
            form = Form(picking)
        self.assertEqual(form.state, "done")
        queries = [
            getattr(call.args[0], "code", call.args[0])
            for call in execute.call_args_list
        ]
        self.assertTrue(any("stock_picking" in query for query in queries))
        self.assertFalse([query for query in queries if "stock_value" in query])

    def test_products_open_their_ledger_entries(self):
        for record in (self.fifo, self.fifo.product_tmpl_id):
            xmlid = f"{record._table}_ledger_entry_action"
            action = self.env.ref(f"inventory_cost_gl.{xmlid}")
            domain = safe_eval(action.domain, {"active_id": record.id})
            entries = self.env["stock.ledger.entry"].search(domain)
            self.assertEqual(len(entries), 3)
            self.assertEqual(entries.product_id, self.fifo)
