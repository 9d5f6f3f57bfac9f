"""The first and last day of each average cost period."""

from datetime import date, timedelta

import pytest
from costing.periods import adjustment_window_start, period_end, period_start


@pytest.mark.parametrize(
    ("period", "day", "start"),
    [
        ("transaction", date(2024, 2, 14), date(2024, 2, 14)),
        ("day", date(2024, 2, 14), date(2024, 2, 14)),
        ("week", date(2024, 2, 12), date(2024, 2, 12)),
        ("week", date(2024, 2, 14), date(2024, 2, 12)),
        ("week", date(2024, 2, 18), date(2024, 2, 12)),
        ("month", date(2024, 2, 14), date(2024, 2, 1)),
        ("quarter", date(2024, 2, 14), date(2024, 1, 1)),
        ("quarter", date(2024, 6, 30), date(2024, 4, 1)),
        ("quarter", date(2024, 12, 1), date(2024, 10, 1)),
        ("year", date(2024, 2, 14), date(2024, 1, 1)),
        ("year", date(2024, 12, 31), date(2024, 1, 1)),
    ],
)
def test_period_start(period, day, start):
    assert period_start(day, period) == start


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year"])
def test_periods_follow_each_other_without_a_gap(period):
    """Two years, one of them a leap year: every day lies in exactly one period."""
    end = period_end(date(2023, 12, 31), period)
    for number in range(731):
        day = date(2024, 1, 1) + timedelta(days=number)
        if day > end:
            assert period_start(day, period) == end + timedelta(days=1)
            end = period_end(day, period)
        assert period_start(day, period) <= day <= end
        assert period_end(day, period) == end


@pytest.mark.parametrize(
    ("day", "setting", "start"),
    [
        # no 31st a month earlier: its last day
        (date(2023, 3, 31), "month", date(2023, 2, 28)),
        (date(2024, 2, 29), "year", date(2023, 2, 28)),
        # the day counts, not the end of the month
        (date(2024, 3, 15), "month", date(2024, 2, 15)),
        (date(2024, 1, 15), "month", date(2023, 12, 15)),
        (date(2024, 12, 5), "quarter", date(2024, 9, 5)),
        (date(2024, 1, 1), "year", date(2023, 1, 1)),
    ],
)
def test_adjustment_window_goes_back_to_the_same_day(day, setting, start):
    assert adjustment_window_start(day, setting) == start
