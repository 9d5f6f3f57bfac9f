"""What a quantity of one increase costs, worked out by hand."""

from datetime import date
from fractions import Fraction

import pytest
from costing.layers import (
    CorrectedLayer,
    Layer,
    first_cost,
    is_partial,
    layer_of,
    recorded_cost,
    reversals_of,
)
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


def reversal(entry_id, quantity, first_cost_id=0, **values):
    """A correction that takes a quantity back of increase 1, costed or not yet."""
    costs = [Cost(first_cost_id, actual=-1)] if first_cost_id else []
    values = {"reverses": 1, "costs": costs} | values
    return Entry(entry_id, "purchase", -quantity, 0, day(1), day(1), **values)


class TestCorrectedLayer:
    """An increase of 10 units stated at 1000, of which something was taken back."""

    goods = Cost(1, expected=700, actual=300)

    def layer(self, *costs, reversals, applications=(), entries=None):
        entry = increase(10, self.goods, *costs)
        total = recorded_cost(entry)
        return layer_of(entry, total, applications, entries or {}, reversals)

    def test_a_bill_is_for_what_stands(self):
        bill = Cost(3, actual=720, expected=-600, invoice=True)
        layer = self.layer(bill, reversals=[reversal(5, 4, 2)])
        assert isinstance(layer, CorrectedLayer)
        assert layer.cost(5, 4) == 400
        assert layer.cost(5, 1) == 100
        assert (layer.quantity, layer.base) == (6, 720)
        assert layer.cost(9, 3) == 360

    @pytest.mark.parametrize(
        "cost",
        [
            Cost(2, actual=50, charge=True),
            Cost(2, actual=50, invoice=True),
            Cost(2, entry_type="indirect_cost", actual=50),
            Cost(9, actual=50),
            Cost(3, actual=50),
        ],
        ids=["charge", "bill", "indirect", "after the correction", "with it"],
    )
    def test_what_a_correction_takes_none_of(self, cost):
        layer = self.layer(cost, reversals=[reversal(5, 4, 3)])
        assert layer.cost(5, 4) == 400
        assert layer.base == 650

    @pytest.mark.parametrize("first_cost_id", [3, 0])
    @pytest.mark.parametrize(
        "cost",
        [
            Cost(2, expected=70, actual=30),
            Cost(2, "revaluation", expected=60, actual=40, valued_quantity=10),
        ],
        ids=["price of the order", "revaluation of all"],
    )
    def test_what_a_correction_takes_its_share_of(self, cost, first_cost_id):
        layer = self.layer(cost, reversals=[reversal(5, 4, first_cost_id)])
        assert layer.cost(5, 4) == 440
        assert layer.base == 660

    def test_a_correction_without_cost_takes_what_there_is(self):
        layer = self.layer(Cost(9, actual=100), reversals=[reversal(5, 4)])
        assert layer.cost(5, 4) == 440

    def test_the_last_correction_takes_all_the_rest(self):
        charge = Cost(2, actual=50, charge=True)
        layer = self.layer(charge, reversals=[reversal(5, 3, 3), reversal(6, 7, 4)])
        assert (layer.cost(5, 3), layer.cost(6, 7)) == (300, 750)
        assert (layer.quantity, layer.base) == (0, 0)

    def test_more_is_taken_back_than_stands(self):
        layer = self.layer(reversals=[reversal(5, 6, 3), reversal(6, 6, 4)])
        assert (layer.cost(5, 6), layer.cost(6, 6)) == (600, 400)
        assert (layer.quantity, layer.base) == (0, 0)

    @pytest.mark.parametrize(
        ("quantity", "revaluation_id", "cost", "left"),
        [
            (1, 2, 120, [(60, 3)]),
            (6, 2, 680, []),
            # recorded after the correction: none of it, unless nothing stands
            (1, 4, 100, [(80, 4)]),
            (1, 3, 100, [(80, 4)]),
            (10, 4, 1080, []),
        ],
    )
    def test_partial_revaluations(self, quantity, revaluation_id, cost, left):
        """The last 4 units revalued by 80."""
        revalued = revaluation(50, 30, quantity=4)
        revalued.id = revaluation_id
        layer = self.layer(revalued, reversals=[reversal(5, quantity, 3)])
        assert layer.cost(5, quantity) == cost
        assert [row for row in layer.revaluations if row[1]] == left
        assert layer.quantity == 10 - quantity
        assert layer.base == 1080 - cost - sum(amount for amount, _units in left)

    def test_a_correction_without_cost_takes_of_every_revaluation(self):
        revalued = revaluation(50, 30, quantity=4)
        revalued.id = 9
        layer = self.layer(revalued, reversals=[reversal(5, 1)])
        assert layer.cost(5, 1) == 120
        assert layer.revaluations == [(60, 3)]

    def test_a_revaluation_is_taken_back_once(self):
        revalued = revaluation(50, 30, quantity=4)
        revalued.id = 2
        layer = self.layer(revalued, reversals=[reversal(5, 5, 3), reversal(6, 2, 4)])
        assert (layer.cost(5, 5), layer.cost(6, 2)) == (580, 200)
        assert (layer.quantity, layer.base, layer.revaluations) == (3, 300, [])

    def test_the_others_use_up_what_stands(self):
        revalued = revaluation(50, 30, quantity=4)
        revalued.id = 2
        uses = [Application(1, 7, 3), Application(1, 5, 2), Application(1, 8, 5)]
        entries = {7: decrease(7, 3), 5: decrease(5, 2), 8: decrease(8, 4)}
        layer = self.layer(
            revalued,
            reversals=[reversal(5, 2, 3)],
            applications=uses,
            entries=entries,
        )
        # 8 units at 100 stand, the last 2 of them revalued by 20 each
        assert layer.starts == {7: 0, 8: 3}
        costs = [layer.cost(a.outbound_id, a.quantity) for a in uses]
        assert costs == [300, 240, 540]

    def test_an_increase_that_takes_a_decreases_cost_has_one_cost(self):
        entry = increase(10, self.goods, Cost(2, actual=50, charge=True))
        entry.applies_from = 3
        layer = layer_of(entry, 1050, [], {}, [reversal(5, 4, 3)])
        assert type(layer) is Layer
        assert layer.cost(5, 4) == 420


def test_reversals_are_the_decreases_that_are_fixed_to_what_they_reverse():
    first, second = reversal(5, 1), reversal(7, 1)
    others = [
        # an increase that reverses a decrease, a sale, a return to another receipt
        reversal(6, -1),
        reversal(8, 0, applies_to=1),
        reversal(9, 1, reverses=0, applies_to=1),
        reversal(10, 1, applies_to=2),
    ]
    of_another = reversal(11, 1, reverses=2)
    found = reversals_of([second, *others, of_another, first])
    assert found == {1: [first, second], 2: [of_another]}


def test_recorded_cost_leaves_rounding_out():
    entry = increase(3, Cost(actual=900, expected=100), Cost(actual=20, expected=5))
    assert recorded_cost(entry) == 1025
    entry.costs.append(Cost(entry_type="rounding", actual=-1))
    assert recorded_cost(entry) == 1025


def test_first_cost_is_actual_and_expected():
    entry = increase(3, Cost(actual=100, expected=300), Cost(actual=7))
    assert first_cost(entry) == 400
