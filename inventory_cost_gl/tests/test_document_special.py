from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestDocumentSpecial(InventoryCostCommon):
    """Drop shipments, lots, goods of others, users without cost rights, messages."""

    def move_goods(self, product, quantity, source, destination, **values):
        """Return a done move between two locations, as any addon may make it."""
        move = self.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom_qty": quantity,
                "location_id": source.id,
                "location_dest_id": destination.id,
                **values,
            }
        )
        move._action_confirm()
        move._action_assign()
        move.quantity = quantity
        move.picked = True
        move._action_done()
        return move

    def test_drop_shipment_never_touches_the_average(self):
        order = self.buy(self.average, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        purchase = self.buy(self.average, 4, 30.0, date="2026-01-06")
        purchase.picking_ids.action_cancel()
        with self.at("2026-01-06"):
            move = self.move_goods(
                self.average,
                4,
                self.vendor.property_stock_supplier,
                self.customer.property_stock_customer,
                purchase_line_id=purchase.order_line.id,
            )
        entries = self.ledger_entries(move)
        self.assertEqual(
            [(e.entry_type, e.quantity, e.open) for e in entries],
            [("purchase", 4.0, False), ("sale", -4.0, False)],
        )
        self.assertEqual(entries[1].applies_to_entry_id, entries[0])
        self.assertEqual(entries[1].cost_amount_actual, -120.0)
        self.assertEqual(self.average.standard_price, 10.0)
        self.bill(purchase, 4, 31.0, date="2026-01-08")
        self.assertEqual(entries[1].cost_amount_actual, -124.0)
        self.assertEqual(self.average.standard_price, 10.0)

    def test_lots_keep_their_own_cost(self):
        product = self.make_product("fifo", tracking="lot", lot_valuated=True)
        lots = [self.make_lot(product, name) for name in ("L1", "L2")]
        receipts = []
        for lot, price in zip(lots, (10.0, 20.0), strict=True):
            order = self.buy(product, 5, price, date="2026-01-05")
            receipts.append(self.receive(order, date="2026-01-05", lots={lot: 5}))
            self.bill(order, price=price + 1, date="2026-01-06")
        sale = self.sell(product, 3, date="2026-01-07")
        delivery = self.deliver(sale, date="2026-01-07", lots={lots[1]: 3})
        self.assertEqual(self.cost(delivery), (-63.0, 0.0))
        self.assertEqual(self.ledger_entries(delivery).lot_id, lots[1])
        self.assertEqual(lots[1].standard_price, 21.0)
        self.assertEqual(lots[0].standard_price, 11.0)

    def test_goods_of_others_are_nobodys_cost(self):
        owner = self.env["res.partner"].create({"name": "Owner"})
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        order.picking_ids.owner_id = owner
        receipt = self.receive(order, date="2026-01-05")
        self.assertFalse(self.ledger_entries(receipt))

    def test_users_without_cost_rights_notice_nothing(self):
        stock_user = new_test_user(
            self.env,
            "warehouse worker",
            groups="stock.group_stock_user",
            company_id=self.company.id,
        )
        biller = new_test_user(
            self.env,
            "biller",
            groups="account.group_account_invoice",
            company_id=self.company.id,
        )
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        picking = order.picking_ids.with_user(stock_user)
        with self.at("2026-01-05"):
            picking.move_ids.quantity = 10
            picking.move_ids.picked = True
            picking.button_validate()
        self.assertEqual(self.cost(picking.sudo()), (100.0, 0.0))
        bill = self.bill(order, price=12.0, date="2026-01-06", post=False)
        bill.with_user(biller).action_post()
        self.assertEqual(self.cost(picking.sudo()), (0.0, 120.0))
        entry = self.entries(picking.sudo())[0]
        self.assertEqual(entry.user_ref, stock_user.id)

    def test_bill_line_without_an_order_says_so(self):
        with self.at("2026-01-05"):
            bill = self.env["account.move"].create(
                {
                    "move_type": "in_invoice",
                    "partner_id": self.vendor.id,
                    "invoice_date": "2026-01-05",
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": self.fifo.id,
                                "quantity": 3,
                                "price_unit": 10.0,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
            )
            bill.action_post()
        self.assertIn("belong to no purchase order", bill.message_ids[0].body)

    def test_lines_without_a_product_state_nothing(self):
        """Down payments and notes have order lines, but no product."""
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        order.order_line = [
            Command.create(
                {"display_type": "line_note", "name": "Fragile", "product_qty": 0.0}
            )
        ]
        order.order_line.write({"discount": 10.0})
        sale = self.sell(self.fifo, 4, date="2026-01-06")
        wizard = self.env["sale.advance.payment.inv"].create(
            {
                "sale_order_ids": [Command.set(sale.ids)],
                "advance_payment_method": "fixed",
                "fixed_amount": 10.0,
            }
        )
        wizard.create_invoices()
        sale.invoice_ids.action_post()
        delivery = self.deliver(sale, date="2026-01-07")
        self.assertEqual(self.cost(delivery), (-36.0, 0.0))
        self.invoice(sale, date="2026-01-08")
        self.assertEqual(self.cost(delivery), (0.0, -36.0))

    def test_bill_line_of_no_quantity_states_nothing(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, 0, 10.0, date="2026-01-06")
        self.assertEqual(self.cost(receipt), (100.0, 0.0))

    def test_closed_period_refuses_goods_and_moves_bills(self):
        order = self.buy(self.fifo, 10, 10.0, date="2026-01-05")
        receipt = self.receive(order, 6, date="2026-01-05")
        self.env["inventory.period"].create(
            {
                "company_id": self.company.id,
                "ending_date": "2026-01-31",
                "closed": True,
            }
        )
        with self.assertRaisesRegex(Exception, "closed until"):
            self.receive(order, 4, date="2026-01-20")
        bill = self.bill(order, 6, 11.0, date="2026-01-25")
        actual = self.entries(receipt).filtered("cost_amount_actual")
        self.assertEqual(str(actual.posting_date), "2026-02-01")
        self.assertEqual(str(bill.date), "2026-01-25")
        self.assertTrue(
            any("02/01/2026" in (m.body or "") for m in bill.message_ids),
            bill.message_ids.mapped("body"),
        )

    def test_two_companies_keep_their_own_cost(self):
        other = self.make_company("Other Company")
        self.env.user.company_ids |= other
        self.assertEqual(self.fifo.standard_price, 10.0)
        order = self.buy(self.fifo, 10, 20.0, date="2026-01-05")
        # Validated by a user who is active in the other company.
        picking = order.picking_ids.with_context(
            allowed_company_ids=[other.id, self.company.id]
        )
        with self.at("2026-01-05"):
            picking.move_ids.quantity = 10
            picking.move_ids.picked = True
            picking.button_validate()
        entry = self.ledger_entries(order.picking_ids)
        self.assertEqual(entry.company_id, self.company)
        self.assertEqual(self.fifo.standard_price, 20.0)
        self.assertEqual(self.fifo.with_company(other).standard_price, 0.0)
