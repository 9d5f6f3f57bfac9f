from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..costing.periods import open_date


class InventoryPeriod(models.Model):
    """A period whose inventory value is final once it is closed.

    A date is closed when it is not later than the ending date of a closed period, or
    Odoo's fiscal year or hard lock date.
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

    @api.model
    def _last_closed_date(self, company):
        """Return the last day that is closed for recording cost, ``date.min`` if none.

        Odoo's lock dates are read as the current user meets them, exceptions included.
        """
        period = self.sudo().search(
            [("company_id", "=", company.id), ("closed", "=", True)],
            order="ending_date desc",
            limit=1,
        )
        days = [
            period.ending_date,
            company.user_fiscalyear_lock_date,
            company.user_hard_lock_date,
        ]
        return max((day for day in days if day), default=date.min)

    @api.model
    def _first_open_date_getter(self, company):
        """Return a function: the date itself if open, else the first open date."""
        first_open = self._earliest_open_date(company)
        return lambda day: open_date(day, first_open)

    @api.model
    def _earliest_open_date(self, company):
        """Return the first date open for recording cost, None if all are."""
        last_closed = self._last_closed_date(company)
        return None if last_closed == date.min else last_closed + timedelta(days=1)

    @api.model
    def _first_open_date(self, company, day):
        """Return the date itself if it is open, else the first open date."""
        return self._first_open_date_getter(company)(day)

    @api.model
    def _check_open(self, company, days):
        """Raise if one of the dates is closed for recording cost."""
        last_closed = self._last_closed_date(company)
        closed = [day for day in days if day <= last_closed]
        if closed:
            raise UserError(
                self.env._(
                    "%(date)s lies in a closed period of %(company)s: inventory cost "
                    "is closed until %(closed)s. Choose a later date, or ask a manager "
                    "to re-open the period.",
                    date=format_date(self.env, min(closed)),
                    company=company.display_name,
                    closed=format_date(self.env, last_closed),
                )
            )
