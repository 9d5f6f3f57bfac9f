from odoo import fields, models


class InventoryCostButtonMixin(models.AbstractModel):
    """Documents with a button that opens their value entries.

    Nobody but the readers of the ledgers sees it, and it costs nobody else a query.
    """

    _name = "inventory.cost.button.mixin"
    _description = "Document with Value Entries"
    # The way from a value entry to the document, or None: see ``_value_entry_domain``.
    _value_entry_path = None

    value_entry_count = fields.Integer(
        string="Value Entries",
        compute="_compute_value_entry_count",
        groups="inventory_cost_gl.group_user",
    )

    def _compute_value_entry_count(self):
        """Count the value entries: one query for all documents."""
        counts = self._value_entry_counts() if self.ids else {}
        for document in self:
            document.value_entry_count = counts.get(document.id, 0)

    def _value_entry_counts(self):
        """Return ``{document id: number of value entries}``."""
        # The rights on the ledgers are enough, on the way to the document none are.
        rows = (
            self.env["stock.value.entry"]
            .sudo()
            ._read_group(
                self._value_entry_domain(), [self._value_entry_path], ["__count"]
            )
        )
        return {document.id: count for document, count in rows}

    def _value_entry_domain(self):
        """Return the domain of the documents' value entries."""
        return [(self._value_entry_path, "in", self.ids)]

    def action_open_value_entries(self):
        """Open the value entries of the documents."""
        entries = self.env["stock.value.entry"]
        entries.check_access("read")
        found = entries.sudo().search(self._value_entry_domain())
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries"),
            "res_model": "stock.value.entry",
            "view_mode": "list,form,pivot,graph",
            "domain": [("id", "in", found.ids)],
        }
