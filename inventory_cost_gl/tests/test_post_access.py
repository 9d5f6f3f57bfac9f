from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .posting_common import PostingCommon

# What each group may do: (read, write, create, delete).
READ, ALL, NOTHING = (1, 0, 0, 0), (1, 1, 1, 1), (0, 0, 0, 0)
LEDGERS = (
    "stock.ledger.entry",
    "stock.value.entry",
    "stock.value.entry.link",
    "stock.value.entry.queue",
    "stock.cost.application",
    "stock.cost.item",
    "stock.cost.balance",
    "stock.cost.queue",
    "inventory.cost.guard",
    "inventory.cost.run",
    "inventory.cost.run.line",
    "inventory.cost.plan.line",
)
SETUPS = ("inventory.posting.setup", "general.posting.setup", "inventory.period")
GROUPS = ("inventory.posting.group", "product.posting.group", "business.posting.group")
WIZARDS = ("inventory.cost.post", "inventory.cost.run.reverse")
# (models, without a group, user, accountant, manager)
MATRIX = (
    (LEDGERS, NOTHING, READ, READ, READ),
    (SETUPS, NOTHING, READ, READ, ALL),
    (GROUPS, READ, READ, READ, ALL),
    (WIZARDS, NOTHING, NOTHING, ALL, ALL),
)
USERS = ((), ("group_user",), ("group_accountant",), ("group_manager",))


@tagged("post_install", "-at_install")
class TestPostAccess(PostingCommon):
    """Who may read, post and configure, and in which company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.make_company("Other Company")

    def test_access_matrix(self):
        users = [self.user_with(*groups) for groups in USERS]
        for names, *rights in MATRIX:
            for name in names:
                for user, expected in zip(users, rights, strict=True):
                    model = self.env[name].with_user(user)
                    actual = tuple(
                        int(model.has_access(operation))
                        for operation in ("read", "write", "create", "unlink")
                    )
                    self.assertEqual(actual, expected, f"{user.name or '-'} on {name}")

    def test_every_model_with_a_company_has_a_rule(self):
        missing = [
            model.model
            for model in self.env["ir.model"].search([])
            if model.modules == "inventory_cost_gl"
            and "company_id" in self.env[model.model]._fields
            and not self.env[model.model]._abstract
            and not self.env[model.model]._transient
            and not model.rule_ids
        ]
        self.assertEqual(missing, [])

    def test_only_accountants_post(self):
        self.entry(1.0)
        user = self.user_with("group_user")
        wizard = self.env["inventory.cost.post"].create({})
        with self.assertRaises(AccessError):
            self.env["inventory.cost.post"].with_user(user).create({})
        with self.assertRaises(AccessError):
            wizard.with_user(user).action_run()
        self.assertEqual(len(self.waiting()), 1)
        accountant = self.user_with("group_accountant")
        wizard = self.env["inventory.cost.post"].with_user(accountant).create({})
        run = self.runs.browse(wizard.action_run()["res_id"])
        self.assertEqual(run.user_id, accountant)
        self.assertEqual(run.journal_entry_ids.create_uid, accountant)
        self.assertFalse(self.waiting())

    def test_the_role_is_checked_even_as_system(self):
        user = self.user_with("group_user")
        wizard = self.env["inventory.cost.post"].with_user(user).sudo().create({})
        with self.assertRaises(AccessError):
            wizard.action_run()

    def test_only_accountants_reverse(self):
        self.entry(1.0)
        run = self.post()
        user = self.user_with("group_user")
        wizard = self.env["inventory.cost.run.reverse"].with_user(user).sudo()
        with self.assertRaises(AccessError):
            wizard.create({"run_id": run.id, "date": "2026-02-01"}).action_reverse()
        accountant = self.user_with("group_accountant")
        wizard = self.env["inventory.cost.run.reverse"].with_user(accountant)
        wizard.create({"run_id": run.id, "date": "2026-02-01"}).action_reverse()
        self.assertEqual(self.gl("inventory"), 0.0)

    def test_accountants_of_another_company(self):
        entry = self.entry(1.0)
        run = self.post()
        stranger = self.user_with("group_accountant", company=self.other)
        for record in (entry, run, self.inventory_setup, entry.link_ids):
            with self.subTest(record=record), self.assertRaises(AccessError):
                self.as_user(record, stranger).read(["company_id"])
            found = self.as_user(record, stranger).search([("id", "in", record.ids)])
            self.assertFalse(found)
        wizards = self.as_user(self.env["inventory.cost.run.reverse"], stranger)
        with self.assertRaises(AccessError):
            wizards.create({"run_id": run.id}).action_reverse()
        wizards = self.as_user(self.env["inventory.cost.post"], stranger)
        wizard = wizards.sudo().create({"company_id": self.company.id}).sudo(False)
        with self.assertRaises(UserError):
            wizard.action_run()
        self.assertEqual(self.gl("inventory"), 1.0)

    def test_two_companies_post_apart(self):
        journal = (
            self.env["account.journal"]
            .sudo()
            .create(
                {
                    "name": "Theirs",
                    "code": "THEIR",
                    "type": "general",
                    "company_id": self.other.id,
                }
            )
        )
        self.other.inventory_cost_journal_id = journal
        self.entry(1.0)
        warehouse = (
            self.env["stock.warehouse"]
            .sudo()
            .search([("company_id", "=", self.other.id)], limit=1)
        )
        theirs = self.ledger_entry().copy_data()[0] | {
            "company_id": self.other.id,
            "cost_location_id": warehouse.view_location_id.id,
        }
        theirs = self.env["stock.ledger.entry"].sudo().create(theirs)
        entry = self.entry(2.0, ledger_entry=theirs)
        run = self.post()
        self.assertEqual(run.amount, 1.0)
        self.assertFalse(self.waiting())
        stranger = self.user_with("group_accountant", company=self.other)
        wizard = self.as_user(self.env["inventory.cost.post"], stranger).create({})
        run = self.runs.sudo().browse(wizard.action_run()["res_id"])
        self.assertEqual(run.company_id, self.other)
        self.assertFalse(run.journal_entry_ids, "our setup is not theirs")
        self.assertEqual(run.line_ids.value_entry_id, entry)

    # -- Setups -----------------------------------------------------------------------

    def test_setup_lines_are_unique_with_empty_keys(self):
        for line in (self.inventory_setup, self.general_setup):
            with (
                self.subTest(line=line._name),
                mute_logger("odoo.sql_db"),
                self.assertRaises(UniqueViolation),
                self.env.cr.savepoint(),
            ):
                line.copy()
                self.env.flush_all()

    def test_setup_refuses_receivables(self):
        account = self.env["account.account"].create(
            {
                "name": "Receivable",
                "code": "779900",
                "account_type": "asset_receivable",
                "reconcile": True,
            }
        )
        with self.assertRaisesRegex(ValidationError, "receivable, payable"):
            self.inventory_setup.inventory_account_id = account
        with self.assertRaisesRegex(ValidationError, "receivable, payable"):
            self.general_setup.cogs_account_id = account

    def test_setup_refuses_accounts_of_another_company(self):
        account = self.env["account.account"].create(
            {
                "name": "Theirs",
                "code": "779900",
                "account_type": "expense",
                "company_ids": self.other.ids,
            }
        )
        with self.assertRaises(UserError):
            self.general_setup.cogs_account_id = account

    def test_find_line(self):
        setups = self.env["inventory.posting.setup"]
        location = self.location
        line = setups._find_line(self.company, location, self.inventory_group)
        self.assertEqual(line, self.inventory_setup)
        specific = self.inventory_setup.copy({"cost_location_id": location.id})
        self.assertEqual(
            setups._find_line(self.company, location, self.inventory_group), specific
        )
        other = self.warehouse_2.view_location_id
        self.assertEqual(
            setups._find_line(self.company, other, self.inventory_group),
            self.inventory_setup,
        )
        self.assertFalse(setups._find_line(self.other, location, self.inventory_group))
        general = self.env["general.posting.setup"]
        none = self.env["business.posting.group"]
        self.assertEqual(
            general._find_line(self.company, none, self.product_group),
            self.general_setup,
        )
        self.assertFalse(
            general._find_line(
                self.company, none, self.product_group.copy({"code": "X"})
            )
        )

    def test_groups_in_use_are_not_deleted(self):
        for group in (self.inventory_group, self.product_group):
            with self.assertRaisesRegex(UserError, "Archive it instead"):
                group.unlink()
        self.entry(1.0)
        with self.assertRaisesRegex(UserError, "Archive it instead"):
            self.business_group.unlink()
        unused = self.business_group.copy({"code": "UNUSED"})
        unused.unlink()
        self.assertFalse(unused.exists())
        self.business_group.active = False

    def test_accounts_in_use_are_not_deleted(self):
        with self.assertRaises(UserError) as refused:
            self.accounts["cogs"].unlink()
        self.assertIn("posting setup", str(refused.exception).lower())
        self.assertTrue(self.accounts["cogs"].exists())
