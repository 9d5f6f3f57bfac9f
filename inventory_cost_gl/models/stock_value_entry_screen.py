from odoo import api, fields, models
from odoo.exceptions import UserError

# Sources that are lines of a document: the document is what a user wants to see.
DOCUMENT_FIELDS = {
    "account.move.line": "move_id",
    "inventory.revaluation.line": "revaluation_id",
    "purchase.order.line": "order_id",
    "sale.order.line": "order_id",
    "stock.move": "picking_id",
}


class StockValueEntryScreen(models.Model):
    """What the screens show of a value entry beside what is recorded."""

    _inherit = "stock.value.entry"

    uom_id = fields.Many2one(related="product_id.uom_id")
    category_id = fields.Many2one(
        related="product_id.categ_id", string="Product Category"
    )
    queue_ids = fields.One2many(
        "stock.value.entry.queue", "value_entry_id", string="Waiting to Be Posted"
    )
    to_post = fields.Boolean(
        string="Not Posted",
        compute="_compute_to_post",
        search="_search_to_post",
        help="Some of the cost still has to be posted to the general ledger.",
    )
    user_name = fields.Char(string="Recorded by", compute="_compute_user_name")
    counter_account_name = fields.Char(
        string="Account of the Source", compute="_compute_counter_account_name"
    )

    @api.depends("queue_ids")
    def _compute_to_post(self):
        """Say what still waits to be posted: one query for all entries."""
        for entry in self:
            entry.to_post = bool(entry.queue_ids)

    def _search_to_post(self, operator, value):
        """Find the entries that wait to be posted; the ORM asks for ``in``."""
        if operator != "in":
            return NotImplemented
        return [("queue_ids", "!=" if True in value else "=", False)]

    @api.depends("user_ref")
    def _compute_user_name(self):
        """Name the users who still exist."""
        users = self.env["res.users"].sudo().browse(set(self.mapped("user_ref")))
        names = {user.id: user.name for user in users.exists()}
        for entry in self:
            entry.user_name = names.get(entry.user_ref)

    @api.depends("counter_account")
    def _compute_counter_account_name(self):
        """Name the accounts that still exist."""
        accounts = self.env["account.account"].sudo()
        accounts = accounts.browse(
            {ref for ref in self.mapped("counter_account") if ref}
        )
        names = {account.id: account.display_name for account in accounts.exists()}
        for entry in self:
            entry.counter_account_name = names.get(entry.counter_account)

    def _compute_display_name(self):
        """Name an entry by its document and number, as other screens refer to it."""
        for entry in self:
            document = entry.document_ref or entry.source_ref or "–"
            entry.display_name = f"{document} (#{entry.id})"

    def action_open_source(self):
        """Open the document that brought the cost about.

        Raises UserError if it was deleted or the user may not read it.
        """
        self.ensure_one()
        return self._open_document(self.source_model, self.source_id)

    def action_open_cause(self):
        """Open the document that caused an adjustment, else the entry's own.

        Raises UserError if it was deleted or the user may not read it.
        """
        self.ensure_one()
        return self._first_cause().action_open_source()

    def _first_cause(self):
        """Return the entry whose source brought this adjustment about.

        What is no adjustment is its own cause. Causes are older than what they cause,
        so the chain ends.
        """
        self.ensure_one()
        entry = self.sudo()
        while entry.adjustment and entry.cause_value_entry_id.id < entry.id:
            entry = entry.cause_value_entry_id
        return entry.sudo(False)

    @api.model
    def _open_document(self, model, record_id):
        """Return the action that opens the document of a record, or raise."""
        record = None
        if model in self.env:
            record = self.env[model].sudo().browse(record_id).exists()
        if not record:
            raise UserError(
                self.env._("The document does not exist any more. The entry stays.")
            )
        path = self._document_fields().get(model)
        document = ((path and record[path]) or record).sudo(False)
        if not document.has_access("read"):
            raise UserError(
                self.env._(
                    "You are not allowed to read %(document)s. Ask for the rights on "
                    "it, or someone who has them.",
                    document=document.sudo().display_name,
                )
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "view_mode": "form",
        }

    def _document_fields(self):
        """Return the field that leads from a line to its document, by model; a hook."""
        return DOCUMENT_FIELDS
