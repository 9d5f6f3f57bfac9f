"""Plays scenarios (FORMAT.md) and compares what a ledger shows with what they expect.

Plain Python, shared by every way of running a scenario: a runner has a method for
each kind of step and says what its ledger shows.
"""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

# What counts where a scenario leaves a setting out: FORMAT.md's example.
DEFAULT_SETTINGS = {
    "average_cost_period": "day",
    "average_cost_calc_type": "item",
    "expected_cost_posting": False,
    "automatic_cost_posting": False,
    "automatic_cost_adjustment": "never",
    "earliest_posting_date": None,
    "currency_rounding": Decimal("0.01"),
}


class Differs(AssertionError):
    """An expectation that does not hold."""


@dataclass
class CostRow:
    """A value entry; amounts in company currency."""

    entry_type: str
    variance_type: str
    posting_date: date
    actual: Decimal
    expected: Decimal
    charge: bool = False


def load(path):
    """A scenario file, its numbers exact."""
    text = Path(path).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal)


def unsupported_steps(scenario, runner):
    """The kinds of steps of a scenario that a runner has no ``do_`` method for."""
    kinds = {step["do"] for step in scenario["steps"]}
    return {kind for kind in kinds if not hasattr(runner, f"do_{kind}")}


def charged_refs(scenario):
    """The refs that item charges of a scenario go to."""
    return {
        charge["entry"]
        for step in scenario["steps"]
        if step["do"] == "item_charge"
        for charge in step["charges"]
    }


def order_keys(scenario):
    """``{ref: key}``: which receipts are of one order line, for documents.

    Those that name the same order, with the same item, price and location. Bills are
    of an order line, which Odoo takes as its receipts came: where the steps bill a
    later receipt first, each receipt has a line of its own.
    """
    keys, lines = {}, {}
    for step in scenario["steps"]:
        if step["do"] in ("purchase_receipt", "purchase"):
            line = step.get("order"), step["item"], step["unit_cost"]
            line = (*line, step.get("location"))
            keys[step["ref"]] = line if step.get("order") else step["ref"]
            if not step.get("fails"):
                lines.setdefault(keys[step["ref"]], []).append(step["ref"])
    for refs in lines.values():
        if len(refs) > 1 and not _billed_in_order(scenario, refs):
            keys.update((ref, ref) for ref in refs)
    return keys


def _billed_in_order(scenario, refs):
    """Is each receipt of an order line billed after all that came before it?"""
    unbilled = {}
    for step in scenario["steps"]:
        ref = step.get("receipt", step.get("ref"))
        if step.get("fails") or ref not in refs:
            continue
        if step["do"] in ("purchase_receipt", "purchase"):
            unbilled[ref] = step["qty"]
        if step["do"] in ("purchase_invoice", "purchase"):
            if next(one for one in unbilled if unbilled[one] or one == ref) != ref:
                return False
            unbilled[ref] -= step.get("qty") or unbilled[ref]
    return True


def _layered_refs(scenario):
    """Refs a scenario names layer by layer: ``X`` the first, ``X~1`` the second …"""
    named = {
        ref
        for step in scenario["steps"]
        for field in ("entries", "value_entries", "remaining")
        for ref in step.get(field) or {}
        if step["do"] == "expect"
    }
    return {ref.partition("~")[0] for ref in named if "~" in ref}


def _label(number, step):
    return f"step {number} {step['do']} {step.get('ref', '')}".rstrip()


class ScenarioPlayer(ABC):
    """A scenario being played; runners inherit it.

    Each kind of step is a method ``do_…(step)``. Amounts and quantities are
    ``Decimal``: company currency, the item's unit. ``refusals``: the exceptions that
    a step that is refused raises.
    """

    refusals = ()

    def __init__(self, scenario):
        self.scenario = scenario
        self.settings = {**DEFAULT_SETTINGS, **scenario["settings"]}
        self.first_location = (scenario.get("locations") or ["MAIN"])[0]
        self.label = "before the first step"
        self.layered = _layered_refs(scenario)
        self.arrived = {}
        self.tolerance = self.unit_tolerance = Decimal(0)

    # -- playing ---------------------------------------------------------------------

    def run(self):
        """Play every step in turn; raises :class:`Differs` where one fails.

        A scenario with a step that no document can play fails before its first step.
        """
        self._refuse_unsupported()
        for number, step in enumerate(self.scenario["steps"], 1):
            self.start_day(date.fromisoformat(step["date"]))
            self.label = label = _label(number, step)
            play = getattr(self, f"do_{step['do']}")
            if step.get("fails"):
                self._play_refused(play, step, label)
                continue
            try:
                play(step)
                self.finish_step()
            except Differs as error:
                raise Differs(f"{label}: {error}") from None
            except self.refusals as error:
                raise Differs(f"{label} was refused: {error}") from error

    def _refuse_unsupported(self):
        unsupported = unsupported_steps(self.scenario, self)
        for number, step in enumerate(self.scenario["steps"], 1):
            if step["do"] in unsupported:
                raise Differs(f"{_label(number, step)}: unsupported step")

    def _play_refused(self, play, step, label):
        restore = self.undo()
        # an expectation that has to fail is refused by not being met
        refusals = (
            (*self.refusals, Differs) if step["do"] == "expect" else self.refusals
        )
        try:
            play(step)
            self.finish_step()
        except refusals:
            restore()
        except Differs as error:
            raise Differs(f"{label}: {error}") from None
        else:
            raise Differs(f"{label} should have been refused")

    @abstractmethod
    def start_day(self, day):
        """Take note of the day the next step happens on."""

    def finish_step(self):
        """Do what follows every step, which may still refuse it; a hook."""
        return

    @abstractmethod
    def undo(self):
        """Return a function that takes back whatever happens from now on."""

    # -- what the ledger shows: given by the runner ----------------------------------

    @abstractmethod
    def shown_costs(self, ref):
        """``[[CostRow]]``: the value entries of each ledger entry of a ref."""

    @abstractmethod
    def shown_remaining(self, ref):
        """The remaining quantity of each ledger entry of a ref."""

    @abstractmethod
    def shown_balance(self, item, location):
        """Quantity and value of an item, at one location or (``None``) in all."""

    @abstractmethod
    def shown_unit_cost(self, item, location):
        """The unit cost of an item, at one location or (``None``) in all."""

    @abstractmethod
    def shown_gl(self, role):
        """The posted balance of an account role: debit is positive."""

    # -- comparing -------------------------------------------------------------------

    def do_expect(self, step):
        """Raise :class:`Differs` with everything that is not as expected."""
        self.tolerance = Decimal(str(step.get("tolerance", "0.005")))
        self.unit_tolerance = Decimal(str(step.get("tolerance", "0.00001")))
        found = [
            *self._expect_entries(step.get("entries", {})),
            *self._expect_value_entries(step.get("value_entries", {})),
            *self._expect_items(step.get("items", {})),
            *self._expect_remaining(step.get("remaining", {})),
            *self._expect_gl(step.get("gl", {})),
        ]
        if found:
            raise Differs("; ".join(found))

    def _compare(self, label, expected, actual, tolerance=None):
        expected = Decimal(str(expected))
        if abs(expected - actual) > (tolerance or self.tolerance):
            yield f"{label} is {actual.normalize():f}, not {expected}"

    def _costs(self, ref):
        """The value entries of a ref, or of the one layer of it that it names.

        A departure's layer is shown as the mirror of its arrival.
        """
        name, _tilde, number = ref.partition("~")
        if name not in self.layered:
            return [row for rows in self.shown_costs(name) for row in rows]
        if name not in self.arrived:
            return self.shown_costs(name)[int(number or 0)]
        arrival = self.shown_costs(self.arrived[name])[int(number or 0)]
        return [
            CostRow(
                row.entry_type,
                row.variance_type,
                row.posting_date,
                -row.actual,
                -row.expected,
            )
            for row in arrival
            if row.entry_type == "direct_cost" and not row.charge
        ]

    def _remaining(self, ref):
        name, _tilde, number = ref.partition("~")
        if name not in self.layered:
            return sum(self.shown_remaining(name), Decimal(0))
        if name in self.arrived:
            return Decimal(0)
        return self.shown_remaining(name)[int(number or 0)]

    def _expect_entries(self, entries):
        for ref, amounts in entries.items():
            for field, expected in amounts.items():
                actual = sum(
                    (getattr(row, field) for row in self._costs(ref)), Decimal(0)
                )
                yield from self._compare(f"{ref} {field}", expected, actual)

    def _expect_value_entries(self, value_entries):
        for ref, rows in value_entries.items():
            dated = all("posting_date" in row for row in rows)
            wanted = self._merge_listed(rows, dated)
            found = self._merge_recorded(self._costs(ref), dated)
            for key in {**wanted, **found}:
                actual, expected = found.get(key, (Decimal(0), Decimal(0)))
                want_actual, want_expected = wanted.get(key, (0, None))
                if key not in wanted:
                    want_expected = 0
                label = f"{ref} {' '.join(filter(None, key))}"
                yield from self._compare(f"{label} actual", want_actual, actual)
                if want_expected is not None:
                    yield from self._compare(
                        f"{label} expected", want_expected, expected
                    )

    @staticmethod
    def _merge_listed(rows, dated):
        merged = {}
        for row in rows:
            day = row["posting_date"] if dated else ""
            key = row["entry_type"], row.get("variance_type", ""), day
            actual, expected = merged.get(key, (Decimal(0), None))
            actual += Decimal(row["actual"])
            if "expected" in row:
                expected = (expected or 0) + Decimal(row["expected"])
            merged[key] = actual, expected
        return merged

    @staticmethod
    def _merge_recorded(costs, dated):
        merged = {}
        for cost in costs:
            day = str(cost.posting_date) if dated else ""
            key = cost.entry_type, cost.variance_type, day
            actual, expected = merged.get(key, (Decimal(0), Decimal(0)))
            merged[key] = actual + cost.actual, expected + cost.expected
        return merged

    def _expect_items(self, items):
        for key, fields in items.items():
            name, _at, location = key.partition("@")
            quantity, value = self.shown_balance(name, location or None)
            for field, expected in fields.items():
                if field == "unit_cost":
                    yield from self._compare(
                        f"{key} unit cost",
                        expected,
                        self.shown_unit_cost(name, location or None),
                        self.unit_tolerance,
                    )
                else:
                    actual = quantity if field == "quantity" else value
                    yield from self._compare(f"{key} {field}", expected, actual)

    def _expect_remaining(self, remaining):
        for ref, expected in remaining.items():
            yield from self._compare(f"{ref} remaining", expected, self._remaining(ref))

    def _expect_gl(self, balances):
        for role, expected in balances.items():
            yield from self._compare(f"gl {role}", expected, self.shown_gl(role))
