from odoo import fields, models

from .many2one_without_key import Many2oneWithoutKey


class StockCostApplication(models.Model):
    """Which increase supplied which decrease, and with how much.

    Unapplying appends a row with the negative quantity.
    """

    _name = "stock.cost.application"
    _description = "Cost Applications"
    _inherit = "inventory.append.only.mixin"
    _log_access = False
    _order = "id"
    _rec_name = "inbound_entry_id"

    company_id = Many2oneWithoutKey("res.company", required=True, ondelete="restrict")
    inbound_entry_id = Many2oneWithoutKey(
        "stock.ledger.entry", required=True, ondelete="restrict"
    )
    outbound_entry_id = Many2oneWithoutKey(
        "stock.ledger.entry", required=True, ondelete="restrict"
    )
    quantity = fields.Float(digits=(16, 6), required=True)
    cost_follows = fields.Boolean(
        help="The cost of the increase flows to the decrease. An average product's "
        "quantity links carry no cost, its fixed ones do."
    )
    recorded_at = fields.Datetime(required=True)

    _inbound_index = models.Index("(inbound_entry_id)")
    _outbound_index = models.Index("(outbound_entry_id)")
