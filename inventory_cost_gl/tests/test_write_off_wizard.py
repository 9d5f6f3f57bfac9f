from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_not_invoiced import NotInvoicedCommon


class WriteOffCommon(NotInvoicedCommon):
    """Remainders that the company's tolerance allows to write off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.inventory_write_off_tolerance = 10.0

    def ask(self, rows, user=None, **values):
        """Press the list's button; return the wizard as it is saved."""
        action = rows.action_write_off()
        model = self.env[action["res_model"]]
        if user:
            model = self.as_user(model, user)
        form = Form(model.with_context(**action["context"]))
        form.reason = "Short delivery"
        form.date = "2026-02-01"
        for name, value in values.items():
            form[name] = value
        return form.save()

    def remainder(self, left=1):
        """Return an order of 10 at 7.00, received, of which some are not billed."""
        order = self.received()
        self.bill(order, 10 - left, date="2026-01-10")
        return order


@tagged("post_install", "-at_install")
class TestWriteOffWizard(WriteOffCommon):
    """An accountant writes off the remainder of order lines from the list."""

    def test_a_receipt(self):
        order = self.remainder()
        wizard = self.ask(self.rows())
        self.assertRecordValues(
            wizard.line_ids,
            [
                {
                    "order_ref": order.name,
                    "partner_id": self.vendor.id,
                    "product_id": self.fifo.id,
                    "quantity": 1.0,
                    "amount": 7.0,
                }
            ],
        )
        self.assertEqual((wizard.amount, wizard.tolerance), (7.0, 10.0))
        self.assertFalse(wizard.over_tolerance)
        action = wizard.action_write_off()
        value = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(value.cost_amount_expected, -7.0)
        self.assertEqual(value.cost_amount_actual, 0.0)
        self.assertEqual(str(value.posting_date), "2026-02-01")
        self.assertRegex(value.document_ref, r"^WROFF/2026/\d{4}$")
        self.assertEqual(value.source_ref, order.name)
        self.assertFalse(self.rows())
        self.assertEqual(self.cost(order.picking_ids), (0.0, 63.0))

    def test_the_amounts_show_before_anything_is_saved(self):
        self.remainder(2)
        action = self.rows().action_write_off()
        form = Form(self.env[action["res_model"]].with_context(**action["context"]))
        with form.line_ids.edit(0) as line:
            self.assertEqual((line.quantity, line.amount), (2.0, 14.0))
        self.assertTrue(form.over_tolerance)

    def test_order_and_receipt_are_told(self):
        order = self.remainder()
        value = self.env["stock.value.entry"].search(
            self.ask(self.rows()).action_write_off()["domain"]
        )
        for document in (order, order.picking_ids):
            note = document.message_ids[0].body
            for part in (value.document_ref, "7.00", "Short delivery", "1.00"):
                self.assertIn(part, note)

    def test_a_delivery(self):
        self.bill(self.received(), date="2026-01-06")
        sale = self.shipped(4)
        self.invoice(sale, 3, date="2026-01-10")
        wizard = self.ask(self.rows("shipped"))
        self.assertEqual(wizard.line_ids.mapped("amount"), [7.0])
        wizard.action_write_off()
        self.assertEqual(self.cost(sale.picking_ids), (0.0, -28.0))
        self.assertIn("Short delivery", sale.message_ids[0].body)

    def test_a_late_bill_is_recorded_exactly(self):
        order = self.remainder()
        self.ask(self.rows()).action_write_off()
        self.bill(order, 1, 9.0, date="2026-02-10")
        self.assertEqual(self.cost(order.picking_ids), (0.0, 72.0))
        self.assertFalse(self.rows())
        self.post()
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.assertEqual(self.gl("inventory"), 72.0)

    def test_several_lines_have_one_number(self):
        for _order in range(3):
            self.remainder()
        wizard = self.ask(self.rows())
        self.assertEqual(len(wizard.line_ids), 3)
        values = self.env["stock.value.entry"].search(
            wizard.action_write_off()["domain"]
        )
        self.assertEqual(len(values), 3)
        self.assertEqual(len(set(values.mapped("document_ref"))), 1)
        self.remainder()
        again = self.env["stock.value.entry"].search(
            self.ask(self.rows()).action_write_off()["domain"]
        )
        self.assertNotIn(again.document_ref, values.mapped("document_ref"))

    def test_two_receipts_of_a_line_are_one_line(self):
        order = self.buy(self.fifo, 2, 3.0, date="2026-01-05")
        self.receive(order, 1, date="2026-01-05")
        self.receive(order, 1, date="2026-01-06")
        wizard = self.ask(self.rows())
        self.assertEqual(wizard.line_ids.mapped("amount"), [6.0])
        wizard.action_write_off()
        self.assertFalse(self.rows())

    def test_from_a_list_of_the_past_it_is_what_is_open_now(self):
        order = self.received()
        past = self.rows(on="2026-01-05")
        self.assertEqual(past.amount, 70.0)
        self.bill(order, 9, date="2026-01-10")
        self.assertEqual(self.ask(past).line_ids.mapped("amount"), [7.0])

    # -- Refused ----------------------------------------------------------------------

    def test_over_the_tolerance(self):
        small, large = self.remainder(1), self.remainder(2)
        wizard = self.ask(self.rows())
        self.assertTrue(wizard.over_tolerance)
        with self.assertRaises(UserError) as error:
            wizard.action_write_off()
        message = str(error.exception)
        self.assertIn(large.name, message)
        self.assertIn("14.00", message)
        self.assertIn("10.00", message)
        self.assertNotIn(small.name, message)
        self.assertEqual(len(self.rows()), 2, "nothing is changed")
        wizard.line_ids.filtered(lambda line: line.amount > 10).unlink()
        wizard.action_write_off()
        self.assertEqual(self.rows().purchase_order_id, large)

    def chosen(self, *lines):
        """Return a wizard with lines of ledger entries as an accountant chose them."""
        accountant = self.user_with("group_accountant")
        return self.as_user(self.env["inventory.cost.write.off"], accountant).create(
            {
                "reason": "Mine",
                "date": "2026-02-01",
                "line_ids": [
                    Command.create({"ledger_entry_ids": entries.ids})
                    for entries in lines
                ],
            }
        )

    def test_an_order_line_cut_in_two(self):
        """Each receipt is within the tolerance, the order line is not."""
        order = self.buy(self.fifo, 2, 6.0, date="2026-01-05")
        self.receive(order, 1, date="2026-01-05")
        self.receive(order, 1, date="2026-01-06")
        first, second = self.rows()._ledger_entries()
        for lines in ((first, second), (first,)):
            wizard = self.chosen(*lines)
            self.assertTrue(wizard.over_tolerance)
            with self.assertRaisesRegex(UserError, f"{order.name}, .*12.00"):
                wizard.action_write_off()
        self.assertEqual(self.rows().amount, 12.0)

    def test_two_orders_that_set_each_other_off(self):
        order, returned = self.received(), self.received()
        self.bill(returned, date="2026-01-10")
        self.give_back(returned.picking_ids, 10, date="2026-01-12")
        entries = self.rows()._ledger_entries()
        wizard = self.chosen(entries)
        self.assertEqual(wizard.line_ids.amount, 0.0)
        self.assertTrue(wizard.over_tolerance)
        with self.assertRaises(UserError) as error:
            wizard.action_write_off()
        for name in (order.name, returned.name):
            self.assertIn(name, str(error.exception))
        self.assertEqual(len(self.rows()), 2)

    def test_the_tolerance_is_read_at_once(self):
        """How many order lines there are does not change the number of queries."""
        counts = []
        for number in (2, 6):
            for _order in range(number):
                self.remainder()
            entries = self.rows()._ledger_entries()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertFalse(entries._over_write_off_tolerance())
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(*counts)

    def test_exactly_the_tolerance(self):
        self.company.inventory_write_off_tolerance = 7.0
        self.remainder()
        self.ask(self.rows()).action_write_off()
        self.assertFalse(self.rows())

    def test_a_negative_remainder_counts_too(self):
        order = self.received()
        self.bill(order, date="2026-01-10")
        self.give_back(order.picking_ids, 3, date="2026-01-12")
        wizard = self.ask(self.rows())
        self.assertEqual(wizard.line_ids.mapped("amount"), [-21.0])
        with self.assertRaisesRegex(UserError, "More is expected"):
            wizard.action_write_off()

    def test_no_tolerance_allows_nothing(self):
        self.company.inventory_write_off_tolerance = 0.0
        self.remainder()
        with self.assertRaisesRegex(UserError, "More is expected"):
            self.ask(self.rows()).action_write_off()

    def test_the_amount_is_checked_when_it_is_written_off(self):
        order = self.remainder()
        wizard = self.ask(self.rows())
        order.order_line.price_unit = 70.0
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "More is expected"):
            wizard.action_write_off()

    def test_invoiced_in_the_meantime(self):
        order = self.remainder()
        wizard = self.ask(self.rows())
        self.bill(order, 1, date="2026-01-12")
        self.env.invalidate_all()
        notes = len(order.message_ids)
        with self.assertRaisesRegex(UserError, "in the meantime"):
            wizard.action_write_off()
        self.assertEqual(len(order.message_ids), notes)

    def test_nothing_chosen(self):
        with self.assertRaisesRegex(UserError, "nothing to write off"):
            self.ask(self.rows()).action_write_off()

    def test_a_closed_period(self):
        self.remainder()
        wizard = self.ask(self.rows(), date="2026-01-20")
        self.env["inventory.period"].create(
            {"ending_date": "2026-01-31", "company_id": self.company.id}
        ).sudo().write({"closed": True})
        with self.assertRaisesRegex(UserError, "closed"):
            wizard.action_write_off()
        self.assertTrue(self.rows())

    def test_accountants_only(self):
        self.remainder()
        rows = self.rows()
        reader = self.user_with("group_user")
        with self.assertRaises(AccessError):
            self.ask(rows, reader)
        accountant = self.user_with("group_accountant")
        self.ask(rows, accountant).action_write_off()
        self.assertFalse(self.rows())

    def test_the_accountant_is_named(self):
        order = self.remainder()
        accountant = self.user_with("group_accountant")
        self.ask(self.rows(), accountant).action_write_off()
        self.assertEqual(order.message_ids[0].author_id, accountant.partner_id)
        value = self.entries(order.picking_ids)[-1]
        self.assertEqual(value.user_ref, accountant.id)

    def test_another_companys_entries_are_refused(self):
        self.remainder()
        entries = self.rows()._ledger_entries()
        other = self.make_company("Other")
        stranger = self.user_with("group_accountant", company=other)
        wizards = self.as_user(self.env["inventory.cost.write.off"], stranger)
        with self.assertRaises(AccessError):
            wizards.create(
                {
                    "reason": "Mine",
                    "line_ids": [(0, 0, {"ledger_entry_ids": entries.ids})],
                }
            ).action_write_off()
        self.assertTrue(self.rows())
