from odoo import api, fields, models

from ..engine.explain import Explainer

KINDS = [
    ("item", "Stock"),
    ("pool", "Cost Location"),
    ("opening", "Opening Balance"),
    ("decreases", "Taken Since"),
    ("layer", "Increase"),
    ("decrease", "Decrease"),
    ("average", "Average Cost"),
    ("source", "Source"),
    ("value", "Value Entry"),
    ("rest", "Rest"),
]
# The path of the first line; of those below it, the places of all lines above too.
ROOT_PATH = "."
# What a line stands for.
KEY = ("kind", "ledger_entry_id", "location_id", "since", "before")
# What a line keeps of the engine's row as it is.
ROW = (*KEY, "source", "value_entry_id", "value_entry_ids", "unfoldable")


class InventoryCostExplanation(models.TransientModel):
    """*Why This Cost?*: a line of the tree behind a cost.

    Lines are worked out when the line above them is unfolded; their amounts add up to
    it. Users read them and unfold them, nothing else. Quantities are in the product's
    unit of measure, amounts in company currency.
    """

    _name = "inventory.cost.explanation"
    _description = "Why This Cost?"
    _order = "path"
    _rec_name = "name"

    item_id = fields.Many2one("stock.cost.item", required=True, ondelete="cascade")
    product_id = fields.Many2one(related="item_id.product_id")
    company_id = fields.Many2one(related="item_id.company_id", store=True)
    currency_id = fields.Many2one(related="item_id.currency_id")
    uom_id = fields.Many2one(related="item_id.product_id.uom_id")
    root_id = fields.Many2one("inventory.cost.explanation", ondelete="cascade")
    path = fields.Char(
        required=True, help="Places of the lines above and of this one: the order."
    )
    kind = fields.Selection(KINDS, required=True)
    source = fields.Char(help="What of a cost a source stated, or why there is a rest.")
    name = fields.Char(string="Cost", required=True)
    indented_name = fields.Char(compute="_compute_indented_name")
    date = fields.Date()
    document = fields.Char()
    quantity = fields.Float(digits=(16, 6))
    amount = fields.Monetary()
    unit_cost = fields.Float(
        compute="_compute_unit_cost",
        digits=(16, 8),
        min_display_digits="Product Price",
    )
    ledger_entry_id = fields.Many2one("stock.ledger.entry")
    value_entry_id = fields.Many2one("stock.value.entry")
    value_entry_ids = fields.Json(string="Value Entries")
    location_id = fields.Many2one("stock.location")
    since = fields.Date()
    before = fields.Date()
    start = fields.Float(digits=(16, 6))
    end = fields.Float(digits=(16, 6))
    unfoldable = fields.Boolean()
    unfolded = fields.Boolean()

    @api.depends("quantity", "amount")
    def _compute_unit_cost(self):
        """Divide the amount by the quantity; 0 without quantity."""
        for line in self:
            line.unit_cost = line.amount / line.quantity if line.quantity else 0.0

    @api.depends("name", "path")
    def _compute_indented_name(self):
        """Indent the name by the number of lines above."""
        for line in self:
            depth = line.path.count(".") - 1
            line.indented_name = "\N{EM SPACE}" * 2 * depth + line.name

    # ------------------------------------------------------------------
    # Opening
    # ------------------------------------------------------------------

    @api.model
    def _explain(self, item, entry=None):
        """Return the action that explains an item's stock, or one ledger entry.

        ``item``: a ``stock.cost.item`` the user may read, as is the entry.
        """
        (entry or item).check_access("read")
        explainer = Explainer(item.sudo())
        row = explainer.entry_row(entry.sudo()) if entry else explainer.item_row()
        [values] = self.sudo()._prepare_lines(explainer, [row])
        root = self.sudo().create({**values, "path": ROOT_PATH, "unfoldable": True})
        root.root_id = root
        root._unfold(explainer)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Why This Cost?"),
            "res_model": self._name,
            "view_mode": "list",
            "domain": [("root_id", "=", root.id)],
        }

    # ------------------------------------------------------------------
    # Folding
    # ------------------------------------------------------------------

    def action_unfold(self):
        """Show what is behind a line, or hide it again."""
        self.ensure_one()
        self.check_access("read")
        line = self.sudo()
        if line.unfolded:
            line._below().unlink()
            line.unfolded = False
        elif line.unfoldable:
            line._unfold(Explainer(line.item_id))

    def _below(self):
        """Return all lines below."""
        return self.search(
            [("root_id", "=", self.root_id.id), ("path", "=like", f"{self.path}_%")]
        )

    def _unfold(self, explainer):
        """Create the lines behind this one."""
        rows = explainer.behind(self._row(explainer.units))
        above = self._keys_above()
        prepared = []
        for place, values in enumerate(self._prepare_lines(explainer, rows)):
            # A cost that depends on itself is shown once.
            if _key(values) in above:
                values["unfoldable"] = False
            path = f"{self.path}{place:04}."
            prepared.append({**values, "path": path, "root_id": self.root_id.id})
        self.create(prepared)
        self.unfolded = True

    def _keys_above(self):
        """Return what the line and those above it stand for."""
        ends = [place + 1 for place, sign in enumerate(self.path) if sign == "."]
        paths = [self.path[:end] for end in ends]
        lines = self.search([("root_id", "=", self.root_id.id), ("path", "in", paths)])
        return {_key(values) for values in lines.read(KEY, load=None)}

    def _row(self, units):
        """Return the line as a row of the engine."""
        self.ensure_one()
        row = {
            "kind": self.kind,
            "source": self.source,
            "ledger_entry_id": self.ledger_entry_id.id,
            "value_entry_ids": self.value_entry_ids,
            "location_id": self.location_id.id,
            "since": self.since,
            "before": self.before,
            "amount": units.amount(self.amount),
        }
        for name in ("quantity", "start", "end"):
            row[name] = units.quantity(self[name])
        return row

    def _prepare_lines(self, explainer, rows):
        """Return the values of the lines of rows, in order."""
        units = explainer.units
        lines = []
        for row in rows:
            values = {name: row.get(name) or False for name in ROW}
            values["item_id"] = explainer.item.id
            values["amount"] = float(units.money(row["amount"]))
            for name in ("quantity", "start", "end"):
                values[name] = float(units.number(row.get(name, 0)))
            lines.append(values)
        for values, text in zip(lines, self._describe(lines), strict=True):
            values.update(text)
        return lines


def _key(values):
    """Return what a line stands for: shown again below itself, it is a cycle."""
    return tuple(values[name] or False for name in KEY)
