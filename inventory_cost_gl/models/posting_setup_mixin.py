from odoo import api, fields, models
from odoo.exceptions import ValidationError

# Journal items on these are reconciled with partners or banks, or stand outside of the
# balance sheet: inventory cost never belongs there. Odoo's products can't use them
# either.
WRONG_ACCOUNT_TYPES = (
    "asset_receivable",
    "liability_payable",
    "asset_cash",
    "liability_credit_card",
    "off_balance",
)


def account_field(string, help_text):
    """Return the field of an account role."""
    return fields.Many2one(
        "account.account",
        string=string,
        check_company=True,
        ondelete="restrict",
        domain=[("account_type", "not in", WRONG_ACCOUNT_TYPES)],
        help=help_text,
    )


class PostingSetupMixin(models.AbstractModel):
    """What the two posting setups have in common: accounts by role.

    A line's key is a group that must match and a dimension that may be left empty: an
    empty one stands for any, and the line that names it wins.
    """

    _name = "posting.setup.mixin"
    _description = "Posting Setup"
    _check_company_auto = True
    # The roles whose accounts the setup holds, and the fields of its key.
    _roles = ()
    _any_field = None
    _group_field = None

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )

    @api.depends(lambda self: filter(None, (self._any_field, self._group_field)))
    def _compute_display_name(self):
        """Name a line by its key."""
        for line in self:
            anything = line[self._any_field].display_name if self._any_field else ""
            line.display_name = self.env._(
                "%(any)s / %(group)s",
                any=anything or self.env._("Any"),
                group=line[self._group_field].display_name if self._group_field else "",
            )

    @api.model
    def _lines_by_key(self, company):
        """Return ``{(id of what may be empty, group id): line}`` of the company.

        One query: what a batch looks its lines up in.
        """
        lines = self.sudo().search([("company_id", "=", company.id)])
        return {
            (line[self._any_field].id, line[self._group_field].id): line
            for line in lines
        }

    @api.model
    def _pick_line(self, lines_by_key, any_id, group_id):
        """Return the most specific of ``_lines_by_key``, or an empty recordset."""
        return (
            lines_by_key.get((any_id, group_id))
            or lines_by_key.get((False, group_id))
            or self.browse()
        )

    def _role_account(self, role):
        """Return the account of a role, maybe empty."""
        self.ensure_one()
        return self[f"{role}_account_id"]

    @api.model
    def _role_name(self, role):
        """Return what the setup calls a role, in the user's language."""
        return self._fields[f"{role}_account_id"]._description_string(self.env)

    @api.constrains(lambda self: [f"{role}_account_id" for role in self._roles])
    def _check_account_types(self):
        """Refuse accounts on which inventory cost can't be posted."""
        for line in self:
            for role in self._roles:
                account = line._role_account(role)
                if account.account_type in WRONG_ACCOUNT_TYPES:
                    raise ValidationError(
                        self.env._(
                            "Inventory cost can't be posted to %(account)s: it is a "
                            "receivable, payable, bank or off-balance account. Choose "
                            "another account in the posting setup %(line)s.",
                            account=account.display_name,
                            line=line.display_name,
                        )
                    )
