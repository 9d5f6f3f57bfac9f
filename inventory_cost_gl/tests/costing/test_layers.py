"""What a quantity of one increase costs, worked out by hand."""

from datetime import date
from fractions import Fraction

import pytest
from costing.layers import Layer, first_cost, is_partial, layer_of, recorded_cost
from costing.records import Application, Cost, Entry


def day(number):
    return date(2024, 1, number)


def increase(quantity, *costs):
    return Entry(1, "purchase", quantity, 0, day(1), day(1), costs=list(costs))


def decrease(entry_id, valued):
    return Entry(entry_id, "sale", -1, 0, day(1), day(valued))


def revaluation(actual=0, expected=0, quantity=0, partial=True):
    return Cost(
        entry_type="revaluation",
        actual=actual,
        expected=expected,
        valued_quantity=quantity,
        partial_revaluation=partial,
    )


class TestCost:
    @pytest.mark.parametrize(
        ("base", "whole", "quantity", "cost"),
        [
            (1000, 3, 1, 333),
            (1000, 3, 2, 667),
            (1000, 3, 3, 1000),
            (5, 2, 1, 3),
            # a credit note above the price leaves a negative cost
            (-1000, 3, 1, -333),
            (-1000, 3, 2, -667),
            (-1000, 3, 3, -1000),
            (-5, 2, 1, -3),
            (0, 3, 2, 0),
        ],
    )
    def test_multiplied_divided_rounded_once(self, base, whole, quantity, cost):
        assert Layer(whole, base).cost(9, quantity) == cost

    def test_a_partial_revaluation_covers_the_last_units(self):
        # 10 units at 10 each, the last 4 revalued by 8
        layer = Layer(10, 100, [(8, 4)], {11: 0, 12: 5, 13: 7})
        assert layer.cost(11, 5) == 50
        assert layer.cost(12, 2) == 20 + 2
        assert layer.cost(13, 3) == 30 + 6
        assert layer.between(0, 6) == 60
        assert layer.between(0, 10) == 108
        assert layer.rest(3) == 36

    def test_values_between_are_exact(self):
        layer = Layer(3, 1000, [(100, 2), (50, 1)])
        assert layer.between(0, 1) == Fraction(1000, 3)
        assert layer.between(1, 2) == Fraction(1000, 3) + 50
        assert layer.between(2, 3) == Fraction(1000, 3) + 50 + 50


class TestLayerOf:
    def test_without_partial_revaluation_all_is_spread_over_all(self):
        entry = increase(
            4, Cost(actual=100), revaluation(20, quantity=4, partial=False)
        )
        layer = layer_of(entry, 120, [], {})
        assert (layer.quantity, layer.base) == (4, 120)
        assert not layer.revaluations
        assert layer.cost(9, 1) == 30

    def test_partial_revaluations_are_kept_apart_by_quantity(self):
        entry = increase(
            10,
            Cost(actual=1000),
            revaluation(50, 30, quantity=4),
            revaluation(-10, 0, quantity=4),
            revaluation(0, 20, quantity=2),
        )
        layer = layer_of(entry, 1090, [], {})
        assert layer.base == 1000
        assert layer.revaluations == [(70, 4), (20, 2)]

    def test_what_counts_as_partial(self):
        entry = increase(4)
        assert is_partial(revaluation(20, quantity=3), entry)
        assert not is_partial(revaluation(20, quantity=3, partial=False), entry)
        assert not is_partial(revaluation(20, quantity=4), entry)
        assert not is_partial(revaluation(20, quantity=0), entry)
        charge = Cost(actual=20, valued_quantity=3, partial_revaluation=True)
        assert not is_partial(charge, entry)

    def test_what_does_not_is_spread_over_all(self):
        entry = increase(4, Cost(actual=100), revaluation(20, quantity=4))
        layer = layer_of(entry, 120, [], {})
        assert (layer.base, layer.revaluations) == (120, ())

    def test_decreases_use_it_up_by_valuation_date_those_not_loaded_first(self):
        entry = increase(10, Cost(actual=100), revaluation(8, quantity=4))
        entries = {11: decrease(11, 9), 12: decrease(12, 5), 14: decrease(14, 5)}
        uses = [(11, 3), (12, 4), (13, 2), (14, 1)]
        applications = [Application(1, sale, quantity) for sale, quantity in uses]
        layer = layer_of(entry, 108, applications, entries)
        assert layer.starts == {13: 0, 12: 2, 14: 6, 11: 7}
        costs = {sale: layer.cost(sale, quantity) for sale, quantity in uses}
        assert costs == {13: 20, 12: 40, 14: 12, 11: 36}


def test_recorded_cost_leaves_rounding_out():
    entry = increase(3, Cost(actual=900, expected=100), Cost(actual=20, expected=5))
    assert recorded_cost(entry) == 1025
    entry.costs.append(Cost(entry_type="rounding", actual=-1))
    assert recorded_cost(entry) == 1025


def test_first_cost_is_actual_and_expected():
    entry = increase(3, Cost(actual=100, expected=300), Cost(actual=7))
    assert first_cost(entry) == 400
