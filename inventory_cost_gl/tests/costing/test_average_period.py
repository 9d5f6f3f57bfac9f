"""Average cost of a period, worked out by hand."""

import pytest
from costing.applications import apply_open
from costing.records import Application, Balance
from test_average import revalue
from test_rules import ONE, Goods, day, total


def month(calc_type="item", unit_cost=0):
    return Goods(
        "average",
        unit_cost,
        average_cost_period="month",
        average_cost_calc_type=calc_type,
    )


def costs(*entries):
    return [total(entry)[0] for entry in entries]


class TestRevaluations:
    def test_each_counts_for_what_is_recorded_after_it(self):
        goods = month()
        first, second = goods.buy(2, 200, 1), goods.buy(2, 200, 1)
        revalue(goods, second, 40, 3)
        sold = goods.sell(1, 3)
        goods.adjust()
        revalue(goods, first, 60, 3)
        later = goods.sell(1, 3)
        goods.adjust()
        # 1 of 4 at 440; 1 of 3 at 330 + 60
        assert costs(sold, later) == [-110, -130]


class TestTransfers:
    """What other locations send within the period is in the pool first, but for
    what comes of the decrease itself."""

    def setup_method(self):
        self.goods = month("item_location")

    def buy(self, quantity, amount, location):
        return self.goods.buy(quantity, amount, 1, location=location)

    def sell(self, quantity, location):
        return self.goods.sell(quantity, 2, location=location)

    def send(self, quantity, source, destination):
        """The departure of a transfer."""
        out = self.goods.sell(quantity, 2, entry_type="transfer", location=source)
        self.goods.entry(
            quantity, 2, "transfer", location=destination, applies_from=out.id
        )
        apply_open(self.goods.book)
        return out

    def costs(self, *entries):
        self.goods.adjust()
        return costs(*entries)

    def round_trip(self):
        """Goods go from 1 over 2 and 3 back to 1; return the three departures."""
        self.buy(4, 400, 1)
        first = self.send(2, 1, 2)
        self.buy(2, 600, 2)
        second = self.send(2, 2, 3)
        self.buy(2, 1000, 3)
        return first, second, self.send(2, 3, 1)

    def test_round_trip_over_three_locations(self):
        first, second, third = self.round_trip()
        sold = self.sell(4, 1)
        # 2 of 4 at 400; 2 of 4 at 200 + 600; 2 of 4 at 400 + 1000; 200 + 700
        assert self.costs(first, second, third, sold) == [-200, -400, -700, -900]

    def test_round_trip_with_goods_from_elsewhere(self):
        first, second, third = self.round_trip()
        self.buy(2, 2000, 4)
        other = self.send(2, 4, 3)
        # the third: 2 of 6 at 400 + 1000 + 2000
        found = self.costs(first, second, third, other)
        assert found == [-200, -400, -1133, -2000]

    def test_what_comes_from_afar_is_in_the_pool_first(self):
        self.buy(2, 200, 1)
        first = self.send(2, 1, 2)
        self.buy(2, 2000, 5)
        far = self.send(2, 5, 4)
        near = self.send(2, 4, 1)
        # the first: 2 of 4 at 200 + 2000
        assert self.costs(far, near, first) == [-2000, -2000, -1100]

    def test_what_is_returned_to_several_locations_does_not_come_back_first(self):
        self.buy(4, 400, 1)
        sold = self.sell(3, 1)
        for location in (3, 2, 2):
            self.goods.entry(1, 2, "sale", location=location, applies_from=sold.id)
        apply_open(self.goods.book)
        self.buy(1, 300, 3)
        out = self.send(1, 3, 1)
        # 3 of 4 at 400; 1 of 2 at 100 + 300
        assert self.costs(sold, out) == [-300, -200]


class TestFixed:
    def test_to_an_exact_return_waits_for_the_sale(self):
        goods = month()
        goods.buy(4, 400, 1)
        sold = goods.sell(2, 2)
        back = goods.entry(1, 3, "sale", applies_from=sold.id)
        apply_open(goods.book)
        fixed = goods.sell(1, 4, applies_to=back.id)
        goods.buy(4, 800, 5)
        goods.adjust()
        # 2 of 8 at 1200
        assert costs(sold, back, fixed) == [-300, 150, -150]


class TestLastCent:
    def emptied(self, location=0, **settings):
        """4 at 100 and 6 at 200, sold at once, 2 of it fixed to the first: 120 are
        left over."""
        goods = month(**settings)
        if location:
            goods.buy(1, 5, 1, location=1)
        first = goods.buy(4, 400, 1, location=location)
        goods.buy(6, 1200, 1, location=location)
        sold = goods.entry(-10, 2, "sale", location=location)
        for entry in goods.book.entries.values():
            entry.remaining = 0
        goods.book.applications.append(Application(first.id, sold.id, 2 * ONE))
        return goods, sold

    def test_the_decrease_that_takes_the_average_takes_it(self):
        goods, sold = self.emptied()
        assert [row.actual for row in goods.adjust()] == [-1600]
        later = goods.entry(1, 1)
        goods.cost(later, 70)
        last = goods.entry(-1, 1, "sale")
        for entry in (later, last):
            entry.valuation_date = entry.posting_date = day(1).replace(month=2)
            entry.remaining = 0
        goods.adjust()
        assert costs(sold, last) == [-1600, -70]

    def test_in_each_pool(self):
        goods, sold = self.emptied(7, calc_type="item_location")
        goods.book.opening_date = day(1)
        # a value that nothing can take
        goods.book.opening = {9: Balance(0, 5), 1: Balance()}
        goods.adjust()
        assert costs(sold) == [-1600]

    def test_none_that_others_take_their_cost_from(self):
        goods = month()
        goods.buy(7, 1000, 1)
        first, last = goods.sell(3, 5), goods.sell(7, 6)
        backs = [goods.entry(1, 7, "sale", applies_from=last.id) for _n in range(3)]
        for entry in goods.book.entries.values():
            entry.remaining = 0
        goods.adjust()
        # 3 of 7 at 1000, 7 of 4 at 571, thrice 1 of 7 at 999: one cent too much
        assert costs(first, last, *backs) == [-429 - 1, -999, 143, 143, 143]

    def test_none_that_waits(self):
        goods = month()
        bought = goods.buy(2, 201, 1, location=2)
        covered = goods.sell(1, 2, location=2)
        waits = goods.sell(1, 2, location=1)
        goods.adjust()
        assert costs(covered, waits) == [-101, -100]
        revalue(goods, bought, 10, 3)
        goods.adjust()
        assert costs(covered, waits) == [-111, -100]

    def test_none_that_is_context_only(self):
        goods = month()
        goods.buy(2, 200, 1)
        first, last = goods.sell(1, 2), goods.sell(1, 2)
        goods.adjust()
        goods.cost(goods.book.entries[1], 11, charge=True)
        goods.book.affected = {first.id}
        goods.adjust()
        # the first its 106 and what the last does not take of the other 105
        assert costs(first, last) == [-111, -100]

    @pytest.mark.parametrize("elsewhere", ["bought", "sold"])
    def test_a_fixed_decrease_of_the_pool_gets_a_rounding_entry(self, elsewhere):
        goods = Goods(
            "average", average_cost_period="day", average_cost_calc_type="item_location"
        )
        goods.buy(1, 500, 1, location=1)
        bought = goods.buy(3, 3000, 1, location=1)
        goods.sell(1, 2, location=1)
        goods.adjust()
        revalue(goods, bought, -300, 3)
        back = goods.sell(3, 3, entry_type="purchase", location=1, applies_to=bought.id)
        other = goods.buy(2, 20, 3, location=2)
        if elsewhere == "sold":
            goods.sell(1, 3, location=2, applies_to=other.id)
        rows = goods.adjust()
        rounding = [(r.entry_id, r.actual) for r in rows if r.entry_type == "rounding"]
        assert rounding == [(back.id, 375)]
