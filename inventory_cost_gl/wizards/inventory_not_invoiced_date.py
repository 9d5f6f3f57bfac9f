from odoo import fields, models
from odoo.tools import format_date

from ..report.inventory_not_invoiced import KINDS


class InventoryNotInvoicedDate(models.TransientModel):
    """Asks for the date of the lists of goods not invoiced."""

    _name = "inventory.not.invoiced.date"
    _description = "Goods Not Invoiced at a Date"

    kind = fields.Selection(KINDS, required=True, default="received")
    date = fields.Date(required=True, default=fields.Date.context_today)

    def action_show(self):
        """Open the list as it was at the end of the date."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"inventory_cost_gl.inventory_not_invoiced_action_{self.kind}"
        )
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        name = self.env._(
            "%(list)s on %(date)s",
            list=kinds[self.kind],
            date=format_date(self.env, self.date),
        )
        return {
            **action,
            "name": name,
            "display_name": name,  # what the breadcrumbs show
            "context": {
                "not_invoiced_on": fields.Date.to_string(self.date),
                "default_kind": self.kind,
                "default_date": fields.Date.to_string(self.date),
            },
        }
