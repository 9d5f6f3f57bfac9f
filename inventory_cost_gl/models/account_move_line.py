from odoo import models


class AccountMoveLine(models.Model):
    """Bills and invoices of managed products post no stock accounts of their own."""

    _inherit = "account.move.line"

    def write(self, vals):
        """Have orders that posted bill lines are linked to, or no longer are, state
        their cost anew."""
        if "purchase_line_id" not in vals:
            return super().write(vals)
        posted = self.sudo().filtered(lambda line: line.parent_state == "posted")
        by_company = posted.grouped("company_id")
        before = {c: lines.purchase_line_id for c, lines in by_company.items()}
        result = super().write(vals)
        for company, lines in by_company.items():
            (before[company] | lines.purchase_line_id)._state_invoicing(company)
        return result

    def _eligible_for_stock_account(self):
        """Managed products keep the expense account and get no COGS lines."""
        product = self.product_id.with_company(self.company_id)
        if product and product._is_managed():
            return False
        return super()._eligible_for_stock_account()

    def _inventory_cost(self, units):
        """Return the quantity and the cost of the whole bill line.

        The quantity is in millionths, the cost in units of the company currency's
        rounding: the line's balance and its taxes that cannot be deducted. Both are in
        the order's direction: a credit note's are negative.
        """
        self.ensure_one()
        sign = -1 if self.move_id.move_type == "in_refund" else 1
        quantity = self.product_uom_id._compute_quantity(
            sign * self.quantity, self.product_id.uom_id, round=False
        )
        amount = units.amount(self.balance * self._inventory_tax_ratio())
        return units.quantity(quantity), amount

    def _inventory_tax_ratio(self):
        """Return the net price with the taxes that cannot be deducted, over the net
        price."""
        self.ensure_one()
        if not self.tax_ids or not self.price_subtotal:
            return 1.0
        taxes = self.tax_ids.compute_all(
            self.price_unit * (1 - self.discount / 100),
            currency=self.currency_id,
            quantity=self.quantity,
            product=self.product_id,
            partner=self.partner_id,
            rounding_method="round_globally",
        )
        return taxes["total_void"] / taxes["total_excluded"]
