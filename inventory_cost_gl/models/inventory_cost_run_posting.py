import time
import zlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .inventory_cost_run_queue import Skipped
from .posting_accounts import PostingAccounts, Problem, journal_problem

# Waiting value entries that a user's request posts at once; more of them are posted by
# the scheduled action.
INLINE_LIMIT = 20_000
_POSTING_LOCK = zlib.crc32(b"inventory_cost_gl.posting") - 2**31


class InventoryCostRunPosting(models.Model):
    """Posting of inventory cost to the general ledger: at once, and automatically."""

    _inherit = "inventory.cost.run"

    @api.model
    def _prepare_posting(self, company, **values):
        """Return the values of a posting run of a company."""
        return {
            "company_id": company.id,
            "kind": "post",
            "granularity": company.cost_posting_granularity,
            "journal_id": company.sudo().inventory_cost_journal_id.id,
            "last_value_entry_id": self._last_value_entry_id(company),
            **values,
        }

    def _last_value_entry_id(self, company):
        """Return the id of the last value entry waiting in the company, or ``False``"""
        self.env["stock.value.entry.queue"].flush_model()
        [[last]] = self.env.execute_query(
            SQL(
                "SELECT max(value_entry_id) FROM stock_value_entry_queue "
                "WHERE company_id = %s",
                company.id,
            )
        )
        return last or False

    @api.model
    def _check_journal(self, company):
        """Refuse to post without a usable journal."""
        problem = journal_problem(self.env, company)
        if problem:
            raise UserError(problem.message)

    def _try_posting_lock(self, company):
        """Say whether this transaction may post for the company: one does at a time.

        The lock lasts until the transaction ends.
        """
        [[locked]] = self.env.execute_query(
            SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", _POSTING_LOCK, company.id)
        )
        return locked

    def _take_posting_lock(self):
        """Refuse to post while another run of the company does."""
        if not self._try_posting_lock(self.company_id):
            raise UserError(
                self.env._(
                    "Inventory cost of %(company)s is being posted already. Try again "
                    "when that run is done.",
                    company=self.company_id.display_name,
                )
            )

    # -- Runs -------------------------------------------------------------------------

    def _post_now_or_later(self, count):
        """Do the work now, or leave a long run to the scheduled action."""
        if count > INLINE_LIMIT:
            self._trigger_posting()
        else:
            self._run_posting()

    def _run_posting(self):
        """Do all of a run's work in this transaction, each chunk in a savepoint."""
        self.ensure_one()
        if self.mode != "test":
            self._check_journal(self.company_id)
        self._take_posting_lock()
        # What this transaction recorded for immediate posting is posted first: the
        # savepoints below would post it between reading the queue and linking.
        self.env.cr.flush()
        self._start()
        chunks = self._chunks()
        self._check_whole_plan(chunks)
        for chunk in chunks:
            self._run_chunk(chunk)
        self._finish()

    def _run_posting_in_steps(self):
        """Work through a run, committing after each chunk; say whether it is done.

        A run that was killed or ran out of time goes on where it stopped.
        """
        self.ensure_one()
        cron = self.env["ir.cron"]
        begins = self.state == "draft"
        if self.mode != "test":
            self._check_journal(self.company_id)
        self._start()
        chunks = self._chunks()
        if begins:
            self._check_whole_plan(chunks)
        for number, chunk in enumerate(chunks, start=1):
            if not self._try_posting_lock(self.company_id):
                return False
            self._run_chunk(chunk)
            remaining = sum(waiting.count for waiting in chunks[number:])
            if not cron._commit_progress(chunk.count, remaining=remaining):
                return number == len(chunks) and self._finish()
        return self._finish()

    def _start(self):
        """Mark the run as begun."""
        if self.state == "draft":
            self.write({"state": "running", "started_at": fields.Datetime.now()})

    def _finish(self):
        """Mark the run as done; take back the to-dos of others if all is well."""
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        if self.mode == "post" and not self._last_value_entry_id(self.company_id):
            company = ("company_id", "=", self.company_id.id)
            self._withdraw_requests([company, ("kind", "=", "post")])
        return True

    def _run_chunk(self, chunk):
        """Post, preview or test a chunk, and record what came of it."""
        began = time.monotonic()
        accounts = PostingAccounts(self.env, self.company_id)
        plan = self._plan(self._waiting(chunk), accounts)
        self._check_plan(plan, chunk)
        refused = []
        if self.mode == "post":
            refused = self._post_journal_entries(plan.entries)
            self._check_all_posted(refused)
            self._settle(plan.settled)
        elif self.mode == "test":
            refused = self._try_journal_entries(plan.entries)
        failed = {id(entry) for entry, _message in refused}
        posted = [entry for entry in plan.entries if id(entry) not in failed]
        skipped = [*plan.skipped, *self._refused(refused)]
        if self.mode != "post":
            self._record_plan(posted)
        if self.mode == "test":
            self._record_warnings(posted, accounts)
        self._record_skipped(skipped)
        self._count(posted, skipped, time.monotonic() - began)

    def _refused(self, refused):
        """Return what of the value entries ``account.move`` itself refused."""
        return [
            Skipped(
                Problem(
                    self.env._(
                        "The journal entry was refused: %(message)s", message=message
                    ),
                    "account.journal",
                    self.journal_id.id,
                ),
                pair.kind,
                pair.value_entry_ids,
            )
            for entry, message in refused
            for pair in entry.pairs
        ]

    def _count(self, entries, skipped, seconds):
        """Add a chunk to the run's figures."""
        pairs = [pair for entry in entries for pair in entry.pairs]
        without_plan = {
            value_entry
            for _pair, ids, _account, _plan in self._missing_plans(entries)
            for value_entry in ids
        }
        self.write(
            {
                "entry_count": self.entry_count
                + len({entry for pair in pairs for entry in pair.value_entry_ids}),
                "skipped_count": self.skipped_count
                + len({entry for skip in skipped for entry in skip.value_entry_ids}),
                "journal_entry_count": self.journal_entry_count + len(entries),
                "moved_count": self.moved_count + _moved(entries),
                "without_plan_count": self.without_plan_count + len(without_plan),
                "amount": self.amount + self._debited(entries),
                "duration": self.duration + seconds,
            }
        )

    # -- Lines ------------------------------------------------------------------------

    def _record_skipped(self, skipped):
        """Add a line for each value entry and reason: one query a reason."""
        for skip in skipped:
            self._insert_lines(skip.problem, skip.kind, skip.value_entry_ids)

    # -- Automatic posting ------------------------------------------------------------

    @api.model
    def _post_immediately(self, value_entries):
        """Post value entries in the transaction that records them.

        For automatic cost posting ``immediate``: whatever keeps one of them from being
        posted, a missing analytic distribution included, stops the document. Raises
        UserError that names the entry and what to mend.
        """
        for company, entries in value_entries.grouped("company_id").items():
            self._check_journal(company)
            run = (
                self.sudo()
                .with_company(company)
                .with_context(tracking_disable=True, mail_create_nosubscribe=True)
                .create(
                    self._prepare_posting(
                        company,
                        automatic=True,
                        state="done",
                        started_at=fields.Datetime.now(),
                        last_value_entry_id=False,
                    )
                )
            )
            run._post_all_of(entries)

    def _post_all_of(self, value_entries):
        """Post every one of the value entries, or raise."""
        began = time.monotonic()
        plan = self._plan(self._waiting(value_entries=value_entries))
        problems = list(plan.skipped) + self._without_plan(plan.entries)
        problems += self._refused(
            self._post_journal_entries(plan.entries * (not problems))
        )
        if problems:
            problem, _kind, ids = problems[0]
            entry = self.env["stock.value.entry"].browse(ids[:1])
            raise UserError(
                self.env._(
                    "The inventory cost of %(product)s in %(document)s can't be "
                    "posted: %(reason)s",
                    product=entry.product_id.display_name or self.env._("work"),
                    document=entry.document_ref or entry.source_ref or "",
                    reason=problem.message,
                )
            )
        self._settle(plan.settled)
        self._count(plan.entries, [], time.monotonic() - began)

    def _without_plan(self, entries):
        """Return the value entries whose mandatory analytic plans are not filled in."""
        return [
            Skipped(
                Problem(
                    self.env._(
                        "The account %(account)s needs an analytic distribution of "
                        "100 %% over %(plan)s.",
                        account=self.env["account.account"]
                        .sudo()
                        .browse(account)
                        .display_name,
                        plan=plan.name,
                    ),
                    plan._name,
                    plan.id,
                ),
                pair.kind,
                ids,
            )
            for pair, ids, account, plan in self._missing_plans(entries)
        ]


def _moved(entries):
    """Return how many value entries are posted on another date than their own."""
    return len(
        {
            value_entry
            for entry in entries
            for pair in entry.pairs
            if pair.posting_date != entry.date
            for value_entry in pair.value_entry_ids
        }
    )
