"""Cost adjustment as a whole: which average is taken, whose rounding is set right."""

import pytest
from costing.adjust import adjust
from costing.records import ROUNDING
from test_rules import Goods


@pytest.mark.parametrize(("period", "cost"), [("transaction", -100), ("day", -150)])
def test_the_running_average_knows_the_order_within_a_day(period, cost):
    goods = Goods("average", average_cost_period=period)
    goods.buy(1, 100, 1)
    sold = goods.sell(1, 1)
    goods.buy(1, 200, 1)
    assert [(row.entry_id, row.actual) for row in goods.adjust()] == [(sold.id, cost)]


def test_rounding_that_is_not_due_any_more_is_taken_back():
    goods = Goods()
    bought = goods.buy(2, 100, 1)
    goods.cost(bought, -1, entry_type=ROUNDING)
    [row] = adjust(goods.book)
    assert (row.entry_id, row.entry_type, row.actual) == (bought.id, ROUNDING, 1)


def test_rounding_of_entries_that_are_context_only_stays():
    goods = Goods()
    bought = goods.buy(2, 100, 1)
    goods.cost(bought, -1, entry_type=ROUNDING)
    other = goods.buy(2, 100, 1)
    goods.book.affected = {other.id}
    assert adjust(goods.book) == []


def test_affected_entries_may_be_unknown_to_the_book():
    goods = Goods()
    goods.buy(2, 100, 1)
    goods.book.affected = {1, 99}
    assert adjust(goods.book) == []
