from typing import NamedTuple

from odoo import fields, models
from odoo.tools import SQL


class PostingLag(NamedTuple):
    """How far posting to the general ledger is behind the value entries.

    ``since`` is when the oldest waiting value entry was recorded (UTC), ``None`` if
    nothing waits.
    """

    count: int
    since: object


class ResCompany(models.Model):
    """Automatic posting of a company: who is told, what is behind, what is switched."""

    _inherit = "res.company"

    inventory_cost_responsible_id = fields.Many2one(
        "res.users",
        string="Responsible Accountant",
        domain="[('share', '=', False), ('company_ids', 'in', id)]",
        help="Gets a to-do when inventory cost can't be posted automatically. Without "
        "one, the first accountant of inventory cost in the company does.",
    )
    inventory_write_off_tolerance = fields.Monetary(
        string="Write-Off Tolerance",
        help="What of an order line's expected cost accountants may write off at most.",
    )

    def write(self, vals):
        """Post what waited until now when automatic posting is switched on."""
        switched = self.filtered(
            lambda company: "automatic_cost_posting" in vals
            and company._differs("automatic_cost_posting", vals)
        )
        result = super().write(vals)
        for company in switched:
            self.env["inventory.cost.run"]._trigger_background(company)
        return result

    def _responsible_accountant(self, preferred=None):
        """Return the user who mends what keeps inventory cost from being posted.

        ``preferred`` is whoever started it; then the one of the settings.
        """
        self.ensure_one()
        group = self.env.ref("inventory_cost_gl.group_accountant")
        accountants = group.sudo().all_user_ids.filtered(
            lambda user: user.active and self in user.company_ids
        )
        chosen = self.sudo().inventory_cost_responsible_id
        asked = (user for user in (preferred, chosen) if user and user in accountants)
        return next(asked, accountants[:1])

    def _posting_lag(self):
        """Return the company's ``PostingLag``: one query."""
        self.ensure_one()
        self.env["stock.value.entry.queue"].flush_model()
        [[count, since]] = self.env.execute_query(
            SQL(
                """
                SELECT count(DISTINCT queue.value_entry_id), min(entry.recorded_at)
                  FROM stock_value_entry_queue queue
                  JOIN stock_value_entry entry ON entry.id = queue.value_entry_id
                 WHERE queue.company_id = %s
                """,
                self.id,
            )
        )
        return PostingLag(count, since)
