from odoo import models


class AccountMove(models.Model):
    """Bills of landed costs: the landed cost credits the account the bill debited."""

    _inherit = "account.move"

    def button_create_landed_costs(self):
        """Give the landed cost's lines the accounts of the bill's lines.

        Odoo proposes the stock valuation account, which bills of landed costs debit
        under its own perpetual valuation only.
        """
        action = super().button_create_landed_costs()
        cost = self.env["stock.landed.cost"].browse(action["res_id"])
        bill_lines = self.line_ids.filtered("is_landed_costs_line")
        for cost_line, bill_line in zip(cost.cost_lines, bill_lines, strict=True):
            cost_line.account_id = bill_line.account_id
        return action
