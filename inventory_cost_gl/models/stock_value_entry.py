from odoo import api, fields, models
from odoo.tools import SQL

from .many2one_without_key import Many2oneWithoutKey
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


class StockValueEntry(models.Model):
    """The value ledger: every cost, expected or actual, ever recorded.

    Amounts are in company currency; a decrease of stock is negative. A correction is a
    new entry. Sources are named by model, id and text, never by a foreign key, so that
    documents and users can be deleted or merged without touching the ledger. What a
    value entry copies from its ledger entry or its source is kept from deletion by the
    keys there.
    """

    _name = "stock.value.entry"
    _description = "Value Entries"
    _inherit = "inventory.append.only.mixin"
    _log_access = False
    _order = "posting_date desc, id desc"
    _rec_name = "document_ref"
    _check_company_auto = True

    company_id = Many2oneWithoutKey("res.company", required=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    ledger_entry_id = Many2oneWithoutKey(
        "stock.ledger.entry",
        ondelete="restrict",
        help="Empty for capacity.",
    )
    product_id = Many2oneWithoutKey("product.product", ondelete="restrict")
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
    applies_to_value_entry_id = Many2oneWithoutKey(
        "stock.value.entry", ondelete="restrict", help="The entry that is adjusted."
    )
    cause_value_entry_id = Many2oneWithoutKey(
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
    charge_product_id = Many2oneWithoutKey("product.product", ondelete="restrict")
    counter_account = fields.Integer(
        help="Database id of the account that replaces the posting setup's second "
        "account, such as a landed cost line's."
    )
    inventory_posting_group_id = Many2oneWithoutKey(
        "inventory.posting.group", ondelete="restrict"
    )
    product_posting_group_id = Many2oneWithoutKey(
        "product.posting.group", ondelete="restrict"
    )
    business_posting_group_id = Many2oneWithoutKey(
        "business.posting.group", ondelete="restrict"
    )
    cost_location_id = Many2oneWithoutKey("stock.location", ondelete="restrict")
    analytic_distribution = fields.Json()
    source_currency_id = Many2oneWithoutKey("res.currency", ondelete="restrict")
    source_amount = fields.Monetary(currency_field="source_currency_id")
    run_ref = fields.Integer(help="Database id of the run that recorded the entry.")
    recorded_at = fields.Datetime(required=True)
    user_ref = fields.Integer(help="Database id of the user who recorded the entry.")
    link_ids = fields.One2many("stock.value.entry.link", "value_entry_id")
    cost_posted_to_gl = fields.Monetary(compute="_compute_posted_to_gl")
    expected_cost_posted_to_gl = fields.Monetary(compute="_compute_posted_to_gl")

    # Finds what a source stated: whole numbers only, as every adjustment is in it too.
    _source_index = models.Index("(source_id, ledger_entry_id)")
    _ledger_entry_index = models.Index("(ledger_entry_id)")
    # Holds all that the value of stock at a date takes: the entries are not read.
    _stock_index = models.Index(
        "(product_id, company_id, posting_date) INCLUDE (ledger_entry_id, "
        "ledger_entry_quantity, cost_amount_actual, cost_amount_expected)"
    )
    _company_date_index = models.Index("(company_id, posting_date)")
    # Revaluations are few, and all that may count later than what they revalue.
    _revaluation_index = models.Index(
        "(product_id, company_id, valuation_date) WHERE entry_type = 'revaluation'"
    )
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
