from odoo import fields, models


class StockLedgerEntryScreen(models.Model):
    """What the screens show of a ledger entry beside what is recorded."""

    _inherit = "stock.ledger.entry"

    uom_id = fields.Many2one(related="product_id.uom_id")
    category_id = fields.Many2one(
        related="product_id.categ_id", string="Product Category"
    )
    supplied_by_ids = fields.One2many(
        "stock.cost.application",
        "outbound_entry_id",
        string="Taken From",
        help="The increases that supplied the quantity of this decrease.",
    )
    supplies_ids = fields.One2many(
        "stock.cost.application",
        "inbound_entry_id",
        string="Taken By",
        help="The decreases that this increase supplied.",
    )

    def _compute_display_name(self):
        """Name an entry by its document and number, as other screens refer to it."""
        for entry in self:
            entry.display_name = f"{entry.origin or '–'} (#{entry.id})"

    def action_open_stock_move(self):
        """Open the picking of the stock move, or the move itself."""
        self.ensure_one()
        return self.env["stock.value.entry"]._open_document(
            "stock.move", self.stock_move_id.id
        )
