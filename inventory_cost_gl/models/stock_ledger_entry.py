from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

ENTRY_TYPES = [
    ("purchase", "Purchase"),
    ("sale", "Sale"),
    ("positive_adjustment", "Positive Adjustment"),
    ("negative_adjustment", "Negative Adjustment"),
    ("transfer", "Transfer"),
    ("consumption", "Consumption"),
    ("output", "Output"),
]

# Columns a ledger entry is recorded with, and their PostgreSQL types.
RECORDED_COLUMNS = {
    "company_id": "integer",
    "product_id": "integer",
    "lot_id": "integer",
    "cost_location_id": "integer",
    "entry_type": "varchar",
    "quantity": "numeric",
    "posting_date": "date",
    "valuation_date": "date",
    "stock_move_id": "integer",
    "origin": "varchar",
    "partner_id": "integer",
    "inventory_posting_group_id": "integer",
    "product_posting_group_id": "integer",
    "business_posting_group_id": "integer",
    "analytic_distribution": "jsonb",
    "applies_to_entry_id": "integer",
    "applies_from_entry_id": "integer",
    "transferred_from_entry_id": "integer",
    "reverses_entry_id": "integer",
    "order_model": "varchar",
    "order_id": "integer",
}


class StockLedgerEntry(models.Model):
    """The quantity ledger: one entry per done stock move and direction.

    Quantities are signed, in the product's unit of measure; increases are positive.
    Cost is never stored here: it is the sum of the entry's value entries.
    """

    _name = "stock.ledger.entry"
    _description = "Stock Ledger Entries"
    _inherit = "inventory.append.only.mixin"
    _log_access = False
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
    _waiting_index = models.Index(
        "(product_id, company_id) WHERE open AND quantity < 0"
    )
    _valuation_index = models.Index("(product_id, company_id, valuation_date, id)")
    _applies_from_index = models.Index(
        "(applies_from_entry_id) WHERE applies_from_entry_id IS NOT NULL"
    )
    _applies_to_index = models.Index(
        "(applies_to_entry_id) WHERE applies_to_entry_id IS NOT NULL"
    )
    _reverses_index = models.Index(
        "(reverses_entry_id) WHERE reverses_entry_id IS NOT NULL"
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
        costs = self._costs()
        for entry in self:
            (
                entry.cost_amount_expected,
                entry.cost_amount_actual,
                entry.invoiced_quantity,
            ) = costs.get(entry.id, (0.0, 0.0, 0.0))

    # ------------------------------------------------------------------
    # Recording
    # ------------------------------------------------------------------

    @api.model
    def _record(self, company, rows):
        """Record ledger entries and everything that follows for their cost.

        ``rows`` are dicts of ``RECORDED_COLUMNS`` plus ``arrival_location_id``. In this
        order: the entries; what their own moves state; cost, now or by a worker; what
        bills and invoices that were there before state.
        """
        if not rows:
            return self.browse()
        products = self.env["product.product"].browse({r["product_id"] for r in rows})
        items, free = self.env["stock.cost.item"]._take(company, products)
        fixed = [row for row in rows if "applies_to_row" in row]
        rows = [row for row in rows if "applies_to_row" not in row]
        entries = self._insert(rows)
        for row in fixed:
            increase = entries[rows.index(row["applies_to_row"])]
            row["applies_to_entry_id"] = increase.id
        if fixed:
            entries |= self._insert(fixed)
        arrivals = [row.get("arrival_location_id") for row in rows + fixed]
        stated = entries._state_moves(items)
        items._cost(
            company,
            free,
            stated,
            entries,
            {
                entry.id: location_id
                for entry, location_id in zip(entries, arrivals, strict=True)
                if location_id
            },
        )
        moves = entries.stock_move_id
        for lines in (moves.purchase_line_id, moves.sale_line_id):
            lines._filter_invoicing_changed(entries)._state_invoicing(company)
        return entries

    @api.model
    def _insert(self, rows):
        """Insert ledger entries, all of them open; return them in order."""
        template = ", ".join(f"%s::{column}" for column in RECORDED_COLUMNS.values())
        columns = ", ".join(RECORDED_COLUMNS)
        values = [
            (
                place,
                *(
                    Json(value) if isinstance(value, dict) else value
                    for value in map(row.get, RECORDED_COLUMNS)
                ),
            )
            for place, row in enumerate(rows)
        ]
        ids = self.env.cr.execute_values(
            f"""
            INSERT INTO stock_ledger_entry ({columns}, remaining_quantity, open)
            SELECT {columns}, quantity, true
            FROM (VALUES %s) AS v (place, {columns}) ORDER BY place
            RETURNING id
            """,
            values,
            template=f"(%s, {template})",
            page_size=len(values),
            fetch=True,
        )
        entries = self.browse(sorted(entry_id for (entry_id,) in ids))
        # Known already, so the ORM need not read them back.
        for name in RECORDED_COLUMNS:
            field = self._fields[name]
            field._insert_cache(entries, [row.get(name) for row in rows])
        quantities = [row["quantity"] for row in rows]
        self._fields["remaining_quantity"]._insert_cache(entries, quantities)
        self._fields["open"]._insert_cache(entries, [True] * len(rows))
        return entries

    def _costs(self):
        """Return ``{entry id: (expected, actual, invoiced)}``: one query."""
        self.env.cr.execute(
            SQL(
                """
                SELECT ledger_entry_id, sum(cost_amount_expected),
                       sum(cost_amount_actual), sum(invoiced_quantity)
                FROM stock_value_entry WHERE ledger_entry_id IN %s GROUP BY 1
                """,
                tuple(self.ids) or (0,),
            )
        )
        sums = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        return {entry.id: sums.get(entry.id, (0.0, 0.0, 0.0)) for entry in self}
