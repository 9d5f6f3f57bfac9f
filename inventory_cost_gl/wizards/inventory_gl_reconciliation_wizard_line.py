from odoo import fields, models
from odoo.fields import Domain


class InventoryGlReconciliationWizardLine(models.TransientModel):
    """An account role on the reconciliation screen, and the way to its records."""

    _name = "inventory.gl.reconciliation.wizard.line"
    _description = "Inventory – G/L Reconciliation by Account Role"
    _rec_name = "account_role"

    wizard_id = fields.Many2one(
        "inventory.gl.reconciliation.wizard", required=True, ondelete="cascade"
    )
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    account_role = fields.Selection(
        lambda self: self.env["inventory.gl.reconciliation"]._account_role_selection()
    )
    value_entry_amount = fields.Monetary(string="Value Entries")
    gl_amount = fields.Monetary(string="G/L")
    difference = fields.Monetary(help="G/L less value entries.")
    not_posted = fields.Monetary(string="Not Posted Yet")
    expected_not_posted = fields.Monetary(
        string="Expected Cost, Not Posted by Setup",
    )
    posted_by_hand = fields.Monetary(string="Posted by Hand")
    posted_on_other_date = fields.Monetary(string="Posted on Another Date")
    posted_to_other_account = fields.Monetary(string="Posted to Another Account")
    unexplained = fields.Monetary()
    alarm_count = fields.Integer(string="Unexplained Records")
    advice = fields.Text(string="What to Do")

    def action_value_entries(self):
        """Open the value entries that post to the role."""
        self.ensure_one()
        report = self.env["inventory.gl.reconciliation"]
        domain = report._value_entry_domain(self.wizard_id._domain(), self.account_role)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries: %s", self._role_name()),
            "res_model": "stock.value.entry",
            "view_mode": "list,form",
            "domain": list(domain),
            "context": {"create": False},
        }

    def action_journal_items(self):
        """Open the journal items of the role's accounts.

        Where the accounts alone can't tell, open the rows of the report instead: they
        name the journal items, each with the role's share.
        """
        self.ensure_one()
        name = self.env._("Journal Items: %s", self._role_name())
        wizard = self.wizard_id
        domain = None
        if not (wizard.product_ids or wizard.category_ids or wizard.cost_location_ids):
            domain = self.env["inventory.gl.reconciliation"]._journal_item_domain(
                wizard.company_id, self.account_role, wizard.date_from, wizard.date_to
            )
        if domain is None:
            return self._open_rows(name, Domain("gl_amount", "!=", 0))
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "domain": list(domain),
            "context": {"create": False},
        }

    def action_difference(self):
        """Open the records that have a cause or lack one, grouped by it."""
        self.ensure_one()
        action = self._open_rows(
            self.env._("Difference: %s", self._role_name()),
            Domain("cause", "!=", "reconciled"),
        )
        return action | {"context": {"create": False, "group_by": ["cause"]}}

    def _open_rows(self, name, domain):
        """List the role's rows of the report within the screen's filters."""
        wizard = self.wizard_id
        domain &= Domain("account_role", "=", self.account_role)
        return wizard._open_rows(name, wizard._domain() & domain)

    def _role_name(self):
        names = self._fields["account_role"]._description_selection(self.env)
        return dict(names)[self.account_role]
