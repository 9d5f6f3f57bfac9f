"""Changing how average cost is worked out: which setting counts when, and the pools."""

from datetime import date
from decimal import Decimal

from costing.average_change import AverageSetting, in_force, pool_values
from costing.records import QUANTITY_SCALE, Balance

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

    def test_no_location(self):
        assert pool_values({}, Decimal(1)) == {}
