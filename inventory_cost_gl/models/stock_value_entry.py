import json

from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .stock_ledger_entry import ENTRY_TYPES

VALUE_ENTRY_TYPES = [
    ("direct_cost", "Direct Cost"),
    ("indirect_cost", "Indirect Cost"),
    ("variance", "Variance"),
    ("revaluation", "Revaluation"),
    ("rounding", "Rounding"),
]
VARIANCE_TYPES = [
    ("purchase", "Purchase"),
    ("material", "Material"),
    ("capacity", "Capacity"),
    ("subcontracted", "Subcontracted"),
    ("capacity_overhead", "Capacity Overhead"),
    ("manufacturing_overhead", "Manufacturing Overhead"),
]

# Columns a caller of ``_append`` may give, with their PostgreSQL types; the rest of a
# value entry follows from its ledger entry and its cause.
APPENDED_COLUMNS = {
    "ledger_entry_id": "integer",
    "entry_type": "varchar",
    "variance_type": "varchar",
    "cost_amount_expected": "numeric",
    "cost_amount_actual": "numeric",
    "expected": "boolean",
    "ledger_entry_quantity": "numeric",
    "invoiced_quantity": "numeric",
    "valued_quantity": "numeric",
    "valued_by_average": "boolean",
    "partial_revaluation": "boolean",
    "posting_date": "date",
    "valuation_date": "date",
    "adjustment": "boolean",
    "applies_to_value_entry_id": "integer",
    "cause_value_entry_id": "integer",
    "source_model": "varchar",
    "source_id": "integer",
    "source_ref": "varchar",
    "document_ref": "varchar",
    "document_date": "date",
    "charge_product_id": "integer",
    "counter_account": "integer",
    "analytic_distribution": "jsonb",
    "source_currency_id": "integer",
    "source_amount": "numeric",
    "run_ref": "integer",
}
# What the engine asks of new value entries: known at once, never read back.
RETURNED_COLUMNS = (
    "company_id",
    "product_id",
    "ledger_entry_id",
    "entry_type",
    "valuation_date",
    "cost_amount_expected",
    "cost_amount_actual",
    "invoiced_quantity",
)
# Rows of one INSERT: enough for any document, and bounds the memory of large runs.
APPENDED_PAGE = 5000


class StockValueEntry(models.Model):
    """The value ledger: every cost, expected or actual, ever recorded.

    Amounts are in company currency; a decrease of stock is negative. A correction is a
    new entry. Sources are named by model, id and text, never by a foreign key, so that
    documents and users can be deleted or merged without touching the ledger.
    """

    _name = "stock.value.entry"
    _description = "Value Entries"
    _inherit = "inventory.append.only.mixin"
    _log_access = False
    _order = "posting_date desc, id desc"
    _rec_name = "document_ref"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    ledger_entry_id = fields.Many2one(
        "stock.ledger.entry",
        ondelete="restrict",
        help="Empty for capacity.",
    )
    product_id = fields.Many2one("product.product", ondelete="restrict")
    entry_type = fields.Selection(VALUE_ENTRY_TYPES, required=True)
    variance_type = fields.Selection(VARIANCE_TYPES)
    item_ledger_entry_type = fields.Selection(ENTRY_TYPES)
    cost_amount_expected = fields.Monetary()
    cost_amount_actual = fields.Monetary()
    expected = fields.Boolean(help="Recorded with nothing invoiced.")
    ledger_entry_quantity = fields.Float(
        digits=(16, 6),
        help="The quantity of the ledger entry, on its first value entry only: "
        "the sum is the stock on hand.",
    )
    invoiced_quantity = fields.Float(digits=(16, 6))
    valued_quantity = fields.Float(
        digits=(16, 6), help="The quantity the amount is spread over."
    )
    valued_by_average = fields.Boolean()
    partial_revaluation = fields.Boolean()
    posting_date = fields.Date(required=True)
    valuation_date = fields.Date(required=True)
    adjustment = fields.Boolean(help="Recorded by the adjustment of cost.")
    applies_to_value_entry_id = fields.Many2one(
        "stock.value.entry", ondelete="restrict", help="The entry that is adjusted."
    )
    cause_value_entry_id = fields.Many2one(
        "stock.value.entry",
        ondelete="restrict",
        help="The entry whose cost brought this adjustment about.",
    )
    source_model = fields.Char(required=True)
    source_id = fields.Many2oneReference(
        string="Source Record", model_field="source_model", required=True
    )
    source_ref = fields.Char(string="Source")
    document_ref = fields.Char(string="Document")
    document_date = fields.Date()
    order_model = fields.Char()
    order_id = fields.Many2oneReference(model_field="order_model", index=False)
    charge_product_id = fields.Many2one("product.product", ondelete="restrict")
    counter_account = fields.Integer(
        help="Database id of the account that replaces the posting setup's second "
        "account, such as a landed cost line's."
    )
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group", ondelete="restrict"
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group", ondelete="restrict"
    )
    business_posting_group_id = fields.Many2one(
        "business.posting.group", ondelete="restrict"
    )
    cost_location_id = fields.Many2one("stock.location", ondelete="restrict")
    analytic_distribution = fields.Json()
    source_currency_id = fields.Many2one("res.currency", ondelete="restrict")
    source_amount = fields.Monetary(currency_field="source_currency_id")
    run_ref = fields.Integer(help="Database id of the run that recorded the entry.")
    recorded_at = fields.Datetime(required=True)
    user_ref = fields.Integer(help="Database id of the user who recorded the entry.")
    link_ids = fields.One2many("stock.value.entry.link", "value_entry_id")
    cost_posted_to_gl = fields.Monetary(compute="_compute_posted_to_gl")
    expected_cost_posted_to_gl = fields.Monetary(compute="_compute_posted_to_gl")

    # The key sources state on; adjustments carry their cause's source but no statement.
    _source_index = models.Index(
        "(source_model, source_id, ledger_entry_id, entry_type, variance_type)"
    )
    _ledger_entry_index = models.Index("(ledger_entry_id)")
    # Holds all that the value of stock at a date takes: the entries are not read.
    _stock_index = models.Index(
        "(product_id, company_id, posting_date) INCLUDE (ledger_entry_id, "
        "ledger_entry_quantity, cost_amount_actual, cost_amount_expected)"
    )
    _company_date_index = models.Index("(company_id, posting_date)")
    _adjustment_has_cause = models.Constraint(
        "CHECK (NOT adjustment OR cause_value_entry_id IS NOT NULL)",
        "An adjustment names the value entry that caused it.",
    )
    _variance_has_type = models.Constraint(
        "CHECK ((entry_type = 'variance') = (variance_type IS NOT NULL))",
        "A variance, and nothing else, has a variance type.",
    )
    _product_of_ledger_entry = models.Constraint(
        "CHECK (ledger_entry_id IS NULL OR (product_id IS NOT NULL "
        "AND item_ledger_entry_type IS NOT NULL AND cost_location_id IS NOT NULL))",
        "A value entry of a ledger entry names its product, type and cost location.",
    )

    @api.depends("link_ids")
    def _compute_posted_to_gl(self):
        """Sum the links: one query for all entries."""
        posted = {
            (entry.id, kind): amount
            for entry, kind, amount in self.env["stock.value.entry.link"]._read_group(
                [("value_entry_id", "in", self.ids)],
                ["value_entry_id", "kind"],
                ["amount:sum"],
            )
        }
        for entry in self:
            entry.cost_posted_to_gl = posted.get((entry.id, "actual"), 0.0)
            entry.expected_cost_posted_to_gl = posted.get((entry.id, "expected"), 0.0)

    def action_open_journal_items(self):
        """Open the journal items that the entries stand in."""
        links = self.link_ids
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Items"),
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": [("id", "in", (links.debit_line_id | links.credit_line_id).ids)],
            "context": {"create": False},
        }

    # ------------------------------------------------------------------
    # Appending
    # ------------------------------------------------------------------

    @api.model
    def _append(self, rows):
        """Append value entries of ledger entries, and queue them for the G/L.

        ``rows`` are dicts of ``APPENDED_COLUMNS``; amounts in company currency, already
        rounded. Posting groups, cost location, order, analytic distribution and what
        else is not given come from the ledger entry; the source of an adjustment from
        its cause, its analytic distribution from the entry it adjusts. A statement per
        ``APPENDED_PAGE`` rows. Returns the new entries, in order.
        """
        if not rows:
            return self.browse()
        self.env["stock.ledger.entry"].flush_model()
        recorded = []
        for page in split_every(APPENDED_PAGE, rows, list):
            recorded += self.env.execute_query(self._append_query(page))
        recorded.sort()
        entries = self.browse(row[0] for row in recorded)
        self.env["stock.ledger.entry"].invalidate_model(
            [
                "value_entry_ids",
                "invoiced_quantity",
                "cost_amount_expected",
                "cost_amount_actual",
            ],
            flush=False,
        )
        queue = self.env["stock.value.entry.queue"]
        queue.invalidate_model(flush=False)
        for place, name in enumerate(RETURNED_COLUMNS, start=1):
            self._fields[name]._insert_cache(entries, [row[place] for row in recorded])
        queue._post_automatically(entries)
        return entries

    def _append_query(self, rows):
        """Return the INSERT that completes the given columns from the ledger entry.

        The rows go as one JSON text: PostgreSQL parses it far quicker than as many
        rows of constants, each with a cast.
        """
        columns = SQL(", ").join(
            SQL("%s %s", SQL.identifier(name), SQL(column_type))
            for name, column_type in APPENDED_COLUMNS.items()
        )
        return SQL(
            """
            WITH recorded AS (
            INSERT INTO stock_value_entry (
                company_id, ledger_entry_id, product_id, entry_type, variance_type,
                item_ledger_entry_type, cost_amount_expected, cost_amount_actual,
                expected, ledger_entry_quantity, invoiced_quantity, valued_quantity,
                valued_by_average, partial_revaluation, posting_date, valuation_date,
                adjustment, applies_to_value_entry_id, cause_value_entry_id,
                source_model, source_id, source_ref, document_ref, document_date,
                order_model, order_id, charge_product_id, counter_account,
                inventory_posting_group_id, product_posting_group_id,
                business_posting_group_id, cost_location_id, analytic_distribution,
                source_currency_id, source_amount, run_ref, recorded_at, user_ref)
            SELECT
                e.company_id, e.id, e.product_id, v.entry_type, v.variance_type,
                e.entry_type, COALESCE(v.cost_amount_expected, 0),
                COALESCE(v.cost_amount_actual, 0), COALESCE(v.expected, false),
                COALESCE(v.ledger_entry_quantity, 0),
                COALESCE(v.invoiced_quantity, 0),
                COALESCE(v.valued_quantity, e.quantity),
                COALESCE(v.valued_by_average, false),
                COALESCE(v.partial_revaluation, false), v.posting_date,
                COALESCE(v.valuation_date, e.valuation_date),
                COALESCE(v.adjustment, false), v.applies_to_value_entry_id,
                v.cause_value_entry_id,
                COALESCE(v.source_model, cause.source_model),
                COALESCE(v.source_id, cause.source_id),
                COALESCE(v.source_ref, cause.source_ref),
                COALESCE(v.document_ref, e.origin),
                COALESCE(v.document_date, v.posting_date),
                e.order_model, e.order_id, v.charge_product_id, v.counter_account,
                e.inventory_posting_group_id, e.product_posting_group_id,
                e.business_posting_group_id, e.cost_location_id,
                COALESCE(v.analytic_distribution, adjusted.analytic_distribution,
                         e.analytic_distribution),
                v.source_currency_id, v.source_amount, v.run_ref,
                now() AT TIME ZONE 'UTC', %(user)s
            FROM ROWS FROM (jsonb_to_recordset(%(rows)s::jsonb) AS (%(columns)s))
                WITH ORDINALITY AS v
            JOIN stock_ledger_entry e ON e.id = v.ledger_entry_id
            LEFT JOIN stock_value_entry cause ON cause.id = v.cause_value_entry_id
            LEFT JOIN stock_value_entry adjusted
                   ON adjusted.id = v.applies_to_value_entry_id
            ORDER BY v.ordinality
            RETURNING *),
            queued AS (%(enqueue)s)
            SELECT id, %(returned)s FROM recorded
            """,
            rows=json.dumps(rows, default=str),
            columns=columns,
            enqueue=SQL(self.env["stock.value.entry.queue"]._enqueue_query()),
            returned=SQL(", ".join(RETURNED_COLUMNS)),
            user=self.env.uid,
        )

    # ------------------------------------------------------------------
    # Sources state, the ledger appends
    # ------------------------------------------------------------------

    @api.model
    def _state(self, source_model, statements, withdrawn=()):
        """Record what sources contribute now; append what differs.

        ``statements`` are dicts of ``APPENDED_COLUMNS`` whose amounts and invoiced
        quantity are the *whole* contribution of ``source_id`` to ``ledger_entry_id``
        under ``entry_type`` and ``variance_type``. What was recorded before for the
        same source and ledger entry under other keys, and for the pairs ``(source id,
        ledger entry id)`` of ``withdrawn``, is stated as 0. Stating the same twice
        appends nothing. Returns the new value entries.
        """
        pairs = {(row["source_id"], row["ledger_entry_id"]) for row in statements}
        recorded = self._recorded(source_model, pairs | set(withdrawn))
        rows = self._differences(source_model, statements, recorded)
        rows += self._withdraw(source_model, recorded)
        return self._append(rows)

    @api.model
    def _state_first(self, source_model, statements):
        """Record what sources contribute to new ledger entries; see ``_state``."""
        return self._append(self._differences(source_model, statements, {}))

    def _differences(self, source_model, statements, recorded):
        """Return rows that bring what is recorded to the statements.

        What is stated leaves ``recorded``.
        """
        rows = []
        for statement in statements:
            key = (
                statement["source_id"],
                statement["ledger_entry_id"],
                statement["entry_type"],
                statement.get("variance_type") or None,
            )
            row = self._difference(statement, recorded.pop(key, None))
            if row:
                rows.append({**row, "source_model": source_model})
        return rows

    def _recorded(self, source_model, pairs):
        """Return ``{key: (expected, actual, invoiced, last id)}`` of the pairs."""
        if not pairs:
            return {}
        self.env.cr.execute(
            SQL(
                """
                SELECT source_id, ledger_entry_id, entry_type, variance_type,
                       sum(cost_amount_expected), sum(cost_amount_actual),
                       sum(invoiced_quantity), max(id)
                FROM stock_value_entry
                WHERE source_model = %s AND NOT adjustment
                  AND (source_id, ledger_entry_id) IN %s
                GROUP BY 1, 2, 3, 4
                """,
                source_model,
                tuple(pairs),
            )
        )
        return {tuple(row[:4]): row[4:] for row in self.env.cr.fetchall()}

    def _difference(self, statement, recorded):
        """Return the row that brings the recorded amounts to the stated ones, if any.

        The first statement on a key that brings the ledger entry's quantity is recorded
        even when its amounts are 0.
        """
        expected, actual, invoiced, _last = recorded or (0.0, 0.0, 0.0, None)
        currency = self.env.company.currency_id
        row = {
            **statement,
            "cost_amount_expected": currency.round(
                statement.get("cost_amount_expected", 0.0) - expected
            ),
            "cost_amount_actual": currency.round(
                statement.get("cost_amount_actual", 0.0) - actual
            ),
            "invoiced_quantity": round(
                statement.get("invoiced_quantity", 0.0) - invoiced, 6
            ),
        }
        if recorded:
            row["ledger_entry_quantity"] = 0.0
        changed = (
            row["cost_amount_expected"]
            or row["cost_amount_actual"]
            or row["invoiced_quantity"]
            or row.get("ledger_entry_quantity")
        )
        return row if changed else None

    def _withdraw(self, source_model, recorded):
        """Return rows that state 0 for recorded keys, dated as they were if open."""
        recorded = {key: values for key, values in recorded.items() if any(values[:3])}
        if not recorded:
            return []
        last = self.browse([values[3] for values in recorded.values()])
        periods = self.env["inventory.period"]
        first_open = periods._first_open_date_getter(self.env.company)
        rows = []
        for (key, values), entry in zip(recorded.items(), last, strict=True):
            source_id, ledger_entry_id, entry_type, variance_type = key
            rows.append(
                {
                    "source_model": source_model,
                    "source_id": source_id,
                    "ledger_entry_id": ledger_entry_id,
                    "entry_type": entry_type,
                    "variance_type": variance_type,
                    "cost_amount_expected": -values[0],
                    "cost_amount_actual": -values[1],
                    "invoiced_quantity": -values[2],
                    "source_ref": entry.source_ref,
                    "document_ref": entry.document_ref,
                    "document_date": entry.document_date,
                    "counter_account": entry.counter_account or None,
                    "analytic_distribution": entry._own_distribution(),
                    "posting_date": first_open(entry.posting_date),
                }
            )
        return rows
