"""What an average cost is made of: the rows of *Why This Cost?* for its pools."""

from datetime import timedelta

from ..costing.explanation import spread
from ..costing.periods import average_start, period_end, period_start
from ..costing.rounding import share
from .explain_rows import decrease_row, layer_row, rest_row, summed


class AverageExplainer:
    """Explains pools of average cost; the rest of ``Explainer``."""

    def _pool_rows(self, row):
        """One pool for the product, or one per cost location."""
        if self.loader.settings.average_cost_calc_type == "item":
            return self._behind_pool(row)
        return [
            {
                "kind": "pool",
                "location_id": balance.cost_location_id.id,
                "quantity": self.units.quantity(balance.quantity),
                "amount": self.units.amount(
                    balance.value_actual + balance.value_expected
                ),
            }
            for balance in self.item.balance_ids.sorted("id")
        ]

    def _behind_pool(self, row):
        """The opening of the last period with an increase, and what came since."""
        before, location = row.get("before"), row.get("location_id")
        last = self.loader.last_increase(self.item, location, before)
        if not last:
            return []
        start = self._period_of(last)
        rows = self._composition(location, start, before)
        whole = sum(r["quantity"] for r in rows)
        return self._scaled(rows, row["quantity"], whole)

    def _period_of(self, day):
        """Return the first day of the average period of a day."""
        settings = self.loader.settings
        start = average_start(day, settings)
        if start > day:
            # The settings count from later on; there were others before.
            start = period_start(day, settings.average_cost_period)
        return start

    def _composition(self, location, start, before, counts=None):
        """Rows of the opening before ``start`` and of what is valued from then on.

        ``counts``: which of the entries do, all of them by default.
        """
        quantity, amount = self.loader.opening(self.item, location, start)
        rows = [
            {
                "kind": "opening",
                "location_id": location,
                "before": start,
                "quantity": quantity,
                "amount": amount,
            }
        ]
        sums = self.loader.valued(self.item, location, start, before)
        self._load([entry_id for entry_id, *_sums in sums])
        taken = {"kind": "decreases", "quantity": 0, "amount": 0}
        taken |= {"location_id": location, "since": start, "before": before}
        # What is behind it is everything taken, not what counts only.
        taken["unfoldable"] = counts is None
        for entry_id, quantity, amount in sums:
            entry = self.book.entries[entry_id]
            if counts and not counts(entry):
                continue
            if entry.quantity < 0:
                taken["quantity"] += quantity
                taken["amount"] += amount
            else:
                shown = layer_row(entry, 0, entry.quantity, amount)
                rows.append(
                    {**shown, "quantity": quantity, "since": start, "before": before}
                )
        return [*summed(rows), taken]

    def _scaled(self, rows, part, whole):
        """The rows of a pool for a part of its quantity."""
        if part == whole:
            return rows
        if whole <= 0:
            return []
        amounts = spread([r["amount"] for r in rows], part, whole)
        for row, amount in zip(rows, amounts, strict=True):
            row["amount"] = amount
            row["quantity"] = share(row["quantity"], part, whole)
            if row["kind"] == "layer":
                row["end"] = share(row["end"], part, whole)
            elif row["kind"] == "decreases":
                # A share of all of them: there is none to show.
                row["unfoldable"] = False
        return rows

    _behind_opening = _behind_pool

    def _behind_decreases(self, row):
        """What was taken from a pool since its opening."""
        sums = self.loader.valued(
            self.item, row.get("location_id"), row["since"], row.get("before")
        )
        self._load([entry_id for entry_id, *_sums in sums])
        rows = []
        for entry_id, quantity, amount in sums:
            entry = self.book.entries[entry_id]
            if entry.quantity < 0:
                shown = decrease_row(entry, quantity, amount)
                # A revaluation's quantity is not the entry's.
                rows.append({**shown, "unfoldable": quantity == entry.quantity})
        return summed(rows)

    def _behind_average(self, row):
        """What the average was made of when a decrease took it."""
        self._load([row["ledger_entry_id"]])
        entry = self.book.entries[row["ledger_entry_id"]]
        period = self.loader.settings.average_cost_period
        location = None
        if self.loader.settings.average_cost_calc_type != "item":
            location = entry.location
        start = self._period_of(entry.valuation_date)
        before = period_end(entry.valuation_date, period) + timedelta(days=1)

        def counts(other):
            if period == "transaction":
                return other.id < entry.id
            return other.quantity > 0

        rows = self._composition(location, start, before, counts)
        whole = sum(r["quantity"] for r in rows)
        rows = self._scaled(rows, row["quantity"], whole)
        return rows or [rest_row("last_cost", row["quantity"], row["amount"])]
