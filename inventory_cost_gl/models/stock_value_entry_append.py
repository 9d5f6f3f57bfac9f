import json

from odoo import api, models
from odoo.tools import SQL, split_every

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
# What ledger entries show of their value entries.
SUMMED_FIELDS = (
    "value_entry_ids",
    "invoiced_quantity",
    "cost_amount_expected",
    "cost_amount_actual",
)
# Rows of one INSERT: enough for any document, and bounds the memory of large runs.
APPENDED_PAGE = 5000


class StockValueEntry(models.Model):
    """The one way into the value ledger."""

    _inherit = "stock.value.entry"

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
        ledger = self.env["stock.ledger.entry"]
        for name in SUMMED_FIELDS:
            # Not invalidate_model(): it forgets the ledger entries of value entries.
            ledger._fields[name]._invalidate_cache(self.env)
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
