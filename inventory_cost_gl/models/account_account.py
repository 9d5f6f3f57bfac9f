from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class AccountAccount(models.Model):
    """Accounts of the posting setups can't be deleted."""

    _inherit = "account.account"

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_in_posting_setup(self):
        """Refuse to delete accounts that a posting setup names."""
        for model in ("inventory.posting.setup", "general.posting.setup"):
            setups = self.env[model].sudo()
            names = [f"{role}_account_id" for role in setups._roles]
            line = setups.search(
                Domain.OR(Domain(name, "in", self.ids) for name in names), limit=1
            )
            if line:
                account = next(line[name] for name in names if line[name] in self)
                raise UserError(
                    self.env._(
                        "The account %(account)s is used in the %(setup)s, line "
                        "%(line)s. Choose another account there first, or archive "
                        "this one.",
                        account=account.display_name,
                        setup=line._description,
                        line=line.display_name,
                    )
                )
