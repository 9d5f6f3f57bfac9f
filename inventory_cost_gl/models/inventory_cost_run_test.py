from odoo import fields, models
from odoo.tools import SQL

from .inventory_cost_run_journal import pg_array
from .posting_warnings import PostingWarnings


class InventoryCostRunTest(models.Model):
    """Post Inventory Cost to G/L – Test: every error and warning, before posting."""

    _inherit = "inventory.cost.run"

    warning_count = fields.Integer(
        string="Warnings", compute="_compute_warning_count", compute_sudo=True
    )

    def _compute_warning_count(self):
        """Count the warnings of each run: one query for all."""
        counts = dict(
            self.env["inventory.cost.run.line"]._read_group(
                [("run_id", "in", self.ids), ("warning", "=", True)],
                ["run_id"],
                ["__count"],
            )
        )
        for run in self:
            run.warning_count = counts.get(run, 0)

    def action_open_warnings(self):
        """Open what the test warned of: it is posted nevertheless."""
        action = self._open_lines("skipped", self.env._("Warnings"))
        return {**action, "domain": [*action["domain"], ("warning", "=", True)]}

    def _try_journal_entries(self, entries):
        """Post journal entries and take them back.

        So the test finds what ``account.move`` and other modules refuse, too: numbering
        and constraints. Returns ``[(journal entry, message)]`` like posting does.
        """
        with self.env.cr.savepoint() as savepoint:
            refused = self._post_journal_entries(entries)
            savepoint.rollback()
        return refused

    def _record_warnings(self, entries, accounts):
        """Add a warning for each value entry and reason: it is posted nevertheless.

        ``accounts`` are the ``PostingAccounts`` that the entries were planned with.
        """
        warnings = PostingWarnings(accounts)
        by_problem = {}
        for pair in (pair for entry in entries for pair in entry.pairs):
            for role, account in (
                (pair.debit_role, pair.debit_account),
                (pair.credit_role, pair.credit_account),
            ):
                for problem in warnings.find(role, account, pair.posting_date):
                    found = by_problem.setdefault((problem, pair.kind), {})
                    found.update(dict.fromkeys(pair.value_entry_ids))
        for skip in self._without_plan(entries):
            found = by_problem.setdefault((skip.problem, skip.kind), {})
            found.update(dict.fromkeys(skip.value_entry_ids))
        for (problem, kind), value_entry_ids in by_problem.items():
            self._insert_lines(problem, kind, value_entry_ids, warning=True)

    def _insert_lines(self, problem, kind, value_entry_ids, warning=False):
        """Add a line for each value entry that a problem keeps back, or warns of."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO inventory_cost_run_line (
                    run_id, company_id, value_entry_id, product_id, posting_date,
                    document_ref, amount, reason, res_model, res_id, warning)
                SELECT %(run)s, entry.company_id, entry.id,
                       entry.product_id, entry.posting_date, entry.document_ref,
                       CASE %(kind)s WHEN 'expected' THEN entry.cost_amount_expected
                                     ELSE entry.cost_amount_actual END,
                       %(reason)s, %(model)s, %(record)s, %(warning)s
                  FROM stock_value_entry entry
                 WHERE entry.id = ANY(%(entries)s::int[])
                 ORDER BY entry.id
                """,
                run=self.id,
                kind=kind,
                reason=problem.message,
                model=problem.res_model or None,
                record=problem.res_id or None,
                warning=warning,
                entries=pg_array(value_entry_ids),
            )
        )
        self.invalidate_recordset(["line_ids", "warning_count"], flush=False)
