from psycopg2.extras import Json

from odoo import fields, models

from ..posting.grouping import POSTING_GROUP, Dimensions

_PLAN_LINE_COLUMNS = (
    "run_id",
    "company_id",
    "move_id",
    "date",
    "posting_date",
    "moved",
    "document_ref",
    "kind",
    "debit_role",
    "credit_role",
    "debit_account_id",
    "credit_account_id",
    "amount",
    "name",
    "analytic_distribution",
    "cost_location_id",
    "inventory_posting_group_id",
    "business_posting_group_id",
    "product_posting_group_id",
    "value_entry_count",
    "value_entry_refs",
    "value_entry_units",
)


class InventoryCostRunPlan(models.Model):
    """The plan of a posting run: its complete list of journal items."""

    _inherit = "inventory.cost.run"

    plan_line_ids = fields.One2many(
        "inventory.cost.plan.line",
        "run_id",
        string="Planned Journal Items",
        readonly=True,
        help="A debit and a credit each; of a posting run those that it posted.",
    )

    def _record_plan(self, entries, moves=()):
        """Keep the line pairs of journal entries, posted as ``moves`` or only planned.

        This is what the printed report and the spreadsheet are made from: each line has
        the two roles and accounts, the amount, what it is grouped by and its value
        entries. What the run skipped stands in ``line_ids``. Returns the ids of the
        lines, in order.
        """
        self.flush_recordset()
        moves = moves or [self.env["account.move"]] * len(entries)
        ids = self.env.cr.execute_values(
            f"INSERT INTO inventory_cost_plan_line ({', '.join(_PLAN_LINE_COLUMNS)}) "
            "VALUES %s RETURNING id",
            [
                self._plan_line_values(entry, pair, move)
                for entry, move in zip(entries, moves, strict=True)
                for pair in entry.pairs
            ],
            page_size=1000,
            fetch=True,
        )
        self.invalidate_recordset(["plan_line_ids"], flush=False)
        return [line_id for (line_id,) in ids]

    def _plan_line_values(self, entry, pair, move):
        """Return the values of ``_PLAN_LINE_COLUMNS`` of a line pair."""
        return (
            self.id,
            self.company_id.id,
            move.id or None,
            entry.date,
            pair.posting_date,
            pair.posting_date != entry.date,
            entry.document or None,
            pair.kind,
            pair.debit_role,
            pair.credit_role,
            pair.debit_account,
            pair.credit_account,
            self._amount(pair.amount),
            pair.label,
            pair.analytic or None,
            *(dimension or None for dimension in self._plan_dimensions(pair)),
            len(pair.value_entry_ids),
            Json(pair.value_entry_ids),
            Json(pair.amounts),
        )

    def _plan_dimensions(self, pair):
        """Return what a pair is grouped by: only posting groups have all in common."""
        if self.granularity != POSTING_GROUP:
            return Dimensions()
        return pair.dimensions

    def action_open_plan(self):
        """Open the journal items that the run plans, or has posted."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Items of %(run)s", run=self.name),
            "res_model": "inventory.cost.plan.line",
            "view_mode": "list,pivot",
            "domain": [("run_id", "=", self.id)],
            "context": {
                # Columns that would be empty are left out.
                "planned": self.mode != "post",
                "by_document": self.granularity != POSTING_GROUP,
                "show_posting_date": bool(self.moved_count),
            },
        }

    def action_open_moved(self):
        """Open the journal items of value entries of locked dates."""
        action = self.action_open_plan()
        moved = self.env._("%(run)s: Posted on Another Date", run=self.name)
        return {
            **action,
            "name": moved,
            "domain": [*action["domain"], ("moved", "=", True)],
        }
