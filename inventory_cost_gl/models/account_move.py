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
        posted._say_bill_lines_without_order()
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
        for company, moves in self.sudo().grouped("company_id").items():
            lines = moves.invoice_line_ids
            lines.purchase_line_id._state_invoicing(company)
            lines.sale_line_ids._state_invoicing(company)

    def _say_bill_lines_without_order(self):
        """Say on bills which lines of managed products no receipt can be found for."""
        for bill in self.filtered(lambda move: move.is_purchase_document()):
            lines = bill.invoice_line_ids.filtered(
                lambda line: line.display_type == "product"
                and not line.sudo().purchase_line_id
                and line.product_id.is_storable
                and line.product_id.with_company(line.company_id)._is_managed()
            )
            if lines:
                bill.message_post(
                    body=self.env._(
                        "The cost of these lines reaches no inventory, because they "
                        "belong to no purchase order: %(products)s. Link them to "
                        "their order, or post a revaluation.",
                        products=", ".join(lines.product_id.mapped("display_name")),
                    )
                )
