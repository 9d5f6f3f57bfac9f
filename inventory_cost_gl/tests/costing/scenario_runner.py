"""Runs scenario files (FORMAT.md) on the in-memory ledger."""

import copy
from datetime import date
from decimal import Decimal

from costing.records import SPECIFIC, STANDARD, CostLoopError
from costing.rounding import round_amount
from ledger import Company, Ledger, Order, Refused
from scenario_player import CostRow, Differs, ScenarioPlayer, load

SCALE = 10**6

__all__ = ["Differs", "load", "run"]


def run(scenario):
    """Run a scenario; raises :class:`Differs` where an expectation fails."""
    ScenarioRunner(scenario).run()


class ScenarioRunner(ScenarioPlayer):
    """One scenario: its ledger and the entries its refs stand for."""

    refusals = (Refused, CostLoopError)

    def __init__(self, scenario):
        super().__init__(scenario)
        settings = dict(self.settings)
        self.unit = Decimal(str(settings["currency_rounding"]))
        settings["currency_rounding"] = self.unit
        if settings["earliest_posting_date"]:
            earliest = date.fromisoformat(settings["earliest_posting_date"])
            settings["earliest_posting_date"] = earliest
        self.ledger = Ledger(Company(**settings))
        self.refs = {}
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

    def start_day(self, day):
        """The day the next step happens on."""
        self.day = self.ledger.today = day

    def undo(self):
        """Whatever happens afterwards, as a function that takes it back."""
        before = copy.deepcopy((self.ledger, self.refs))

        def restore():
            self.ledger, self.refs = before

        return restore

    def _where(self, step):
        """Location and lot of a step; what it is applied to decides what it leaves out.

        Lots of an item that is not at specific cost are no pools of their own.
        """
        applied = (
            self._entries(step["applies_to"])[0] if step.get("applies_to") else None
        )
        default = applied.location if applied else self.first_location
        fields = {"location": step.get("location", default)}
        lot = self._lot(step) or (applied.lot if applied else 0)
        return {**fields, "lot": lot} if lot else fields

    def _lot(self, step):
        name = (
            step["item"] if "item" in step else self.ledger.orders[step["order"]].item
        )
        specific = self.ledger.books[name].item.costing_method == SPECIFIC
        return step.get("lot", 0) if specific else 0

    def _fixed(self, step, location):
        """The entries a decrease is applied to: those where it takes the goods."""
        if not step.get("applies_to"):
            return ()
        lot = self._lot(step)
        entries = [
            entry
            for entry in self._entries(step["applies_to"])
            if entry.location == location and (not lot or entry.lot == lot)
        ]
        if not entries:
            raise Refused("what it is applied to is elsewhere")
        return entries

    def _entries(self, ref):
        return self.refs[ref][1]

    def _name(self, ref):
        return self.refs[ref][0]

    def _keep(self, step, entries):
        self.refs[step["ref"]] = step.get("item"), entries

    def do_purchase_receipt(self, step):
        where = self._where(step)
        line = None
        if step.get("order"):
            line = step["order"], step["unit_cost"], where["location"]
        entries = self.ledger.receive(
            step["item"],
            self._quantity(step),
            self._cost(step["unit_cost"]),
            self.day,
            order_line=line,
            **where,
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
        where = self._where(step)
        entries = self.ledger.decrease(
            step["item"],
            entry_type,
            self._quantity(step),
            self.day,
            self._fixed(step, where["location"]),
            **where,
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
            lot = self._lot(step)
            entries = self.ledger.sale_return(
                step["item"],
                self._quantity(step),
                self.day,
                [e for e in self._entries(step["returns"]) if not lot or e.lot == lot],
                location=step.get("location", self.first_location),
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
        where = self._where(step)
        fields = {"lot": where["lot"]} if "lot" in where else {}
        both = self.ledger.transfer(
            step["item"],
            self._quantity(step),
            self.day,
            step["from"],
            step["to"],
            self._fixed(step, step["from"]),
            **fields,
        )
        for ref, entries in zip(step["refs"], both, strict=True):
            self.refs[ref] = step["item"], entries
        departed, arrived = step["refs"]
        if departed in self.layered:
            self.arrived[departed] = arrived

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
            location = step.get("location")
            self.ledger.revalue(step["item"], self.day, None, location, **new)

    def do_set_standard_cost(self, step):
        item = self.ledger.books[step["item"]].item
        if item.costing_method == STANDARD:
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
        # no items means all of them, as in the wizard; others go on waiting
        names = step.get("items") or list(self.ledger.books)
        self.ledger.waits_for_run.difference_update(names)
        self.ledger.adjust_cost(names)
        if self.ledger.company.automatic_cost_posting:
            self.ledger.post_to_gl()

    def do_post_to_gl(self, step):
        self.ledger.post_to_gl(step.get("post", True))

    def do_close_period(self, step):
        self.ledger.close_period(self.day)

    # -- what the ledger shows ------------------------------------------------------

    def shown_costs(self, ref):
        """``[[CostRow]]`` of a ref."""
        if ref in self.ledger.capacity_costs:
            return [[self._row(cost) for cost in self.ledger.capacity_costs[ref]]]
        return [[self._row(cost) for cost in e.costs] for e in self._entries(ref)]

    def _row(self, cost):
        return CostRow(
            cost.entry_type,
            cost.variance_type,
            cost.posting_date,
            cost.actual * self.unit,
            cost.expected * self.unit,
            cost.charge,
        )

    def shown_remaining(self, ref):
        """The remaining quantities of a ref."""
        return [Decimal(entry.remaining) / SCALE for entry in self._entries(ref)]

    def shown_balance(self, item, location):
        """Quantity and value of an item."""
        quantity, value = self.ledger.balance(item, location)
        return Decimal(quantity) / SCALE, value * self.unit

    def shown_unit_cost(self, item, location):
        """The item card's unit cost, or that of one location."""
        if location:
            return self.ledger.unit_cost(item, location) * self.unit
        return self.ledger.books[item].item.unit_cost * self.unit

    def shown_gl(self, role):
        """The posted balance of a role."""
        return self.ledger.balances[role] * self.unit
