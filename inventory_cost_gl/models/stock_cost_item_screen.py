from odoo import api, fields, models
from odoo.exceptions import AccessError


class StockCostItemScreen(models.Model):
    """What the screens show of an item, and its exclusion from cost adjustment."""

    _inherit = "stock.cost.item"

    category_id = fields.Many2one(
        related="product_id.categ_id", string="Product Category"
    )
    uom_id = fields.Many2one(related="product_id.uom_id")
    quantity = fields.Float(compute="_compute_balance", digits=(16, 6))
    value_actual = fields.Monetary(string="Actual Value", compute="_compute_balance")
    value_expected = fields.Monetary(
        string="Expected Value",
        compute="_compute_balance",
        help="Received and not billed yet, less delivered and not invoiced yet.",
    )
    value = fields.Monetary(compute="_compute_balance")
    queued = fields.Boolean(
        string="Waiting for Adjustment",
        compute="_compute_queued",
        search="_search_queued",
    )

    @api.depends("balance_ids.quantity")
    def _compute_balance(self):
        """Sum the balances: one query for all items."""
        sums = {
            item.id: amounts
            for item, *amounts in self.env["stock.cost.balance"]._read_group(
                [("item_id", "in", self.ids)],
                ["item_id"],
                ["quantity:sum", "value_actual:sum", "value_expected:sum"],
            )
        }
        for item in self:
            quantity, actual, expected = sums.get(item.id, (0.0, 0.0, 0.0))
            item.quantity = quantity
            item.value_actual = actual
            item.value_expected = expected
            item.value = actual + expected

    def _compute_queued(self):
        """Say which items have something queued: one query for all."""
        rows = self.env["stock.cost.queue"]._read_group(
            [
                ("product_id", "in", self.product_id.ids),
                ("company_id", "in", self.company_id.ids),
            ],
            ["company_id", "product_id"],
        )
        for item in self:
            item.queued = (item.company_id, item.product_id) in rows

    def _search_queued(self, operator, value):
        """Find items with something queued in the companies chosen."""
        if operator != "in":
            return NotImplemented
        rows = self.env["stock.cost.queue"]._read_group(
            [("company_id", "in", self.env.companies.ids)],
            ["company_id"],
            ["product_id:array_agg"],
        )
        domain = fields.Domain.OR(
            fields.Domain("company_id", "=", company.id)
            & fields.Domain("product_id", "in", product_ids)
            for company, product_ids in rows
        )
        return domain if True in value else ~domain

    def action_exclude(self):
        """Leave the cost of these items as it is: Adjust Cost passes them over."""
        self._set_excluded(True)

    def action_include(self):
        """Adjust the cost of these items again, from what was queued meanwhile."""
        self._set_excluded(False)
        self.env["stock.cost.queue"]._trigger_workers()

    def _set_excluded(self, excluded):
        if not self.env.user.has_group("inventory_cost_gl.group_accountant"):
            raise AccessError(
                self.env._(
                    "Only inventory cost accountants exclude products from cost "
                    "adjustment."
                )
            )
        self.check_access("read")
        self.sudo().excluded = excluded

    def action_open_value_entries(self):
        """Open the value entries of the item."""
        return self._open_entries("stock.value.entry", self.env._("Value Entries"))

    def action_open_ledger_entries(self):
        """Open the ledger entries of the item."""
        return self._open_entries("stock.ledger.entry", self.env._("Ledger Entries"))

    def _open_entries(self, model, name):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": [
                ("product_id", "=", self.product_id.id),
                ("company_id", "=", self.company_id.id),
            ],
        }
