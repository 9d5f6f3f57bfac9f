from odoo import fields, models


class InventoryCostRunLine(models.Model):
    """What a run skipped and why, or what a preview would post."""

    _name = "inventory.cost.run.line"
    _description = "Inventory Cost Run Line"
    _log_access = False
    _order = "id"
    _rec_name = "reason"

    run_id = fields.Many2one("inventory.cost.run", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [("skipped", "Skipped Entry"), ("planned", "Planned Journal Item")],
        required=True,
    )
    value_entry_id = fields.Many2one("stock.value.entry", ondelete="restrict")
    product_id = fields.Many2one("product.product", ondelete="set null")
    posting_date = fields.Date()
    document_ref = fields.Char(string="Document")
    amount = fields.Monetary(help="What of the value entry is not posted.")
    reason = fields.Text()
    res_model = fields.Char(string="Record to Fix (Model)")
    res_id = fields.Many2oneReference(model_field="res_model", index=False)
    account_id = fields.Many2one("account.account", ondelete="set null")
    name = fields.Char(string="Label")
    debit = fields.Monetary()
    credit = fields.Monetary()
    value_entry_count = fields.Integer(string="Value Entries")
    analytic_distribution = fields.Json()

    _run_index = models.Index("(run_id, kind, id)")
    _value_entry_index = models.Index(
        "(value_entry_id) WHERE value_entry_id IS NOT NULL"
    )
