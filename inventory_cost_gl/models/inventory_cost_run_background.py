import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# The to-do on a run that could not post everything.
MEND = "mail.mail_activity_data_warning"


class InventoryCostRunBackground(models.Model):
    """Posting by the scheduled action: runs that are too long for a request, their
    reversals, and automatic cost posting in the background."""

    _inherit = "inventory.cost.run"

    @api.model
    def _trigger_background(self, company):
        """Have what waits in the company posted in a minute, unless posting is off.

        With ``immediate`` posting that is what no document posts: what waited when it
        was switched on, what a worker adjusted, what a reversed run left.
        """
        if company.automatic_cost_posting != "off":
            self._trigger_posting()

    @api.model
    def _trigger_posting(self):
        """Have the scheduled action run soon."""
        self.env.ref("inventory_cost_gl.cron_post_inventory_cost").sudo()._trigger()

    @api.model
    def _cron_post_inventory_cost(self):
        """Post and reverse the runs that wait, then post what waits where posting is
        automatic."""
        waiting = self.sudo().search(
            [
                ("kind", "in", ("post", "reverse")),
                ("state", "in", ("draft", "running")),
            ],
            order="id",
        )
        for run in waiting:
            run._try_posting_in_steps()
            run._tell_result()
        companies = self.env["res.company"].search(
            [("automatic_cost_posting", "!=", "off")]
        )
        for company in companies - self._companies_with_open_runs():
            self.sudo()._post_in_background(company)

    def _companies_with_open_runs(self):
        """Return the companies with a run to go on with: no other is begun beside it.

        It would take the value entries that the other one is about to post.
        """
        return (
            self.sudo()
            .search([("kind", "=", "post"), ("state", "in", ("draft", "running"))])
            .company_id
        )

    def _post_in_background(self, company):
        """Post what waits in a company; keep no run that has nothing new to say.

        Each chunk is a short transaction of its own (``AUTOMATIC_CHUNK_SIZES``), so
        that the sequence of the journal is never held for long.
        """
        if not self._last_value_entry_id(company):
            return
        quiet = self.with_company(company).with_context(
            tracking_disable=True, mail_create_nosubscribe=True
        )
        run = quiet.create(quiet._prepare_posting(company, automatic=True))
        run._try_posting_in_steps()
        if run._says_nothing_new():
            run._discard()
        else:
            run._tell_result()
        self.env.cr.commit()

    def _tell_result(self):
        """Ask somebody to mend what stopped the run or was skipped, if it is news."""
        if self.state not in ("done", "failed"):
            return
        if not self.automatic:
            if self.state == "failed":
                self._ask_to_mend(self.user_id)
        elif self._has_news():
            self._withdraw_requests()
            self._ask_to_mend()
        elif self.state == "done" and not self.skipped_count:
            self._withdraw_requests()

    def _try_posting_in_steps(self):
        """Post in steps; a failure is kept on the run, and the next run goes on.

        A conflict with another transaction leaves the run to the next call.
        """
        run = self.with_user(self.user_id).sudo().with_company(self.company_id)
        run.env.cr.commit()
        try:
            run._run_posting_in_steps()
        except OperationalError:
            run.env.cr.rollback()
            _logger.info("Inventory cost run %s is repeated", run.id, exc_info=True)
        except Exception as error:  # the run records whatever stops it
            run.env.cr.rollback()
            message = str(error)
            if not isinstance(error, UserError):
                _logger.exception("Inventory cost run %s failed", run.id)
                message = run.env._(
                    "An unexpected error stopped the run; the log of the server has "
                    "the details: %(error)s",
                    error=message,
                )
            run.write({"state": "failed", "message": message})
        run.env.cr.commit()

    def _says_nothing_new(self):
        """Say whether the run did nothing, and met what the one before met already."""
        done = self.state in ("done", "failed")
        return done and not self.entry_count and not self._has_news()

    def _has_news(self):
        """Say whether the run failed or skipped otherwise than the one before."""
        previous = self.search(self._earlier_automatic_runs(), order="id desc", limit=1)
        if self.state == "failed":
            return previous.state != "failed" or previous.message != self.message
        return self._has_new_problems(previous)

    def _has_new_problems(self, previous):
        """Say whether the run skipped something that an earlier one did not list."""
        [[new]] = self.env.execute_query(
            SQL(
                """
                SELECT EXISTS (
                    SELECT FROM inventory_cost_run_line line
                     WHERE line.run_id = %s AND NOT EXISTS (
                        SELECT FROM inventory_cost_run_line listed
                         WHERE listed.run_id = %s
                           AND listed.value_entry_id = line.value_entry_id
                           AND listed.reason = line.reason))
                """,
                self.id,
                previous.id or None,
            )
        )
        return new

    def _earlier_automatic_runs(self):
        """Return the domain of the company's automatic posting runs before this.

        Without those of ``immediate`` posting, which skip nothing.
        """
        return [
            ("company_id", "=", self.company_id.id),
            ("kind", "=", "post"),
            ("automatic", "=", True),
            ("last_value_entry_id", "!=", False),
            ("id", "<", self.id),
        ]

    def _discard(self):
        """Delete a run that did nothing and found nothing new."""
        self.flush_recordset()
        self.env.cr.execute(
            "DELETE FROM inventory_cost_run WHERE id = ANY(%s)", [self.ids]
        )
        self.invalidate_model(flush=False)

    def _withdraw_requests(self, runs=None):
        """Take back the to-dos of earlier automatic runs, or of those of a domain."""
        runs = runs or self._earlier_automatic_runs()
        self.search([*runs, ("activity_ids", "!=", False)]).activity_unlink([MEND])

    def _ask_to_mend(self, user=None):
        """Give whoever started the run, or the responsible accountant, a to-do."""
        user = self.company_id._responsible_accountant(user)
        if user:
            self.activity_schedule(
                MEND,
                user_id=user.id,
                summary=self.env._("The run is reversed in part")
                if self.kind == "reverse"
                else self.env._("Inventory cost is not posted"),
                note=self.message
                or self.env._(
                    "%(count)s value entries were skipped. The run lists the reasons, "
                    "and where each of them is mended.",
                    count=self.skipped_count,
                ),
            )
