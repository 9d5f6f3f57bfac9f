import time
from typing import NamedTuple

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from .inventory_cost_run_background import MEND
from .inventory_cost_run_journal import pg_array
from .inventory_cost_run_queue import CHUNK_SIZES


class ReversalChunk(NamedTuple):
    """Journal entries that are reversed together, and how many links they have."""

    move_ids: list
    count: int


class InventoryCostRunReverse(models.Model):
    """Reversal of a posting run: the one way to take its journal entries back."""

    _inherit = "inventory.cost.run"

    reversal_date = fields.Date(
        readonly=True, help="Posting date of the reversing journal entries."
    )
    reversible = fields.Boolean(
        compute="_compute_reversible",
        help="The run has journal entries that no reversal has taken back, or is about "
        "to.",
    )

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

        Returns the run of the reversal. A long run is left to the scheduled action,
        which reverses some journal entries in each transaction. What stops it is kept
        on the reversal; to reverse the run again does the rest, on the date then given.
        Refused on a locked date, for runs that posted nothing, and for those that are
        reversed or about to be.
        """
        self.ensure_one()
        self._check_journal(self.company_id)
        self._check_reversible(date)
        self._take_posting_lock()
        reversal = self._start_reversal(date)
        reversal._post_now_or_later(self.entry_count - reversal.entry_count)
        return reversal

    def _start_reversal(self, date):
        """Return the run that reverses this one: a new one, or the one that failed."""
        values = {
            "journal_id": self.company_id.inventory_cost_journal_id.id,
            "reversal_date": date,
            "user_id": self.env.uid,
        }
        failed = self.reversal_run_ids
        if failed:
            failed.write({**values, "state": "draft", "message": False})
            return failed
        return self.create(
            {
                **values,
                "company_id": self.company_id.id,
                "kind": "reverse",
                "granularity": self.granularity,
                "reverses_run_id": self.id,
            }
        )

    # -- What can be reversed ---------------------------------------------------------

    @api.depends(
        "kind", "mode", "state", "journal_entry_count", "reversal_run_ids.state"
    )
    def _compute_reversible(self):
        """Say whether there is something to reverse, or to finish reversing."""
        for run in self:
            run.reversible = (
                run.kind == "post"
                and run.mode == "post"
                and run.journal_entry_count > 0
                and run.state in ("done", "failed")
                and all(reversal.state == "failed" for reversal in run.reversal_run_ids)
            )

    def _check_reversible(self, date):
        """Refuse what can't be reversed, with the way out."""
        if self.kind != "post" or self.mode != "post" or not self.journal_entry_count:
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
        self._check_not_reversed()
        self._check_reversal_date(date)

    def _check_not_reversed(self):
        """Refuse a second reversal; one that failed is gone on with."""
        reversal = self.reversal_run_ids[:1]
        if reversal.state in ("draft", "running"):
            raise UserError(
                self.env._(
                    "%(run)s is being reversed by %(reversal)s already: the scheduled "
                    "action works on it.",
                    run=self.name,
                    reversal=reversal.name,
                )
            )
        if reversal.state == "done":
            raise UserError(
                self.env._(
                    "%(run)s has been reversed by %(reversal)s already.",
                    run=self.name,
                    reversal=reversal.name,
                )
            )

    def _check_reversal_date(self, date):
        """Refuse to reverse on a locked date, or in a closed inventory period."""
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

    # -- What is being reversed -------------------------------------------------------

    def _queue_filter(self, chunk=None, value_entries=None):
        """Leave out what an unfinished reversal has queued again.

        Whoever reverses a run wants all of it back before any of it is posted again:
        until the reversal is done, failed ones included, nobody posts these value
        entries, neither a user nor automatic posting nor a long run that has begun
        before. All others are posted meanwhile. ``value_entries`` are what a document
        has just recorded: no reversal knows them.
        """
        condition = super()._queue_filter(chunk, value_entries)
        reversals = value_entries is None and self._unfinished_reversals()
        if not reversals:
            return condition
        return SQL(
            "%s AND NOT EXISTS (SELECT FROM stock_value_entry_link link "
            "WHERE link.value_entry_id = queue.value_entry_id "
            "AND link.kind = queue.kind AND link.run_id = ANY(%s))",
            condition,
            reversals.ids,
        )

    def _unfinished_reversals(self):
        """Return the company's reversals that are not done."""
        return self.sudo().search(
            [
                ("company_id", "=", self.company_id.id),
                ("kind", "=", "reverse"),
                ("state", "!=", "done"),
            ]
        )

    # -- Reversing --------------------------------------------------------------------

    def _chunks(self):
        """Return of a reversal the ``ReversalChunk`` list of what is left to reverse.

        A chunk is as large as one of the run that is reversed, at least one journal
        entry.
        """
        if self.kind != "reverse":
            return super()._chunks()
        chunks, size = [], CHUNK_SIZES[self.granularity]
        for move_id, count in self._not_reversed():
            if chunks and chunks[-1].count + count <= size:
                chunk = chunks.pop()
                chunk.move_ids.append(move_id)
                chunks.append(ReversalChunk(chunk.move_ids, chunk.count + count))
            else:
                chunks.append(ReversalChunk([move_id], count))
        return chunks

    def _not_reversed(self, within=None):
        """Return ``[(journal entry, number of links)]`` of what is left to reverse.

        The reversal's own journal entries say what is reversed already: hence it can be
        stopped at any moment. ``within`` asks for some journal entries only.
        """
        self._flush_ledgers()
        self.env["account.move"].flush_model(["reversed_entry_id"])
        condition = SQL("TRUE")
        if within is not None:
            condition = SQL("posted.move_id = ANY(%s::int[])", pg_array(within))
        return self.env.execute_query(
            SQL(
                """
                SELECT posted.move_id, count(link.id)
                  FROM inventory_cost_run_journal_entry_rel posted
                  JOIN account_move_line item ON item.move_id = posted.move_id
                  LEFT JOIN stock_value_entry_link link
                         ON link.debit_line_id = item.id
                        AND link.run_id = posted.run_id
                 WHERE posted.run_id = %(run)s AND %(condition)s AND NOT EXISTS (
                       SELECT FROM inventory_cost_run_journal_entry_rel own
                         JOIN account_move mirror ON mirror.id = own.move_id
                        WHERE own.run_id = %(reversal)s
                          AND mirror.reversed_entry_id = posted.move_id)
                 GROUP BY 1 ORDER BY 1
                """,
                run=self.reverses_run_id.id,
                reversal=self.id,
                condition=condition,
            )
        )

    def _run_chunk(self, chunk):
        """Reverse the journal entries of a reversal's chunk, and count them.

        Which of them are left is asked anew: another worker may have reversed some
        since the chunks were made. Should its transaction end while this one goes on,
        writing the figures is a conflict, which takes the chunk back.
        """
        if self.kind != "reverse":
            return super()._run_chunk(chunk)
        began = time.monotonic()
        self._check_reversal_date(self.reversal_date)
        left = [move_id for move_id, _count in self._not_reversed(chunk.move_ids)]
        moves = self.env["account.move"].sudo().browse(left)
        count = self._link_reversal(self._create_reversing_entries(moves))
        debited = sum(line.balance for line in moves.line_ids if line.balance > 0)
        return self.write(
            {
                "entry_count": self.entry_count + count,
                "journal_entry_count": self.journal_entry_count + len(moves),
                "amount": self.amount + debited,
                "duration": self.duration + time.monotonic() - began,
            }
        )

    def _finish(self):
        """Queue as well what was not wanted while nothing of a receipt was posted, and
        take back the to-do of a reversal that had stopped."""
        if self.kind == "reverse":
            queue = self.env["stock.value.entry.queue"]
            queue._queue_missing_expected(self.company_id, self)
            self.activity_unlink([MEND])
        return super()._finish()

    def _create_reversing_entries(self, moves):
        """Post a mirror image of each of the journal entries.

        Returns ``{journal item id: id of the one that reverses it}``.
        """
        date = self.reversal_date
        reversing = self._account_moves().create(
            [self._prepare_reversing_entry(move, date) for move in moves]
        )
        reversing = reversing.with_context(check_move_validity=True)
        reversing._post(soft=False)
        if set(reversing.mapped("date")) - {date}:
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

    def _link_reversal(self, mirrored):
        """Append the negative links, and queue the value entries again.

        Returns the number of value entries that the reversal had not linked before. The
        last query does not see the links that its own statement appends.
        """
        self._flush_ledgers()
        [[count]] = self.env.execute_query(
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
                ), queued AS (
                    INSERT INTO stock_value_entry_queue (
                        company_id, value_entry_id, kind, posting_date, product_id)
                    SELECT DISTINCT linked.company_id, linked.value_entry_id,
                           linked.kind, entry.posting_date, entry.product_id
                      FROM linked
                      JOIN stock_value_entry entry ON entry.id = linked.value_entry_id
                        ON CONFLICT (value_entry_id, kind) DO NOTHING
                )
                SELECT count(DISTINCT linked.value_entry_id) FROM linked
                 WHERE NOT EXISTS (
                       SELECT FROM stock_value_entry_link earlier
                        WHERE earlier.run_id = %(reversal)s
                          AND earlier.value_entry_id = linked.value_entry_id)
                """,
                lines=pg_array(mirrored),
                mirrors=pg_array(mirrored.values()),
                reversal=self.id,
                run=self.reverses_run_id.id,
            )
        )
        self._invalidate_posted()
        return count
