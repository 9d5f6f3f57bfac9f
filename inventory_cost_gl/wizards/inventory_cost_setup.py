from odoo import Command, fields, models
from odoo.exceptions import AccessError, UserError

from ..posting.roles import GENERAL_POSTING_ROLES, INVENTORY_POSTING_ROLES, ROLES

# The roles in the balance sheet; the others are costs of the goods.
BALANCE_SHEET_TYPES = {
    "inventory": "asset_current",
    "inventory_interim": "asset_current",
    "wip": "asset_current",
    "cogs_interim": "asset_current",
    "accrual_interim": "liability_current",
}
COST_TYPE = "expense_direct_cost"


class InventoryCostSetup(models.TransientModel):
    """Sets a company up for the cost subledger from its chart of accounts.

    Proposes what is missing, shows it, and creates it on *Apply*. What exists already
    is proposed as it is, so applying twice changes nothing.
    """

    _name = "inventory.cost.setup"
    _description = "Inventory Cost Setup"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
    )
    journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        domain=[("type", "=", "general")],
        default=lambda self: self.env.company.inventory_cost_journal_id,
        help="Left empty, a journal 'Inventory Cost' is created.",
    )
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group",
        check_company=True,
        default=lambda self: self._used_group("inventory.posting.setup"),
        help="Given to managed categories that have none. Left empty, a group "
        "'Default' is created.",
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group",
        check_company=True,
        default=lambda self: self._used_group("general.posting.setup"),
        help="Given to managed categories that have none. Left empty, a group "
        "'Default' is created.",
    )
    business_posting_group_id = fields.Many2one(
        "business.posting.group",
        check_company=True,
        default=lambda self: self.env.company.business_posting_group_id,
        help="The company's default. Left empty, a group 'Default' is created.",
    )
    account_line_ids = fields.One2many(
        "inventory.cost.setup.account",
        "setup_id",
        default=lambda self: self._propose_accounts(),
    )
    category_line_ids = fields.One2many(
        "inventory.cost.setup.category",
        "setup_id",
        default=lambda self: self._propose_categories(),
    )

    # -- Proposals --------------------------------------------------------------------

    def _general_line(self, setup_model):
        """Return the company's setup line that applies to any location or partner."""
        setup = self.env[setup_model]
        return setup.search(
            [
                ("company_id", "=", self.env.company.id),
                (setup._any_field, "=", False),
            ],
            limit=1,
        )

    def _used_group(self, setup_model):
        line = self._general_line(setup_model)
        return line[line._group_field]

    def _propose_accounts(self):
        """Return commands for one line per role: its account, else a new one."""
        chart = self._chart()
        existing = self._existing_accounts(chart)
        taken = set()
        commands = []
        for role in ROLES:
            values = {
                "role": role,
                "account_id": existing[role].id,
                "account_type": BALANCE_SHEET_TYPES.get(role, COST_TYPE),
            }
            if not existing[role]:
                values["name"] = self._role_label(role)
                values["code"] = self._free_code(chart, values["account_type"], taken)
            commands.append(Command.create(values))
        return commands

    def _chart(self):
        """Return ``{account type: accounts}`` of the types the roles need, by code."""
        accounts = self.env["account.account"].search(
            [
                *self.env["account.account"]._check_company_domain(self.env.company),
                ("account_type", "in", [*BALANCE_SHEET_TYPES.values(), COST_TYPE]),
            ],
            order="code, id",
        )
        return accounts.grouped("account_type")

    def _existing_accounts(self, chart):
        """Return ``{role: account or none}``: set up already, or plain to see."""
        none = self.env["account.account"]
        accounts = dict.fromkeys(ROLES, none)
        cost_accounts = chart.get(COST_TYPE, none)
        accounts["wip"] = self.env.company.account_production_wip_account_id
        accounts["cogs"] = cost_accounts if len(cost_accounts) == 1 else none
        for model in ("inventory.posting.setup", "general.posting.setup"):
            line = self._general_line(model)
            for role in line._roles if line else ():
                accounts[role] = line._role_account(role) or accounts[role]
        return accounts

    def _free_code(self, chart, account_type, taken):
        """Return a code not in use near the accounts of the same kind."""
        near = chart.get(account_type, self.env["account.account"])[:1]
        if account_type == "asset_current":
            near = self.env.company.account_stock_valuation_id or near
        start = near.code or {"liability_current": "2", COST_TYPE: "5"}.get(
            account_type, "1"
        ).ljust(self._code_digits(chart), "0")
        code = self.env["account.account"]._search_new_account_code(
            start, cache={start} | taken
        )
        taken.add(code)
        return code

    def _code_digits(self, chart):
        codes = [account.code or "" for group in chart.values() for account in group]
        return len(codes[0]) if codes else 6

    def _role_label(self, role):
        """Return the role's name as the posting setup shows it."""
        model = (
            "inventory.posting.setup"
            if role in INVENTORY_POSTING_ROLES
            else "general.posting.setup"
        )
        field = self.env[model]._fields[f"{role}_account_id"]
        return field._description_string(self.env)

    def _propose_categories(self):
        """Return commands for one line per category."""
        products = self.env["product.product"].search([("is_storable", "=", True)])
        obstacles = (products - products._filter_managed())._obstacles_to_manage()
        quantities = dict(
            self.env["stock.quant"]._read_group(
                [
                    ("product_id", "in", products.ids),
                    ("company_id", "=", self.env.company.id),
                    ("location_id.is_valued_internal", "=", True),
                ],
                ["product_id"],
                ["quantity:sum"],
            )
        )
        by_category = products.grouped("categ_id")
        return [
            Command.create(
                self._prepare_category_line(
                    category,
                    by_category.get(category, products.browse()),
                    quantities,
                    obstacles,
                )
            )
            for category in self.env["product.category"].search([])
        ]

    def _prepare_category_line(self, category, products, quantities, obstacles):
        obstacle = False
        if hindered := products.filtered(lambda product: product in obstacles)[:1]:
            obstacle = self.env._(
                "%(product)s: %(reason)s",
                product=hindered.display_name,
                reason=obstacles[hindered],
            )
        return {
            "category_id": category.id,
            "managed": category.property_valuation == "value_entries",
            "cost_method": category.property_cost_method,
            "product_count": len(products),
            "quantity": sum(quantities.get(product, 0.0) for product in products),
            "obstacle": obstacle,
        }

    # -- Applying ---------------------------------------------------------------------

    def action_apply(self):
        """Create what is missing and switch the chosen categories over."""
        self.ensure_one()
        self._check_allowed()
        self._check_roles()
        # The manager of inventory cost need not be allowed to edit the chart of
        # accounts, categories or the company: applying the setup is what is allowed.
        setup = self.sudo().with_company(self.company_id)
        setup.account_line_ids._create_accounts()
        setup._create_groups()
        setup._create_journal()
        setup._write_posting_setup("inventory.posting.setup", INVENTORY_POSTING_ROLES)
        setup._write_posting_setup("general.posting.setup", GENERAL_POSTING_ROLES)
        setup.category_line_ids._apply()
        setup._check_inventory_account()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(company)s is set up for inventory cost.",
                    company=self.company_id.display_name,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _check_allowed(self):
        if not self.env.user.has_group("inventory_cost_gl.group_manager"):
            raise AccessError(
                self.env._("Only managers of inventory cost can apply the setup.")
            )
        if self.company_id not in self.env.companies:
            raise AccessError(
                self.env._("You have no access to %s.", self.company_id.display_name)
            )

    def _check_roles(self):
        """Every role needs exactly one line with an account, old or new."""
        lines = self.account_line_ids
        for role in ROLES:
            line = lines.filtered(lambda line, role=role: line.role == role)
            if len(line) != 1 or not (line.account_id or (line.code and line.name)):
                raise UserError(
                    self.env._(
                        "%(role)s has no account. Choose one on the line of that name, "
                        "or enter a code and a name for a new one.",
                        role=self._role_label(role),
                    )
                )

    def _create_groups(self):
        """Create the default posting groups that were left empty."""
        for field in (
            "inventory_posting_group_id",
            "product_posting_group_id",
            "business_posting_group_id",
        ):
            if not self[field]:
                self[field] = self._default_group(self[field])
        self.company_id.business_posting_group_id = self.business_posting_group_id

    def _default_group(self, groups):
        """Return the company's group DEFAULT, created if need be."""
        company_domain = [("company_id", "in", (False, self.company_id.id))]
        return groups.search(
            [("code", "=", "DEFAULT"), *company_domain], limit=1
        ) or groups.create(
            {
                "code": "DEFAULT",
                "name": self.env._("Default"),
                "company_id": self.company_id.id,
            }
        )

    def _create_journal(self):
        """Make the journal the company's, a new one if none was chosen."""
        if not self.journal_id:
            self.journal_id = self.env["account.journal"].create(
                {
                    "name": self.env._("Inventory Cost"),
                    "code": self._free_journal_code(),
                    "type": "general",
                    "company_id": self.company_id.id,
                }
            )
        self.company_id.inventory_cost_journal_id = self.journal_id

    def _free_journal_code(self):
        taken = set(
            self.env["account.journal"]
            .with_context(active_test=False)
            .search([("company_id", "=", self.company_id.id)])
            .mapped("code")
        )
        codes = ["INVC", *(f"INV{number}" for number in range(1, 100))]
        return next(code for code in codes if code not in taken)

    def _write_posting_setup(self, model, roles):
        """Write the accounts on the line for any location or partner."""
        setup = self.env[model]
        key = {
            "company_id": self.company_id.id,
            setup._any_field: False,
            setup._group_field: self[setup._group_field].id,
        }
        accounts = {
            f"{line.role}_account_id": line.account_id.id
            for line in self.account_line_ids
            if line.role in roles
        }
        line = setup.search([(field, "=", value) for field, value in key.items()])
        if line:
            line.write(accounts)
        else:
            setup.create({**key, **accounts})

    def _check_inventory_account(self):
        """Managed and other products must not share a stock account.

        Odoo's closing entry would take the managed stock on it for a difference.
        """
        line = self.account_line_ids.filtered(lambda line: line.role == "inventory")
        unmanaged = self.env["product.category"].search(
            [("property_valuation", "!=", "value_entries")]
        )
        users = {
            category.property_stock_valuation_account_id: category
            for category in unmanaged
        }
        users[self.company_id.account_stock_valuation_id] = self.company_id
        if user := users.get(line.account_id):
            raise UserError(
                self.env._(
                    "%(account)s is the stock account of %(user)s, whose products are "
                    "not valued by value entries. Choose another account, or a new "
                    "one, for %(role)s.",
                    account=line.account_id.display_name,
                    user=user.display_name,
                    role=self._role_label("inventory"),
                )
            )
