from odoo import fields, models


class StockValueEntryLinkScreen(models.Model):
    """What the screens show of the journal items of a link."""

    _inherit = "stock.value.entry.link"

    debit_account_id = fields.Many2one(
        related="debit_line_id.account_id", string="Debited Account"
    )
    credit_account_id = fields.Many2one(
        related="credit_line_id.account_id", string="Credited Account"
    )
    journal_entry_id = fields.Many2one(
        related="debit_line_id.move_id", string="Journal Entry"
    )
