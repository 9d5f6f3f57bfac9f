"""Runs scenario files (FORMAT.md) on the in-memory ledger."""

import copy
import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from costing.records import CostLoopError
from costing.rounding import round_amount
from ledger import Company, Ledger, Order, Refused

SCALE = 10**6


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


class Differs(AssertionError):
    """An expectation that does not hold."""


def load(path):
    """A scenario file, its numbers exact."""
    text = Path(path).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal)


def run(scenario):
    """Run a scenario; raises :class:`Differs` where an expectation fails."""
    ScenarioRunner(scenario).run()


class ScenarioRunner:
    """One scenario: its ledger and the entries its refs stand for."""

    def __init__(self, scenario):
        self.scenario = scenario
        settings = dict(scenario["settings"])
        self.unit = Decimal(str(settings.get("currency_rounding", "0.01")))
        settings["currency_rounding"] = self.unit
        if settings.get("earliest_posting_date"):
            earliest = date.fromisoformat(settings["earliest_posting_date"])
            settings["earliest_posting_date"] = earliest
        self.ledger = Ledger(Company(**settings))
        self.location = (scenario.get("locations") or ["MAIN"])[0]
        self.refs = {}
        self.arrived = {}
        self.layered = _layered_refs(scenario)
        for name, fields in scenario["items"].items():
            self.ledger.add_item(name, **self._item(fields))

    def _item(self, fields):
        standard = fields["costing_method"] == "standard"
        unit_cost = fields.get("standard_cost" if standard else "unit_cost", 0)
        return {
            "costing_method": fields["costing_method"],
            "unit_cost": self._cost(unit_cost),
            "indirect_cost_pct": Decimal(fields.get("indirect_cost_pct", 0)),
            "overhead_rate": self._cost(fields.get("overhead_rate", 0)),
        }

    # -- units -------------------------------------------------------------------

    def _cost(self, number):
        return Decimal(number) / self.unit

    def _amount(self, number):
        return round_amount(Decimal(number) / self.unit)

    def _quantity(self, step):
        return int(Decimal(step["qty"]) * SCALE) if "qty" in step else None

    # -- steps -------------------------------------------------------------------

    def run(self):
        """Every step in turn."""
        for number, step in enumerate(self.scenario["steps"], 1):
            self.day = self.ledger.today = date.fromisoformat(step["date"])
            label = f"step {number} {step['do']} {step.get('ref', '')}".rstrip()
            if not hasattr(self, "do_" + step["do"]):
                raise Differs(f"{label}: unsupported step")
            if step.get("fails"):
                self._refused(step, label)
                continue
            try:
                getattr(self, "do_" + step["do"])(step)
            except Differs as error:
                raise Differs(f"{label}: {error}") from None
            except (Refused, CostLoopError) as error:
                raise Differs(f"{label} was refused: {error}") from error

    def _refused(self, step, label):
        before = copy.deepcopy((self.ledger, self.refs))
        try:
            getattr(self, "do_" + step["do"])(step)
        except (Refused, CostLoopError):
            self.ledger, self.refs = before
        else:
            raise Differs(f"{label} should have been refused")

    def _where(self, step):
        fields = {"location": step.get("location", self.location)}
        if step.get("lot"):
            fields["lot"] = step["lot"]
        return fields

    def _fixed(self, step):
        return self._entries(step["applies_to"]) if step.get("applies_to") else ()

    def _entries(self, ref):
        return self.refs[ref][1]

    def _name(self, ref):
        return self.refs[ref][0]

    def _keep(self, step, entries):
        self.refs[step["ref"]] = step.get("item"), entries

    def do_purchase_receipt(self, step):
        line = (step["order"], step["unit_cost"]) if step.get("order") else None
        entries = self.ledger.receive(
            step["item"],
            self._quantity(step),
            self._cost(step["unit_cost"]),
            self.day,
            order_line=line,
            **self._where(step),
        )
        self._keep(step, entries)

    def do_purchase(self, step):
        entries = self.ledger.purchase(
            step["item"],
            self._quantity(step),
            self._cost(step["unit_cost"]),
            self.day,
            **self._where(step),
        )
        self._keep(step, entries)

    def do_purchase_invoice(self, step):
        (entry,) = self._entries(step["receipt"])
        quantity = self._quantity(step) or entry.quantity - entry.invoiced
        if "amount" in step:
            amount = self._amount(step["amount"])
        else:
            price = self.ledger.prices.get(entry.id, Decimal(0))
            if "unit_cost" in step:
                price = self._cost(step["unit_cost"])
            amount = round_amount(quantity * price / SCALE)
        name = self._name(step["receipt"])
        self.ledger.invoice_receipt(name, entry, quantity, amount, self.day)

    def _decrease(self, step, entry_type, **fields):
        entries = self.ledger.decrease(
            step["item"],
            entry_type,
            self._quantity(step),
            self.day,
            self._fixed(step),
            **self._where(step),
            **fields,
        )
        self._keep(step, entries)

    def do_purchase_return(self, step):
        self._decrease(step, "purchase")

    def do_sale_shipment(self, step):
        self._decrease(step, "sale", shipped_only=True)

    def do_sale(self, step):
        self._decrease(step, "sale")

    def do_negative_adjustment(self, step):
        self._decrease(step, "negative_adjustment")

    def do_consumption(self, step):
        self._decrease(step, "consumption", order=step["order"])

    def do_sale_invoice(self, step):
        self.ledger.invoice_shipment(
            self._name(step["shipment"]),
            self._entries(step["shipment"]),
            self._quantity(step),
            self.day,
        )

    def do_sale_return(self, step):
        if step.get("returns"):
            entries = self.ledger.sale_return(
                step["item"],
                self._quantity(step),
                self.day,
                self._entries(step["returns"]),
                **self._where(step),
            )
            self._keep(step, entries)
        else:
            self._increase(step, "sale")

    def do_positive_adjustment(self, step):
        self._increase(step, "positive_adjustment")

    def _increase(self, step, entry_type):
        price = step.get("unit_cost")
        entries = self.ledger.increase(
            step["item"],
            entry_type,
            self._quantity(step),
            None if price is None else self._cost(price),
            self.day,
            **self._where(step),
        )
        self._keep(step, entries)

    def do_transfer(self, step):
        fields = {"lot": step["lot"]} if step.get("lot") else {}
        both = self.ledger.transfer(
            step["item"],
            self._quantity(step),
            self.day,
            step["from"],
            step["to"],
            self._fixed(step),
            **fields,
        )
        for ref, entries in zip(step["refs"], both, strict=True):
            self.refs[ref] = step["item"], entries
        departed = step["refs"][0]
        if departed in self.layered:
            self.arrived[departed] = both[1]

    def do_item_charge(self, step):
        for charge in step["charges"]:
            name, entries = self.refs[charge["entry"]]
            self.ledger.charge(name, entries, self._amount(charge["amount"]), self.day)

    def do_revaluation(self, step):
        new = {}
        if "new_unit_cost" in step:
            new["unit_cost"] = self._cost(step["new_unit_cost"])
        if "new_value" in step:
            new["value"] = self._amount(step["new_value"])
        if "amount" in step:
            new["amount"] = self._amount(step["amount"])
        if "entry" in step:
            name, entries = self.refs[step["entry"]]
            self.ledger.revalue(name, self.day, entries, **new)
        else:
            locations = {step["location"]} if step.get("location") else None
            self.ledger.revalue(step["item"], self.day, None, locations, **new)

    def do_set_standard_cost(self, step):
        item = self.ledger.books[step["item"]].item
        item.unit_cost = self._cost(step["standard_cost"])

    def do_production_order(self, step):
        self.ledger.orders[step["order"]] = Order(step["item"])

    def do_capacity(self, step):
        center = self.scenario["work_centers"][step["work_center"]]
        self.ledger.capacity(
            step["order"],
            int(Decimal(step["minutes"]) * SCALE),
            self.day,
            step["ref"],
            unit_cost=self._cost(center["unit_cost"]),
            indirect_pct=Decimal(center.get("indirect_cost_pct", 0)),
            overhead_rate=self._cost(center.get("overhead_rate", 0)),
        )

    def do_output(self, step):
        entries = self.ledger.output(
            step["order"], self._quantity(step), self.day, **self._where(step)
        )
        self.refs[step["ref"]] = self.ledger.orders[step["order"]].item, entries

    def do_finish_order(self, step):
        self.ledger.finish(step["order"])

    def do_adjust_cost(self, step):
        self.ledger.waits_for_run.clear()
        self.ledger.adjust_cost(step.get("items"))
        if self.ledger.company.automatic_cost_posting:
            self.ledger.post_to_gl()

    def do_post_to_gl(self, step):
        self.ledger.post_to_gl(step.get("post", True))

    def do_close_period(self, step):
        self.ledger.close_period(self.day)

    # -- expectations --------------------------------------------------------------

    def do_expect(self, step):
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
        if ref in self.ledger.capacity_costs:
            return self.ledger.capacity_costs[ref]
        return [cost for entry in self._layers(ref) for cost in entry.costs]

    def _layers(self, ref):
        """The entries a ref stands for, or the one layer of them it names.

        A departure's layer is shown as the mirror of its arrival.
        """
        name, _tilde, number = ref.partition("~")
        if name not in self.layered:
            return self._entries(name)
        index = int(number or 0)
        if name not in self.arrived:
            return [self._entries(name)[index]]
        return [_mirror(self.arrived[name][index])]

    def _expect_entries(self, entries):
        for ref, amounts in entries.items():
            for field, expected in amounts.items():
                actual = sum(getattr(cost, field) for cost in self._costs(ref))
                yield from self._compare(f"{ref} {field}", expected, actual * self.unit)

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

    def _merge_listed(self, rows, dated):
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

    def _merge_recorded(self, costs, dated):
        merged = {}
        for cost in costs:
            day = str(cost.posting_date) if dated else ""
            key = cost.entry_type, cost.variance_type, day
            actual, expected = merged.get(key, (Decimal(0), Decimal(0)))
            merged[key] = (
                actual + cost.actual * self.unit,
                expected + cost.expected * self.unit,
            )
        return merged

    def _expect_items(self, items):
        for key, fields in items.items():
            name, _at, location = key.partition("@")
            location = location or None
            quantity, value = self.ledger.balance(name, location)
            for field, expected in fields.items():
                if field == "unit_cost":
                    cost = self.ledger.books[name].item.unit_cost
                    if location:
                        cost = self.ledger.unit_cost(name, location)
                    yield from self._compare(
                        f"{key} unit cost",
                        expected,
                        cost * self.unit,
                        self.unit_tolerance,
                    )
                elif field == "quantity":
                    actual = Decimal(quantity) / SCALE
                    yield from self._compare(f"{key} quantity", expected, actual)
                else:
                    yield from self._compare(
                        f"{key} value", expected, value * self.unit
                    )

    def _expect_remaining(self, remaining):
        for ref, expected in remaining.items():
            actual = sum(entry.remaining for entry in self._layers(ref))
            yield from self._compare(
                f"{ref} remaining", expected, Decimal(actual) / SCALE
            )

    def _expect_gl(self, balances):
        for role, expected in balances.items():
            actual = self.ledger.balances[role] * self.unit
            yield from self._compare(f"gl {role}", expected, actual)


def _mirror(arrival):
    costs = [
        replace(cost, actual=-cost.actual, expected=-cost.expected)
        for cost in arrival.costs
        if cost.entry_type == "direct_cost" and not cost.charge
    ]
    return replace(arrival, costs=costs, remaining=0)
