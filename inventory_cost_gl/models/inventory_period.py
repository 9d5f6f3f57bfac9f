from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import date_utils, format_date

from ..costing.periods import open_date


class InventoryPeriod(models.Model):
    """A period whose inventory value is final once it is closed (Business Central h.6).

    A date is closed when it is not later than the ending date of a closed period, or
    Odoo's fiscal year or hard lock date.
    """

    _name = "inventory.period"
    _description = "Inventory Period"
    _inherit = ["mail.thread"]
    _order = "ending_date desc"
    _check_company_auto = True

    name = fields.Char(
        compute="_compute_name",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    ending_date = fields.Date(
        required=True, tracking=True, default=lambda self: self._next_ending_date()
    )
    closed = fields.Boolean(readonly=True, copy=False, tracking=True)
    closed_at = fields.Datetime(
        string="Last Closed",
        readonly=True,
        copy=False,
        help="Kept when the period is opened again.",
    )
    last_value_entry_id = fields.Many2one(
        "stock.value.entry",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="The last value entry there was when the period was closed: with it the "
        "ledger can be read as it was known then.",
    )

    _company_date_unique = models.UniqueIndex(
        "(company_id, ending_date)", "The company has a period with this ending date."
    )

    @api.depends("ending_date")
    def _compute_name(self):
        """Propose month and year."""
        for period in self:
            if period.ending_date:
                period.name = format_date(
                    self.env, period.ending_date, date_format="LLLL yyyy"
                )

    @api.model
    def _next_ending_date(self):
        """Propose the month after the company's last period, at first last month."""
        last = self.search([("company_id", "=", self.env.company.id)], limit=1)
        if last:
            return date_utils.end_of(last.ending_date + timedelta(days=1), "month")
        this_month = date_utils.start_of(fields.Date.context_today(self), "month")
        return this_month - timedelta(days=1)

    # -- Which dates are open ---------------------------------------------------------

    @api.model
    def _last_closed_date(self, company):
        """Return the last day that is closed for recording cost, ``date.min`` if none.

        Odoo's lock dates are read as the current user meets them, exceptions included.
        """
        closed = company.sudo().inventory_closed_until or date.min
        return max(closed, company._inventory_lock_date())

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
    def _check_open(self, company, dated):
        """Raise if a document is dated where recording cost is closed.

        ``dated``: ``(date, document name)`` pairs. The message names the first one, and
        the way out.
        """
        last_closed = self._last_closed_date(company)
        closed = [(day, document) for day, document in dated if day <= last_closed]
        if closed:
            day, document = min(closed, key=lambda pair: pair[0])
            raise UserError(
                self.env._(
                    "%(document)s is dated %(date)s, in a closed period of "
                    "%(company)s: inventory cost is closed until %(closed)s. Choose a "
                    "later date, or ask an inventory cost manager to open the period "
                    "again.",
                    document=document or self.env._("The document"),
                    date=format_date(self.env, day),
                    company=company.display_name,
                    closed=format_date(self.env, last_closed),
                )
            )

    # -- Records ----------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Create periods; one that ends in a closed period is closed as well."""
        self._refuse_closed(*vals_list)
        periods = super().create(vals_list)
        for period in periods.filtered(lambda period: not period.closed):
            later = period.search(
                period._others(">") & Domain("closed", "=", True),
                order="ending_date",
                limit=1,
            )
            if later:
                period.sudo().write(
                    {
                        "closed": True,
                        "closed_at": later.closed_at,
                        "last_value_entry_id": later.last_value_entry_id.id,
                    }
                )
        return periods

    def write(self, vals):
        """Change open periods only; closing has its button, with its checks."""
        self._refuse_closed(vals)
        if {"ending_date", "company_id"} & set(vals):
            self._refuse_change_of_closed()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never_closed(self):
        """Only periods without a history of closings can go (rule h.6)."""
        self._refuse_change_of_closed()
        for period in self.filtered("closed_at"):
            raise UserError(
                self.env._(
                    "%(period)s has been closed before: it is kept with the record of "
                    "who closed and opened it.",
                    period=period.name,
                )
            )

    def _refuse_closed(self, *vals_list):
        """The fields that closing fills in are not written by hand."""
        closing = {"closed", "closed_at", "last_value_entry_id"}
        if not self.env.su and any(closing & set(vals) for vals in vals_list):
            raise UserError(
                self.env._("Close or re-open an inventory period with its button.")
            )

    def _refuse_change_of_closed(self):
        for period in self.filtered("closed"):
            raise UserError(
                self.env._(
                    "The inventory period that ends on %(date)s is closed. Re-open it "
                    "first.",
                    date=format_date(self.env, period.ending_date),
                )
            )

    def _others(self, operator):
        """Return the domain of the company's periods that end before or after this."""
        self.ensure_one()
        return Domain("company_id", "=", self.company_id.id) & Domain(
            "ending_date", operator, self.ending_date
        )
