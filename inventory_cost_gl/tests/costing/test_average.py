"""Average cost, perpetual, worked out by hand."""

import pytest
from costing.applications import apply_open
from costing.average import (
    Pool,
    average_share,
    decrease_cost,
    first_cost_id,
    later_revaluations,
)
from costing.forwarding import Forwarding
from costing.records import Application, Balance, Cost, CostLoopError
from test_rules import ONE, Goods, day, total


def revalue(goods, entry, amount, number, expected=0):
    return goods.cost(
        entry,
        amount,
        expected,
        number=number,
        entry_type="revaluation",
        valuation_date=day(number),
        valued_quantity=entry.quantity,
    )


class TestShare:
    @pytest.mark.parametrize(
        ("value", "left", "quantity", "share"),
        [
            (1000, 3, 1, 333),
            (1000, 3, 2, 667),
            (1000, 3, 3, 1000),
            (5, 2, 1, 3),
            # goods that cost nothing have an average of nothing
            (0, 3, 1, 0),
            # the last quantity takes whatever is left
            (-5, 3, 3, -5),
            (7, 0, 0, 7),
            # no average
            (-5, 3, 1, None),
            (100, 0, 1, None),
            (100, -1, 1, None),
        ],
    )
    def test_share(self, value, left, quantity, share):
        assert average_share(Pool(value, left), quantity) == share

    def test_a_pool_starts_empty(self):
        pool = Pool()
        assert (pool.quantity, pool.value, pool.cause) == (0, 0, 0)


class TestFixed:
    def partly_fixed(self):
        """4 at 100 and 6 at 200; of 5 sold, 2 are fixed to the first."""
        goods = Goods("average")
        goods.buy(4, 400, 1)
        goods.buy(6, 1200, 1)
        sold = goods.entry(-5, 2, "sale")
        sold.remaining = 0
        goods.book.applications += [
            Application(1, sold.id, 2 * ONE),
            Application(1, sold.id, 2 * ONE, False),
            Application(2, sold.id, ONE, False),
        ]
        return goods, sold

    def test_only_what_is_not_fixed_takes_the_average(self):
        goods, sold = self.partly_fixed()
        pool = Pool(1600, 10 * ONE)
        # 3 of 10 at 1600, and 2 at 100
        assert decrease_cost(Forwarding(goods.book), sold, pool) == -480 - 200

    @pytest.mark.parametrize("period", ["transaction", "month"])
    def test_in_a_book(self, period):
        goods, sold = self.partly_fixed()
        goods.book.settings.average_cost_period = period
        goods.adjust()
        assert total(sold)[0] == -680

    def test_what_is_fixed_as_a_whole_needs_no_average(self):
        goods = Goods("average", unit_cost=70)
        goods.buy(1, -500, 1)
        bought = goods.buy(1, 100, 1)
        sold = goods.sell(1, 2, applies_to=bought.id)
        goods.adjust()
        assert total(sold)[0] == -100

    @pytest.mark.parametrize("period", ["transaction", "month"])
    def test_rounding_of_a_fixed_layer_leaves_the_pool_with_it(self, period):
        goods = Goods("average", average_cost_period=period)
        bought = goods.buy(3, 1000, 1)
        for number in (2, 3, 4):
            goods.sell(1, number, applies_to=bought.id)
        rows = goods.adjust()
        rounding = [
            (row.entry_id, row.actual) for row in rows if row.entry_type == "rounding"
        ]
        assert rounding == [(bought.id, -1)]
        goods.buy(1, 70, 5)
        sold = goods.sell(1, 6)
        goods.adjust()
        assert total(sold)[0] == -70


class TestRevaluations:
    def test_later_than_the_entry_itself(self):
        goods = Goods("average")
        bought = goods.buy(2, 200, 5)
        revalue(goods, bought, 10, 5)
        later = revalue(goods, bought, 10, 6)
        goods.cost(bought, 10, charge=True, valuation_date=day(6))
        assert later_revaluations(bought) == [(later, day(6))]

    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_counts_from_its_own_day_on(self, period):
        goods = Goods("average", average_cost_period=period)
        bought = goods.buy(3, 300, 1)
        before = goods.sell(1, 2)
        revalue(goods, bought, 30, 3, expected=20)
        after = goods.sell(1, 4)
        goods.adjust()
        # 200 + 50 for 2
        assert [total(sold)[0] for sold in (before, after)] == [-100, -125]

    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_on_one_day_it_comes_after_what_was_recorded_before(self, period):
        goods = Goods("average", average_cost_period=period)
        bought = goods.buy(4, 400, 1)
        before = [goods.sell(1, 3), goods.sell(1, 3)]
        goods.adjust()
        revalue(goods, bought, 50, 3)
        after = goods.sell(1, 3)
        goods.adjust()
        assert [total(sold)[0] for sold in before] == [-100, -100]
        assert total(after)[0] == -125

    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_and_before_what_has_no_cost_yet(self, period):
        goods = Goods("average", average_cost_period=period)
        sold = goods.sell(1, 3)
        bought = goods.buy(2, 200, 1)
        revalue(goods, bought, 50, 3)
        goods.adjust()
        assert total(sold)[0] == -125

    def test_first_cost_id(self):
        goods = Goods("average")
        bought = goods.buy(2, 200, 5)
        assert first_cost_id(bought) == 1
        revalue(goods, bought, 10, 6)
        assert first_cost_id(bought) == 1
        sold = goods.sell(1, 7)
        assert first_cost_id(sold) == float("inf")
        sold.costs.append(Cost(0, actual=-5))  # not recorded yet
        assert first_cost_id(sold) == float("inf")


class TestCauses:
    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_the_newest_cost_in_the_pool(self, period):
        goods = Goods("average", average_cost_period=period)
        first = goods.buy(1, 100, 1)
        goods.buy(2, 200, 1)
        early = goods.sell(1, 2)
        causes = {row.entry_id: row.cause for row in goods.adjust()}
        assert causes == {early.id: 2}
        revalued = revalue(goods, first, 40, 3)
        late = goods.sell(1, 4)
        causes = {row.entry_id: row.cause for row in goods.adjust()}
        assert causes == {late.id: revalued.id}

    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_nothing_is_known_of_what_the_opening_holds(self, period):
        goods = Goods("average", average_cost_period=period)
        goods.book.opening_date = day(10)
        goods.book.opening = {None: Balance(10 * ONE, 1000)}
        sold = goods.entry(-4, 12, "sale")
        sold.remaining = 0
        [row] = goods.adjust()
        assert (row.entry_id, row.actual, row.cause) == (sold.id, -400, 0)


@pytest.mark.parametrize("period", ["transaction", "day"])
class TestOpening:
    def test_what_is_valued_on_its_date_counts(self, period):
        goods = Goods("average", average_cost_period=period)
        goods.buy(2, 200, 10)
        sold = goods.sell(2, 10)
        goods.book.opening_date = day(10)
        goods.book.opening = {None: Balance(2 * ONE, 100)}
        goods.adjust()
        assert total(sold)[0] == -150

    def test_what_is_valued_before_is_in_it(self, period):
        goods = Goods("average", average_cost_period=period)
        bought = goods.buy(2, 200, 1)
        revalue(goods, bought, 40, 5)
        revalued = revalue(goods, bought, 60, 10)
        goods.book.opening_date = day(10)
        goods.book.opening = {None: Balance(2 * ONE, 240)}
        sold = goods.sell(1, 10)
        [row] = goods.adjust()
        assert (row.entry_id, row.actual, row.cause) == (sold.id, -150, revalued.id)

    def test_what_is_fixed_to_something_in_it(self, period):
        goods = Goods("average", average_cost_period=period)
        bought = goods.buy(2, 200, 1)
        sold = goods.sell(1, 12, applies_to=bought.id)
        sold.valuation_date = day(12)
        goods.book.opening_date = day(10)
        goods.book.opening = {None: Balance(4 * ONE, 1000)}
        goods.adjust()
        assert total(sold)[0] == -100


class TestPlaces:
    """On one day, what depends on something comes after it."""

    def test_a_sale_after_all_that_its_goods_came_through(self):
        goods = Goods("average", 100, average_cost_calc_type="item_location")
        sold = goods.sell(1, 5, location=2)
        out = goods.sell(1, 5, entry_type="transfer", location=1)
        arrival = goods.entry(1, 5, "transfer", location=2, applies_from=out.id)
        apply_open(goods.book)
        goods.buy(1, 500, 5, location=1)
        assert goods.applied() == [(arrival.id, sold.id, 1), (4, out.id, 1)]
        goods.adjust()
        assert [total(e)[0] for e in (out, arrival, sold)] == [-500, 500, -500]

    def test_a_sale_after_the_last_of_what_covers_it(self):
        goods = Goods("average", 100, average_cost_calc_type="item_location")
        sold = goods.sell(2, 5, location=2)
        out = goods.sell(1, 5, entry_type="transfer", location=1)
        goods.entry(1, 5, "transfer", location=2, applies_from=out.id)
        apply_open(goods.book)
        goods.buy(1, 60, 5, location=2)
        goods.buy(1, 500, 5, location=1)
        goods.adjust()
        # 60 and what arrived, which came last
        assert total(sold)[0] == -560

    def test_applications_of_entries_that_are_not_loaded(self):
        goods = Goods("average", 100)
        sold = goods.sell(1, 5)
        goods.buy(1, 500, 5)
        unknown = [Application(99, sold.id, ONE, False), Application(2, 98, ONE)]
        goods.book.applications[:0] = unknown
        goods.adjust()
        assert total(sold)[0] == -500

    def test_a_loop_ends_with_an_error(self):
        goods = Goods("average")
        sold = goods.entry(-1, 1, "sale")
        back = goods.entry(1, 1, "sale", applies_from=sold.id)
        goods.book.applications.append(Application(back.id, sold.id, ONE, False))
        with pytest.raises(CostLoopError) as caught:
            goods.adjust()
        assert sorted(caught.value.entry_ids) == [sold.id, back.id]

    @pytest.mark.parametrize("period", ["transaction", "day"])
    def test_what_is_fixed_leaves_right_after_its_increase(self, period):
        goods = Goods("average", average_cost_period=period)
        goods.buy(1, 200, 1)
        dear = goods.buy(1, 1000, 1)
        sold = goods.sell(1, 1)
        back = goods.sell(1, 1, entry_type="purchase", applies_to=dear.id)
        goods.adjust()
        assert (total(sold)[0], total(back)[0]) == (-200, -1000)

    def test_what_is_fixed_in_part_does_not(self):
        goods = Goods("average")
        goods.buy(4, 400, 1)
        goods.buy(4, 1200, 1)
        first, last = goods.entry(-2, 1, "sale"), goods.entry(-4, 1, "sale")
        first.remaining = last.remaining = 0
        goods.book.applications.append(Application(1, last.id, 2 * ONE))
        goods.adjust()
        # 2 of 8 at 1600; 2 of 6 at 1200 and 2 at 100
        assert (total(first)[0], total(last)[0]) == (-400, -600)


@pytest.mark.parametrize("period", ["transaction", "day"])
def test_an_emptied_pool_starts_again_from_nothing(period):
    goods = Goods("average", average_cost_period=period)
    goods.buy(1, 500, 1)
    bought = goods.buy(3, 3000, 1)
    goods.sell(1, 2)
    goods.adjust()
    revalue(goods, bought, -300, 3)
    goods.sell(3, 4, entry_type="purchase", applies_to=bought.id)
    goods.buy(2, 100, 5)
    sold = goods.sell(1, 6)
    goods.adjust()
    assert total(sold)[0] == -50
