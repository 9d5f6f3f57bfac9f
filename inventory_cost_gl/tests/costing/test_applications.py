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


# -- Corrections make room ------------------------------------------------------------


def corrected(quantity, *others, left=0, uses=((2, 10),), method="fifo"):
    """Return a book where some of increase 1, 10 units on day 1, is taken back.

    ``uses``: what decreases have taken of it, ``left`` what none has; ``others`` are
    further rows. The correction is 20.
    """
    correction = 20, -quantity, -quantity, 9, {"reverses": 1}
    decreases = [(number, -taken, 0, number, {}) for number, taken in uses]
    return book(
        (1, 10, left, 1, {}),
        *decreases,
        correction,
        *others,
        method=method,
        applications=[Application(1, number, taken) for number, taken in uses],
    )


def remaining(goods):
    return {
        number: entry.remaining
        for number, entry in goods.entries.items()
        if entry.remaining
    }


def test_a_correction_takes_what_is_left_first():
    goods = corrected(2, left=2, uses=[(2, 8)])
    assert rows(apply_open(goods)) == [(1, 20, 2)]
    assert not remaining(goods)


def test_what_is_missing_for_a_correction_waits_again():
    goods = corrected(5, left=2, uses=[(2, 8)])
    found = apply_open(goods)
    assert rows(found) == [(1, 2, -3), (1, 20, 5)]
    assert goods.applications[1:] == found
    assert remaining(goods) == {2: -3}


@pytest.mark.parametrize(
    ("quantity", "freed"),
    [(5, [(1, 3, -5)]), (6, [(1, 3, -6)]), (8, [(1, 3, -6), (1, 2, -2)])],
)
def test_what_was_taken_last_waits_first(quantity, freed):
    goods = corrected(quantity, uses=[(2, 4), (3, 6)])
    assert rows(apply_open(goods)) == [*freed, (1, 20, quantity)]


def test_it_waits_for_what_is_recorded_in_its_place():
    """And before what is dated later."""
    later, replacement = (21, -5, -5, 4, {}), (22, 5, 5, 1, {})
    goods = corrected(5, later, replacement)
    assert rows(apply_open(goods)) == [(1, 2, -5), (1, 20, 5), (22, 2, 5)]
    assert remaining(goods) == {21: -5}


def test_it_takes_what_else_there_is():
    goods = corrected(10, (5, 4, 4, 5, {}))
    assert rows(apply_open(goods)) == [(1, 2, -10), (1, 20, 10), (5, 2, 4)]
    assert remaining(goods) == {2: -6}


def test_of_several_the_first_recorded_takes_it():
    goods = corrected(10, (5, 2, 2, 5, {}), uses=[(2, 4), (3, 6)])
    assert rows(apply_open(goods))[-1] == (5, 2, 2)
    assert remaining(goods) == {2: -2, 3: -6}


def test_what_is_fixed_to_the_increase_stays():
    goods = corrected(5, uses=[(2, 4), (3, 6)])
    goods.entries[3].applies_to = 1
    assert rows(apply_open(goods)) == [(1, 2, -4), (1, 20, 4)]
    assert remaining(goods) == {2: -4, 20: -1}


def test_what_is_not_loaded_or_of_another_increase_stays():
    goods = corrected(5, (5, 7, 0, 2, {}), uses=[(2, 4), (3, 6)])
    del goods.entries[3]
    goods.applications.append(Application(5, 2, 7))
    assert rows(apply_open(goods)) == [(1, 2, -4), (1, 20, 4)]
    assert remaining(goods) == {2: -4, 20: -1}


def test_a_return_to_the_vendor_makes_no_room():
    goods = corrected(5)
    goods.entries[20].reverses, goods.entries[20].applies_to = 0, 1
    assert apply_open(goods) == []
    assert remaining(goods) == {20: -5}


@pytest.mark.parametrize(("quantity", "valued"), [(5, 7), (10, 2)])
def test_what_waits_as_a_whole_is_valued_on_its_own_date_again(quantity, valued):
    goods = corrected(quantity)
    goods.entries[2].valuation_date = day(7)
    apply_open(goods)
    assert goods.entries[2].valuation_date == day(valued)


@pytest.mark.parametrize("follows", [True, False])
def test_room_is_made_as_it_was_taken(follows):
    goods = corrected(5, method="average")
    goods.applications[0].cost_follows = follows
    back, taken = apply_open(goods)
    assert (back.cost_follows, taken.cost_follows) == (follows, True)


def test_what_waits_again_no_longer_follows_the_increase():
    """The increase comes from a departure that is supplied, and dated, later."""
    goods = book(
        (1, -2, -2, 1, {}),
        # asks what depends on what before anything is taken back
        (2, 1, 1, 2, {"applies_from": 1}),
        (3, 2, 0, 2, {"applies_from": 1, "location": 7}),
        (4, -2, 0, 3, {"location": 7}),
        (20, -2, -2, 4, {"reverses": 3, "location": 7}),
        (21, 2, 2, 9, {}),
        applications=[Application(3, 4, 2)],
    )
    assert rows(apply_open(goods)) == [(3, 4, -2), (3, 20, 2), (21, 1, 2)]
    dates = {number: entry.valuation_date for number, entry in goods.entries.items()}
    assert dates[3] == dates[20] == day(9)
    assert dates[4] == day(3)
