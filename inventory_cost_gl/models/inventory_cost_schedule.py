from datetime import datetime, timedelta

import pytz

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_datetime, html_escape

from .inventory_cost_run import GRANULARITIES

# Work that waits longer than this raises a to-do: every night should have done it.
PATIENCE = timedelta(hours=36)
UNTIL = [
    ("all", "Everything"),
    ("yesterday", "Until the day before"),
    ("last_month", "Until the end of the month before"),
]


class InventoryCostSchedule(models.Model):
    """When a company's cost is adjusted and posted at night, and how it went.

    One scheduled action starts what is due; it only creates runs, and the workers that
    do every other run do these as well. Each run keeps what came of it.
    """

    _name = "inventory.cost.schedule"
    _description = "Nightly Cost Adjustment and Posting"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "company_id"
    _rec_name = "company_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    active = fields.Boolean(
        default=True,
        tracking=True,
        help="Switched off, nothing starts by itself at night.",
    )
    time_of_day = fields.Float(
        required=True,
        default=2.0,
        tracking=True,
        help="In the time zone of posting dates of the company.",
    )
    time_zone = fields.Char(compute="_compute_time_zone")
    adjust = fields.Boolean(
        string="Adjust Cost",
        default=True,
        tracking=True,
        help="Adjust the cost of every product that waits for it.",
    )
    post = fields.Boolean(
        string="Post Inventory Cost to G/L",
        default=True,
        tracking=True,
        help="Post what waits, after the cost is adjusted.",
    )
    granularity = fields.Selection(
        GRANULARITIES,
        string="Posting Method",
        required=True,
        default=lambda self: self.env.company.cost_posting_granularity,
    )
    until = fields.Selection(
        UNTIL,
        string="Posting Dates",
        required=True,
        default="all",
        help="Value entries with a later posting date wait.",
    )
    next_start = fields.Datetime(compute="_compute_next_start", store=True)
    last_start = fields.Datetime(readonly=True, copy=False)
    last_run_id = fields.Many2one(
        "inventory.cost.run",
        readonly=True,
        copy=False,
        check_company=True,
        ondelete="set null",
        help="Empty if nothing was to be done.",
    )

    _company_unique = models.UniqueIndex(
        "(company_id)", "The company has a schedule already."
    )

    @api.constrains("time_of_day")
    def _check_time_of_day(self):
        """A time of day lies within the day."""
        if any(not 0 <= schedule.time_of_day < 24 for schedule in self):
            raise ValidationError(
                self.env._("Enter a time of day between 00:00 and 23:59.")
            )

    @api.depends("company_id.inventory_cost_tz", "company_id.partner_id.tz")
    def _compute_time_zone(self):
        """Show in which time zone the time of day is meant."""
        for schedule in self:
            schedule.time_zone = schedule._zone().zone

    def _zone(self):
        company = self.company_id
        return pytz.timezone(
            company.inventory_cost_tz or company.partner_id.tz or "UTC"
        )

    @api.depends("active", "time_of_day", "last_start", "company_id.inventory_cost_tz")
    def _compute_next_start(self):
        """Work out the next start: the time of day, today or tomorrow."""
        for schedule in self:
            schedule.next_start = schedule.active and schedule._next_start_after(
                fields.Datetime.now()
            )

    def _next_start_after(self, moment):
        """Return the first start after a UTC moment, in UTC.

        An hour that the change to summer time skips, or repeats, starts once.
        """
        zone = self._zone()
        day = pytz.utc.localize(moment).astimezone(zone).date()
        clock = (datetime.min + timedelta(hours=self.time_of_day)).time()
        while True:
            local = zone.localize(datetime.combine(day, clock.replace(microsecond=0)))
            start = local.astimezone(pytz.utc).replace(tzinfo=None)
            if start > moment:
                return start
            day += timedelta(days=1)

    @api.model_create_multi
    def create(self, vals_list):
        """Have the scheduled action wake up when the first of them is due."""
        schedules = super().create(vals_list)
        schedules._wake_up()
        return schedules

    def write(self, vals):
        """Have the scheduled action wake up at the new time."""
        result = super().write(vals)
        if {"active", "time_of_day"} & vals.keys():
            self._wake_up()
        return result

    def _wake_up(self):
        """Trigger the scheduled action for the next start of each schedule."""
        starts = [start for start in self.mapped("next_start") if start]
        if starts:
            self.env.ref("inventory_cost_gl.ir_cron_nightly").sudo()._trigger(starts)

    # -- Running ----------------------------------------------------------------------

    @api.model
    def _cron_start(self):
        """Start every schedule that is due, and warn of work that waits too long."""
        due = self.search([("next_start", "<=", fields.Datetime.now())])
        for schedule in due:
            schedule._start()
            self.env.cr.commit()
        self.search([("active", "=", True)])._warn_of_lag()

    def action_start(self):
        """Start now, without waiting for the night; open the run."""
        self.ensure_one()
        self.check_access("write")
        run = self.sudo()._start()
        if run:
            return run.sudo(False)._open_action()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._("Nothing to adjust, nothing to post."),
                "type": "info",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _start(self):
        """Create the run of a night and leave it to the workers; return it, if any."""
        self.ensure_one()
        company = self.company_id
        runs = self.env["inventory.cost.run"].sudo().with_company(company)
        run = runs
        if self.adjust and runs._queued_products(company):
            run = runs._start_adjustment(
                company, post_afterwards=self.post, **self._prepare_run()
            )
            self.env["stock.cost.queue"]._trigger_workers()
        elif self.post and runs._last_value_entry_id(company):
            run = runs._leave_posting_to_worker(company, **self._prepare_run())
        self.write({"last_start": fields.Datetime.now(), "last_run_id": run.id})
        self._wake_up()
        return run

    def _prepare_run(self):
        """Return the values that the schedule decides of a run."""
        return {
            "automatic": True,
            "granularity": self.granularity,
            "until_date": self._until_date(),
        }

    def _until_date(self):
        """Return the last posting date that is posted, ``False`` if all are."""
        today = self.company_id._inventory_posting_date(fields.Datetime.now())
        if self.until == "yesterday":
            return today - timedelta(days=1)
        if self.until == "last_month":
            return today.replace(day=1) - timedelta(days=1)
        return False

    # -- What waits too long ----------------------------------------------------------

    def _warn_of_lag(self):
        """Give the responsible accountant a to-do while work waits for too long.

        It disappears when the work is done.
        """
        for schedule in self:
            late = schedule._late_work()
            known = schedule.activity_ids.filtered("automated")
            if not late:
                known.unlink()
            elif not known:
                user = schedule.company_id._responsible_accountant()
                schedule.activity_schedule(
                    "mail.mail_activity_data_warning",
                    user_id=user.id or self.env.uid,
                    summary=self.env._("Inventory cost waits for too long"),
                    note=html_escape("\n".join(late)).replace("\n", "<br/>"),
                )

    def _late_work(self):
        """Return sentences on what waits since before the last night."""
        self.ensure_one()
        company = self.company_id
        limit = fields.Datetime.now() - PATIENCE
        late = []
        since = company._adjustment_lag().since
        if self.adjust and since and since < limit:
            late.append(
                self.env._(
                    "Cost waits for adjustment since %(moment)s. Look at the last run: "
                    "it lists what it left out, and why.",
                    moment=format_datetime(self.env, since),
                )
            )
        since = company._posting_lag().since
        if self.post and self.until == "all" and since and since < limit:
            late.append(
                self.env._(
                    "Value entries wait to be posted since %(moment)s. Run the test of "
                    "Post Inventory Cost to G/L: it says what to mend.",
                    moment=format_datetime(self.env, since),
                )
            )
        return late
