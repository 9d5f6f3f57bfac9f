"""What a cost is made of: the rows behind a row of *Why This Cost?*.

The rows behind a row add up to its amount exactly. See ``explain_rows``.
"""

from collections import defaultdict

from ..costing.explanation import parts, remaining_cost, spread
from ..costing.forwarding import Forwarding, is_stated
from ..costing.layers import is_partial
from ..costing.records import AVERAGE, DIRECT_COST
from ..costing.rounding import share
from .explain_average import AverageExplainer
from .explain_load import ExplanationLoader
from .explain_rows import decrease_row, layer_row, rest_row, summed, total_of
from .units import Units


class Explainer(AverageExplainer):
    """Explains costs of one product in one company; each row takes a few queries."""

    def __init__(self, item):
        self.env = item.env
        self.item = item
        self.company = item.company_id
        self.units = Units(self.company.currency_id)
        self.loader = ExplanationLoader(self.company, self.units)
        self.book = self.loader.new_books(item)[item.product_id.id]
        self.average = self.book.item.costing_method == AVERAGE
        self.ledger = self.env["stock.ledger.entry"]

    # ------------------------------------------------------------------
    # Where an explanation starts
    # ------------------------------------------------------------------

    def item_row(self):
        """Return the row of the product's stock."""
        [sums] = self.item.balance_ids._read_group(
            [("item_id", "=", self.item.id)],
            [],
            ["quantity:sum", "value_actual:sum", "value_expected:sum"],
        )
        quantity, actual, expected = (value or 0.0 for value in sums)
        return {
            "kind": "item",
            "quantity": self.units.quantity(quantity),
            "amount": self.units.amount(actual + expected),
        }

    def entry_row(self, record):
        """Return the row of a ledger entry; what left stock counts as positive."""
        self._load(record.ids)
        entry = self.book.entries[record.id]
        if entry.quantity < 0:
            return decrease_row(entry, -entry.quantity, -total_of(entry))
        return layer_row(entry, 0, entry.quantity, total_of(entry))

    # ------------------------------------------------------------------
    # What is behind a row
    # ------------------------------------------------------------------

    def behind(self, row):
        """Return the rows behind a row: they add up to its amount."""
        rows = getattr(self, f"_behind_{row['kind']}")(row)
        rows = [r for r in rows if r["quantity"] or r["amount"]]
        for shown in rows:
            shown.setdefault("unfoldable", shown["kind"] not in ("value", "rest"))
        rest = row["amount"] - sum(r["amount"] for r in rows)
        if rest:
            reason = (
                "not_adjusted" if row["kind"] in ("item", "decrease") else "rounding"
            )
            rows.append(rest_row(reason, 0, rest))
        return rows

    def _behind_item(self, row):
        if self.average:
            return self._pool_rows(row)
        found = self.ledger.search(
            [
                ("product_id", "=", self.item.product_id.id),
                ("company_id", "=", self.company.id),
                ("open", "=", True),
            ],
            order="posting_date, id",
        )
        self._load(found.ids)
        rows = []
        for record in found:
            entry = self.book.entries[record.id]
            if entry.quantity < 0:
                amount = self.forwarding.waiting_cost(entry, entry.remaining)
                rows.append(rest_row("waiting", entry.remaining, amount, entry.id))
                continue
            layer = self.forwarding.layer(entry.id)
            amount = remaining_cost(entry, layer, self.forwarding.uses[entry.id])
            start = entry.quantity - entry.remaining
            rows.append(layer_row(entry, start, entry.quantity, amount))
        return summed(rows)

    # -- Ledger entries ----------------------------------------------------------

    def _behind_layer(self, row):
        """The sources of what units of an increase cost."""
        entry, values = self._entry_with_values(row)
        whole = entry.quantity
        derived, groups = self._grouped(entry, values)
        amounts = [(sum(a for _value, a in rows), last) for _key, last, rows in groups]
        if derived:
            amounts.insert(0, (sum(derived), whole))
        shares = parts(amounts, row["start"], row["end"], whole)
        quantity = row["end"] - row["start"]
        rows = []
        if derived:
            rows.append(self._carried_row(entry, quantity, shares.pop(0)))
        for (key, last, members), amount in zip(groups, shares, strict=True):
            value = members[0][0]
            rows.append(
                {
                    "kind": "source",
                    "source": key[0],
                    "ledger_entry_id": entry.id,
                    "value_entry_id": value.id,
                    "value_entry_ids": [member.id for member, _amount in members],
                    "start": row["start"],
                    "end": row["end"],
                    "quantity": min(quantity, last),
                    "amount": amount,
                    "unfoldable": len(members) > 1,
                }
            )
        return rows

    def _entry_with_values(self, row):
        """Return an entry of the book and its value entries, as far as they count."""
        self._load([row["ledger_entry_id"]])
        entry = self.book.entries[row["ledger_entry_id"]]
        values = self.env["stock.value.entry"].search_fetch(
            [("ledger_entry_id", "=", entry.id)], order="id"
        )
        since, before = row.get("since"), row.get("before")

        def counts(value):
            day = max(value.valuation_date, entry.valuation_date)
            return (not since or day >= since) and (not before or day < before)

        return entry, values.filtered(counts)

    def _grouped(self, entry, values):
        """Return ``(derived amounts, [(key, units, [(value entry, amount)])])``.

        Expected cost is one group, what bills reversed of it included; actual cost is
        one per source. ``units``: the last units that the amounts are spread over.
        Derived is what the engine took from the entry's source.
        """
        derived, groups = [], defaultdict(list)
        costs = {cost.id: cost for cost in entry.costs}
        for value in values:
            cost = costs[value.id]
            if entry.source and not is_stated(cost) and cost.entry_type == DIRECT_COST:
                derived.append(cost.actual + cost.expected)
                continue
            last = cost.valued_quantity if is_partial(cost, entry) else entry.quantity
            if cost.expected:
                groups["expected", last].append((value, cost.expected))
            if cost.actual:
                key = ("actual", last, value.source_model, value.source_id)
                key += (value.entry_type, value.variance_type)
                groups[key].append((value, cost.actual))
        shown = [(key, key[1], rows) for key, rows in groups.items()]
        return derived, [row for row in shown if sum(a for _v, a in row[2])]

    def _carried_row(self, entry, quantity, amount):
        """The row of what an increase takes over: a transfer's layer, or what a
        decrease cost that is taken back."""
        self._load([entry.source, entry.transferred_from])
        layer = self.book.entries.get(entry.transferred_from)
        if layer:
            start = self._start(layer, entry.source)
            return layer_row(layer, start, start + quantity, amount)
        if entry.entry_type == "transfer" and not self.average:
            return rest_row("waiting", quantity, amount, entry.source)
        return decrease_row(self.book.entries[entry.source], quantity, amount)

    def _start(self, layer, outbound_id):
        """Where in a layer a decrease began to take."""
        starts = self.forwarding.layer(layer.id).starts
        return starts.get(outbound_id, 0) if starts else 0

    def _behind_decrease(self, row):
        """What a decrease took: layers, the average, or a cost still provisional."""
        self._load([row["ledger_entry_id"]])
        entry = self.book.entries[row["ledger_entry_id"]]
        whole, sign = -entry.quantity, 1 if row["quantity"] > 0 else -1
        rows, applied = [], 0
        for use in self.forwarding.supplies.get(entry.id, ()):
            layer = self.book.entries[use.inbound_id]
            cost = self.forwarding.layer(layer.id).cost(entry.id, use.quantity)
            start = self._start(layer, entry.id)
            rows.append(layer_row(layer, start, start + use.quantity, cost))
            applied += use.quantity
        open_quantity = whole - applied
        if open_quantity and self.average:
            cost = -total_of(entry) - sum(r["amount"] for r in rows)
            rows.append(
                {
                    "kind": "average",
                    "ledger_entry_id": entry.id,
                    "quantity": open_quantity,
                    "amount": cost,
                }
            )
        elif open_quantity:
            cost = -self.forwarding.waiting_cost(entry, -open_quantity)
            rows.append(rest_row("waiting", open_quantity, cost, entry.id))
        return self._taken(rows, abs(row["quantity"]), whole, sign)

    def _taken(self, rows, part, whole, sign):
        """The rows for a part of a decrease, with its sign."""
        amounts = spread([r["amount"] for r in rows], part, whole)
        for row, amount in zip(rows, amounts, strict=True):
            quantity = share(row["quantity"], part, whole)
            if row["kind"] == "layer":
                row["end"] = row["start"] + quantity
            row |= {"amount": sign * amount, "quantity": sign * quantity}
            # The rows behind are those of an increase; what left is just shown.
            row["unfoldable"] = sign > 0 and row["kind"] != "rest"
        return rows

    def _behind_source(self, row):
        """The value entries of a source."""
        entry, values = self._entry_with_values(row)
        values = values.filtered(lambda value: value.id in row["value_entry_ids"])
        costs = {cost.id: cost for cost in entry.costs}
        amounts = []
        for value in values:
            cost = costs[value.id]
            last = cost.valued_quantity if is_partial(cost, entry) else entry.quantity
            amounts.append((getattr(cost, row["source"]), last))
        shares = parts(amounts, row["start"], row["end"], entry.quantity)
        return [
            {
                "kind": "value",
                "source": row["source"],
                "ledger_entry_id": entry.id,
                "value_entry_id": value.id,
                "quantity": row["quantity"],
                "amount": amount,
            }
            for value, amount in zip(values, shares, strict=True)
        ]

    # ------------------------------------------------------------------

    def _load(self, entry_ids):
        """Have entries, and what their cost comes from, in the book."""
        self.loader.load_entries(self.book, {i for i in entry_ids if i})
        self.forwarding = Forwarding(self.book)
