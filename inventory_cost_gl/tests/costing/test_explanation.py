"""The amounts behind an amount add up to it, to the cent."""

from datetime import date
from fractions import Fraction

from costing.adjust import adjust
from costing.applications import net_applications
from costing.explanation import parts, remaining_cost, spread
from costing.forwarding import Forwarding
from costing.layers import Layer
from costing.records import Application, Cost, Entry
from costing.rounding import divide, share
from histories import STEPS, History, companies
from hypothesis import given, settings
from hypothesis import strategies as st

AMOUNTS = st.lists(st.integers(-(10**6), 10**6), max_size=8)


def test_a_part_of_each_amount():
    assert spread([100, -40, 60], 3, 6) == [50, -20, 30]
    assert spread([100, -40, 60], 6, 6) == [100, -40, 60]


def test_what_is_rounded_off_one_is_in_the_next():
    assert spread([1, 1, 1], 1, 2) == [1, 0, 1]
    assert spread([10, 10, 10], 1, 3) == [3, 4, 3]


def test_a_partial_revaluation_belongs_to_the_last_units():
    # 10 units at 10 each; the last 4 revalued by 8.
    amounts = [(100, 10), (8, 4)]
    assert parts(amounts, 0, 6, 10) == [60, 0]
    assert parts(amounts, 5, 8, 10) == [30, 4]
    assert parts(amounts, 6, 10, 10) == [40, 8]


def test_no_amounts_no_parts():
    assert parts([], 0, 5, 10) == []


def test_what_is_left_of_an_increase():
    day = date(2024, 1, 1)
    costs = [Cost(1, actual=600), Cost(2, expected=400)]
    entry = Entry(1, "purchase", 3, 1, day, day, costs=costs)
    used = [Application(1, 2, 1), Application(1, 3, 1)]
    assert remaining_cost(entry, Layer(3, 1000), used) == 1000 - 333 - 333
    assert remaining_cost(entry, Layer(3, 1000), []) == 1000


@given(AMOUNTS, st.integers(1, 100), st.integers(0, 100))
def test_parts_add_up_to_the_share_of_the_sum(amounts, whole, part):
    part = min(part, whole)
    assert sum(spread(amounts, part, whole)) == share(sum(amounts), part, whole)


@given(AMOUNTS, st.lists(st.integers(1, 20), min_size=1, max_size=5), st.data())
def test_ranges_add_up_to_their_exact_sum(amounts, lengths, data):
    whole = sum(lengths)
    covers = [(amount, data.draw(st.integers(1, whole))) for amount in amounts]
    start = 0
    for length in lengths:
        end = start + length
        exact = sum(
            Fraction(amount * max(0, end - max(start, whole - last)), last)
            for amount, last in covers
        )
        rounded = divide(Fraction(exact).numerator, Fraction(exact).denominator)
        assert sum(parts(covers, start, end, whole)) == rounded
        start = end


@settings(max_examples=60, deadline=None)
@given(companies(), st.sampled_from(("fifo", "lifo", "standard", "specific")), STEPS)
def test_open_layers_add_up_to_the_value_of_stock(company, method, steps):
    """Value of stock = what is left of each increase, less what was sold before it
    came in."""
    ledger = History(company, method).play(steps)
    ledger.adjust_cost()
    book = ledger.books["A"]
    assert not adjust(book)
    forwarding = Forwarding(book)
    forwarding.settle_all()
    uses = {}
    for application in net_applications(book.applications):
        uses.setdefault(application.inbound_id, []).append(application)
    value = sum(c.actual + c.expected for e in book.entries.values() for c in e.costs)
    explained = 0
    for entry in book.entries.values():
        if entry.quantity > 0:
            layer = forwarding.layer(entry.id)
            explained += remaining_cost(entry, layer, uses.get(entry.id, []))
        else:
            explained += forwarding.waiting_cost(entry, entry.remaining)
    assert explained == value
