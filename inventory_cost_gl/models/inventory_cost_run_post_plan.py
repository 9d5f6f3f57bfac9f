from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..posting.changes import Posting, changes
from .inventory_cost_run_analytic import distribution_text
from .inventory_cost_run_queue import Plan

# Value entries that a message names at most.
NAMED = 3


class InventoryCostRunPostPlan(models.Model):
    """*Post This Plan*: writes exactly what a preview showed, or refuses."""

    _inherit = "inventory.cost.run"

    plan_run_id = fields.Many2one(
        "inventory.cost.run",
        string="Plan of",
        readonly=True,
        ondelete="restrict",
        help="The preview whose plan the run posts.",
    )
    posted_run_ids = fields.One2many(
        "inventory.cost.run", "plan_run_id", string="Posted by"
    )

    def action_post_plan(self):
        """Post what the preview showed; return the action that opens the new run.

        Value entries recorded since wait for the next run. Raises UserError that says
        what has changed if the same value entries would be posted otherwise by now.
        """
        self.ensure_one()
        self._check_accountant(self.company_id)
        self.check_access("read")
        self._check_is_plan()
        preview = self.sudo().with_company(self.company_id)
        run = preview.create(preview._prepare_posting_of_plan())
        run._post_now_or_later(preview.entry_count)
        return run.sudo(False)._open_action()

    def action_open_preview(self):
        """Open the preview whose plan the run posts."""
        self.ensure_one()
        return self.plan_run_id._open_action()

    def action_open_posted(self):
        """Open the last run that posted this plan."""
        self.ensure_one()
        return self.posted_run_ids.sorted("id")[-1:]._open_action()

    def _check_is_plan(self):
        """Refuse runs that planned nothing, or have not finished doing so."""
        if self.mode != "preview" or self.state != "done" or not self.entry_count:
            raise UserError(
                self.env._(
                    "%(run)s is no finished preview with journal items to post. "
                    "Preview the posting first.",
                    run=self.name,
                )
            )

    def _prepare_posting_of_plan(self):
        """Return the values of the run that posts the preview: its own choices."""
        self.ensure_one()
        return self._prepare_posting(
            self.company_id,
            mode="post",
            plan_run_id=self.id,
            last_value_entry_id=self.last_value_entry_id.id,
            user_id=self.env.uid,
            granularity=self.granularity,
            post_locked_on_open_date=self.post_locked_on_open_date,
            until_date=self.until_date,
            product_ids=[Command.set(self.product_ids.ids)],
            category_ids=[Command.set(self.category_ids.ids)],
        )

    # -- What has changed -------------------------------------------------------------

    def _check_whole_plan(self, chunks):
        """Raise if anything at all differs from the plan, before anything is posted."""
        if not self.plan_run_id:
            return
        messages = self._journal_change()
        for chunk in chunks:
            plan = self._plan(self._waiting(chunk))
            messages += self._changes(plan, self._planned_within(chunk))
        within = [SQL("FALSE"), *map(self._planned_within, chunks)]
        elsewhere = SQL("NOT (%s)", SQL(" OR ").join(within))
        messages += self._changes(Plan([], [], []), elsewhere)
        self._refuse_changes(messages)

    def _check_plan(self, plan, chunk):
        """Raise if a chunk's postings differ from the plan.

        In steps, other transactions may have come between since the whole was checked.
        """
        if self.plan_run_id:
            self._refuse_changes(self._changes(plan, self._planned_within(chunk)))

    def _check_all_posted(self, refused):
        """Raise if ``account.move`` refused what was planned: post all or nothing."""
        if self.plan_run_id:
            self._refuse_changes([message for _entry, message in refused])

    def _refuse_changes(self, messages):
        """Raise with what has changed, if anything has."""
        if messages:
            raise UserError(
                self.env._(
                    "What %(preview)s planned can't be posted as planned any more:\n"
                    "%(changes)s\nPreview again, and post that plan.",
                    preview=self.plan_run_id.name,
                    changes="\n".join(f"- {message}" for message in messages),
                )
            )

    def _journal_change(self):
        """Return a message if another journal is used by now."""
        planned, present = self.plan_run_id.journal_id, self.journal_id
        if planned == present:
            return []
        return [
            self.env._(
                "The journal is %(new)s instead of %(old)s.",
                new=present.display_name,
                old=planned.display_name,
            )
        ]

    def _planned_within(self, chunk):
        """Return the SQL condition of the plan's lines that belong to a chunk."""
        return SQL(
            "(line.posting_date, COALESCE(line.document_ref, '')) "
            "BETWEEN (%s, %s) AND (%s, %s)",
            *chunk.first,
            *chunk.last,
        )

    def _changes(self, plan, condition):
        """Return messages: how a plan differs from the preview's lines."""
        found = changes(self._planned_postings(condition), self._postings(plan))
        messages = []
        for change in found:
            if change.what == "gone":
                messages += self._gone_messages(plan, change.value_entry_ids)
            else:
                messages.append(self._change_message(change))
        return messages

    def _planned_postings(self, condition):
        """Return the preview's lines, as ``posting.changes`` compares them."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.kind, line.date, line.debit_account_id,
                       line.credit_account_id, line.analytic_distribution,
                       line.value_entry_refs, line.value_entry_units
                  FROM inventory_cost_plan_line line
                 WHERE line.run_id = %s AND %s
                """,
                self.plan_run_id.id,
                condition,
            )
        )
        planned = {}
        for kind, date, debit, credit, analytic, *values in rows:
            posting = Posting(date, (debit, credit), distribution_text(analytic))
            for value_entry, units in zip(*values, strict=True):
                planned[value_entry, kind] = posting, units
        return planned

    def _postings(self, plan):
        """Return what a plan posts now, as ``posting.changes`` compares it."""
        present = {}
        for entry in plan.entries:
            for pair in entry.pairs:
                accounts = (pair.debit_account, pair.credit_account)
                posting = Posting(entry.date, accounts, pair.analytic)
                for value_entry, units in zip(
                    pair.value_entry_ids, pair.amounts, strict=True
                ):
                    present[value_entry, pair.kind] = posting, units
        return present

    # -- Saying it --------------------------------------------------------------------

    def _gone_messages(self, plan, value_entry_ids):
        """Say why planned value entries are not posted now."""
        left, messages = set(value_entry_ids), []
        for skip in plan.skipped:
            ids = left.intersection(skip.value_entry_ids)
            if ids:
                left -= ids
                messages.append(f"{self._named(ids)}: {skip.problem.message}")
        for run, ids in self._posted_meanwhile(left):
            left -= set(ids)
            messages.append(
                self.env._(
                    "%(entries)s: posted by %(run)s meanwhile.",
                    entries=self._named(ids),
                    run=run.name,
                )
            )
        if left:
            messages.append(
                self.env._(
                    "%(entries)s: nothing of it waits to be posted any more.",
                    entries=self._named(left),
                )
            )
        return messages

    def _posted_meanwhile(self, value_entry_ids):
        """Return ``[(run, value entry ids)]`` of what runs after the preview posted."""
        links = self.env["stock.value.entry.link"].sudo()
        rows = links._read_group(
            [
                ("value_entry_id", "in", list(value_entry_ids)),
                ("run_id", ">", self.plan_run_id.id),
            ],
            ["run_id"],
            ["value_entry_id:array_agg"],
        )
        return [(run, ids) for run, ids in rows]

    def _change_message(self, change):
        """Say how value entries are posted otherwise than planned."""
        entries = self._named(change.value_entry_ids)
        env = self.env
        if change.what == "added":
            return env._("%(entries)s: not in the plan.", entries=entries)
        if change.what == "amount":
            return env._("%(entries)s: the amount has changed.", entries=entries)
        if change.what == "analytic":
            return env._(
                "%(entries)s: the analytic distribution has changed.", entries=entries
            )
        if change.what == "accounts":
            return env._(
                "%(entries)s: posted to %(new)s instead of %(old)s.",
                entries=entries,
                new=self._account_names(change.after),
                old=self._account_names(change.before),
            )
        return env._(
            "%(entries)s: dated %(new)s instead of %(old)s.",
            entries=entries,
            new=format_date(env, change.after),
            old=format_date(env, change.before),
        )

    def _account_names(self, account_ids):
        """Return the accounts of a posting; one may have been deleted."""
        accounts = self.env["account.account"].sudo().with_company(self.company_id)
        return " / ".join(
            accounts.browse(account).exists().display_name or self.env._("deleted")
            for account in account_ids
        )

    def _named(self, value_entry_ids):
        """Name some value entries by their documents, with their number."""
        entries = self.env["stock.value.entry"].sudo().browse(sorted(value_entry_ids))
        documents = dict.fromkeys(entries[:100].mapped("display_name"))
        names = ", ".join(list(documents)[:NAMED])
        return self.env._(
            "%(documents)s%(more)s (value entries: %(count)s)",
            documents=names,
            more=" …" if len(documents) > NAMED else "",
            count=len(entries),
        )
