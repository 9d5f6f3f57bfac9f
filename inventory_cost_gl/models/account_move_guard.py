from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# What of a posted journal entry must stay as the value entries linked to it say.
GUARDED_FIELDS = {
    "auto_post",
    "company_id",
    "currency_id",
    "date",
    "journal_id",
    "line_ids",
    "move_type",
    "partner_id",
    "state",
}


class AccountMove(models.Model):
    """Journal entries of inventory cost change through *Reverse run* only."""

    _inherit = "account.move"

    inventory_cost_run_id = fields.Many2one(
        "inventory.cost.run",
        compute="_compute_inventory_cost_run_id",
        groups="inventory_cost_gl.group_user",
    )

    inventory_cost_guarded = fields.Boolean(
        compute="_compute_inventory_cost_guarded",
        help="Posted by an inventory cost run: only reversing the run takes it back.",
    )
    inventory_cost_reversible = fields.Boolean(
        compute="_compute_inventory_cost_guarded",
        help="The run that posted the entry can be reversed.",
    )

    @api.depends("state", "move_type")
    def _compute_inventory_cost_guarded(self):
        """Say which buttons the entry has; for every user, so as system."""
        runs = self._inventory_cost_runs()
        by_id = self.env["inventory.cost.run"].sudo().browse(set(runs.values()))
        reversible = by_id.filtered("reversible")
        for move in self:
            run_id = runs.get(move.id)
            move.inventory_cost_guarded = bool(run_id)
            move.inventory_cost_reversible = run_id in reversible.ids

    @api.depends("state", "move_type")
    def _compute_show_reset_to_draft_button(self):
        """Hide the button where it would be refused."""
        result = super()._compute_show_reset_to_draft_button()
        for move in self.filtered("inventory_cost_guarded"):
            move.show_reset_to_draft_button = False
        return result

    def _compute_inventory_cost_run_id(self):
        """Find the run that posted each entry: one query for all."""
        runs = self._inventory_cost_runs()
        for move in self:
            move.inventory_cost_run_id = runs.get(move.id, False)

    def _inventory_cost_runs(self):
        """Return ``{move id: run id}`` of those posted by an inventory cost run.

        Users may read and change the journal entries only: hence as system.
        """
        entries = self.sudo().filtered(
            lambda move: move.move_type == "entry" and move.state == "posted"
        )
        if not entries.ids:
            return {}
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT move_id, run_id FROM inventory_cost_run_journal_entry_rel "
                    "WHERE move_id = ANY(%s)",
                    entries.ids,
                )
            )
        )

    def _check_no_inventory_cost(self):
        """Raise if an inventory cost run posted one of the entries."""
        for move_id, run_id in self._inventory_cost_runs().items():
            move = self.browse(move_id).sudo()
            raise UserError(
                self.env._(
                    "%(entry)s was posted by the inventory cost run %(run)s and can't "
                    "be changed, reset, reversed or deleted. Open the run and choose "
                    "Reverse Run: the value entries are then posted anew.",
                    entry=move.name,
                    run=self.env["inventory.cost.run"].sudo().browse(run_id).name,
                )
            )

    def button_draft(self):
        """Refuse to reset entries of inventory cost."""
        self._check_no_inventory_cost()
        return super().button_draft()

    def button_cancel(self):
        """Refuse to cancel entries of inventory cost."""
        self._check_no_inventory_cost()
        return super().button_cancel()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        """Refuse to reverse entries of inventory cost outside of their run."""
        self._check_no_inventory_cost()
        return super()._reverse_moves(default_values_list, cancel)

    def write(self, vals):
        """Refuse changes of what the value entries state."""
        if GUARDED_FIELDS & vals.keys():
            self._check_no_inventory_cost()
        return super().write(vals)

    def unlink(self):
        """Refuse to delete entries of inventory cost, even with ``force_delete``."""
        self._check_no_inventory_cost()
        return super().unlink()

    def action_open_inventory_value_entries(self):
        """Open the value entries behind the journal entry."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries of %(entry)s", entry=self.name),
            "res_model": "stock.value.entry",
            "view_mode": "list,pivot,form",
            "domain": [("link_ids.debit_line_id.move_id", "=", self.id)],
        }

    def action_reverse_inventory_cost_run(self):
        """Ask for the date on which to reverse the whole run."""
        self.ensure_one()
        return self.inventory_cost_run_id.action_reverse()

    def action_open_inventory_cost_run(self):
        """Open the run that posted the journal entry."""
        self.ensure_one()
        return self.inventory_cost_run_id._open_action()
