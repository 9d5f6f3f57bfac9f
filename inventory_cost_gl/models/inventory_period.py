from datetime import date, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..costing.periods import open_date

# Records a message names at most.
NAMED = 5


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

    # -- Closing and re-opening -------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Create periods; one that ends in a closed period is closed as well."""
        self._refuse_closed(*vals_list)
        periods = super().create(vals_list)
        for period in periods.filtered(lambda period: not period.closed):
            if period.search_count(period._others(">") & Domain("closed", "=", True)):
                period.sudo().closed = True
        return periods

    def write(self, vals):
        """Change open periods only; closing has its button, with its checks."""
        self._refuse_closed(vals)
        if {"ending_date", "company_id"} & set(vals):
            self._refuse_change_of_closed()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_open(self):
        self._refuse_change_of_closed()

    def _refuse_closed(self, *vals_list):
        if not self.env.su and any("closed" in vals for vals in vals_list):
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

    def action_close(self):
        """Close this period and the earlier ones: their inventory value is final.

        Raises UserError while goods sold or used in them have no supply yet, or cost in
        them is not adjusted, and names both.
        """
        self.check_access("write")
        for period in self.sorted("ending_date"):
            self.env["inventory.cost.guard"]._change(period.company_id)
            day = period.ending_date
            self._check_closable(period.company_id.id, day)
            # Documents the guard waited for are not in this transaction's snapshot.
            with self.env.registry.cursor() as cr:
                fresh = self.with_env(self.env(cr=cr))
                fresh._check_closable(period.company_id.id, day)
            period.search(period._others("<=")).sudo().closed = True

    def action_reopen(self):
        """Re-open this period and the later ones."""
        self.check_access("write")
        for period in self:
            self.env["inventory.cost.guard"]._change(period.company_id)
            period.search(period._others(">=")).sudo().closed = False

    @api.model
    def _check_closable(self, company_id, day):
        """Raise while something is open in a company until a day."""
        uncovered = (
            self.env["stock.ledger.entry"]
            .sudo()
            .search(
                [
                    ("company_id", "=", company_id),
                    ("posting_date", "<=", day),
                    ("open", "=", True),
                    ("quantity", "<", 0),
                ],
                order="posting_date, id",
            )
        )
        if uncovered:
            raise UserError(self._uncovered_message(uncovered))
        queued = (
            self.env["stock.cost.queue"]
            .sudo()
            ._read_group(
                [
                    ("company_id", "=", company_id),
                    ("valuation_date", "<=", day),
                ],
                ["product_id"],
            )
        )
        if queued:
            products = self.env["product.product"].union(*(row[0] for row in queued))
            raise UserError(self._queued_message(products))

    def _uncovered_message(self, entries):
        """Name the decreases without supply, and the way out."""
        names = [
            self.env._(
                "%(document)s of %(date)s: %(quantity)s of %(product)s",
                document=entry.display_name,
                date=format_date(self.env, entry.posting_date),
                quantity=f"{-entry.remaining_quantity:g}",
                product=entry.product_id.display_name,
            )
            for entry in entries[:NAMED]
        ]
        return self.env._(
            "The period can't be closed: goods were taken that were not in stock "
            "(ledger entries: %(count)s). Record the missing receipts or a physical "
            "count, then close again.\n%(entries)s",
            count=len(entries),
            entries=self._listed(names, len(entries)),
        )

    def _queued_message(self, products):
        """Name the products whose cost is not adjusted, and the way out."""
        return self.env._(
            "The period can't be closed: cost is not adjusted (products: %(count)s). "
            "Run Adjust Cost (products excluded from adjustment must be included "
            "again), then close again.\n%(products)s",
            count=len(products),
            products=self._listed(
                products[:NAMED].mapped("display_name"), len(products)
            ),
        )

    def _listed(self, names, count):
        more = [self.env._("and %s more", count - NAMED)] if count > NAMED else []
        return "\n".join([*names, *more])
