from odoo import models
from odoo.tools import format_date


class InventoryCostExplanation(models.TransientModel):
    """What the lines of *Why This Cost?* say, and the documents they open."""

    _inherit = "inventory.cost.explanation"

    def _describe(self, lines):
        """Return name, date and document of lines: ``[dict]``, in order.

        ``lines``: values of lines, without these. A few queries for all of them.
        """
        # Iterating keeps the records together, so that they are read together.
        browse = {
            model: {
                record.id: record
                for record in self.env[model].browse(
                    [values[name] for values in lines if values[name]]
                )
            }
            for name, model in (
                ("ledger_entry_id", "stock.ledger.entry"),
                ("value_entry_id", "stock.value.entry"),
                ("location_id", "stock.location"),
                ("item_id", "stock.cost.item"),
            )
        }
        return [
            getattr(self, f"_describe_{values['kind']}")(
                values,
                browse["stock.ledger.entry"].get(values["ledger_entry_id"]),
                browse["stock.value.entry"].get(values["value_entry_id"]),
                browse["stock.location"].get(values["location_id"]),
                browse["stock.cost.item"].get(values["item_id"]),
            )
            for values in lines
        ]

    # Each takes the values of a line and its records: ledger entry, value entry, cost
    # location, item.

    def _describe_item(self, _values, _entry, _value, _location, item):
        return {"name": item._explanation_title()}

    def _describe_pool(self, _values, _entry, _value, location, _item):
        return {"name": location.display_name}

    def _describe_opening(self, values, _entry, _value, _location, _item):
        day = format_date(self.env, values["before"])
        return {"name": self.env._("Balance before %(date)s", date=day)}

    def _describe_decreases(self, values, _entry, _value, _location, _item):
        day = format_date(self.env, values["since"])
        return {"name": self.env._("Taken since %(date)s", date=day)}

    def _describe_layer(self, _values, entry, _value, _location, _item):
        name = self._type_of(entry)
        if entry.lot_id:
            name = self.env._("%(type)s, %(lot)s", type=name, lot=entry.lot_id.name)
        return {"name": name, **self._document_of(entry)}

    def _describe_decrease(self, _values, entry, _value, _location, _item):
        return {"name": self._type_of(entry), **self._document_of(entry)}

    def _describe_average(self, _values, entry, _value, _location, _item):
        day = format_date(self.env, entry.valuation_date)
        return {"name": self.env._("Average cost on %(date)s", date=day)}

    def _describe_source(self, values, _entry, value, _location, _item):
        return {
            "name": self._cost_of(value, values["source"].startswith("expected")),
            "date": value.posting_date,
            "document": value.source_ref or value.document_ref,
        }

    def _describe_value(self, values, entry, value, location, item):
        text = self._describe_source(values, entry, value, location, item)
        return {**text, "document": value.document_ref or value.source_ref}

    def _describe_rest(self, values, entry, _value, _location, _item):
        names = {
            "waiting": self.env._("Gone before it came in: the last known unit cost"),
            "last_cost": self.env._("No stock to average: the last known unit cost"),
            "not_adjusted": self.env._("Cost that waits for adjustment"),
            "more": self.env._("More"),
            "rounding": self.env._("Rounding"),
        }
        text = {"name": names[values["source"]]}
        return {**text, **self._document_of(entry)} if entry else text

    # ------------------------------------------------------------------

    def _type_of(self, entry):
        """Return the ledger entry's type as users read it."""
        types = self.env["stock.ledger.entry"]._fields["entry_type"]
        return dict(types._description_selection(self.env))[entry.entry_type]

    def _document_of(self, entry):
        return {"date": entry.posting_date, "document": entry.origin}

    def _cost_of(self, value, expected):
        """Return what kind of cost a value entry is."""
        if expected:
            return self.env._("Expected cost, not billed or invoiced yet")
        if value.charge_product_id:
            return value.charge_product_id.display_name
        name = "variance_type" if value.variance_type else "entry_type"
        field = value._fields[name]
        label = dict(field._description_selection(self.env))[value[name]]
        if value.variance_type:
            label = self.env._("%(type)s variance", type=label)
        if value.adjustment:
            return self.env._("%(cost)s, adjusted", cost=label)
        return label

    # ------------------------------------------------------------------
    # Documents
    # ------------------------------------------------------------------

    def action_open_document(self):
        """Open the document a line stands for; unfold it where there is none.

        Raises UserError if the document was deleted or the user may not read it.
        """
        self.ensure_one()
        self.check_access("read")
        if self.value_entry_id:
            return self.value_entry_id.action_open_source()
        if self.ledger_entry_id:
            return self.ledger_entry_id.action_open_stock_move()
        return self.action_unfold()

    def action_open_entries(self):
        """Open the value entries a line stands for, else the ledger entry."""
        self.ensure_one()
        self.check_access("read")
        if not self.value_entry_id:
            return {
                "type": "ir.actions.act_window",
                "res_model": "stock.ledger.entry",
                "res_id": self.ledger_entry_id.id,
                "view_mode": "form",
            }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Value Entries"),
            "res_model": "stock.value.entry",
            "view_mode": "list,form",
            "domain": [("id", "in", self.value_entry_ids or self.value_entry_id.ids)],
        }
