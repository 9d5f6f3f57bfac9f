"""Switching the cost subledger on: the setup wizard."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES, ROLES
from .common import InventoryCostCommon


class SetupCommon(InventoryCostCommon):
    """A company with the chart of accounts, and nothing of ours set up."""

    @classmethod
    def setup_posting(cls):
        """Leave it to the wizard."""

    @classmethod
    def setup_products(cls):
        """One unmanaged category with a product."""
        cls.category = cls.env["product.category"].create(
            {
                "name": "Hardware",
                "property_valuation": "periodic",
                "property_cost_method": "fifo",
            }
        )
        cls.categories = {"fifo": cls.category}
        cls.product = cls.make_product("fifo", name="Bolt")

    def wizard(self):
        return Form(self.env["inventory.cost.setup"])

    def line(self, wizard, role):
        """Return the wizard's line of a role."""
        return wizard.account_line_ids.filtered(lambda line: line.role == role)

    def tick(self, form, category):
        """Tick a category in the wizard's form."""
        for index in range(len(form.category_line_ids)):
            with form.category_line_ids.edit(index) as line:
                if line.category_id == category:
                    line.managed = True

    def apply(self, *categories):
        """Apply the proposals with these categories ticked; return the wizard."""
        with self.wizard() as form:
            for category in categories:
                self.tick(form, category)
        form.record.action_apply()
        return form.record

    def assertRefused(self, wizard, *words, error=UserError):
        with self.assertRaises(error) as raised, self.cr.savepoint():
            wizard.action_apply()
        for word in words:
            self.assertIn(word, str(raised.exception))
        self.env.registry.clear_all_caches()
        self.env.invalidate_all()
        self.assertFalse(self.env["general.posting.setup"].search([]))
        self.assertFalse(self.company.inventory_cost_journal_id)


@tagged("post_install", "-at_install")
class TestSetupWizard(SetupCommon):
    def test_proposal(self):
        """One line for each role: new accounts near the chart's, with free codes."""
        wizard = self.wizard().save()
        self.assertEqual(wizard.account_line_ids.mapped("role"), list(ROLES))
        new = wizard.account_line_ids.filtered("is_new")
        codes = new.mapped("code")
        self.assertEqual(len(set(codes)), len(codes))
        self.assertFalse(
            self.env["account.account"].search(
                [("code", "in", codes), ("company_ids", "in", self.company.ids)]
            )
        )
        stock_account = self.company.account_stock_valuation_id
        inventory = self.line(wizard, "inventory")
        self.assertEqual(len(inventory.code), len(stock_account.code))
        self.assertEqual(inventory.code[:2], stock_account.code[:2])
        self.assertEqual(inventory.account_type, "asset_current")
        self.assertEqual(
            self.line(wizard, "accrual_interim").account_type, "liability_current"
        )
        self.assertEqual(
            self.line(wizard, "purchase_variance").account_type, "expense_direct_cost"
        )

    def test_proposal_reuses_accounts(self):
        wizard = self.wizard().save()
        self.assertEqual(
            self.line(wizard, "wip").account_id,
            self.company.account_production_wip_account_id,
        )
        cogs = self.line(wizard, "cogs").account_id
        self.assertEqual(cogs.account_type, "expense_direct_cost")
        self.assertNotEqual(
            self.line(wizard, "inventory").account_id,
            self.company.account_stock_valuation_id,
        )

    def test_proposing_creates_nothing(self):
        count = self.env["account.account"].search_count([])
        self.wizard().save()
        self.assertEqual(self.env["account.account"].search_count([]), count)
        self.assertFalse(self.company.inventory_cost_journal_id)

    def test_apply(self):
        self.apply(self.category)
        self.assertTrue(self.product._is_managed())
        self.assertEqual(self.product.cost_method, "fifo")
        journal = self.company.inventory_cost_journal_id
        self.assertEqual((journal.type, journal.company_id), ("general", self.company))
        inventory_group = self.product._get_inventory_posting_group()
        product_group = self.product._get_product_posting_group()
        business_group = self.vendor._get_business_posting_group()
        self.assertEqual(inventory_group.code, "DEFAULT")
        inventory_line = self.env["inventory.posting.setup"]._find_line(
            self.company, self.warehouse.view_location_id, inventory_group
        )
        general_line = self.env["general.posting.setup"]._find_line(
            self.company, business_group, product_group
        )
        for line, roles in (
            (inventory_line, INVENTORY_POSTING_ROLES),
            (general_line, GENERAL_POSTING_ROLES),
        ):
            for role in roles:
                account = line._role_account(role)
                self.assertTrue(account, role)
                self.assertIn(self.company, account.company_ids)
        item = self.env["stock.cost.item"].search(
            [("product_id", "=", self.product.id)]
        )
        self.assertEqual(item.company_id, self.company)

    def test_apply_costs_a_receipt(self):
        """What the wizard set up is enough to record cost."""
        self.apply(self.category)
        receipt = self.receive(self.buy(self.product, 5, 4.0))
        self.assertEqual(self.cost(receipt), (20.0, 0.0))

    def test_apply_twice(self):
        """Again, the wizard proposes what exists, and applying changes nothing."""
        self.apply(self.category)
        tables = (
            "account.account",
            "account.journal",
            "inventory.posting.group",
            "product.posting.group",
            "business.posting.group",
            "inventory.posting.setup",
            "general.posting.setup",
        )
        before = {model: self.env[model].search([]) for model in tables}
        wizard = self.wizard().save()
        self.assertFalse(any(wizard.account_line_ids.mapped("is_new")))
        [line] = wizard.category_line_ids.filtered(
            lambda line: line.category_id == self.category
        )
        self.assertTrue(line.managed)
        wizard.action_apply()
        after = {model: self.env[model].search([]) for model in tables}
        self.assertEqual(after, before)
        self.assertTrue(self.product._is_managed())

    def test_edited_proposal(self):
        """The user's own account, code, name and costing method are what is used."""
        own = self.env["account.account"].create(
            {"code": "515151", "name": "My Costs", "account_type": "expense"}
        )
        with self.wizard() as form:
            for index, role in enumerate(ROLES):
                with form.account_line_ids.edit(index) as line:
                    if role == "cogs":
                        line.account_id = own
                    if role == "inventory":
                        line.code, line.name = "199199", "Goods"
            for index in range(len(form.category_line_ids)):
                with form.category_line_ids.edit(index) as line:
                    if line.category_id == self.category:
                        line.managed = True
                        line.cost_method = "lifo"
        form.record.action_apply()
        [general] = self.env["general.posting.setup"].search([])
        [inventory] = self.env["inventory.posting.setup"].search([])
        self.assertEqual(general.cogs_account_id, own)
        self.assertEqual(inventory.inventory_account_id.code, "199199")
        self.assertEqual(inventory.inventory_account_id.name, "Goods")
        self.assertEqual(self.product.cost_method, "lifo")

    def test_parent_groups_are_kept(self):
        """A category that inherits its groups gets none of its own."""
        parent = self.env["product.category"].create(
            {
                "name": "All",
                "inventory_posting_group_id": self.env["inventory.posting.group"]
                .create({"code": "P", "name": "Parent"})
                .id,
            }
        )
        self.category.parent_id = parent
        self.apply(self.category)
        self.assertFalse(self.category.inventory_posting_group_id)
        self.assertEqual(self.category.product_posting_group_id.code, "DEFAULT")
        self.assertEqual(self.product._get_inventory_posting_group().code, "P")

    def test_unticking(self):
        """A category leaves while there are no ledger entries."""
        self.apply(self.category)
        with self.wizard() as form:
            for index in range(len(form.category_line_ids)):
                with form.category_line_ids.edit(index) as line:
                    line.managed = False
        form.record.action_apply()
        self.assertFalse(self.product._is_managed())

    def test_unticking_with_entries(self):
        self.apply(self.category)
        self.receive(self.buy(self.product, 5, 4.0))
        with self.wizard() as form:
            for index in range(len(form.category_line_ids)):
                with form.category_line_ids.edit(index) as line:
                    line.managed = False
        with self.assertRaisesRegex(UserError, "Bolt has stock ledger entries"):
            form.record.action_apply()

    def test_category_figures(self):
        self.count(self.product, 7)
        wizard = self.wizard().save()
        [line] = wizard.category_line_ids.filtered(
            lambda line: line.category_id == self.category
        )
        self.assertRecordValues(
            line,
            [
                {
                    "managed": False,
                    "cost_method": "fifo",
                    "product_count": 1,
                    "quantity": 7,
                }
            ],
        )
        self.assertIn("Bolt: there is stock on hand", line.obstacle)

    # -- Refusals ---------------------------------------------------------------------

    def test_stock_on_hand(self):
        self.count(self.product, 7)
        wizard = self.wizard().save()
        wizard.category_line_ids.filtered(
            lambda line: line.category_id == self.category
        ).managed = True
        self.assertRefused(wizard, "Bolt", "there is stock on hand")
        self.assertFalse(self.product._is_managed())

    def test_open_moves(self):
        order = self.buy(self.product, 2, 5.0)
        self.receive(order)
        self.count(self.product, 0)
        wizard = self.wizard().save()
        wizard.category_line_ids.managed = True
        self.assertRefused(wizard, "Bolt", "received goods are not billed")

    def test_shared_company_account(self):
        wizard = self.wizard().save()
        self.line(
            wizard, "inventory"
        ).account_id = self.company.account_stock_valuation_id
        self.assertRefused(wizard, "stock account of", self.company.name, "Inventory")

    def test_shared_category_account(self):
        account = self.env["account.account"].create(
            {"code": "110999", "name": "Other Stock", "account_type": "asset_current"}
        )
        self.env["product.category"].create(
            {
                "name": "Plain",
                "property_valuation": "real_time",
                "property_stock_valuation_account_id": account.id,
            }
        )
        wizard = self.wizard().save()
        self.line(wizard, "inventory").account_id = account
        self.assertRefused(wizard, "Other Stock", "Plain")

    def test_empty_role(self):
        wizard = self.wizard().save()
        self.line(wizard, "purchase_variance").write({"code": False, "name": "X"})
        self.assertRefused(wizard, "Purchase Variance has no account", "code")

    def test_missing_role(self):
        wizard = self.wizard().save()
        self.line(wizard, "cogs_interim").unlink()
        self.assertRefused(wizard, "Cost of Goods Sold (Interim) has no account")

    def test_taken_code(self):
        wizard = self.wizard().save()
        self.line(
            wizard, "inventory"
        ).code = self.company.account_stock_valuation_id.code
        self.assertRefused(wizard, self.company.account_stock_valuation_id.code)

    # -- Who, and where ---------------------------------------------------------------

    def test_only_managers(self):
        accountant = new_test_user(
            self.env,
            "cost_accountant",
            "inventory_cost_gl.group_accountant,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.env["inventory.cost.setup"].with_user(accountant).create({})
        wizard = self.wizard().save()
        with self.assertRaises(AccessError):
            wizard.with_user(accountant).action_apply()

    def test_manager_without_accounting_rights(self):
        """The manager of inventory cost need not be allowed to edit the chart."""
        manager = new_test_user(
            self.env,
            "cost_manager",
            "inventory_cost_gl.group_manager,account.group_account_readonly",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with Form(self.env["inventory.cost.setup"].with_user(manager)) as form:
            self.tick(form, self.category)
        form.record.action_apply()
        self.assertTrue(self.product._is_managed())

    def test_two_companies(self):
        """Setting one company up leaves the other as it is."""
        other = self.make_company("Other Company")
        self.env.user.company_ids += other
        self.apply(self.category)
        self.assertFalse(self.product.with_company(other)._is_managed())
        self.assertFalse(other.inventory_cost_journal_id)
        env = self.env(context={**self.env.context, "allowed_company_ids": other.ids})
        with Form(env["inventory.cost.setup"]) as form:
            self.tick(form, self.category)
        form.record.action_apply()
        lines = self.env["inventory.posting.setup"].sudo().search([])
        self.assertEqual(lines.company_id, self.company | other)
        for line in lines:
            self.assertEqual(line.inventory_account_id.company_ids, line.company_id)
        self.assertTrue(self.product.with_company(other)._is_managed())

    def test_foreign_company(self):
        other = self.make_company("Other Company")
        wizard = self.wizard().save()
        wizard.company_id = other
        with self.assertRaisesRegex(AccessError, "Other Company"):
            wizard.action_apply()

    def test_company_without_chart(self):
        """Without a chart of accounts the codes start from plain ones."""
        company = self.env["res.company"].create({"name": "Empty"})
        self.env.user.company_ids += company
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        wizard = Form(env["inventory.cost.setup"]).save()
        wizard.action_apply()
        [line] = env["inventory.posting.setup"].search(
            [("company_id", "=", company.id)]
        )
        self.assertTrue(line.inventory_account_id)
