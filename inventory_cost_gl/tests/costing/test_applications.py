"""Applications at their borders: what is used up, missing, on one day, or in a ring."""

import pytest
from costing.applications import apply_open, latest_valuation_date
from costing.records import Application, Book, Cost, Entry, Item, Settings
from test_rules import ONE, Goods, day


def book(*entries, method="fifo", applications=()):
    """Return a book of ``(id, quantity, remaining, day, fields)``."""
    made = {
        number: Entry(
            number,
            "purchase" if quantity > 0 else "sale",
            quantity,
            remaining,
            day(date),
            day(date),
            **fields,
        )
        for number, quantity, remaining, date, fields in entries
    }
    return Book(
        Settings(), Item(costing_method=method), made, applications=[*applications]
    )


def rows(applications):
    return [(a.inbound_id, a.outbound_id, a.quantity) for a in applications]


def test_what_is_returned_is_what_is_recorded():
    goods = book((1, 5, 5, 1, {}), (2, -3, -3, 2, {}))
    found = apply_open(goods)
    assert rows(found) == [(1, 2, 3)]
    assert goods.applications == found


def test_nothing_is_applied_with_a_quantity_of_zero():
    """Neither from a decrease that is covered, nor from an increase that is used up."""
    covered = book((1, 5, 2, 1, {}), (2, -3, 0, 2, {"applies_to": 1}))
    assert apply_open(covered) == []
    used_up = book((1, 5, 0, 1, {}), (2, -3, -3, 2, {"applies_to": 1}))
    assert apply_open(used_up) == []
    assert used_up.entries[2].remaining == -3


def test_fixed_to_an_increase_that_is_not_loaded():
    goods = book((1, 5, 5, 1, {}), (2, -3, -3, 2, {"applies_to": 99}))
    assert rows(apply_open(goods)) == [(1, 2, 3)]


@pytest.mark.parametrize(("method", "taken"), [("fifo", 1), ("lifo", 2)])
def test_of_one_day_the_first_recorded_is_the_older(method, taken):
    goods = book((1, 5, 5, 1, {}), (2, 5, 5, 1, {}), (3, -2, -2, 2, {}), method=method)
    assert rows(apply_open(goods)) == [(taken, 3, 2)]


def test_a_cost_without_a_valuation_date_moves_no_date():
    entry = Entry(1, "purchase", 5, 5, day(2), day(2))
    entry.costs += [Cost(1), Cost(2, valuation_date=day(4)), Cost(3)]
    assert latest_valuation_date(entry) == day(4)


def test_a_date_moves_on_past_entries_that_are_not_loaded():
    """An increase that comes from a decrease moves; what it supplied may be missing."""
    goods = book(
        (1, -2, -2, 1, {}),
        (2, 2, 1, 2, {"applies_from": 1}),
        (4, 2, 2, 9, {}),
        applications=[Application(2, 99, 1)],
    )
    assert rows(apply_open(goods)) == [(4, 1, 2)]
    assert goods.entries[2].valuation_date == day(9)


def test_a_return_covers_another_sale_that_was_returned_too():
    """Both have returns, but neither cost comes from the other."""
    goods = Goods(unit_cost=100)
    goods.buy(2, 200, 1)
    first = goods.sell(2, 2)
    second = goods.sell(1, 3)
    goods.entry(1, 4, "sale", applies_from=first.id)
    apply_open(goods.book)
    assert second.remaining == 0
    third = goods.sell(1, 5)
    back = goods.entry(1, 6, "sale", applies_from=third.id)
    goods.entry(1, 7, "sale", applies_from=first.id)
    apply_open(goods.book)
    assert (third.remaining, back.remaining) == (0, ONE)


def test_a_ring_is_found_behind_a_supply_of_its_own_cost():
    """The departure has two layers, and only one of them comes from the sale."""
    goods = Goods(unit_cost=100)
    sold = goods.sell(1, 2)
    back = goods.entry(1, 3, "sale", applies_from=sold.id)
    apply_open(goods.book)
    bought = goods.entry(1, 4, location=9)
    out = goods.entry(-2, 5, "transfer", location=9)
    goods.book.applications += [
        Application(back.id, out.id, ONE),
        Application(bought.id, out.id, ONE),
    ]
    out.remaining = back.remaining = bought.remaining = 0
    arrival = goods.entry(2, 6, "transfer", applies_from=out.id)
    apply_open(goods.book)
    assert (sold.remaining, arrival.remaining) == (-ONE, 2 * ONE)


def test_a_ring_that_was_closed_in_the_same_run_is_found():
    """What is applied meanwhile counts at once when the next entry is taken."""
    goods = Goods(unit_cost=100)
    first = goods.entry(-1, 1, "sale")
    goods.entry(1, 2, "sale", applies_from=first.id)
    second = goods.entry(-1, 3, "sale")
    last = goods.entry(1, 4, "sale", applies_from=second.id)
    apply_open(goods.book)
    assert second.remaining == 0
    assert (first.remaining, last.remaining) == (-ONE, ONE)
