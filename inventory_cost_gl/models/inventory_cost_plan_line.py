from odoo import fields, models

from ..posting.roles import INVENTORY_POSTING_ROLES, ROLES


class InventoryCostPlanLine(models.Model):
    """A debit and a credit of the same amount that a posting run plans or has posted.

    Every posting run keeps the complete list, previews too: which journal items, and
    which amounts of which value entries each of them is made of. Posting a preview
    compares with it, and the printed report reads it.
    """

    _name = "inventory.cost.plan.line"
    _description = "Planned Journal Items"
    _log_access = False
    _order = "id"
    _rec_name = "name"

    run_id = fields.Many2one("inventory.cost.run", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="company_id.currency_id")
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        ondelete="restrict",
        help="Empty while it is only planned.",
    )
    date = fields.Date(required=True, help="The date of the journal entry.")
    posting_date = fields.Date(
        required=True,
        string="Posting Date of Value Entries",
        help="Differs from the journal entry's date where that was locked.",
    )
    moved = fields.Boolean(help="Posted on another date than the value entries'.")
    document_ref = fields.Char(
        string="Document", help="Empty where documents are added up."
    )
    kind = fields.Selection(
        [("expected", "Expected Cost"), ("actual", "Actual Cost")], required=True
    )
    debit_role = fields.Selection("_selection_role", required=True)
    credit_role = fields.Selection("_selection_role", required=True)
    debit_account_id = fields.Many2one("account.account", ondelete="set null")
    credit_account_id = fields.Many2one("account.account", ondelete="set null")
    amount = fields.Monetary(required=True, help="What is debited and credited.")
    name = fields.Char(string="Label")
    analytic_distribution = fields.Json()
    cost_location_id = fields.Many2one("stock.location", ondelete="set null")
    inventory_posting_group_id = fields.Many2one(
        "inventory.posting.group", ondelete="set null"
    )
    business_posting_group_id = fields.Many2one(
        "business.posting.group", ondelete="set null"
    )
    product_posting_group_id = fields.Many2one(
        "product.posting.group", ondelete="set null"
    )
    value_entry_count = fields.Integer(string="Value Entries")
    value_entry_refs = fields.Json(
        prefetch=False, help="Database ids of the value entries."
    )
    value_entry_units = fields.Json(
        prefetch=False,
        help="What of each value entry is posted, in the order of the ids, in units of "
        "the currency's rounding. Negative amounts turn debit and credit round.",
    )

    _run_index = models.Index("(run_id, date, id)")
    _move_index = models.Index("(move_id) WHERE move_id IS NOT NULL")

    def _selection_role(self):
        """Return the account roles by the name that the posting setups give them."""
        setups = {
            role: self.env["inventory.posting.setup"]
            if role in INVENTORY_POSTING_ROLES
            else self.env["general.posting.setup"]
            for role in ROLES
        }
        return [
            (role, setup._fields[f"{role}_account_id"]._description_string(self.env))
            for role, setup in setups.items()
        ]

    def action_open_value_entries(self):
        """Open the value entries that the journal items are made of."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries of %(label)s", label=self[:1].name),
            "res_model": "stock.value.entry",
            "view_mode": "list,pivot,form",
            "domain": [("plan_line_ids", "in", self.ids)],
            "context": {"create": False},
        }
