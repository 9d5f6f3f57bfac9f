"""How cost goes from entry to entry, and what caused it, worked out by hand."""

from decimal import Decimal

from costing.forwarding import Forwarding, is_stated, newest_cost, stated_cost
from costing.records import Application, Cost
from test_rules import ONE, Goods, day, total


def affected(goods):
    return Forwarding(goods.book).affected


class TestAffected:
    def three(self):
        goods = Goods("average")
        for number in (9, 10, 11):
            goods.buy(1, 100, number)
        return goods

    def test_without_opening_as_given(self):
        goods = self.three()
        assert affected(goods) is None
        goods.book.affected = {2, 99}
        assert affected(goods) == {2, 99}

    def test_what_the_opening_holds_is_context(self):
        goods = self.three()
        goods.book.opening_date = day(10)
        assert affected(goods) == {2, 3}
        goods.book.affected = {1, 2, 99}
        assert affected(goods) == {2}


class TestStated:
    def test_all_but_the_goods_own_cost_and_rounding(self):
        stated = {
            "direct_cost": False,
            "rounding": False,
            "indirect_cost": True,
            "variance": True,
            "revaluation": True,
        }
        for entry_type, expected in stated.items():
            assert is_stated(Cost(entry_type=entry_type)) is expected
        assert is_stated(Cost(charge=True))

    def test_its_sum_is_actual_and_expected(self):
        goods = Goods()
        back = goods.buy(1, 100, 1)
        goods.cost(back, 30, 20, entry_type="revaluation")
        goods.cost(back, 5, charge=True)
        assert stated_cost(back) == 55


class TestWaiting:
    def test_adjusting_again_gives_nothing(self):
        """Part of a decrease waits, at a unit cost of more decimals than cents."""
        goods = Goods()
        goods.book.item.unit_cost = Decimal("1688.1425")
        goods.buy(1, 359, 1)
        sale = goods.sell(4, 2)
        goods.adjust()
        # 4 cost 67.53 first, so 3 of them that wait 50.65
        assert total(sale) == (-359 - 5065, 0)
        assert goods.adjust() == []


class TestTransfers:
    def test_a_layer_that_the_departure_did_not_take(self):
        """Its arrival carries a share of the departure's whole cost."""
        goods = Goods()
        goods.buy(4, 401, 1)
        out = goods.sell(4, 2, entry_type="transfer")
        fields = {"location": 7, "applies_from": out.id, "transferred_from": 99}
        arrival = goods.entry(1, 2, "transfer", **fields)
        rest = goods.entry(3, 2, "transfer", **fields)
        goods.adjust()
        assert (total(arrival)[0], total(rest)[0]) == (100, 301)

    def arrived(self, departure, *layers):
        """Arrivals of two units each that carry the departure's layers."""
        return [
            self.goods.entry(
                2,
                2,
                "transfer",
                location=7,
                applies_from=departure.id,
                transferred_from=layer.id,
            )
            for layer in layers
        ]

    def carried(self, *arrivals):
        self.goods.adjust()
        return [total(arrival)[0] for arrival in arrivals]

    def test_each_carries_its_layer(self):
        goods = self.goods = Goods()
        first, second = goods.buy(2, 200, 1), goods.buy(2, 400, 1)
        out = goods.sell(4, 2, entry_type="transfer")
        arrivals = self.arrived(out, first, second)
        assert self.carried(*arrivals) == [200, 400]

    def test_a_layer_was_taken_back_from_the_departure(self):
        """It has another one for it: the arrivals share the whole."""
        goods = self.goods = Goods()
        first, second = goods.buy(2, 200, 1), goods.buy(2, 400, 1)
        out = goods.sell(4, 2, entry_type="transfer")
        third = goods.entry(2, 1)
        goods.cost(third, 601, invoiced_quantity=third.quantity)
        goods.book.applications += [
            Application(second.id, out.id, -2 * ONE),
            Application(third.id, out.id, 2 * ONE),
        ]
        second.remaining, third.remaining = 2 * ONE, 0
        arrivals = self.arrived(out, second, first)
        assert self.carried(*arrivals) == [401, 400]

    def test_a_departures_only_layer_was_taken_back(self):
        goods = self.goods = Goods()
        layer = goods.buy(2, 200, 1)
        out = goods.sell(2, 2, entry_type="transfer")
        arrivals = self.arrived(out, layer)
        other = goods.buy(2, 300, 1)
        goods.book.applications += [
            Application(layer.id, out.id, -2 * ONE),
            Application(other.id, out.id, 2 * ONE),
        ]
        layer.remaining, other.remaining = 2 * ONE, 0
        assert self.carried(*arrivals) == [300]

    def test_a_layer_recorded_after_its_arrival(self):
        goods = Goods(unit_cost=100)
        out = goods.entry(-1, 1, "transfer")
        arrival = goods.entry(
            1, 1, "transfer", location=7, applies_from=out.id, transferred_from=4
        )
        sold = goods.entry(-1, 1, "sale")
        back = goods.entry(1, 1, "sale", applies_from=sold.id)
        for entry in goods.book.entries.values():
            entry.remaining = 0
        goods.cost(out, -100)
        goods.cost(sold, -120)
        goods.book.applications.append(Application(back.id, out.id, ONE))
        goods.book.affected = {arrival.id, back.id}
        goods.adjust()
        assert (total(back)[0], total(arrival)[0]) == (120, 120)


def test_a_purchase_return_takes_expected_cost_back_too():
    goods = Goods()
    bought = goods.buy(10, 1000, 1)
    goods.cost(bought, 50, 25, entry_type="indirect_cost")
    goods.sell(4, 2, entry_type="purchase", applies_to=bought.id)
    amounts = {(row.entry_type, row.actual) for row in goods.adjust()}
    assert amounts == {("direct_cost", -400), ("indirect_cost", -30)}


def test_a_correction_of_a_receipt_takes_nothing_back_type_by_type():
    goods = Goods()
    bought = goods.buy(10, 1000, 1)
    goods.cost(bought, 50, entry_type="indirect_cost")
    correction = goods.sell(4, 2, entry_type="purchase", reverses=bought.id)
    assert Forwarding(goods.book).split_cost(correction) is None
    assert {row.entry_type for row in goods.adjust()} == {"direct_cost"}


class TestCauses:
    def test_the_newest_of_all_that_a_decrease_takes(self):
        goods = Goods()
        first, last = goods.buy(1, 100, 1), goods.buy(1, 100, 1)
        sold = goods.sell(2, 2)
        assert Forwarding(goods.book).cause(sold.id) == last.costs[0].id
        charge = goods.cost(first, 10, charge=True)
        assert Forwarding(goods.book).cause(sold.id) == charge.id

    def test_none_where_nothing_covers_it(self):
        goods = Goods(unit_cost=100)
        sold = goods.sell(1, 2)
        assert Forwarding(goods.book).cause(sold.id) == 0
        goods.adjust()
        assert sold.costs[0].id == 1
        assert Forwarding(goods.book).cause(sold.id) == 0

    def test_a_charge_on_a_return(self):
        goods = Goods()
        goods.buy(1, 100, 1)
        sold = goods.sell(1, 2)
        goods.adjust()
        back = goods.entry(1, 3, "sale", applies_from=sold.id)
        goods.adjust()
        assert Forwarding(goods.book).cause(back.id) == 1
        charge = goods.cost(back, 10, charge=True)
        assert Forwarding(goods.book).cause(back.id) == charge.id
        assert Forwarding(goods.book).cause(sold.id) == 1

    def test_newest_cost(self):
        entry = Goods().entry(1, 1)
        assert newest_cost(entry) == 0
        entry.costs += [
            Cost(3),
            Cost(5, charge=True),
            Cost(4, charge=True),
            Cost(7),
            Cost(9, adjustment=True),
            Cost(10, adjustment=True, charge=True),
        ]
        assert newest_cost(entry) == 7
        assert newest_cost(entry, stated_only=True) == 5
