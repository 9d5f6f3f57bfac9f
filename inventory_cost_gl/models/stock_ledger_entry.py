from odoo import fields, models

ENTRY_TYPES = [
    ("purchase", "Purchase"),
    ("sale", "Sale"),
    ("positive_adjustment", "Positive Adjustment"),
    ("negative_adjustment", "Negative Adjustment"),
    ("transfer", "Transfer"),
    ("consumption", "Consumption"),
    ("output", "Output"),
]


class StockLedgerEntry(models.Model):
    """The quantity ledger: one entry per done stock move and direction.

    Quantities are signed, in the product's unit of measure; increases are positive.
    Cost is never stored here: it is the sum of the entry's value entries.
    """

    _name = "stock.ledger.entry"
    _description = "Stock Ledger Entries"
    _inherit = "inventory.append.only.mixin"
    _order = "posting_date desc, id desc"
    _rec_name = "origin"
    _check_company_auto = True
    # What applications and valuation move by rule, and what merging partners rewrites.
    _changing_columns = ("remaining_quantity", "open", "valuation_date", "partner_id")

    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    product_id = fields.Many2one(
        "product.product", required=True, ondelete="restrict", check_company=True
    )
    lot_id = fields.Many2one("stock.lot", ondelete="restrict")
    cost_location_id = fields.Many2one(
        "stock.location",
        required=True,
        ondelete="restrict",
        help="The warehouse, or a company's transit or subcontracting location "
        "outside any warehouse.",
    )
    entry_type = fields.Selection(ENTRY_TYPES, required=True)
    quantity = fields.Float(digits=(16, 6), required=True)
    remaining_quantity = fields.Float(
        digits=(16, 6),
        help="Not applied yet: stock left of an increase, supply missing for a "
        "decrease (negative).",
    )
    open = fields.Boolean(help="Some of the quantity is not applied yet.")
    posting_date = fields.Date(required=True)
    valuation_date = fields.Date(required=True)
    stock_move_id = fields.Many2one("stock.move", ondelete="restrict")
    origin = fields.Char(string="Document")
    partner_id = fields.Many2one("res.partner", ondelete="set null")
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group", ondelete="restrict"
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group", ondelete="restrict"
    )
    business_posting_group_id = fields.Many2one(
        "business.posting.group", ondelete="restrict"
    )
    analytic_distribution = fields.Json()
    applies_to_entry_id = fields.Many2one(
        "stock.ledger.entry",
        string="Applies-to Entry",
        ondelete="restrict",
        help="The increase this decrease is fixed to.",
    )
    applies_from_entry_id = fields.Many2one(
        "stock.ledger.entry",
        string="Applies-from Entry",
        ondelete="restrict",
        help="The decrease whose cost this increase takes back or carries on.",
    )
    transferred_from_entry_id = fields.Many2one(
        "stock.ledger.entry",
        ondelete="restrict",
        help="The increase whose cost the arrival of a transfer carries over.",
    )
    reverses_entry_id = fields.Many2one("stock.ledger.entry", ondelete="restrict")
    order_model = fields.Char()
    order_id = fields.Many2oneReference(model_field="order_model", index=False)
    value_entry_ids = fields.One2many("stock.value.entry", "ledger_entry_id")
    invoiced_quantity = fields.Float(compute="_compute_cost", digits=(16, 6))
    cost_amount_expected = fields.Monetary(
        compute="_compute_cost", currency_field="currency_id"
    )
    cost_amount_actual = fields.Monetary(
        compute="_compute_cost", currency_field="currency_id"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")

    _move_index = models.Index("(stock_move_id) WHERE stock_move_id IS NOT NULL")
    # The pools of applications: open increases and waiting decreases of an item.
    _open_index = models.Index(
        "(product_id, company_id, cost_location_id, lot_id, posting_date, id) "
        "WHERE open"
    )
    _valuation_index = models.Index("(product_id, company_id, valuation_date, id)")
    _applies_from_index = models.Index(
        "(applies_from_entry_id) WHERE applies_from_entry_id IS NOT NULL"
    )
    _applies_to_index = models.Index(
        "(applies_to_entry_id) WHERE applies_to_entry_id IS NOT NULL"
    )
    _company_date_index = models.Index("(company_id, posting_date)")
    _quantity_not_zero = models.Constraint(
        "CHECK (quantity <> 0)", "A stock ledger entry moves a quantity."
    )
    _remaining_within = models.Constraint(
        "CHECK (remaining_quantity * sign(quantity) BETWEEN 0 AND abs(quantity))",
        "The remaining quantity of a stock ledger entry lies between 0 and its "
        "quantity.",
    )
    _open_means_remaining = models.Constraint(
        "CHECK (open = (remaining_quantity <> 0))",
        "A stock ledger entry is open while some of its quantity is not applied.",
    )

    def _compute_cost(self):
        """Sum the value entries: one query for all entries."""
        sums = {
            entry.id: values
            for entry, *values in self.env["stock.value.entry"]._read_group(
                [("ledger_entry_id", "in", self.ids)],
                ["ledger_entry_id"],
                [
                    "invoiced_quantity:sum",
                    "cost_amount_expected:sum",
                    "cost_amount_actual:sum",
                ],
            )
        }
        for entry in self:
            (
                entry.invoiced_quantity,
                entry.cost_amount_expected,
                entry.cost_amount_actual,
            ) = sums.get(entry.id, (0.0, 0.0, 0.0))
