"""Who may adjust cost: people with a role, not only the superuser tests run as."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import InventoryCostCommon


@tagged("post_install", "-at_install")
class TestAdjustAccess(InventoryCostCommon):
    """Adjust Cost as users press it."""

    def wizard_of(self, group, **values):
        """Return the wizard as a user of this group opens it."""
        user = self.env["res.users"].create(
            {
                "name": group,
                "login": group,
                "company_id": self.company.id,
                "company_ids": [Command.set(self.company.ids)],
                "group_ids": [
                    Command.link(self.env.ref(f"inventory_cost_gl.{group}").id)
                ],
            }
        )
        return self.env["inventory.cost.adjust"].with_user(user).create(values)

    def make_stale(self):
        """Let a late bill wait for adjustment: 6 of 10 are sold, billed at 12."""
        self.company.automatic_cost_adjustment = "never"
        order = self.buy(self.fifo, 10, 10.0, date="2026-03-02")
        self.receive(order, date="2026-03-02")
        sale = self.sell(self.fifo, 6, date="2026-03-03")
        delivery = self.deliver(sale, date="2026-03-03")
        self.bill(order, price=12.0, date="2026-03-05")
        return delivery

    def test_accountant_adjusts(self):
        delivery = self.make_stale()
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))
        action = self.wizard_of("group_accountant").action_adjust()
        run = self.env["inventory.cost.run"].browse(action["res_id"])
        self.assertEqual(run.state, "done")
        self.assertEqual(run.user_id.login, "group_accountant")
        self.assertEqual(self.cost(delivery), (-72.0, 0.0))

    def test_reader_does_not_adjust(self):
        delivery = self.make_stale()
        with self.assertRaises(AccessError):
            self.wizard_of("group_user").action_adjust()
        self.assertEqual(self.cost(delivery), (-60.0, 0.0))

    def test_products_or_categories(self):
        wizard = self.wizard_of(
            "group_accountant",
            product_ids=[Command.set(self.fifo.ids)],
            category_ids=[Command.set(self.fifo.categ_id.ids)],
        )
        with self.assertRaises(UserError):
            wizard.action_adjust()
