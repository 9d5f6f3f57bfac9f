"""A changed standard cost, and the offer to revalue what is in stock."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestStandardCost(InventoryCostCommon):
    def stock(self, quantity=10, product=None):
        """Receive and bill goods at standard cost 10.00; return the receipt."""
        order = self.buy(product or self.standard, quantity, 10.0, date="2026-01-05")
        receipt = self.receive(order, date="2026-01-05")
        self.bill(order, date="2026-01-05")
        return receipt

    def offer(self, product=None, user=None):
        """Return what the product form offers: (value of the stock, at standard)."""
        self.env.invalidate_all()
        template = (product or self.standard).product_tmpl_id
        template = template.with_user(user or self.env.user)
        if not template.revaluation_offered:
            return None
        return template.ledger_stock_value, template.standard_stock_value

    def user(self, *groups):
        return new_test_user(
            self.env,
            f"standard {groups}",
            groups=",".join(groups),
            company_id=self.company.id,
        )

    def test_offered_after_the_change(self):
        receipt = self.stock()
        self.assertIsNone(self.offer())
        with Form(self.standard.product_tmpl_id) as form:
            form.standard_price = 12.0
            self.assertFalse(form.revaluation_offered)
        self.assertEqual(self.offer(), (100.0, 120.0))
        self.assertEqual(sum(self.cost(receipt)), 100.0)

    def test_later_entries_only(self):
        self.stock()
        self.standard.standard_price = 12.0
        sale = self.sell(self.standard, 4, date="2026-01-10")
        self.assertEqual(sum(self.cost(self.deliver(sale, date="2026-01-10"))), -40.0)
        self.assertEqual(sum(self.cost(self.stock(5))), 60.0)

    def test_the_button_opens_a_prefilled_draft(self):
        receipt = self.stock()
        self.standard.standard_price = 12.0
        with self.at("2026-01-20"):
            action = self.standard.product_tmpl_id.action_revalue_to_standard()
        draft = self.env["inventory.revaluation"].browse(action["res_id"])
        line = draft.line_ids
        self.assertEqual((draft.state, str(draft.date)), ("draft", "2026-01-20"))
        self.assertIn(self.standard.name, draft.reason)
        self.assertEqual(line.product_id, self.standard)
        self.assertEqual(
            (line.quantity, line.value_calculated, line.value_revalued),
            (10.0, 100.0, 120.0),
        )
        draft.action_approve()
        draft.action_post()
        self.assertEqual(sum(self.cost(receipt)), 120.0)
        self.assertIsNone(self.offer())
        self.assertEqual(self.standard.standard_price, 12.0)

    def test_pressed_twice_there_is_one_draft(self):
        self.stock()
        self.standard.standard_price = 12.0
        first = self.standard.action_revalue_to_standard()
        self.standard.standard_price = 14.0
        second = self.standard.action_revalue_to_standard()
        self.assertEqual(first["res_id"], second["res_id"])
        draft = self.env["inventory.revaluation"].browse(first["res_id"])
        self.assertEqual(draft.line_ids.value_revalued, 140.0)

    def test_cents_are_not_offered(self):
        self.stock(3)
        self.standard.standard_price = 10.001
        self.assertIsNone(self.offer())

    def test_without_stock_or_another_method(self):
        self.standard.standard_price = 12.0
        self.assertIsNone(self.offer())
        self.stock(product=self.fifo)
        self.assertIsNone(self.offer(self.fifo))

    def test_goods_not_billed_count(self):
        order = self.buy(self.standard, 10, 10.0, date="2026-01-05")
        self.receive(order, date="2026-01-05")
        self.standard.standard_price = 9.0
        self.assertEqual(self.offer(), (100.0, 90.0))

    def test_accountants_only(self):
        self.stock()
        self.standard.standard_price = 12.0
        clerk = self.user("stock.group_stock_manager", "inventory_cost_gl.group_user")
        accountant = self.user(
            "stock.group_stock_user", "inventory_cost_gl.group_accountant"
        )
        self.assertIsNone(self.offer(user=clerk))
        self.assertEqual(self.offer(user=accountant), (100.0, 120.0))
        with self.assertRaises(AccessError):
            self.standard.with_user(clerk).action_revalue_to_standard()
        arch = self.standard.with_user(clerk).get_view(view_type="form")["arch"]
        self.assertNotIn("action_revalue_to_standard", arch)
        self.assertTrue(
            self.standard.with_user(accountant).action_revalue_to_standard()
        )

    def test_the_screens_of_template_and_variant(self):
        for model in ("product.template", "product.product"):
            arch = self.env[model].get_view(view_type="form")["arch"]
            self.assertIn("action_revalue_to_standard", arch)

    def test_several_variants_have_their_own_offer(self):
        attribute = self.env["product.attribute"].create(
            {
                "name": "Size",
                "value_ids": [Command.create({"name": n}) for n in ("S", "L")],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Jacket",
                "is_storable": True,
                "categ_id": self.categories["standard"].id,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        small, large = template.product_variant_ids
        small.standard_price = large.standard_price = 10.0
        self.stock(product=small)
        small.standard_price = 12.0
        self.assertFalse(template.revaluation_offered)
        self.assertTrue(small.revaluation_offered)
        self.assertFalse(large.revaluation_offered)

    def test_one_query_for_many(self):
        products = self.standard
        for number in range(4):
            products |= self.make_product("standard", name=f"Standard {number}")
        for product in products:
            self.stock(product=product)
        self.env.flush_all()

        def queries(some):
            self.env.invalidate_all()
            some.mapped("cost_method")
            some.mapped("uom_id.rounding")
            some.mapped("standard_price")
            before = self.env.cr.sql_log_count
            some.mapped("revaluation_offered")
            return self.env.cr.sql_log_count - before

        self.assertEqual(queries(products), queries(products[:1]))

    def test_closed_period(self):
        """The offer does not get around a closed period."""
        self.stock()
        self.standard.standard_price = 12.0
        with self.at("2026-01-20"):
            action = self.standard.action_revalue_to_standard()
        draft = self.env["inventory.revaluation"].browse(action["res_id"])
        self.env["inventory.period"].create(
            {"company_id": self.company.id, "ending_date": "2026-01-31"}
        ).action_close()
        draft.action_approve()
        with self.assertRaisesRegex(UserError, "closed"):
            draft.action_post()
