from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from .inventory_cost_run_journal import pg_array


class InventoryCostRunReverse(models.Model):
    """Reversal of a posting run: the one way to take its journal entries back."""

    _inherit = "inventory.cost.run"

    def action_reverse(self):
        """Ask for the date of the reversal."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reverse Run"),
            "res_model": "inventory.cost.run.reverse",
            "view_mode": "form",
            "target": "new",
            "context": {"default_run_id": self.id},
        }

    def _reverse(self, date):
        """Write reversing journal entries on a date and queue the value entries again.

        Returns the run of the reversal. Refused on a locked date and for runs that
        posted nothing or have been reversed.
        """
        self.ensure_one()
        self._check_journal(self.company_id)
        self._take_posting_lock()
        self._check_reversible(date)
        reversal = self.create(
            {
                "company_id": self.company_id.id,
                "kind": "reverse",
                "granularity": self.granularity,
                "journal_id": self.company_id.inventory_cost_journal_id.id,
                "started_at": fields.Datetime.now(),
                "reverses_run_id": self.id,
                "entry_count": self.entry_count,
                "journal_entry_count": self.journal_entry_count,
                "amount": self.amount,
            }
        )
        reversal._link_reversal(self, reversal._create_reversing_entries(self, date))
        # What was not wanted while nothing of a receipt was posted may be again.
        self.env["stock.value.entry.queue"]._queue_missing_expected(
            self.company_id, reversal
        )
        reversal._finish()
        return reversal

    def _check_reversible(self, date):
        """Refuse what can't be reversed, with the way out."""
        if self.kind != "post" or self.mode != "post" or not self.journal_entry_ids:
            raise UserError(
                self.env._(
                    "%(run)s has posted no journal entries: there is nothing to "
                    "reverse.",
                    run=self.name,
                )
            )
        if self.state not in ("done", "failed"):
            raise UserError(
                self.env._(
                    "%(run)s is still running. Reverse it when it is done.",
                    run=self.name,
                )
            )
        if self.reversal_run_ids:
            raise UserError(
                self.env._(
                    "%(run)s has been reversed by %(reversal)s already.",
                    run=self.name,
                    reversal=self.reversal_run_ids[:1].name,
                )
            )
        locks = self.company_id._get_lock_date_violations(
            date, fiscalyear=True, sale=False, purchase=False, tax=False, hard=True
        )
        if locks:
            raise UserError(
                self.env._(
                    "%(date)s is locked: %(locks)s. Reverse the run on a later date.",
                    date=format_date(self.env, date),
                    locks=self.company_id._format_lock_dates(locks),
                )
            )
        self.env["inventory.period"]._check_open(
            self.company_id, [(date, self.env._("The reversal"))]
        )

    def _create_reversing_entries(self, run, date):
        """Post a mirror image of each journal entry of a run.

        Returns ``{journal item id: id of the one that reverses it}``.
        """
        moves = run.journal_entry_ids.sorted("id")
        reversing = self._account_moves().create(
            [self._prepare_reversing_entry(move, date) for move in moves]
        )
        reversing = reversing.with_context(check_move_validity=True)
        reversing._post(soft=False)
        if set(reversing.mapped("date")) != {date}:
            raise UserError(
                self.env._(
                    "The reversal can't be posted on %(date)s. Choose another date.",
                    date=format_date(self.env, date),
                )
            )
        self._add_journal_entries(reversing)
        mirrored = {}
        for move, mirror in zip(moves, reversing, strict=True):
            lines = zip(
                move.line_ids.sorted("id"), mirror.line_ids.sorted("id"), strict=True
            )
            mirrored.update(
                {line.id: mirrored_line.id for line, mirrored_line in lines}
            )
        return mirrored

    def _prepare_reversing_entry(self, move, date):
        """Return the values of the account move that reverses another."""
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "currency_id": self.company_id.currency_id.id,
            "journal_id": self.journal_id.id,
            "date": date,
            "ref": self.env._("Reversal of %(entry)s", entry=move.name),
            "reversed_entry_id": move.id,
            "line_ids": [
                Command.create(
                    self._prepare_line(
                        line.name,
                        line.account_id.id,
                        -line.balance,
                        line.analytic_distribution or False,
                    )
                )
                for line in move.line_ids.sorted("id")
            ],
        }

    def _link_reversal(self, run, mirrored):
        """Append the negative links, and queue the value entries again."""
        self._flush_ledgers()
        self.env.cr.execute(
            SQL(
                """
                WITH mirrored (line, mirror) AS (
                    SELECT * FROM unnest(%(lines)s::int[], %(mirrors)s::int[])
                ), linked AS (
                    INSERT INTO stock_value_entry_link (
                        company_id, run_id, value_entry_id, kind, amount,
                        debit_line_id, credit_line_id)
                    SELECT link.company_id, %(reversal)s, link.value_entry_id,
                           link.kind, -link.amount, credit.mirror, debit.mirror
                      FROM stock_value_entry_link link
                      JOIN mirrored debit ON debit.line = link.debit_line_id
                      JOIN mirrored credit ON credit.line = link.credit_line_id
                     WHERE link.run_id = %(run)s
                    RETURNING company_id, value_entry_id, kind
                )
                INSERT INTO stock_value_entry_queue (
                    company_id, value_entry_id, kind, posting_date, product_id)
                SELECT DISTINCT linked.company_id, linked.value_entry_id, linked.kind,
                       entry.posting_date, entry.product_id
                  FROM linked
                  JOIN stock_value_entry entry ON entry.id = linked.value_entry_id
                    ON CONFLICT (value_entry_id, kind) DO NOTHING
                """,
                lines=pg_array(mirrored),
                mirrors=pg_array(mirrored.values()),
                reversal=self.id,
                run=run.id,
            )
        )
        self._invalidate_posted()
