from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_write_off_wizard import WriteOffCommon


@tagged("post_install", "-at_install")
class TestTakeBackWriteOff(WriteOffCommon):
    """An accountant takes a write-off back, from one of its value entries."""

    def written_off(self, rows=None):
        """Press the wizard's button; return the value entries that it opens."""
        action = self.ask(rows or self.rows()).action_write_off()
        return self.env[action["res_model"]].search(action["domain"])

    def taken_back(self, value):
        """Press the button; return the value entries that it opens."""
        action = value.action_take_back_write_off()
        return self.env[action["res_model"]].search(action["domain"])

    def test_a_receipt(self):
        order = self.remainder()
        value = self.written_off()
        self.assertTrue(value.write_off_stands)
        back = self.taken_back(value)
        self.assertRecordValues(
            back,
            [
                {
                    "cost_amount_expected": 7.0,
                    "cost_amount_actual": 0.0,
                    "invoiced_quantity": -1.0,
                    "posting_date": value.posting_date,
                    "document_ref": value.document_ref,
                    "source_ref": order.name,
                }
            ],
        )
        self.assertEqual(self.cost(order.picking_ids), (7.0, 63.0))
        self.assertEqual(self.rows().amount, 7.0)

    def test_a_delivery(self):
        self.bill(self.received(), date="2026-01-06")
        sale = self.shipped(4)
        self.invoice(sale, 3, date="2026-01-10")
        value = self.written_off(self.rows("shipped"))
        back = self.taken_back(value)
        self.assertEqual(back.document_ref, value.document_ref)
        self.assertEqual(self.cost(sale.picking_ids), (-7.0, -21.0))
        self.assertEqual(self.rows("shipped").amount, 7.0)
        self.assertEqual(back.posting_date, value.posting_date)
        self.assertIn("7.00 of", sale.message_ids[0].body)

    def test_a_standard_cost(self):
        order = self.received(product=self.standard, price=9.0, quantity=1)
        before = self.cost(order.picking_ids)
        values = self.written_off()
        variance = values.filtered("variance_type")
        self.assertTrue(variance.write_off_stands)
        self.taken_back(variance)
        self.assertEqual(self.cost(order.picking_ids), before)

    def test_the_general_ledger_follows(self):
        order = self.remainder()
        value = self.written_off()
        self.post()
        self.taken_back(value)
        self.post()
        self.assertEqual(self.gl("inventory_interim"), 7.0)
        self.bill(order, 1, 8.0, date="2026-02-10")
        self.post()
        self.assertEqual(self.gl("inventory_interim"), 0.0)
        self.assertEqual(self.gl("inventory"), 71.0)

    def test_it_can_be_written_off_again(self):
        order = self.remainder()
        first = self.written_off()
        self.taken_back(first)
        again = self.written_off()
        self.assertNotEqual(again.document_ref, first.document_ref)
        self.assertEqual(self.cost(order.picking_ids), (0.0, 63.0))

    def test_the_other_order_lines_of_a_number_stay_written_off(self):
        for _order in range(2):
            self.remainder()
        values = self.written_off()
        self.taken_back(values[0])
        self.env.invalidate_all()
        self.assertFalse(values[0].write_off_stands)
        self.assertTrue(values[1].write_off_stands)
        self.assertEqual(len(self.rows()), 1)

    def test_order_and_receipt_are_told(self):
        order = self.remainder()
        value = self.written_off()
        accountant = self.user_with("group_accountant")
        self.as_user(value, accountant).action_take_back_write_off()
        for document in (order, order.picking_ids):
            note = document.message_ids[0]
            for part in (value.document_ref, "7.00", "taken back", "02/01/2026"):
                self.assertIn(part, note.body)
            self.assertEqual(note.author_id, accountant.partner_id)

    def test_a_closed_period_moves_it_on(self):
        self.remainder()
        value = self.written_off()
        self.env["inventory.period"].create(
            {"ending_date": "2026-02-28", "company_id": self.company.id}
        ).sudo().write({"closed": True})
        self.assertEqual(str(self.taken_back(value).posting_date), "2026-03-01")

    def test_the_button_shows_on_standing_write_offs_only(self):
        self.remainder()
        receipt = self.env["stock.value.entry"].search(
            [("company_id", "=", self.company.id)]
        )
        value = self.written_off()
        self.assertFalse(any(receipt.mapped("write_off_stands")))
        self.assertTrue(value.write_off_stands)
        back = self.taken_back(value)
        self.env.invalidate_all()
        self.assertFalse(any((value | back).mapped("write_off_stands")))

    # -- Refused ----------------------------------------------------------------------

    def test_twice(self):
        self.remainder()
        value = self.written_off()
        self.taken_back(value)
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "no write-off to take back"):
            value.action_take_back_write_off()

    def test_billed_in_the_meantime(self):
        order = self.remainder()
        value = self.written_off()
        self.bill(order, 1, date="2026-02-10")
        self.env.invalidate_all()
        before = self.entries(order.picking_ids)
        with self.assertRaisesRegex(UserError, "a bill or an invoice has come"):
            value.action_take_back_write_off()
        self.assertEqual(self.entries(order.picking_ids), before)

    def test_other_value_entries(self):
        order = self.remainder()
        bill = self.entries(order.picking_ids)[-1]
        self.written_off()
        with self.assertRaisesRegex(UserError, "no write-off to take back"):
            bill.action_take_back_write_off()

    def test_accountants_only(self):
        self.remainder()
        value = self.written_off()
        reader = self.user_with("group_user")
        self.assertTrue(self.as_user(value, reader).write_off_stands)
        with self.assertRaises(AccessError):
            self.as_user(value, reader).action_take_back_write_off()
        self.assertFalse(self.rows())

    def test_another_company(self):
        self.remainder()
        value = self.written_off()
        other = self.make_company("Other")
        stranger = self.user_with("group_accountant", company=other)
        with self.assertRaises(AccessError):
            self.as_user(value, stranger).action_take_back_write_off()
        self.assertFalse(self.rows())
