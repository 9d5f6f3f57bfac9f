from odoo import fields, models


class InventoryPeriod(models.Model):
    """A period whose inventory value is final once it is closed.

    A date is closed when it is not later than the ending date of a closed period.
    """

    _name = "inventory.period"
    _description = "Inventory Period"
    _order = "ending_date desc"
    _rec_name = "ending_date"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    ending_date = fields.Date(required=True)
    closed = fields.Boolean(readonly=True)

    _company_date_unique = models.UniqueIndex("(company_id, ending_date)")
