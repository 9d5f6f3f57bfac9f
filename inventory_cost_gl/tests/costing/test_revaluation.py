"""What a revaluation covers, and the balance that an average item is revalued on."""

from decimal import Decimal

import pytest
from costing import revaluation
from costing.applications import apply_open
from costing.records import Balance
from test_rules import ONE, Goods, day


def units(quantities):
    return {entry_id: quantity / ONE for entry_id, quantity in quantities.items()}


def covered(goods, number, **narrowed):
    rows = revaluation.revaluable(goods.book, day(number), **narrowed)
    return [(entry.id, quantity / ONE) for entry, quantity in rows]


class TestRemaining:
    def test_what_is_left_of_increases_on_a_day(self):
        goods = Goods()
        goods.buy(5, 500, 2)
        goods.buy(5, 600, 10)
        goods.sell(2, 4)
        goods.sell(1, 12)
        for number, left in (
            (1, {}),
            (2, {1: 5}),
            (4, {1: 3}),
            (10, {1: 3, 2: 5}),
            (12, {1: 2, 2: 5}),
        ):
            assert units(revaluation.remaining_at(goods.book, day(number))) == left

    def test_a_decrease_that_is_not_loaded_is_gone_already(self):
        goods = Goods()
        goods.buy(5, 500, 2)
        sold = goods.sell(2, 9)
        del goods.book.entries[sold.id]
        assert units(revaluation.remaining_at(goods.book, day(4))) == {1: 3}


class TestRevaluable:
    def test_what_is_used_up_is_not(self):
        goods = Goods()
        goods.buy(2, 200, 1)
        goods.buy(2, 200, 1)
        goods.sell(2, 3)
        assert covered(goods, 2) == [(1, 2), (2, 2)]
        assert covered(goods, 3) == [(2, 2)]

    def test_narrowed_down(self):
        goods = Goods()
        for location in (7, 8, 7):
            goods.buy(1, 100, 1, location=location)
        assert covered(goods, 1, entry_ids={2, 3}) == [(2, 1), (3, 1)]
        assert covered(goods, 1, locations={7}) == [(1, 1), (3, 1)]
        assert covered(goods, 1, entry_ids={2, 3}, locations={7}) == [(3, 1)]

    def test_not_before_the_last_invoice(self):
        goods = Goods()
        entry = goods.entry(4, 1, invoiced=4 * ONE)
        apply_open(goods.book)
        goods.cost(entry, 0, 400, expected_only=True)
        goods.cost(entry, 300, -300, number=2, invoiced_quantity=3 * ONE)
        goods.cost(entry, 100, -100, number=8, invoiced_quantity=ONE)
        assert covered(goods, 7) == []
        assert covered(goods, 8) == [(1, 4)]

    def test_a_charge_is_no_invoice(self):
        goods = Goods()
        bought = goods.buy(4, 400, 1)
        goods.cost(bought, 20, number=9, charge=True)
        assert covered(goods, 5) == [(1, 4)]


class TestBalance:
    def test_of_locations_or_the_item(self):
        goods = Goods("average")
        goods.buy(1, 100, 1, location=7)
        goods.buy(2, 300, 1, location=8)
        goods.buy(4, 500, 1, location=7)

        def balance(locations=None):
            found = revaluation.balance_at(goods.book, day(1), locations)
            return found.quantity / ONE, found.value

        assert balance() == (7, 900)
        assert balance({7}) == (5, 600)
        assert balance({8}) == (2, 300)
        assert balance(set()) == (0, 0)

    def test_only_what_is_invoiced_and_valued_by_that_day(self):
        goods = Goods("average")
        entry = goods.entry(4, 2, invoiced=ONE)
        goods.cost(entry, 120, 300)
        goods.buy(1, 500, 6)
        sold = goods.entry(-1, 6, "sale")
        goods.cost(sold, -140)
        balances = [
            revaluation.balance_at(goods.book, day(number)) for number in (1, 2, 6)
        ]
        assert balances == [Balance(), Balance(ONE, 120), Balance(ONE, 480)]

    def test_a_later_revaluation_counts_from_its_own_day_on(self):
        goods = Goods("average")
        bought = goods.buy(2, 200, 2)
        goods.cost(bought, 50, entry_type="revaluation", valuation_date=day(6))
        values = [
            revaluation.balance_at(goods.book, day(number)).value
            for number in (1, 2, 5, 6, 7)
        ]
        assert values == [0, 200, 200, 250, 250]


class TestRevalue:
    def test_partial_where_part_of_the_entry_is_gone(self):
        goods = Goods()
        goods.buy(4, 400, 1)
        goods.buy(4, 400, 1)
        goods.sell(1, 2)
        rows = revaluation.revaluable(goods.book, day(2))
        new = revaluation.revalue(rows, unit_cost=Decimal(150))
        amounts = [(row.entry_id, row.quantity / ONE, row.amount) for row in new]
        assert amounts == [(1, 3, 150), (2, 4, 200)]
        assert [row.partial for row in new] == [True, False]

    @pytest.mark.parametrize("quantity", [0, -ONE])
    def test_no_invoiced_quantity_is_refused(self, quantity):
        goods = Goods("average")
        goods.buy(2, 200, 1)
        rows = revaluation.revaluable(goods.book, day(1))
        with pytest.raises(revaluation.RevaluationError):
            revaluation.revalue(
                rows, unit_cost=Decimal(1), balance=Balance(quantity, 5)
            )
