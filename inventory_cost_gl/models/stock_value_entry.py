from odoo import api, fields, models

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
    documents and users can be deleted or merged without touching the ledger.
    """

    _name = "stock.value.entry"
    _description = "Value Entries"
    _inherit = "inventory.append.only.mixin"
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
    source_id = fields.Many2oneReference(model_field="source_model", required=True)
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
    _valuation_index = models.Index("(product_id, company_id, valuation_date)")
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
