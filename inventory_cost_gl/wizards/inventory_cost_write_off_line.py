from odoo import api, fields, models
from odoo.tools import format_date, formatLang


class InventoryCostWriteOffLine(models.TransientModel):
    """An order line whose expected cost is written off."""

    _name = "inventory.cost.write.off.line"
    _description = "Order Line to Write Off"
    _check_company_auto = True

    write_off_id = fields.Many2one(
        "inventory.cost.write.off", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="write_off_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    ledger_entry_ids = fields.Many2many("stock.ledger.entry", check_company=True)
    order_ref = fields.Char(string="Order", compute="_compute_expected")
    partner_id = fields.Many2one("res.partner", compute="_compute_expected")
    product_id = fields.Many2one("product.product", compute="_compute_expected")
    quantity = fields.Float(
        string="Not Invoiced", digits="Product Unit", compute="_compute_expected"
    )
    amount = fields.Monetary(string="Expected Cost", compute="_compute_expected")
    over_tolerance = fields.Boolean(compute="_compute_over_tolerance")

    @api.depends("ledger_entry_ids")
    def _compute_expected(self):
        """Read what is expected now: the order line's share of the interim account."""
        # Lines that are not saved yet hold copies without a cost of their own.
        costs = self.ledger_entry_ids._origin.sudo()._costs()
        for line in self:
            entries = line.ledger_entry_ids._origin.sudo()
            sign = -1 if "sale" in entries.mapped("entry_type") else 1
            order = line._get_order()
            line.order_ref = order.name
            line.partner_id = order.partner_id
            line.product_id = entries.product_id[:1]
            line.quantity = sign * sum(
                entry.quantity - costs[entry.id][2] for entry in entries
            )
            line.amount = sign * sum(costs[entry.id][0] for entry in entries)

    @api.depends("ledger_entry_ids", "company_id.inventory_write_off_tolerance")
    def _compute_over_tolerance(self):
        """Say which lines belong to order lines over the tolerance."""
        over = self.ledger_entry_ids._origin._over_write_off_tolerance()
        for line in self:
            entries = line.ledger_entry_ids._origin.sudo()
            line.over_tolerance = any(
                entry._inventory_order_line() in over for entry in entries
            )

    def _get_order(self):
        """Return the order, as system; empty while there are no ledger entries."""
        entry = self.ledger_entry_ids._origin.sudo()[:1]
        line = entry and entry._inventory_order_line()
        return line.order_id if line else self.env["purchase.order"]

    def _note(self, number):
        """Return what the order and the transfers are told."""
        return self.env._(
            "%(number)s of %(date)s: %(amount)s of expected cost of %(product)s is "
            "written off (%(quantity)s %(unit)s will not be invoiced). Reason: "
            "%(reason)s",
            number=number,
            date=format_date(self.env, self.write_off_id.date),
            amount=self.write_off_id._format(self.amount),
            product=self.product_id.display_name,
            quantity=formatLang(self.env, self.quantity, dp="Product Unit"),
            unit=self.product_id.uom_id.name,
            reason=self.write_off_id.reason,
        )

    def _tell(self, note):
        """Keep a note on the order and its transfers, in the user's name."""
        author = self.env.user.partner_id.id
        self._get_order().message_post(body=note, author_id=author)
        pickings = self.ledger_entry_ids.sudo().stock_move_id.picking_id
        for picking in pickings:
            picking.message_post(body=note, author_id=author)
