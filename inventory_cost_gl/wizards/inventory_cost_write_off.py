from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang


class InventoryCostWriteOff(models.TransientModel):
    """Writes off expected cost that nothing will be invoiced for, with a reason.

    Per order line, up to the company's tolerance. The document number, the reason and
    the amounts are kept on the orders and transfers; the number is also the document
    of the value entries.
    """

    _name = "inventory.cost.write.off"
    _description = "Write Off Expected Cost"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self._default_entries().company_id[:1] or self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    tolerance = fields.Monetary(related="company_id.inventory_write_off_tolerance")
    date = fields.Date(
        string="Posting Date", required=True, default=fields.Date.context_today
    )
    reason = fields.Char(required=True)
    line_ids = fields.One2many(
        "inventory.cost.write.off.line",
        "write_off_id",
        default=lambda self: self._default_lines(),
    )
    amount = fields.Monetary(string="Total", compute="_compute_amount")
    over_tolerance = fields.Boolean(compute="_compute_amount")

    @api.model
    def _default_entries(self):
        """Return the ledger entries that the list of goods not invoiced hands over."""
        entries = self.env["stock.ledger.entry"].browse(
            self.env.context.get("write_off_entry_ids", ())
        )
        return entries.filtered(lambda entry: entry.sudo()._inventory_order_line())

    @api.model
    def _default_lines(self):
        """Return a line for each order line and product of the ledger entries."""
        by_line = self._default_entries().grouped(
            lambda entry: (entry.sudo()._inventory_order_line(), entry.product_id)
        )
        return [
            Command.create({"ledger_entry_ids": [Command.set(entries.ids)]})
            for entries in by_line.values()
        ]

    @api.depends("line_ids.amount", "line_ids.over_tolerance")
    def _compute_amount(self):
        """Add the lines up, and say whether one of them is over the tolerance."""
        for wizard in self:
            wizard.amount = sum(wizard.line_ids.mapped("amount"))
            wizard.over_tolerance = any(wizard.line_ids.mapped("over_tolerance"))

    # -- Writing off ------------------------------------------------------------------

    def action_write_off(self):
        """Write off, tell the orders and transfers, and open the value entries.

        Raises UserError if a line is over the tolerance, nothing is left to write off,
        or the date is closed; then nothing is changed.
        """
        self.ensure_one()
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._("Only inventory cost accountants write off expected cost.")
            )
        self.check_access("write")
        self.line_ids.ledger_entry_ids.check_access("read")
        self._check_tolerance()
        number = self._next_number()
        entries = self.sudo().line_ids.ledger_entry_ids.with_company(self.company_id)
        notes = [(line, line._note(number)) for line in self.line_ids]
        value_entries = entries.with_context(
            write_off_document=number
        )._write_off_expected(self.date)
        if not value_entries:
            raise UserError(
                self.env._(
                    "Everything has been invoiced or written off in the meantime."
                )
            )
        for line, note in notes:
            line._tell(note)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Write-Off %(number)s", number=number),
            "res_model": "stock.value.entry",
            "view_mode": "list,form",
            "domain": [("id", "in", value_entries.ids)],
            "context": {"create": False},
        }

    def _check_tolerance(self):
        """Refuse order lines over the tolerance, naming them and the way out.

        The wizard's own lines prove nothing: one may hold a part of an order line.
        """
        entries = self.line_ids.ledger_entry_ids
        if not entries:
            raise UserError(self.env._("There is nothing to write off."))
        over = entries._over_write_off_tolerance()
        if over:
            raise UserError(
                self.env._(
                    "More is expected than may be written off, which is %(tolerance)s "
                    "an order line:\n%(lines)s\nLeave these lines out, or have the "
                    "tolerance raised in the inventory cost settings.",
                    tolerance=self._format(self.tolerance),
                    lines="\n".join(
                        self._order_line_name(line, amount)
                        for line, amount in over.items()
                    ),
                )
            )

    def _order_line_name(self, order_line, amount):
        """Name an order line and what is expected of it in messages."""
        return self.env._(
            "%(order)s, %(product)s: %(amount)s",
            order=order_line.order_id.display_name,
            product=order_line.product_id.display_name,
            amount=self._format(amount),
        )

    def _next_number(self):
        """Return the number of the write-off, as the value entries' document."""
        sequences = self.env["ir.sequence"].sudo().with_company(self.company_id)
        return sequences.next_by_code("inventory.cost.write.off", self.date)

    def _format(self, amount):
        """Return an amount as it is printed."""
        return formatLang(self.env, amount, currency_obj=self.currency_id)
