from odoo import models


class AccountMoveScreen(models.Model):
    """Bills and invoices show the value entries that their lines brought about."""

    _name = "account.move"
    _inherit = ["account.move", "inventory.cost.button.mixin"]

    def _value_entry_domain(self):
        """Return the domain of the value entries whose source is a line."""
        return [
            ("source_model", "=", "account.move.line"),
            ("source_id", "in", self.invoice_line_ids.ids),
        ]

    def _value_entry_counts(self):
        """Return ``{bill or invoice id: number of value entries}``."""
        rows = (
            self.env["stock.value.entry"]
            .sudo()
            ._read_group(self._value_entry_domain(), ["source_id"], ["__count"])
        )
        lines = dict(rows)
        return {
            move.id: sum(lines.get(line_id, 0) for line_id in move.invoice_line_ids.ids)
            for move in self
        }
