from odoo import models


class AccountMove(models.Model):
    """Bills and invoices state the cost of the order lines they invoice."""

    _inherit = "account.move"

    # ------------------------------------------------------------------
    # Bills and invoices as sources of cost
    # ------------------------------------------------------------------

    def _post(self, soft=True):
        """State what the bills and invoices that got posted contribute."""
        posted = super()._post(soft)
        posted._state_inventory_cost()
        return posted

    def button_draft(self):
        """Take back what the reset bills and invoices contributed."""
        result = super().button_draft()
        self._state_inventory_cost()
        return result

    def button_cancel(self):
        """Take back what the cancelled bills and invoices contributed."""
        result = super().button_cancel()
        self._state_inventory_cost()
        return result

    def _state_inventory_cost(self):
        """Have the order lines of these bills and invoices state their cost anew."""
        for company, moves in self.grouped("company_id").items():
            lines = moves.invoice_line_ids
            lines.purchase_line_id._state_invoicing(company)
            lines.sale_line_ids._state_invoicing(company)
