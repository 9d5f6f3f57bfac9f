from odoo import fields, models


class StockCostApplicationScreen(models.Model):
    """What the screens show of the two entries of an application."""

    _inherit = "stock.cost.application"

    product_id = fields.Many2one(related="inbound_entry_id.product_id")
    uom_id = fields.Many2one(related="inbound_entry_id.product_id.uom_id")
    inbound_date = fields.Date(
        related="inbound_entry_id.posting_date", string="Increased on"
    )
    inbound_type = fields.Selection(
        related="inbound_entry_id.entry_type", string="Type of Increase"
    )
    outbound_date = fields.Date(
        related="outbound_entry_id.posting_date", string="Decreased on"
    )
    outbound_type = fields.Selection(
        related="outbound_entry_id.entry_type", string="Type of Decrease"
    )
