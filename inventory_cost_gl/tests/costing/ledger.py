"""An in-memory inventory: documents recorded through the cost rules.

It does what the ORM does around ``costing/`` and ``posting/``, on plain objects
and with the whole history loaded, so that a scenario runs in a millisecond.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costing import invoicing as invoicing_rules
from costing import production, receipts, revaluation
from costing.adjust import adjust
from costing.applications import apply_open
from costing.periods import adjustment_window_start, first_open_date, open_date
from costing.records import (
    AVERAGE,
    DIRECT_COST,
    INDIRECT_COST,
    REVALUATION,
    STANDARD,
    VARIANCE,
    Book,
    Cost,
    CostLoopError,
    Entry,
    Item,
    Settings,
)
from costing.rounding import amount_of
from costing.transfers import arrivals
from costing.unit_cost import open_decreases, unit_cost, unit_cost_while_posting
from posting.roles import roles_for


class Refused(ValueError):
    """A document the rules do not allow; nothing was recorded."""


@dataclass
class ValueEntry:
    """A recorded cost with what posting needs to know of its ledger entry."""

    cost: Cost
    entry_type: str | None
    order: str | None
    posted_actual: int = 0
    posted_expected: int = 0


@dataclass
class Order:
    """A production order: what went in, what came out."""

    item: str
    components: set[str] = field(default_factory=set)
    consumption: list[Entry] = field(default_factory=list)
    outputs: list[Entry] = field(default_factory=list)
    capacity: int = 0
    capacity_overhead: int = 0
    finished: bool = False
    adjusted: bool = True


@dataclass
class Company:
    """The company's settings as a scenario gives them."""

    average_cost_period: str = "transaction"
    average_cost_calc_type: str = "item"
    expected_cost_posting: bool = False
    automatic_cost_posting: bool = False
    automatic_cost_adjustment: str = "never"
    earliest_posting_date: date | None = None
    currency_rounding: Decimal = Decimal("0.01")

    @property
    def unit_cost_step(self):
        """The unit-amount precision, 0.00001, in amount units."""
        return Decimal("0.00001") / self.currency_rounding


class Ledger:
    """The quantity and value ledgers of one company.

    Quantities are in millionths, amounts in rounding units, unit costs in
    amount units per 1 unit, as everywhere in ``costing/``.
    """

    def __init__(self, company):
        self.company = company
        self.books = {}
        self.orders = {}
        self.value_entries = []
        self.capacity_costs = defaultdict(list)
        self.balances = defaultdict(int)
        self.closed_until = None
        self.line_received = defaultdict(int)
        self.prices = {}
        self.unadjusted_from = {}
        self.waits_for_run = set()
        self._entries = 0

    def add_item(self, name, **fields):
        """An item and its empty book."""
        settings = Settings(
            self.company.average_cost_period, self.company.average_cost_calc_type
        )
        self.books[name] = Book(settings, Item(len(self.books) + 1, **fields))

    # -- recording -------------------------------------------------------------

    def first_open(self):
        """First date open for posting, None if every date is."""
        return first_open_date(self.closed_until, self.company.earliest_posting_date)

    def check_open(self, day):
        """Refuse a document dated in a closed period."""
        if open_date(day, self.first_open()) != day:
            raise Refused(f"{day} is closed for posting")

    def _entry(self, name, entry_type, quantity, day, **fields):
        self._entries += 1
        entry = Entry(self._entries, entry_type, quantity, quantity, day, day, **fields)
        self.books[name].entries[entry.id] = entry
        return entry

    def _record(self, name, entry, entry_type, day, actual=0, expected=0, **fields):
        """Append a value entry to a ledger entry."""
        fields.setdefault("valuation_date", entry.valuation_date)
        fields.setdefault("valued_quantity", entry.quantity)
        cost = Cost(
            len(self.value_entries) + 1,
            entry_type,
            actual=actual,
            expected=expected,
            posting_date=day,
            **fields,
        )
        entry.costs.append(cost)
        self.value_entries.append(ValueEntry(cost, entry.entry_type, entry.order))
        if not cost.adjustment:
            valued = max(cost.valuation_date, entry.valuation_date)
            known = self.unadjusted_from.get(name, valued)
            self.unadjusted_from[name] = min(known, valued)
        return cost

    def _cost_at_once(self, name, entries):
        """Cost entries just recorded, leaving all others as they are."""
        book = self._book(name, {entry.id for entry in entries})
        self._append(name, adjust(book))

    def _book(self, name, affected=None):
        book = self.books[name]
        book.affected = affected
        book.settings.first_open_date = self.first_open()
        return book

    def _append(self, name, adjustments):
        for row in adjustments:
            entry = self.books[name].entries[row.entry_id]
            self._record(
                name,
                entry,
                row.entry_type,
                row.posting_date,
                row.actual,
                row.expected,
                variance_type=row.variance_type,
                valuation_date=row.valuation_date,
                adjustment=not row.first,
                expected_only=row.first and not entry.invoiced,
                invoiced_quantity=entry.invoiced if row.first else 0,
                applies_to=row.applies_to_cost,
            )
            if entry.order:
                self.orders[entry.order].adjusted = False

    def _after(self, name, entries):
        """What follows every posting: automatic adjustment and posting."""
        today = self.today
        start = adjustment_window_start(today, self.company.automatic_cost_adjustment)
        if start is not None:
            average = self.books[name].item.costing_method == AVERAGE
            dates = [e.valuation_date if average else e.posting_date for e in entries]
            if any(day < start for day in dates):
                self.waits_for_run.add(name)
            if name not in self.waits_for_run:
                self.adjust_cost([name])
        if self.company.automatic_cost_posting:
            self.post_to_gl()

    # -- increases --------------------------------------------------------------

    def receive(self, name, quantity, price, day, order_line=None, **fields):
        """A purchase receipt with its expected cost."""
        self.check_open(day)
        book = self.books[name]
        before = self.line_received[name, order_line] if order_line else 0
        entry = self._entry(name, "purchase", quantity, day, **fields)
        self.prices[entry.id] = price
        expected = receipts.expected_cost_of_part(book.item, quantity, price, before)
        if order_line:
            self.line_received[name, order_line] += quantity
        self._record(
            name, entry, DIRECT_COST, day, expected=expected, expected_only=True
        )
        apply_open(book)
        self._after(name, [entry])
        return [entry]

    def purchase(self, name, quantity, price, day, **fields):
        """A receipt invoiced on the same day."""
        self.check_open(day)
        entry = self._entry(name, "purchase", quantity, day, **fields)
        self._state_invoice(name, entry, quantity, amount_of(quantity, price), day)
        apply_open(self.books[name])
        self._after(name, [entry])
        return [entry]

    def invoice_receipt(self, name, entry, quantity, amount, day):
        """A vendor invoice of an earlier receipt."""
        quantity = quantity or entry.quantity - entry.invoiced
        if quantity <= 0 or entry.invoiced + quantity > entry.quantity:
            raise Refused("more is invoiced than was received")
        day = open_date(day, self.first_open())
        self._state_invoice(name, entry, quantity, amount, day)
        self._after(name, [entry])

    def _state_invoice(self, name, entry, quantity, amount, day):
        book = self.books[name]
        before = sum(other.invoiced for other in book.entries.values())
        stated = receipts.invoice_statement(book.item, entry, quantity, amount)
        entry.invoiced += quantity
        self._record(
            name,
            entry,
            DIRECT_COST,
            day,
            stated.direct,
            stated.expected,
            invoiced_quantity=quantity,
        )
        for cost in stated.revaluations:
            self._reverse_expected_revaluation(name, entry, day, cost)
        if stated.indirect:
            self._record(name, entry, INDIRECT_COST, day, stated.indirect)
        if stated.variance:
            self._purchase_variance(name, entry, day, stated.variance)
        self._unit_cost_while_posting(
            name, stated.direct + stated.indirect, quantity, before
        )

    def _reverse_expected_revaluation(self, name, entry, day, cost):
        self._record(
            name,
            entry,
            REVALUATION,
            day,
            0,
            cost.expected,
            valuation_date=cost.valuation_date,
            valued_quantity=cost.valued_quantity,
            partial_revaluation=cost.partial_revaluation,
        )

    def _purchase_variance(self, name, entry, day, amount):
        self._record(name, entry, VARIANCE, day, amount, variance_type="purchase")

    def _unit_cost_while_posting(self, name, amount, quantity, before):
        item = self.books[name].item
        if item.costing_method != STANDARD:
            item.unit_cost = unit_cost_while_posting(
                item.unit_cost,
                Decimal(amount) * 10**6 / quantity,
                before,
                before + quantity,
            )

    def increase(self, name, entry_type, quantity, price, day, **fields):
        """A positive adjustment, or a sale return that returns no given sale."""
        self.check_open(day)
        book = self.books[name]
        if price is None or book.item.costing_method == STANDARD:
            price = book.item.unit_cost
        amount = amount_of(quantity, price)
        before = sum(other.invoiced for other in book.entries.values())
        entry = self._entry(
            name, entry_type, quantity, day, invoiced=quantity, **fields
        )
        self._record(name, entry, DIRECT_COST, day, amount, invoiced_quantity=quantity)
        self._unit_cost_while_posting(name, amount, quantity, before)
        apply_open(book)
        self._after(name, [entry])
        return [entry]

    def sale_return(self, name, quantity, day, sales, **fields):
        """The exact return of earlier sales, in their order."""
        self.check_open(day)
        rows = self._spread(quantity, sales, self._not_returned)
        entries = [
            self._entry(
                name,
                "sale",
                part,
                day,
                invoiced=part,
                applies_from=sale.id,
                lot=sale.lot,
                **fields,
            )
            for sale, part in rows
        ]
        apply_open(self.books[name])
        self._cost_at_once(name, entries)
        self._after(name, entries)
        return entries

    def _not_returned(self, sale):
        returned = sum(
            entry.quantity
            for book in self.books.values()
            for entry in book.entries.values()
            if entry.applies_from == sale.id
        )
        return -sale.quantity - returned

    def _spread(self, quantity, entries, available):
        """Spread a quantity over entries, each up to what is available of it."""
        rows = []
        for entry in entries:
            part = min(quantity, available(entry))
            if part > 0:
                rows.append((entry, part))
                quantity -= part
        if quantity:
            raise Refused("more than there is to apply to")
        return rows

    def charge(self, name, entries, amount, day):
        """An item charge on receipts; on a delivery it is no inventory cost."""
        self.check_open(day)
        item = self.books[name].item
        increases = [entry for entry in entries if entry.quantity > 0]
        standard = item.costing_method == STANDARD
        if standard and any(entry.entry_type != "purchase" for entry in increases):
            # its purchase variance would have no account (reference b.3)
            raise Refused("a standard item is only charged on its purchases")
        parts = receipts.split_amount(amount, [e.quantity for e in increases])
        for entry, part in zip(increases, parts, strict=True):
            self._record(name, entry, DIRECT_COST, day, part, charge=True)
            variance = receipts.charge_variance(item, part)
            if variance:
                self._purchase_variance(name, entry, day, variance)
        self._after(name, increases)

    # -- decreases ---------------------------------------------------------------

    def decrease(self, name, entry_type, quantity, day, fixed=(), **fields):
        """A decrease, invoiced at once but for a shipment (``invoiced=0``)."""
        self.check_open(day)
        rows = [(None, quantity)]
        if fixed:
            rows = self._spread(quantity, fixed, lambda entry: entry.remaining)
        shipped_only = fields.pop("shipped_only", False)
        entries = [
            self._entry(
                name,
                entry_type,
                -part,
                day,
                invoiced=0 if shipped_only else -part,
                applies_to=increase.id if increase else 0,
                **fields,
            )
            for increase, part in rows
        ]
        apply_open(self.books[name])
        self._cost_at_once(name, entries)
        self._mark_order(name, entries)
        self._after(name, entries)
        return entries

    def invoice_shipment(self, name, entries, quantity, day):
        """A customer invoice of an earlier shipment."""
        day = open_date(day, self.first_open())
        left = [-(entry.quantity - entry.invoiced) for entry in entries]
        quantity = quantity or sum(left)
        if not 0 < quantity <= sum(left):
            raise Refused("more is invoiced than was shipped")
        for entry, part in zip(entries, left, strict=True):
            part = min(part, quantity)
            quantity -= part
            moved = invoicing_rules.invoicing(entry, entry.invoiced - part)
            entry.invoiced -= part
            self._record(
                name,
                entry,
                DIRECT_COST,
                day,
                moved.actual,
                moved.expected,
                invoiced_quantity=-part,
            )
        self._after(name, entries)

    def transfer(self, name, quantity, day, origin, destination, fixed=(), **fields):
        """A transfer between locations: departures, and arrivals layer by layer."""
        departures = self._departures(name, quantity, day, origin, fixed, **fields)
        book = self.books[name]
        arrived = [
            self._entry(
                name,
                "transfer",
                part,
                day,
                invoiced=part,
                location=destination,
                applies_from=departure.id,
                transferred_from=layer,
                **fields,
            )
            for departure in departures
            for layer, part in arrivals(book, departure)
        ]
        apply_open(book)
        self._cost_at_once(name, [*departures, *arrived])
        self._after(name, [*departures, *arrived])
        return departures, arrived

    def _departures(self, name, quantity, day, origin, fixed, **fields):
        self.check_open(day)
        rows = [(None, quantity)]
        if fixed:
            rows = self._spread(quantity, fixed, lambda entry: entry.remaining)
        departures = [
            self._entry(
                name,
                "transfer",
                -part,
                day,
                invoiced=-part,
                location=origin,
                applies_to=increase.id if increase else 0,
                **fields,
            )
            for increase, part in rows
        ]
        apply_open(self.books[name])
        return departures

    # -- revaluation, standard cost ------------------------------------------------

    def revalue(self, name, day, entries=None, location=None, **new):
        """A revaluation per item, at one location or in all, or of given entries."""
        self.check_open(day)
        book = self._book(name)
        ids = None if entries is None else {entry.id for entry in entries}
        locations = {location} if location else None
        rows = revaluation.revaluable(book, day, ids, locations)
        try:
            if entries is None and book.item.costing_method == AVERAGE:
                self._check_average(name, day, location)
                revalued = self._revalued_average(book, day, rows, **new)
            else:
                revalued = self._revalued(rows, **new)
        except revaluation.RevaluationError as error:
            raise Refused(str(error)) from error
        for row in revalued:
            if row.amount:
                self._record_revaluation(name, book.entries[row.entry_id], row, day)
        self._after(name, [book.entries[row.entry_id] for row in revalued])

    def _check_average(self, name, day, location):
        """Refuse what the average does not allow (reference h.1)."""
        book = self.books[name]
        revaluation.check_period(book, day)
        if location and self.company.average_cost_calc_type == "item":
            raise Refused("one average for all locations is revalued as a whole")
        if name in self.unadjusted_from and self.unadjusted_from[name] <= day:
            raise Refused(f"{name}: the cost is not adjusted")
        if any(
            e.remaining < 0 and e.valuation_date <= day for e in book.entries.values()
        ):
            raise Refused(f"{name}: a decrease is not covered")

    def _revalued_average(self, book, day, rows, **new):
        """Each average for itself: the item's, or that of each location."""
        if self.company.average_cost_calc_type == "item":
            balance = revaluation.balance_at(book, day)
            return self._revalued(rows, balance=balance, **new)
        pools = defaultdict(list)
        for entry, quantity in rows:
            pools[entry.location].append((entry, quantity))
        quantities = [sum(part for _entry, part in pool) for pool in pools.values()]
        [(key, number)] = new.items()
        parts = [number] * len(pools)
        if key != "unit_cost":
            parts = receipts.split_amount(number, quantities)
        revalued = []
        for (location, pool), part in zip(pools.items(), parts, strict=True):
            balance = revaluation.balance_at(book, day, {location})
            revalued += self._revalued(pool, balance=balance, **{key: part})
        return revalued or self._revalued(rows, **new)

    @staticmethod
    def _revalued(rows, balance=None, **new):
        """The rows of a revaluation; refused where it leaves a negative value."""
        gone = revaluation.revalue(rows, value=0, balance=balance)
        revalued = revaluation.revalue(rows, balance=balance, **new)
        if sum(row.amount for row in revalued) < sum(row.amount for row in gone):
            raise Refused("the value after the revaluation can't be negative")
        return revalued

    def _record_revaluation(self, name, entry, row, day):
        self._record(
            name,
            entry,
            REVALUATION,
            day,
            row.amount - row.expected,
            row.expected,
            valuation_date=max(day, entry.valuation_date),
            valued_quantity=row.quantity,
            partial_revaluation=row.partial,
            expected_only=entry.invoiced == 0,
        )

    # -- production ------------------------------------------------------------------

    def _mark_order(self, name, entries):
        for entry in entries:
            if entry.order:
                order = self.orders[entry.order]
                order.consumption.append(entry)
                order.components.add(name)
                order.adjusted = False

    def capacity(self, order, minutes, day, ref, **work_center):
        """Time at a work centre."""
        self.check_open(day)
        direct, overhead = production.capacity_cost(minutes, **work_center)
        for entry_type, amount in ((DIRECT_COST, direct), (INDIRECT_COST, overhead)):
            if amount or entry_type == DIRECT_COST:
                cost = Cost(
                    len(self.value_entries) + 1,
                    entry_type,
                    actual=amount,
                    posting_date=day,
                    valuation_date=day,
                )
                self.value_entries.append(ValueEntry(cost, None, order))
                self.capacity_costs[ref].append(cost)
        self.orders[order].capacity += direct
        self.orders[order].capacity_overhead += overhead
        self.orders[order].adjusted = False
        if self.company.automatic_cost_posting:
            self.post_to_gl()

    def output(self, order, quantity, day, **fields):
        """Finished goods at expected cost."""
        self.check_open(day)
        name = self.orders[order].item
        book = self.books[name]
        entry = self._entry(name, "output", quantity, day, order=order, **fields)
        expected = amount_of(quantity, book.item.unit_cost)
        self._record(
            name, entry, DIRECT_COST, day, expected=expected, expected_only=True
        )
        self.orders[order].outputs.append(entry)
        self.orders[order].adjusted = False
        apply_open(book)
        self._after(name, [entry])
        return [entry]

    def finish(self, order):
        """Nothing more goes into the order."""
        self.orders[order].finished = True
        self.orders[order].adjusted = False

    def _adjust_order(self, order):
        """The actual cost of a finished order's outputs; True if anything changed."""
        item = self.books[order.item].item
        material = -sum(
            cost.actual + cost.expected
            for entry in order.consumption
            for cost in entry.costs
            if cost.entry_type != "rounding"
        )
        total = production.OrderCost(
            material, order.capacity, 0, order.capacity_overhead
        )
        quantities = [entry.quantity for entry in order.outputs]
        rows = production.output_cost(item, total, quantities)
        changed = False
        for entry, row in zip(order.outputs, rows, strict=True):
            changed |= self._state_output(order.item, entry, row)
        order.adjusted = True
        return changed

    def _state_output(self, name, entry, amounts):
        day = open_date(entry.posting_date, self.first_open())
        invoiced = entry.quantity - entry.invoiced
        entry.invoiced = entry.quantity
        changed = False
        for key, target in amounts.items():
            own = [
                c
                for c in entry.costs
                if (c.entry_type, c.variance_type) == key and not c.charge
            ]
            actual = target - sum(c.actual for c in own)
            expected = -sum(c.expected for c in own)
            if actual or expected:
                changed = True
                self._record(
                    name,
                    entry,
                    key[0],
                    day,
                    actual,
                    expected,
                    variance_type=key[1],
                    invoiced_quantity=invoiced if key[0] == DIRECT_COST else 0,
                )
        return changed

    # -- runs ------------------------------------------------------------------------

    def adjust_cost(self, names=None):
        """Adjust Cost for some or all items, and the finished orders they meet.

        What an order makes of an adjusted item is adjusted with it.
        """
        chosen = dict.fromkeys(self.books if names is None else names)
        for _level in range(100):
            changed = [self._adjust_item(name) for name in chosen]
            for order in self.orders.values():
                met = order.item in chosen or chosen.keys() & order.components
                if met and order.finished and not order.adjusted:
                    changed.append(self._adjust_order(order))
                    chosen[order.item] = None
            if not any(changed):
                break
        else:
            raise CostLoopError([])
        for name in chosen:
            self.unadjusted_from.pop(name, None)

    def _adjust_item(self, name):
        """Adjust one item; True if anything was appended."""
        adjustments = adjust(self._book(name))
        self._append(name, adjustments)
        self.books[name].item.unit_cost = self.unit_cost(name)
        return bool(adjustments)

    def unit_cost(self, name, location=None):
        """The item's unit cost by what is recorded, at one location or in all."""
        item = self.books[name].item
        if item.costing_method == STANDARD:
            return item.unit_cost
        entries = self.entries(name, location)
        quantity, value = self.balance(name, location)
        return unit_cost(
            quantity,
            value,
            *open_decreases(entries, item),
            item.unit_cost,
            self.company.unit_cost_step,
        )

    def entries(self, name, location=None):
        """The item's ledger entries, at one location or all."""
        entries = self.books[name].entries.values()
        return [e for e in entries if location is None or e.location == location]

    def balance(self, name, location=None):
        """Quantity and value (actual + expected) of the item."""
        entries = self.entries(name, location)
        quantity = sum(entry.quantity for entry in entries)
        value = sum(c.actual + c.expected for e in entries for c in e.costs)
        return quantity, value

    def post_to_gl(self, post=True):
        """Post what is recorded and not posted yet."""
        for row in self.value_entries:
            actual = row.cost.actual - row.posted_actual
            expected = row.cost.expected - row.posted_expected
            if not self.company.expected_cost_posting and not row.posted_expected:
                expected = 0
            if not post:
                continue
            for amount, is_expected in ((actual, False), (expected, True)):
                if amount:
                    self._post(row, amount, is_expected)
            row.posted_actual += actual
            row.posted_expected += expected

    def _post(self, row, amount, is_expected):
        cost = row.cost
        roles = roles_for(
            row.entry_type, cost.entry_type, cost.variance_type, is_expected, row.order
        )
        self.balances[roles[0]] += amount
        self.balances[roles[1]] -= amount

    def close_period(self, day):
        """Close the inventory period that ends on ``day``."""
        for name, book in self.books.items():
            if any(
                e.remaining < 0 and e.posting_date <= day for e in book.entries.values()
            ):
                raise Refused(f"{name}: a decrease of the period is not covered")
            if name in self.unadjusted_from and self.unadjusted_from[name] <= day:
                raise Refused(f"{name}: the cost is not adjusted")
        for order in self.orders.values():
            dates = [entry.posting_date for entry in order.outputs]
            if order.finished and not order.adjusted and dates and min(dates) <= day:
                raise Refused("a finished order is not adjusted")
        self.closed_until = max(day, self.closed_until or day)
