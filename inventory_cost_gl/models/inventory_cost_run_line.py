from odoo import fields, models


class InventoryCostRunLine(models.Model):
    """What a run skipped, and why: a value entry or a product."""

    _name = "inventory.cost.run.line"
    _description = "Inventory Cost Run Line"
    _log_access = False
    _order = "id"
    _rec_name = "reason"

    run_id = fields.Many2one("inventory.cost.run", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    value_entry_id = fields.Many2one("stock.value.entry", ondelete="restrict")
    product_id = fields.Many2one("product.product", ondelete="set null")
    posting_date = fields.Date()
    document_ref = fields.Char(string="Document")
    amount = fields.Monetary(help="What of the value entry is not posted.")
    reason = fields.Text()
    res_model = fields.Char(string="Record to Fix (Model)")
    res_id = fields.Many2oneReference(model_field="res_model", index=False)
    warning = fields.Boolean(help="The value entry is posted nevertheless.")

    _run_index = models.Index("(run_id, id)")
    _value_entry_index = models.Index(
        "(value_entry_id) WHERE value_entry_id IS NOT NULL"
    )

    def action_open_record(self):
        """Open the record where the reason is mended; a missing one is to be added.

        Where no record is named, it is the document that the value entry comes from.
        """
        self.ensure_one()
        if not self.res_model:
            return self._open_document()
        if self.res_model == "res.company":
            return self._open_lock_dates()
        record = self.env[self.res_model].sudo().browse(self.res_id or ()).exists()
        return {
            "type": "ir.actions.act_window",
            "name": self.env[self.res_model]._description,
            "res_model": self.res_model,
            "res_id": record.id,
            "view_mode": "form",
            "context": {} if record else self._prepare_missing_context(),
        }

    def _open_lock_dates(self):
        """Open the lock dates of the company; who may change companies changes them."""
        view = self.env.ref("inventory_cost_gl.res_company_view_form_lock_dates")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Lock Dates"),
            "res_model": "res.company",
            "res_id": self.res_id,
            "views": [(view.id, "form")],
            "target": "new",
        }

    def _open_document(self):
        """Open the value entry's document, or the value entry if that is gone."""
        entry = self.value_entry_id
        source = entry.source_model in self.env and (
            self.env[entry.source_model].sudo().browse(entry.source_id).exists()
        )
        return entry.action_open_source() if source else self.action_open_value_entry()

    def _prepare_missing_context(self):
        """Return the defaults of the record that is missing: its key is the entry's."""
        if self.res_model == "res.config.settings":
            return {"module": "inventory_cost_gl"}
        entry = self.value_entry_id
        return {
            "default_company_id": self.company_id.id,
            "default_cost_location_id": entry.cost_location_id.id,
            "default_inventory_posting_group_id": entry.inventory_posting_group_id.id,
            "default_product_posting_group_id": entry.product_posting_group_id.id,
            "default_business_posting_group_id": entry.business_posting_group_id.id,
        }

    def action_open_value_entry(self):
        """Open the value entry that was skipped."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "stock.value.entry",
            "res_id": self.value_entry_id.id,
            "view_mode": "form",
        }
