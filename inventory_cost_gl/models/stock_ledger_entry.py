from dataclasses import dataclass

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL

from .order_line_mixin import invoiced_by_source_query

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


@dataclass
class Returnable:
    """What of a ledger entry can still be taken back."""

    entry: models.Model
    quantity: float

    def take(self, quantity, location_id):
        """Use up to ``quantity`` (signed, opposite to the entry's) and return it.

        An increase is taken back only where it was recorded: elsewhere the goods have
        been transferred and are another layer.
        """
        if quantity * self.entry.quantity >= 0 or (
            quantity < 0 and self.entry.cost_location_id.id != location_id
        ):
            return 0.0
        taken = min(abs(quantity), self.quantity)
        self.quantity -= taken
        return taken if quantity > 0 else -taken


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
    def _recorded_quantities(self, moves):
        """Return ``{move id: {(entry type, cost location, lot): quantity}}``.

        The arrival of a transfer is left out: it follows its departure.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT stock_move_id, entry_type, cost_location_id, lot_id,
                       sum(quantity)
                FROM stock_ledger_entry WHERE stock_move_id IN %s
                GROUP BY 1, 2, 3, 4
                HAVING entry_type <> 'transfer' OR sum(quantity) < 0
                """,
                tuple(moves.ids),
            )
        )
        recorded = {}
        for (
            move_id,
            entry_type,
            location_id,
            lot_id,
            quantity,
        ) in self.env.cr.fetchall():
            key = (entry_type, location_id, lot_id or False)
            recorded.setdefault(move_id, {})[key] = quantity
        return recorded

    @api.model
    def _returnable_quantities(self, moves):
        """Return ``{(move id, entry type, lot): [Returnable]}``, newest first.

        Of an increase what is left in stock can be taken back, of a decrease what has
        not been returned yet.
        """
        entries = self.search([("stock_move_id", "in", moves.ids)], order="id desc")
        returned = dict(
            self._read_group(
                [("applies_from_entry_id", "in", entries.ids)],
                ["applies_from_entry_id"],
                ["quantity:sum"],
            )
            if entries
            else ()
        )
        returnable = {}
        for entry in entries:
            quantity = (
                entry.remaining_quantity
                if entry.quantity > 0
                else -entry.quantity - returned.get(entry, 0.0)
            )
            key = (entry.stock_move_id.id, entry.entry_type, entry.lot_id.id)
            returnable.setdefault(key, []).append(Returnable(entry, quantity))
        return returnable

    def _prepare_reversals(self):
        """Return rows that reverse what of the entries is not reversed yet."""
        reversed_quantities = dict(
            self._read_group(
                [("reverses_entry_id", "in", self.ids)],
                ["reverses_entry_id"],
                ["quantity:sum"],
            )
        )
        rows = []
        for entry in self.filtered(lambda entry: not entry.reverses_entry_id):
            left = round(entry.quantity + reversed_quantities.get(entry, 0.0), 6)
            if left:
                fixed = "applies_to_entry_id" if left > 0 else "applies_from_entry_id"
                row = {
                    name: entry[name].id
                    if self._fields[name].type == "many2one"
                    else entry[name]
                    for name in RECORDED_COLUMNS
                    if entry[name]
                }
                row.pop("transferred_from_entry_id", None)
                row.pop("applies_to_entry_id", None)
                row.pop("applies_from_entry_id", None)
                rows.append(
                    {
                        **row,
                        "valuation_date": entry.posting_date,
                        "quantity": -left,
                        "reverses_entry_id": entry.id,
                        fixed: entry.id,
                    }
                )
        return rows

    @api.model
    def _record(self, company, rows):
        """Record ledger entries and everything that follows for their cost.

        ``rows`` are dicts of ``RECORDED_COLUMNS`` plus ``arrival_location_id``. In this
        order: the entries; what their own moves state; cost, now or by a worker; what
        bills and invoices that were there before state.
        """
        if not rows:
            return self.browse()
        fixed = [row for row in rows if "applies_to_row" in row]
        rows = [row for row in rows if "applies_to_row" not in row]
        entries = self._insert(rows)
        for row in fixed:
            increase = entries[rows.index(row["applies_to_row"])]
            row["applies_to_entry_id"] = increase.id
        if fixed:
            entries |= self._insert(fixed)
        arrivals = [row.get("arrival_location_id") for row in rows + fixed]
        stated = entries._state_moves()
        self.env["stock.cost.item"]._update(
            company,
            stated,
            entries,
            {
                entry.id: location_id
                for entry, location_id in zip(entries, arrivals, strict=True)
                if location_id
            },
        )
        moves = entries.stock_move_id
        moves.purchase_line_id._state_invoicing(company)
        moves.sale_line_id._state_invoicing(company)
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
        return self.browse(sorted(entry_id for (entry_id,) in ids))

    def _is_invoiceable(self):
        """Say whether bills or invoices of an order line will invoice the entry.

        The components of a kit are not: their order line is the kit's.
        """
        self.ensure_one()
        return bool(self._inventory_order_line())

    def _inventory_order_line(self):
        """Return the order line whose bills or invoices invoice the entry, if any."""
        self.ensure_one()
        move = self.stock_move_id
        line = {"purchase": move.purchase_line_id, "sale": move.sale_line_id}.get(
            self.entry_type
        )
        return line if line and line.product_id == self.product_id else None

    def _state_moves(self):
        """State what the moves say of their increases' cost; return value entries.

        Purchases of an order line are expected at the order's price; other increases
        are actual at the move's price or, without one, the current unit cost. The cost
        of decreases, exact returns and arrivals is worked out by the cost engine.
        """
        increases = self.filtered(
            lambda entry: entry.quantity > 0 and not entry.applies_from_entry_id
        )
        ordered = increases.filtered(
            lambda entry: entry.entry_type == "purchase" and entry._is_invoiceable()
        )
        statements = ordered._prepare_receipt_statements()
        statements += (increases - ordered)._prepare_unordered_statements()
        return self.env["stock.value.entry"]._state("stock.move", statements)

    def _prepare_receipt_statements(self):
        """Return the expected cost of receipts of order lines, as statements."""
        statements = []
        for line, entries in self.grouped(
            lambda entry: entry.stock_move_id.purchase_line_id
        ).items():
            amounts = line._inventory_expected_costs(entries)
            for entry, amount in zip(entries, amounts, strict=True):
                statements.append(
                    {
                        **entry._prepare_statement(),
                        "cost_amount_expected": amount,
                        "expected": True,
                    }
                )
        return statements

    def _prepare_unordered_statements(self):
        """Return the cost of increases without an order line, as statements."""
        statements = []
        unit_costs = self.env["stock.cost.item"]._unit_costs(self)
        for entry in self:
            move = entry.stock_move_id
            given = (
                move.price_unit if entry.product_id.cost_method != "standard" else 0.0
            )
            unit_cost = given or unit_costs.get(entry.product_id.id, 0.0)
            amount = entry.currency_id.round(unit_cost * entry.quantity)
            expected = entry._is_invoiceable()
            statements.append(
                {
                    **entry._prepare_statement(),
                    "cost_amount_expected": amount if expected else 0.0,
                    "cost_amount_actual": 0.0 if expected else amount,
                    "invoiced_quantity": 0.0 if expected else entry.quantity,
                    "expected": expected,
                }
            )
        return statements

    def _prepare_statement(self):
        """Return what a move's statement of its increase's direct cost has in common;
        a hook."""
        self.ensure_one()
        return {
            "source_id": self.stock_move_id.id,
            "source_ref": self.origin,
            "ledger_entry_id": self.id,
            "entry_type": "direct_cost",
            "ledger_entry_quantity": self.quantity,
            "posting_date": self.posting_date,
        }

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

    def _prepare_repriced_statements(self):
        """Return statements of receipts at their order lines' present price.

        What bills reversed of the expected cost stays reversed; the rest is the unbilled
        quantity at the new price. The quantity of the entry is recorded already.
        """
        sums = self._costs()
        recorded = self.env["stock.value.entry"]._recorded(
            "stock.move", {(entry.stock_move_id.id, entry.id) for entry in self}
        )
        first_open = self.env["inventory.period"]._first_open_date_getter(
            self.env.company
        )
        today = self.env.company._inventory_posting_date(fields.Datetime.now())
        statements = []
        for line, entries in self.grouped(
            lambda entry: entry.stock_move_id.purchase_line_id
        ).items():
            amounts = line._inventory_expected_costs(entries)
            for entry, amount in zip(entries, amounts, strict=True):
                expected, _actual, invoiced = sums[entry.id]
                key = (entry.stock_move_id.id, entry.id, "direct_cost", None)
                stated = recorded.get(key, (0.0, 0.0, 0.0, None))
                unbilled = amount * (entry.quantity - invoiced) / entry.quantity
                statements.append(
                    {
                        **entry._prepare_statement(),
                        "cost_amount_expected": stated[0]
                        + entry.currency_id.round(unbilled)
                        - expected,
                        "cost_amount_actual": stated[1],
                        "invoiced_quantity": stated[2],
                        "expected": True,
                        "posting_date": first_open(max(entry.posting_date, today)),
                    }
                )
        return statements

    def _invoiced_by_source(self):
        """Return ``{entry id: {((source model, source id), entry id): quantity}}``."""
        self.env.cr.execute(invoiced_by_source_query(self.ids))
        invoiced = {}
        for entry_id, model, source_id, quantity in self.env.cr.fetchall():
            key = ((model, source_id), entry_id)
            invoiced.setdefault(entry_id, {})[key] = quantity
        return invoiced

    @api.model
    def _waiting_sums(self, items):
        """Return ``{product id: (quantity, cost)}`` of decreases not covered yet.

        Both are negative. A decrease that is covered in part counts with its open
        quantity and the same share of its cost.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT product_id, sum(remaining), sum(cost * remaining / quantity)
                FROM (
                    SELECT e.product_id, e.quantity, e.remaining_quantity AS remaining,
                           sum(v.cost_amount_actual + v.cost_amount_expected) AS cost
                    FROM stock_ledger_entry e
                    JOIN stock_value_entry v ON v.ledger_entry_id = e.id
                    WHERE e.open AND e.quantity < 0
                      AND e.company_id IN %s AND e.product_id IN %s
                    GROUP BY e.id
                ) AS waiting GROUP BY 1
                """,
                tuple(items.company_id.ids) or (0,),
                tuple(items.product_id.ids) or (0,),
            )
        )
        return {row[0]: row[1:] for row in self.env.cr.fetchall()}

    def _reversed_quantities(self, sign, units):
        """Return ``{((source model, source id), entry id): quantity}`` of reversals.

        An entry and its own reversal settle each other before any bill or invoice is
        matched: a corrected quantity or date moves bills on to the entry that stands.
        """
        settled = {}
        for entry in self.filtered("reverses_entry_id"):
            source = ("stock.move", entry.stock_move_id.id)
            quantity = sign * units.quantity(entry.quantity)
            for key, settles in (
                ((source, entry.id), quantity),
                ((source, entry.reverses_entry_id.id), -quantity),
            ):
                settled[key] = settled.get(key, 0) + settles
        return settled
