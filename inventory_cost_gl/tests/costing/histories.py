"""Random histories of one item on the in-memory ledger, for the property tests."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from ledger import Company, Ledger, Refused

FIRST_DAY = date(2024, 1, 1)
UNIT = 100_000  # a tenth of a unit of product
LOCATIONS = ("MAIN", "BLUE")
METHODS = ("fifo", "lifo", "average", "standard", "specific")
PERIODS = ("transaction", "day", "week", "month", "quarter", "year")

small = st.integers(0, 11)
# what, quantity in tenths, price in cents, day, location, which earlier entry
STEP = st.tuples(
    st.sampled_from(
        "purchase purchase receipt sale sale shipment invoice_receipt "
        "invoice_shipment return other_return purchase_return charge revaluation "
        "transfer negative_adjustment adjust".split()
    ),
    st.integers(1, 60),
    st.integers(0, 2500),
    st.integers(0, 45),
    st.integers(0, 1),
    small,
)
STEPS = st.lists(STEP, min_size=1, max_size=22)


def companies(periods=PERIODS):
    """Strategy of companies with any average settings."""
    return st.builds(
        Company,
        average_cost_period=st.sampled_from(periods),
        average_cost_calc_type=st.sampled_from(("item", "item_location")),
    )


class History:
    """Plays drawn steps for one item; what the rules refuse is left out."""

    def __init__(self, company, method, in_order=False, adjusting=True):
        self.ledger = Ledger(company)
        self.ledger.add_item(
            "A",
            costing_method=method,
            unit_cost=Decimal(700),
            indirect_cost_pct=Decimal("7.5"),
            overhead_rate=Decimal(25),
        )
        self.method = method
        self.in_order = in_order
        self.adjusting = adjusting
        self.book = self.ledger.books["A"]

    def play(self, steps):
        """Record the steps; the ledger as it is afterwards."""
        days = sorted(step[3] for step in steps)
        for number, (what, quantity, price, day, place, which) in enumerate(steps):
            if self.in_order:
                day = days[number]
            self.ledger.today = self.day = FIRST_DAY + timedelta(days=day)
            self.place = LOCATIONS[place]
            try:
                getattr(self, what)(quantity * UNIT, Decimal(price), which)
            except Refused:
                continue
        return self.ledger

    def cover(self, day=46):
        """Bring in what was sold before it came, so that nothing waits."""
        self.day = self.ledger.today = FIRST_DAY + timedelta(days=day)
        for place in LOCATIONS:
            entries = self.ledger.entries("A", place)
            waiting = -sum(e.remaining for e in entries if e.remaining < 0)
            if waiting:
                self.ledger.increase(
                    "A",
                    "positive_adjustment",
                    waiting,
                    Decimal(1234),
                    self.day,
                    location=place,
                )

    # -- steps -------------------------------------------------------------------

    def purchase(self, quantity, price, _which):
        self.ledger.purchase("A", quantity, price, self.day, location=self.place)

    def receipt(self, quantity, price, _which):
        self.ledger.receive("A", quantity, price, self.day, location=self.place)

    def sale(self, quantity, _price, which):
        self._decrease("sale", quantity, which)

    def shipment(self, quantity, _price, which):
        self._decrease("sale", quantity, which, shipped_only=True)

    def negative_adjustment(self, quantity, _price, which):
        self._decrease("negative_adjustment", quantity, which)

    def _decrease(self, entry_type, quantity, which, **fields):
        fixed = self._pick(which, lambda e: e.remaining > 0) if which == 0 else None
        fixed = [fixed] if fixed and fixed.remaining >= quantity else ()
        self.ledger.decrease(
            "A",
            entry_type,
            quantity,
            self.day,
            fixed,
            location=fixed[0].location if fixed else self.place,
            **fields,
        )

    def invoice_receipt(self, quantity, price, which):
        entry = self._pick(
            which, lambda e: e.entry_type == "purchase" and 0 <= e.invoiced < e.quantity
        )
        if entry:
            quantity = min(quantity, entry.quantity - entry.invoiced)
            amount = int(quantity * price / 10**6)
            self.ledger.invoice_receipt("A", entry, quantity, amount, self.day)

    def invoice_shipment(self, quantity, _price, which):
        entry = self._pick(
            which, lambda e: e.entry_type == "sale" and e.quantity < e.invoiced <= 0
        )
        if entry:
            quantity = min(quantity, entry.invoiced - entry.quantity)
            self.ledger.invoice_shipment("A", [entry], quantity, self.day)

    def other_return(self, quantity, price, _which):
        self.ledger.increase(
            "A", "sale", quantity, price, self.day, location=self.place
        )

    def purchase_return(self, quantity, _price, which):
        entry = self._pick(
            which, lambda e: e.entry_type == "purchase" and e.remaining > 0
        )
        if entry:
            quantity = min(quantity, entry.remaining)
            self.ledger.decrease(
                "A", "purchase", quantity, self.day, [entry], location=entry.location
            )

    def charge(self, _quantity, price, which):
        entry = self._pick(which, lambda e: e.quantity > 0)
        if entry:
            self.ledger.charge("A", [entry], int(price), self.day)

    def revaluation(self, _quantity, price, which):
        entry = self._pick(which, lambda e: e.remaining > 0)
        if which % 2 or not entry:
            self.ledger.revalue("A", self.day, unit_cost=price)
        else:
            self.ledger.revalue("A", self.day, [entry], unit_cost=price)

    def transfer(self, quantity, _price, _which):
        entries = self.ledger.entries("A", self.place)
        available = sum(e.remaining for e in entries if e.remaining > 0)
        quantity = min(quantity, available)
        if quantity > 0:
            other = LOCATIONS[self.place == LOCATIONS[0]]
            self.ledger.transfer("A", quantity, self.day, self.place, other)

    def adjust(self, _quantity, _price, _which):
        if self.adjusting:
            self.ledger.adjust_cost()

    def _pick(self, which, wanted):
        found = [e for e in self.book.entries.values() if wanted(e)]
        return found[which % len(found)] if found else None


# a step named ``return`` cannot be a method of that name
def _exact_return(self, quantity, _price, which):
    sale = self._pick(which, lambda e: e.entry_type == "sale" and e.quantity < 0)
    if sale:
        quantity = min(quantity, self.ledger._not_returned(sale))
        if quantity > 0:
            self.ledger.sale_return(
                "A", quantity, self.day, [sale], location=self.place
            )


setattr(History, "return", _exact_return)


def totals(book):
    """Entry id to recorded (actual, expected)."""
    return {
        entry.id: (
            sum(cost.actual for cost in entry.costs),
            sum(cost.expected for cost in entry.costs),
        )
        for entry in book.entries.values()
    }
