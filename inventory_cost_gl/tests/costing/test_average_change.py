"""Changing how average cost is worked out: which setting counts when, and the pools."""

import copy
from collections import defaultdict
from datetime import date
from decimal import Decimal

from costing.adjust import adjust
from costing.average_change import AverageSetting, in_force, pool_values
from costing.periods import average_start
from costing.records import QUANTITY_SCALE, Balance, Cost, Settings, pool_of
from histories import STEPS, History, companies
from hypothesis import given, settings
from hypothesis import strategies as st

ONE = QUANTITY_SCALE
JANUARY, MARCH, MAY = (date(2026, month, 1) for month in (1, 3, 5))


def setting(since, period="day", calc_type="item", number=1):
    return AverageSetting(number, since, period, calc_type)


def pools(**rows):
    return {
        location: Balance(quantity * ONE, value)
        for location, (quantity, value) in rows.items()
    }


class TestInForce:
    def test_a_change_ends_what_was_before(self):
        first, second, third = setting(None), setting(JANUARY), setting(MARCH)
        assert in_force([first, second, third]) == [first, second, third]

    def test_a_change_of_the_same_day_replaces_the_other(self):
        first, second, third = setting(None), setting(MARCH), setting(MARCH, "week")
        assert in_force([first, second, third]) == [first, third]

    def test_an_earlier_day_replaces_all_that_began_later(self):
        first, later, last = setting(None), setting(MARCH), setting(MAY)
        earlier = setting(JANUARY, "year")
        assert in_force([first, later, last, earlier]) == [first, earlier]

    def test_with_nothing_closed_the_new_one_counts_for_everything(self):
        last = setting(None, "month")
        assert in_force([setting(None), setting(MARCH), last]) == [last]

    def test_none(self):
        assert in_force([]) == []


class TestPoolValues:
    def test_each_location_at_the_average_of_the_item(self):
        values = pool_values(pools(a=(0, -5000), b=(10, 20000)), Decimal(1))
        assert values == {"a": 0, "b": 15000}

    def test_nothing_is_lost_in_cents(self):
        values = pool_values(pools(a=(1, 0), b=(1, 0), c=(1, 1000)), Decimal(0))
        assert sum(values.values()) == 1000
        assert sorted(values.values()) == [333, 333, 334]

    def test_the_largest_location_takes_the_cents(self):
        values = pool_values(pools(a=(1, 500), b=(2, 500)), Decimal(0))
        assert values == {"a": 333, "b": 667}

    def test_a_location_short_of_stock(self):
        values = pool_values(pools(a=(15, 900), b=(-5, 100)), Decimal(0))
        assert values == {"a": 1500, "b": -500}

    def test_no_average_without_stock(self):
        values = pool_values(pools(a=(5, 700), b=(-5, -700)), Decimal(100))
        assert values == {"a": 500, "b": -500}

    def test_no_average_of_a_negative_value(self):
        values = pool_values(pools(a=(5, -700), b=(1, 0)), Decimal(100))
        assert values == {"a": -800, "b": 100}

    def test_value_without_quantity_stays_in_one_place(self):
        values = pool_values(pools(a=(0, 30), b=(0, -10)), Decimal(100))
        assert values == {"a": 20, "b": 0}

    def test_again_changes_nothing(self):
        first = pool_values(pools(a=(3, 1000), b=(4, 33)), Decimal(7))
        again = {
            location: Balance(balance.quantity, first[location])
            for location, balance in pools(a=(3, 1000), b=(4, 33)).items()
        }
        assert pool_values(again, Decimal(7)) == first

    def test_an_average_of_nothing_is_an_average(self):
        assert pool_values(pools(a=(1, 0), b=(2, 0)), Decimal(100)) == {"a": 0, "b": 0}

    def test_no_location(self):
        assert pool_values({}, Decimal(1)) == {}


class TestAverageStart:
    def test_the_first_day_of_the_period(self):
        month = Settings(average_cost_period="month")
        assert average_start(date(2026, 2, 20), month) == date(2026, 2, 1)

    def test_not_before_the_setting_counts(self):
        month = Settings(
            average_cost_period="month", average_cost_since=date(2026, 2, 15)
        )
        assert average_start(date(2026, 2, 20), month) == date(2026, 2, 15)
        assert average_start(date(2026, 3, 20), month) == date(2026, 3, 1)

    def test_on_which_days_a_setting_counts(self):
        march = Settings(average_cost_since=MARCH, average_cost_until=MAY)
        days = [date(2026, 2, 28), MARCH, date(2026, 4, 30), MAY]
        assert [march.counts_on(day) for day in days] == [False, True, True, False]
        assert Settings().counts_on(MARCH)


def changed(book, company, first_day):
    """The part of a book from a day on under other settings, its pools divided."""
    part = copy.deepcopy(book)
    part.settings = Settings(
        company.average_cost_period,
        company.average_cost_calc_type,
        average_cost_since=first_day,
    )
    part.opening_date = first_day
    part.affected = None
    pools = defaultdict(Balance)
    for entry in part.entries.values():
        pool = pools[pool_of(entry, part)]
        if entry.valuation_date < first_day:
            pool.quantity += entry.quantity
        for cost in entry.costs:
            if max(cost.valuation_date, entry.valuation_date) < first_day:
                pool.value += cost.actual + cost.expected
    types = book.settings.average_cost_calc_type, company.average_cost_calc_type
    if types == ("item", "item_location"):
        for location, value in pool_values(pools, Decimal(700)).items():
            pools[location].value = value
    part.opening = dict(pools)
    return part


def record(book, adjustments):
    """Append adjustments to the entries of a book."""
    last = max((c.id for e in book.entries.values() for c in e.costs), default=0)
    for number, row in enumerate(adjustments, start=last + 1):
        book.entries[row.entry_id].costs.append(
            Cost(
                number,
                row.entry_type,
                row.variance_type,
                row.actual,
                row.expected,
                row.posting_date,
                row.valuation_date,
                not row.first,
                applies_to=row.applies_to_cost,
            )
        )


def sell_out(history):
    """Sell all there is on the last day, and invoice what came in."""
    ledger = history.ledger
    for place in ("MAIN", "BLUE"):
        left = sum(max(e.remaining, 0) for e in ledger.entries("A", place))
        if left:
            ledger.decrease("A", "sale", left, history.day, location=place)
    for entry in list(history.book.entries.values()):
        waiting = entry.quantity - entry.invoiced
        if entry.entry_type == "purchase" and entry.quantity > 0 < waiting:
            ledger.invoice_receipt("A", entry, waiting, 777, history.day)


@settings(max_examples=80, deadline=None)
@given(companies(), st.none() | companies(), STEPS, st.integers(0, 45))
def test_a_change_counts_from_its_day_on(before, after, steps, number):
    """What is valued earlier stays, a second run finds nothing, nothing is lost."""
    after = after or before
    history = History(before, "average")
    history.play(steps)
    history.cover()
    sell_out(history)
    history.ledger.adjust_cost()
    dates = sorted(e.valuation_date for e in history.book.entries.values())
    if not dates:
        return
    first_day = dates[number % len(dates)]
    part = changed(history.book, after, first_day)
    adjustments = adjust(part)
    for row in adjustments:
        assert part.entries[row.entry_id].valuation_date >= first_day
    if after == before and after.average_cost_period in ("transaction", "day"):
        assert adjustments == []
    record(part, adjustments)
    assert adjust(part) == []
    pools = copy.deepcopy(part.opening)
    for entry in part.entries.values():
        pool = pools.setdefault(pool_of(entry, part), Balance())
        if entry.valuation_date >= first_day:
            pool.quantity += entry.quantity
        for cost in entry.costs:
            if max(cost.valuation_date, entry.valuation_date) >= first_day:
                pool.value += cost.actual + cost.expected
    for pool in pools.values():
        assert (pool.quantity, pool.value) == (0, 0)
