from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date, formatLang

# Order lines are the source of nothing but write-offs.
WRITE_OFF_SOURCES = ("purchase.order.line", "sale.order.line")


class StockValueEntryWriteOff(models.Model):
    """Write-offs of expected cost among the value entries: accountants take them back.

    One at a time: that of the receipt or delivery the value entry belongs to.
    """

    _inherit = "stock.value.entry"

    write_off_stands = fields.Boolean(
        compute="_compute_write_off_stands",
        help="Expected cost that is written off, and neither taken back nor invoiced "
        "all the same.",
    )

    def _compute_write_off_stands(self):
        """Say which entries belong to a write-off that stands: one query for all."""
        written_off = self.filtered(
            lambda entry: entry.source_model in WRITE_OFF_SOURCES
            and not entry.adjustment
        )
        standing = self._read_group(
            [
                ("ledger_entry_id", "in", written_off.ledger_entry_id.ids),
                ("source_model", "in", WRITE_OFF_SOURCES),
                ("adjustment", "=", False),
            ],
            ["ledger_entry_id"],
            having=[("invoiced_quantity:sum", "!=", 0)],
        )
        ledger_entries = {entry for (entry,) in standing}
        for entry in self:
            entry.write_off_stands = (
                entry in written_off and entry.ledger_entry_id in ledger_entries
            )

    def action_take_back_write_off(self):
        """Expect the cost again that was written off, and open the value entries.

        They are dated as the write-off was, or on the first open day after it. The
        order and its transfer are told. Raises UserError if the write-off does not
        stand any more; then nothing is changed.
        """
        self.ensure_one()
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._("Only inventory cost accountants take write-offs back.")
            )
        self.check_access("read")
        entries = self.browse()
        if self.write_off_stands:
            ledger_entry = self.sudo().ledger_entry_id.with_company(self.company_id)
            entries = ledger_entry.with_context(
                write_off_document=self.document_ref
            )._take_back_write_off(self.posting_date)
        if not entries:
            raise UserError(
                self.env._(
                    "%(document)s has no write-off to take back: it has been taken "
                    "back, or a bill or an invoice has come all the same.",
                    document=self.display_name,
                )
            )
        self._tell_taken_back(entries)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("%(number)s, Taken Back", number=self.document_ref),
            "res_model": "stock.value.entry",
            "view_mode": "list,form",
            "domain": [("id", "in", entries.ids)],
            "context": {"create": False},
        }

    def _tell_taken_back(self, entries):
        """Keep a note on the order and its transfer, in the user's name."""
        ledger_entry = self.sudo().ledger_entry_id
        sign = -1 if ledger_entry.entry_type == "sale" else 1
        amount = sign * sum(entries.mapped("cost_amount_expected"))
        note = self.env._(
            "%(number)s is taken back: %(amount)s of %(product)s is expected cost "
            "again, recorded on %(date)s.",
            number=self.document_ref,
            date=format_date(self.env, entries[:1].posting_date),
            amount=formatLang(self.env, amount, currency_obj=self.currency_id),
            product=self.product_id.display_name,
        )
        order = ledger_entry._inventory_order_line().order_id
        for document in (order, ledger_entry.stock_move_id.picking_id):
            if document:
                author = self.env.user.partner_id.id
                document.message_post(body=note, author_id=author)
