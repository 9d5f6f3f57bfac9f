from odoo import api, fields, models
from odoo.exceptions import UserError


class PostingGroupMixin(models.AbstractModel):
    """What the three kinds of posting groups have in common.

    A group without a company is shared by all of them.
    """

    _name = "posting.group.mixin"
    _description = "Posting Group"
    _order = "code, name, id"
    _rec_names_search = ("name", "code")
    # The field that refers to the group in the ledgers and the posting setups, and
    # the tables in which to look for it before a group is deleted.
    _group_field = None
    _used_in = ("stock.ledger.entry", "stock.value.entry")

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    company_id = fields.Many2one(
        "res.company", help="Left empty, all companies can use the group."
    )
    active = fields.Boolean(default=True)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_used(self):
        """Refuse to delete a group that entries or setup lines name."""
        for model in self._used_in:
            users = self.env[model].sudo().with_context(active_test=False)
            user = users.search([(self._group_field, "in", self.ids)], limit=1)
            if user:
                raise UserError(
                    self.env._(
                        "The %(kind)s %(group)s is used by %(users)s and can't be "
                        "deleted. Archive it instead: it then can't be chosen any "
                        "more.",
                        kind=self._description,
                        group=user[self._group_field].display_name,
                        users=users._description,
                    )
                )
