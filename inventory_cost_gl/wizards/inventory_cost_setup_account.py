from odoo import api, fields, models

from ..posting.roles import ROLES


class InventoryCostSetupAccount(models.TransientModel):
    """The account of a role: one of the chart, or a new one."""

    _name = "inventory.cost.setup.account"
    _description = "Account of the Inventory Cost Setup"
    _check_company_auto = True

    setup_id = fields.Many2one(
        "inventory.cost.setup", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="setup_id.company_id")
    role = fields.Selection("_select_role", required=True)
    account_id = fields.Many2one("account.account", check_company=True)
    is_new = fields.Boolean(compute="_compute_is_new", string="New")
    code = fields.Char()
    name = fields.Char()
    account_type = fields.Selection("_select_account_type", required=True)

    @api.model
    def _select_role(self):
        setup = self.env["inventory.cost.setup"]
        return [(role, setup._role_label(role)) for role in ROLES]

    @api.model
    def _select_account_type(self):
        return self.env["account.account"]._fields["account_type"].selection

    @api.depends("account_id")
    def _compute_is_new(self):
        """Say which accounts will be created."""
        for line in self:
            line.is_new = not line.account_id

    def _create_accounts(self):
        """Create the accounts of the lines that have none."""
        new = self.filtered("is_new")
        accounts = self.env["account.account"].create(
            [
                {
                    "code": line.code,
                    "name": line.name,
                    "account_type": line.account_type,
                    "company_ids": [fields.Command.set(line.company_id.ids)],
                }
                for line in new
            ]
        )
        for line, account in zip(new, accounts, strict=True):
            line.account_id = account
