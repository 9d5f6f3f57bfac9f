"""Single rules, by example."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from costing import production, receipts, revaluation
from costing.adjust import adjust
from costing.applications import apply_open, net_applications
from costing.average import average_share
from costing.invoicing import invoicing
from costing.periods import (
    adjustment_window_start,
    first_open_date,
    open_date,
    period_end,
)
from costing.records import (
    Application,
    Balance,
    Book,
    Cost,
    CostLoopError,
    Entry,
    Item,
    Settings,
    pool_of,
)
from costing.rounding import amount_of, divide, share
from costing.transfers import arrivals
from costing.unit_cost import open_decreases, unit_cost, unit_cost_while_posting

ONE = 10**6


def day(number):
    """A day of January 2024."""
    return date(2024, 1, number)


class Goods:
    """A book built entry by entry, each recorded and applied at once."""

    def __init__(self, method="fifo", unit_cost=0, **settings):
        item = Item(1, method, Decimal(unit_cost))
        self.book = Book(Settings(**settings), item)
        self.costs = 0

    def entry(self, quantity, number, entry_type="purchase", **fields):
        """An entry of so many units, invoiced at once."""
        quantity = int(quantity * ONE)
        fields.setdefault("invoiced", quantity)
        entry = Entry(
            len(self.book.entries) + 1,
            entry_type,
            quantity,
            quantity,
            day(number),
            day(number),
            **fields,
        )
        self.book.entries[entry.id] = entry
        return entry

    def cost(self, entry, actual=0, expected=0, number=None, **fields):
        """A cost recorded on an entry."""
        self.costs += 1
        posted = day(number) if number else entry.posting_date
        fields.setdefault("valuation_date", entry.valuation_date)
        cost = Cost(
            self.costs,
            actual=actual,
            expected=expected,
            posting_date=posted,
            **fields,
        )
        entry.costs.append(cost)
        return cost

    def buy(self, quantity, amount, number, **fields):
        """An increase with its cost, applied."""
        entry = self.entry(quantity, number, **fields)
        self.cost(entry, amount, invoiced_quantity=entry.quantity)
        apply_open(self.book)
        return entry

    def sell(self, quantity, number, **fields):
        """A decrease, applied, not costed yet."""
        fields.setdefault("entry_type", "sale")
        entry = self.entry(-quantity, number, **fields)
        apply_open(self.book)
        return entry

    def adjust(self):
        """Adjust and record; the adjustments."""
        rows = adjust(self.book)
        for row in rows:
            entry = self.book.entries[row.entry_id]
            self.costs += 1
            entry.costs.append(
                Cost(
                    self.costs,
                    row.entry_type,
                    row.variance_type,
                    row.actual,
                    row.expected,
                    row.posting_date,
                    row.valuation_date,
                    not row.first,
                    invoiced_quantity=entry.invoiced if row.first else 0,
                    expected_only=row.first and not entry.invoiced,
                    applies_to=row.applies_to_cost,
                )
            )
        return rows

    def applied(self):
        """``[(increase, decrease, units)]`` in the order of recording."""
        return [
            (a.inbound_id, a.outbound_id, a.quantity / ONE)
            for a in self.book.applications
        ]


def total(entry):
    """Actual and expected cost recorded on an entry."""
    return sum(c.actual for c in entry.costs), sum(c.expected for c in entry.costs)


class TestRounding:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "result"),
        [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (7, 3, 2), (-7, 3, -2), (0, 9, 0)],
    )
    def test_halves_go_away_from_zero(self, numerator, denominator, result):
        assert divide(numerator, denominator) == result

    def test_share_multiplies_before_it_divides(self):
        assert share(1000, 1, 3) == 333
        assert share(-1000, 2, 3) == -667
        assert share(1000, -3, -3) == 1000
        assert share(1000, 1, 0) == 0

    def test_amount_of_a_quantity(self):
        assert amount_of(20_546_000, Decimal("5840.553")) == 120000
        assert amount_of(-ONE, Decimal("0.5")) == -1


class TestPeriods:
    @pytest.mark.parametrize(
        ("period", "end"),
        [
            ("transaction", date(2024, 2, 14)),
            ("day", date(2024, 2, 14)),
            ("week", date(2024, 2, 18)),
            ("month", date(2024, 2, 29)),
            ("quarter", date(2024, 3, 31)),
            ("year", date(2024, 12, 31)),
        ],
    )
    def test_period_end(self, period, end):
        assert period_end(date(2024, 2, 14), period) == end
        assert period_end(end, period) == end

    @pytest.mark.parametrize(
        ("setting", "start"),
        [
            ("never", None),
            ("day", date(2024, 3, 30)),
            ("week", date(2024, 3, 24)),
            ("month", date(2024, 2, 29)),
            ("quarter", date(2023, 12, 31)),
            ("year", date(2023, 3, 31)),
            ("always", date.min),
        ],
    )
    def test_adjustment_window(self, setting, start):
        assert adjustment_window_start(date(2024, 3, 31), setting) == start

    def test_first_open_date(self):
        assert first_open_date(None) is None
        assert first_open_date(day(31)) == date(2024, 2, 1)
        assert first_open_date(day(5), day(20)) == day(20)
        assert first_open_date(day(25), day(20)) == day(26)
        assert open_date(day(3), None) == day(3)
        assert open_date(day(3), day(9)) == day(9)
        assert open_date(day(10), day(9)) == day(10)


class TestApplications:
    def test_fifo_takes_the_oldest_by_posting_date(self):
        goods = Goods()
        goods.buy(5, 500, 9)
        goods.buy(5, 700, 2)
        goods.sell(7, 10)
        assert goods.applied() == [(2, 3, 5.0), (1, 3, 2.0)]

    def test_lifo_takes_the_newest(self):
        goods = Goods("lifo")
        goods.buy(5, 500, 2)
        goods.buy(5, 700, 9)
        goods.buy(5, 900, 4)
        goods.sell(6, 10)
        assert goods.applied() == [(2, 4, 5.0), (3, 4, 1.0)]

    def test_goods_are_applied_within_location_and_lot(self):
        goods = Goods("specific")
        goods.buy(5, 500, 1, lot=1)
        goods.buy(5, 500, 1, lot=2, location=7)
        goods.buy(5, 500, 1, lot=2)
        goods.sell(5, 2, lot=2)
        assert goods.applied() == [(3, 4, 5.0)]

    def test_a_fixed_application_goes_first(self):
        goods = Goods()
        goods.buy(5, 500, 1)
        goods.buy(5, 700, 2)
        goods.sell(3, 3, applies_to=2)
        assert goods.applied() == [(2, 3, 3.0)]

    def test_what_is_sold_before_it_comes_waits_oldest_first(self):
        goods = Goods(unit_cost=100)
        late, early = goods.sell(4, 9), goods.sell(4, 3)
        assert (late.remaining, early.remaining) == (-4 * ONE, -4 * ONE)
        goods.buy(5, 500, 12)
        assert goods.applied() == [(3, 2, 4.0), (3, 1, 1.0)]
        assert early.valuation_date == late.valuation_date == day(12)
        assert late.remaining == -3 * ONE

    def test_a_decrease_is_not_valued_before_a_revaluation_of_its_increase(self):
        goods = Goods()
        bought = goods.buy(5, 500, 1)
        goods.cost(bought, 50, entry_type="revaluation", valuation_date=day(20))
        assert goods.sell(1, 5).valuation_date == day(20)
        assert goods.sell(1, 25).valuation_date == day(25)

    def test_valuation_dates_move_on_through_returns_and_transfers(self):
        goods = Goods(unit_cost=100)
        sold = goods.sell(2, 3)
        back = goods.entry(2, 4, "sale", applies_from=sold.id)
        apply_open(goods.book)
        again = goods.sell(1, 5)
        goods.buy(2, 300, 20)
        moved = [e.valuation_date for e in (sold, back, again)]
        assert moved == [day(20)] * 3

    def test_a_return_does_not_cover_the_sale_it_returns(self):
        goods = Goods(unit_cost=100)
        sold = goods.sell(2, 3)
        back = goods.entry(2, 4, "sale", applies_from=sold.id)
        assert apply_open(goods.book) == []
        assert (sold.remaining, back.remaining) == (-2 * ONE, 2 * ONE)

    def test_what_comes_of_a_return_does_not_cover_it_either(self):
        goods = Goods(unit_cost=100)
        sold = goods.sell(2, 3)
        back = goods.entry(2, 4, "sale", applies_from=sold.id)
        out = goods.sell(2, 5, entry_type="transfer")
        arrival = goods.entry(
            2, 5, "transfer", applies_from=out.id, transferred_from=back.id
        )
        apply_open(goods.book)
        assert (arrival.remaining, sold.remaining) == (2 * ONE, -2 * ONE)

    def test_average_items_are_applied_by_quantity_only_unless_fixed(self):
        goods = Goods("average")
        goods.buy(5, 500, 2)
        goods.sell(2, 3)
        fixed = goods.sell(1, 9, applies_to=1)
        follows = [a.cost_follows for a in goods.book.applications]
        assert follows == [False, True]
        assert fixed.valuation_date == day(2)

    def test_an_application_taken_back_counts_no_more(self):
        rows = [Application(1, 2, 5), Application(1, 3, 4), Application(1, 2, -5)]
        assert net_applications(rows) == [Application(1, 3, 4)]
        assert net_applications(rows[:2]) is not None
        again = [*rows, Application(1, 2, 2)]
        assert [a.quantity for a in net_applications(again)] == [4, 2]


class TestForwarding:
    def test_a_charge_reaches_sale_and_return(self):
        goods = Goods()
        bought = goods.buy(1, 1000, 1)
        sold = goods.sell(1, 2)
        assert [row.first for row in goods.adjust()] == [True]
        back = goods.entry(1, 3, "sale", applies_from=sold.id)
        goods.adjust()
        charge = goods.cost(bought, 100, number=20, charge=True)
        rows = goods.adjust()
        assert [(r.entry_id, r.actual, r.cause) for r in rows] == [
            (sold.id, -100, charge.id),
            (back.id, 100, charge.id),
        ]
        assert not any(row.first for row in rows)
        assert goods.adjust() == []

    def test_the_rounding_entry_stands_on_the_increase(self):
        goods = Goods()
        bought = goods.buy(3, 1000, 1)
        for number in (2, 3, 4):
            goods.sell(1, number)
        rows = goods.adjust()
        assert (rows[-1].entry_id, rows[-1].entry_type, rows[-1].actual) == (
            bought.id,
            "rounding",
            -1,
        )
        assert rows[-1].posting_date == day(1)

    def test_no_rounding_before_everything_is_invoiced(self):
        goods = Goods()
        goods.buy(3, 1000, 1, invoiced=2 * ONE)
        for number in (2, 3, 4):
            goods.sell(1, number)
        assert {row.entry_type for row in goods.adjust()} == {"direct_cost"}

    def test_a_partly_covered_decrease_is_recorded_at_the_unit_cost_first(self):
        goods = Goods(unit_cost=250)
        goods.buy(4, 800, 1)
        goods.sell(10, 2)
        rows = goods.adjust()
        assert [(row.first, row.actual) for row in rows] == [
            (True, -2500),
            (False, 200),
        ]
        goods.book.item.unit_cost = Decimal(300)
        assert goods.adjust() == []

    def test_waiting_quantity_stands_at_the_unit_cost(self):
        goods = Goods(unit_cost=250)
        sold = goods.sell(10, 1)
        goods.adjust()
        assert total(sold) == (-2500, 0)
        goods.book.item.unit_cost = Decimal(300)
        goods.buy(4, 800, 2)
        goods.adjust()
        assert total(sold) == (-800 - 6 * 250, 0)
        goods.buy(6, 600, 3)
        goods.adjust()
        assert total(sold) == (-1400, 0)

    def test_what_nothing_covers_keeps_the_cost_it_was_recorded_at(self):
        goods = Goods(unit_cost=250)
        goods.sell(10, 1)
        goods.adjust()
        goods.book.item.unit_cost = Decimal(300)
        assert goods.adjust() == []

    def test_invoiced_share_is_actual_the_rest_expected(self):
        goods = Goods()
        goods.buy(10, 1001, 1)
        sold = goods.sell(10, 2, invoiced=-3 * ONE)
        goods.adjust()
        assert total(sold) == (-300, -701)

    def test_each_invoice_gets_its_own_adjustment_on_its_own_date(self):
        goods = Goods()
        bought = goods.buy(10, 1000, 1)
        sold = goods.sell(10, 2, invoiced=0)
        goods.adjust()
        for number in (10, 20):
            moved = invoicing(sold, sold.invoiced - 4 * ONE)
            sold.invoiced -= 4 * ONE
            goods.cost(
                sold,
                moved.actual,
                moved.expected,
                number,
                invoiced_quantity=-4 * ONE,
            )
        goods.cost(bought, 100, number=25, charge=True)
        rows = goods.adjust()
        assert [(r.posting_date, r.actual, r.expected) for r in rows] == [
            (day(10), -40, 0),
            (day(20), -40, 0),
            (day(2), 0, -20),
        ]
        assert total(sold) == (-880, -220)
        assert goods.adjust() == []

    def test_adjustments_of_closed_dates_go_to_the_first_open_date(self):
        goods = Goods(first_open_date=day(15))
        bought = goods.buy(1, 100, 1)
        goods.sell(1, 2)
        goods.sell(1, 20)
        assert goods.adjust()[0].posting_date == day(2)
        goods.buy(1, 100, 16)
        goods.adjust()
        goods.cost(bought, 10, number=21, charge=True)
        (row,) = goods.adjust()
        assert (row.posting_date, row.valuation_date) == (day(15), day(2))

    def test_a_purchase_return_reverses_type_by_type(self):
        goods = Goods()
        bought = goods.buy(10, 1000, 1)
        goods.cost(bought, 75, entry_type="indirect_cost")
        back = goods.sell(4, 2, entry_type="purchase", applies_to=bought.id)
        rows = goods.adjust()
        amounts = {(r.entry_type, r.actual) for r in rows}
        assert amounts == {("direct_cost", -400), ("indirect_cost", -30)}
        assert total(back) == (-430, 0)

    def test_a_partial_revaluation_reaches_only_what_was_left(self):
        goods = Goods()
        bought = goods.buy(6, 6000, 1)
        for number in (5, 10, 20):
            goods.sell(1, number)
        goods.adjust()
        rows = revaluation.revaluable(goods.book, day(10), {bought.id})
        assert rows == [(bought, 4 * ONE)]
        (row,) = revaluation.revalue(rows, unit_cost=Decimal(800))
        assert (row.amount, row.expected, row.partial) == (-800, 0, True)
        goods.cost(
            bought,
            row.amount,
            entry_type="revaluation",
            valuation_date=day(10),
            valued_quantity=row.quantity,
            partial_revaluation=True,
        )
        goods.sell(1, 5)
        goods.adjust()
        costs = [total(goods.book.entries[i])[0] for i in (2, 3, 4, 5)]
        assert costs == [-1000, -1000, -800, -800]

    def test_a_loop_ends_with_an_error(self):
        goods = Goods()
        sold = goods.entry(-1, 1, "sale")
        back = goods.entry(1, 2, "sale", applies_from=sold.id)
        sold.remaining = back.remaining = 0
        goods.book.applications.append(Application(back.id, sold.id, ONE))
        with pytest.raises(CostLoopError) as caught:
            adjust(goods.book)
        assert set(caught.value.entry_ids) == {sold.id, back.id}

    def test_a_long_chain_needs_no_recursion(self):
        goods = Goods()
        goods.buy(1, 1000, 1)
        layer = 1
        for _hop in range(1500):
            out = goods.entry(-1, 2, "transfer")
            out.remaining = 0
            goods.book.entries[layer].remaining = 0
            goods.book.applications.append(Application(layer, out.id, ONE))
            layer = goods.entry(
                1, 2, "transfer", applies_from=out.id, transferred_from=layer
            ).id
        assert adjust(goods.book)[-1].actual == 1000


class TestTransfers:
    def test_one_arrival_per_layer_and_one_for_what_is_missing(self):
        goods = Goods(unit_cost=100)
        goods.buy(2, 200, 1)
        goods.buy(3, 600, 2)
        out = goods.sell(6, 3, entry_type="transfer")
        rows = arrivals(goods.book, out)
        assert rows == [(1, 2 * ONE), (2, 3 * ONE), (0, ONE)]
        for layer, quantity in rows:
            goods.entry(
                quantity / ONE,
                3,
                "transfer",
                location=7,
                applies_from=out.id,
                transferred_from=layer,
            )
        goods.adjust()
        costs = [total(goods.book.entries[i])[0] for i in (3, 4, 5, 6)]
        assert costs == [-900, 200, 600, 100]
        assert arrivals(goods.book, out) == []

    def test_a_provisional_arrival_gives_way_to_the_layer(self):
        goods = Goods(unit_cost=100)
        out = goods.sell(2, 1, entry_type="transfer")
        wait = goods.entry(2, 1, "transfer", location=7, applies_from=out.id)
        goods.adjust()
        bought = goods.buy(2, 500, 4)
        assert arrivals(goods.book, out) == [(bought.id, 2 * ONE)]
        undo = goods.sell(2, 4, entry_type="transfer", location=7, reverses=wait.id)
        goods.entry(
            2,
            4,
            "transfer",
            location=7,
            applies_from=out.id,
            transferred_from=bought.id,
        )
        goods.adjust()
        assert [total(e)[0] for e in (out, wait, undo)] == [-500, 0, 0]
        assert total(goods.book.entries[5])[0] == 500

    def test_arrivals_of_one_layer_add_up_to_the_cent(self):
        goods = Goods()
        goods.buy(3, 1000, 1)
        out = goods.sell(3, 2, entry_type="transfer")
        for _part in range(3):
            goods.entry(
                1, 2, "transfer", location=7, applies_from=out.id, transferred_from=1
            )
        goods.adjust()
        assert [total(goods.book.entries[i])[0] for i in (3, 4, 5)] == [333, 334, 333]

    def test_what_has_arrived_in_part_arrives_with_the_rest(self):
        goods = Goods()
        goods.buy(3, 600, 1)
        out = goods.sell(3, 3, entry_type="transfer")
        fields = {"location": 7, "applies_from": out.id, "transferred_from": 1}
        goods.entry(1, 3, "transfer", **fields)
        assert arrivals(goods.book, out) == [(1, 2 * ONE)]
        goods.entry(1, 3, "transfer", **fields)
        assert arrivals(goods.book, out) == [(1, ONE)]

    def test_an_average_item_arrives_as_one_entry(self):
        goods = Goods("average")
        goods.buy(2, 200, 1)
        goods.buy(2, 600, 1)
        out = goods.sell(3, 3, entry_type="transfer")
        assert arrivals(goods.book, out) == [(0, 3 * ONE)]


class TestAverage:
    def test_the_last_quantity_takes_the_last_cent(self):
        class Left:
            value, quantity = 1000, 3

        assert average_share(Left, 1) == 333
        assert average_share(Left, 3) == 1000
        Left.value = -5
        assert average_share(Left, 3) == -5
        assert average_share(Left, 1) is None
        Left.value, Left.quantity = 100, 0
        assert average_share(Left, 1) is None

    def test_pool_key(self):
        goods = Goods("average")
        entry = goods.entry(1, 1, location=7, lot=3)
        assert pool_of(entry, goods.book) is None
        goods.book.settings.average_cost_calc_type = "item_location"
        assert pool_of(entry, goods.book) == 7
        goods.book.item.costing_method = "fifo"
        assert pool_of(entry, goods.book) == (7, 3)

    def test_a_later_receipt_comes_right_before_what_it_covers(self):
        goods = Goods("average", unit_cost=100)
        first = goods.sell(2, 5)
        goods.buy(4, 2000, 5, location=9)
        goods.book.entries[2].location = 9
        goods.buy(2, 600, 5)
        goods.adjust()
        # 6 at 2600 once the receipt that covers the sale is in
        assert total(first)[0] == -867

    def test_from_an_opening_balance(self):
        goods = Goods("average")
        goods.book.opening_date = day(10)
        goods.book.opening = {None: Balance(10 * ONE, 1000)}
        sold = goods.entry(-4, 12, "sale")
        sold.remaining = 0
        goods.adjust()
        assert total(sold)[0] == -400

    @pytest.mark.parametrize("period", ["transaction", "month"])
    def test_a_fixed_return_leaves_the_pool(self, period):
        goods = Goods("average", average_cost_period=period)
        goods.buy(1, 200, 1)
        goods.buy(1, 1000, 1)
        back = goods.sell(1, 20, entry_type="purchase", applies_to=2)
        sold = goods.sell(1, 10)
        goods.adjust()
        assert (total(back)[0], total(sold)[0]) == (-1000, -200)

    def test_a_transfer_there_and_back_is_costed_from_other_sources(self):
        goods = Goods(
            "average",
            average_cost_period="month",
            average_cost_calc_type="item_location",
        )
        goods.buy(4, 400, 1, location=1)
        there = goods.sell(2, 2, entry_type="transfer", location=1)
        goods.entry(2, 2, "transfer", location=2, applies_from=there.id)
        apply_open(goods.book)
        goods.buy(2, 600, 3, location=2)
        back = goods.sell(2, 4, entry_type="transfer", location=2)
        goods.entry(2, 4, "transfer", location=1, applies_from=back.id)
        apply_open(goods.book)
        sold = goods.sell(4, 5, location=1)
        goods.adjust()
        costs = [total(e)[0] for e in (there, back, sold)]
        # 2 of 4 at 400; 2 of 4 at 200 + 600; all of 200 + 400
        assert costs == [-200, -400, -600]


class TestEmptyPools:
    """Whatever leaves a pool without quantity leaves it without value."""

    def revalued_and_returned(self, period):
        goods = Goods("average", average_cost_period=period)
        goods.buy(1, 500, 1)
        bought = goods.buy(3, 3000, 1)
        sold = goods.sell(1, 2)
        goods.adjust()
        goods.cost(
            bought,
            -300,
            entry_type="revaluation",
            valuation_date=day(3),
            valued_quantity=bought.quantity,
        )
        back = goods.sell(3, 4, entry_type="purchase", applies_to=bought.id)
        goods.adjust()
        assert back.valuation_date == day(3)
        assert sum(total(e)[0] for e in goods.book.entries.values()) == 0
        return sold, back

    def test_the_fixed_decrease_that_empties_it_gets_a_rounding_entry(self):
        for period in ("transaction", "day"):
            sold, back = self.revalued_and_returned(period)
            assert total(sold)[0] == -875
            amounts = [(c.entry_type, c.actual) for c in back.costs]
            assert amounts == [("direct_cost", -2700), ("rounding", 375)]

    @pytest.mark.parametrize("amount", range(1000, 1030))
    def test_within_a_period_the_last_decrease_takes_the_cents(self, amount):
        goods = Goods("average", average_cost_period="month")
        goods.buy(7, amount, 1)
        goods.sell(3, 5)
        sold = goods.sell(7, 6)
        for quantity in (1, 1, 1):
            goods.entry(quantity, 7, "sale", applies_from=sold.id)
        for entry in goods.book.entries.values():
            entry.remaining = 0
        goods.adjust()
        assert sum(e.quantity for e in goods.book.entries.values()) == 0
        assert sum(total(e)[0] for e in goods.book.entries.values()) == 0


class TestRevaluation:
    def test_only_invoiced_quantity_unless_standard(self):
        goods = Goods()
        goods.buy(2, 200, 1, invoiced=0)
        assert revaluation.revaluable(goods.book, day(9)) == []
        goods.book.item.costing_method = "standard"
        assert len(revaluation.revaluable(goods.book, day(9))) == 1

    def test_nothing_left_is_refused(self):
        with pytest.raises(revaluation.RevaluationError):
            revaluation.revalue([], unit_cost=Decimal(1))

    def test_average_only_at_the_end_of_a_period(self):
        goods = Goods("average", average_cost_period="month")
        revaluation.check_period(goods.book, day(31))
        with pytest.raises(revaluation.RevaluationError):
            revaluation.check_period(goods.book, day(30))

    def test_average_per_item_gives_the_rest_to_the_last_entry(self):
        goods = Goods("average")
        goods.buy(2, 200, 1)
        goods.buy(2, 600, 1)
        rows = revaluation.revaluable(goods.book, day(2))
        balance = revaluation.balance_at(goods.book, day(2))
        assert balance == Balance(4 * ONE, 800)
        new = revaluation.revalue(rows, unit_cost=Decimal(250), balance=balance)
        assert [row.amount for row in new] == [300, -100]
        assert sum(row.amount for row in new) == 1000 - 800

    def test_amount_and_value_are_met_to_the_cent(self):
        goods = Goods()
        for _number in range(3):
            goods.buy(1, 100, 1)
        rows = revaluation.revaluable(goods.book, day(2))
        by_value = revaluation.revalue(rows, value=1000)
        assert sum(row.amount for row in by_value) == 700
        by_amount = revaluation.revalue(rows, amount=-100)
        assert sum(row.amount for row in by_amount) == -100

    def test_expected_part_of_a_standard_item(self):
        goods = Goods("standard")
        entry = goods.entry(4, 1, invoiced=ONE)
        goods.cost(entry, 200, 600)
        rows = revaluation.revaluable(goods.book, day(2))
        (row,) = revaluation.revalue(rows, unit_cost=Decimal(300))
        assert (row.amount, row.expected) == (400, 300)


class TestReceipts:
    item = Item(1, "fifo", Decimal(0), Decimal("7.5"), Decimal(25))
    standard = Item(1, "standard", Decimal(100), Decimal(0), Decimal(2))

    def test_expected_cost_includes_overhead_and_is_rounded_once(self):
        assert receipts.expected_cost(self.item, 10 * ONE, Decimal("100.4")) == 1329
        assert receipts.expected_cost(self.standard, 3 * ONE, Decimal(7)) == 300

    def test_parts_of_an_order_line_add_up(self):
        price, quantity = Decimal("33.3333"), ONE
        parts = [
            receipts.expected_cost_of_part(self.item, quantity, price, number * ONE)
            for number in range(7)
        ]
        assert sum(parts) == receipts.expected_cost(self.item, 7 * ONE, price)

    def test_parts_of_a_bill_line_add_up(self):
        billed, parts = receipts.Billed(), []
        for quantity in (ONE, ONE, ONE):
            parts.append(billed.part(quantity, 3200, 3 * ONE))
            billed.add(quantity, parts[-1])
        assert parts == [1067, 1066, 1067]
        billed.add(-ONE, -parts[1])
        assert billed.part(ONE, 3200, 3 * ONE) == 1066

    def test_parts_of_a_credit_note_line_add_up(self):
        billed, parts = receipts.Billed(), []
        for _number in range(3):
            parts.append(billed.part(-ONE, -3200, -3 * ONE))
            billed.add(-ONE, parts[-1])
        assert parts == [-1067, -1066, -1067]

    def test_partial_invoices_reverse_their_share_and_the_last_the_rest(self):
        goods = Goods()
        entry = goods.entry(3, 1, invoiced=0)
        goods.cost(entry, 0, 1000, expected_only=True)
        backs = []
        for _number in range(3):
            stated = receipts.invoice_statement(goods.book.item, entry, ONE, 400)
            entry.invoiced += ONE
            goods.cost(entry, stated.direct, stated.expected)
            backs.append(stated.expected)
        assert backs == [-333, -333, -334]
        assert total(entry) == (1200, 0)

    def test_standard_keeps_to_its_current_standard(self):
        goods = Goods("standard", 100)
        goods.book.item = self.standard
        entry = goods.entry(10, 1, invoiced=0)
        stated = receipts.invoice_statement(self.standard, entry, 10 * ONE, 900)
        assert (stated.direct, stated.indirect, stated.variance) == (900, 20, 80)
        assert receipts.charge_variance(self.standard, 20) == -20
        assert receipts.charge_variance(self.item, 20) == 0
        assert stated.costs() == [
            Cost(actual=900, invoiced_quantity=10 * ONE),
            Cost(entry_type="indirect_cost", actual=20),
            Cost(entry_type="variance", variance_type="purchase", actual=80),
        ]

    def test_each_reversal_covers_what_its_revaluation_covered(self):
        goods = Goods("standard", 100)
        entry = goods.entry(4, 1, invoiced=0)
        goods.cost(entry, 0, 400, expected_only=True)
        covered = []
        for number, quantity in ((5, 4), (8, 3), (9, 2)):
            covered.append(
                {
                    "entry_type": "revaluation",
                    "valuation_date": day(number),
                    "valued_quantity": quantity * ONE,
                    "partial_revaluation": quantity < 4,
                }
            )
            goods.cost(entry, 0, 10 * number, expected_only=True, **covered[-1])
        assert receipts.revaluations_to_reverse(entry, 2 * ONE) == [
            Cost(expected=-expected, **fields)
            for expected, fields in zip((25, 40, 45), covered, strict=True)
        ]
        stated = receipts.invoice_statement(goods.book.item, entry, 4 * ONE, 400)
        direct, *revaluations = stated.costs()
        assert (direct.actual, direct.expected) == (400, -400)
        assert [cost.expected for cost in revaluations] == [-50, -80, -90]

    def test_a_remainder_written_off_is_a_bill_of_nothing(self):
        goods = Goods()
        entry = goods.entry(10, 1, invoiced=6 * ONE)
        goods.cost(entry, 600, 400, expected_only=True)
        stated = receipts.invoice_statement(goods.book.item, entry, 4 * ONE, 0)
        assert stated.costs() == [Cost(expected=-400, invoiced_quantity=4 * ONE)]

    def test_split_amount(self):
        assert receipts.split_amount(100, [1, 1, 1]) == [33, 34, 33]
        assert receipts.split_amount(-5, [ONE]) == [-5]


class TestInvoicing:
    def test_the_last_invoice_leaves_nothing_expected(self):
        goods = Goods()
        entry = goods.entry(-3, 1, "sale", invoiced=0)
        goods.cost(entry, 0, -1000)
        for number in (1, 2, 3):
            moved = invoicing(entry, -number * ONE)
            assert moved.actual == -moved.expected
            goods.cost(entry, moved.actual, moved.expected)
        assert total(entry) == (-1000, 0)

    def test_a_reset_moves_the_same_back(self):
        goods = Goods()
        entry = goods.entry(-3, 1, "sale", invoiced=0)
        goods.cost(entry, 0, -1000)
        there = invoicing(entry, -2 * ONE)
        goods.cost(entry, there.actual, there.expected)
        back = invoicing(entry, 0)
        assert (back.actual, back.expected) == (-there.actual, -there.expected)


class TestProduction:
    def test_standard_output_stays_at_standard(self):
        item = Item(1, "standard", Decimal(15000), Decimal(0), Decimal(2500))
        direct, overhead = production.capacity_cost(
            60 * ONE, Decimal(200), Decimal(10), Decimal(0)
        )
        assert (direct, overhead) == (12000, 1200)
        spent = production.OrderCost(15000, direct, 0, overhead)
        (row,) = production.output_cost(item, spent, [ONE])
        assert row["direct_cost", ""] == 28200
        assert row["indirect_cost", ""] == 2500
        assert row["variance", "material"] == 0
        assert row["variance", "capacity"] == -12000
        assert row["variance", "capacity_overhead"] == -1200
        assert row["variance", "manufacturing_overhead"] == -2500
        assert sum(row.values()) == 15000

    def test_a_variance_per_share(self):
        spent = production.OrderCost(1000, 200, 30, 4)
        standard = {
            "material": 1100,
            "capacity": 150,
            "subcontracted": 50,
            "capacity_overhead": 4,
            "manufacturing_overhead": 7,
        }
        assert production.variances(spent, 5, standard) == {
            ("variance", "material"): 100,
            ("variance", "capacity"): -50,
            ("variance", "subcontracted"): 20,
            ("variance", "capacity_overhead"): 0,
            ("variance", "manufacturing_overhead"): 2,
        }

    def test_time_costs_nothing_beside_its_rate_unless_set(self):
        assert production.capacity_cost(60 * ONE, Decimal(200)) == (12000, 0)
        rates = Decimal(10), Decimal(3)
        assert production.capacity_cost(60 * ONE, Decimal(200), *rates) == (12000, 1380)

    def test_an_order_costs_what_went_into_it(self):
        assert production.OrderCost() == production.OrderCost(0, 0, 0, 0)
        assert production.OrderCost().direct == 0
        assert production.OrderCost(1000, 200, 30, 4).direct == 1234

    def test_outputs_share_by_quantity_to_the_cent(self):
        rows = production.output_cost(
            Item(), production.OrderCost(63000, 1), [7 * ONE, ONE]
        )
        assert [row["direct_cost", ""] for row in rows] == [55126, 7875]

    def test_no_output_leaves_the_cost_in_wip(self):
        spent = production.OrderCost(500)
        assert production.output_cost(Item(), spent, []) == []
        # made and taken back
        assert production.output_cost(Item(), spent, [ONE, -ONE]) == []
        assert production.output_cost(Item(), spent, [ONE, -2 * ONE]) == []


class TestUnitCost:
    def test_what_waits_is_left_out(self):
        goods = Goods("fifo", 250)
        goods.buy(4, 800, 1)
        goods.buy(5, 900, 1, location=7)
        goods.sell(6, 2)
        goods.adjust()
        entries = goods.book.entries.values()
        open_part = open_decreases(entries, goods.book.item)
        assert open_part == (-2 * ONE, -500)
        quantity = sum(e.quantity for e in entries)
        value = sum(sum(total(e)) for e in entries)
        assert unit_cost(quantity, value, *open_part, Decimal(1)) == 180

    def test_what_waits_of_an_average_item_is_its_share_of_the_cost(self):
        goods = Goods("average", 250)
        sold = goods.sell(4, 1, invoiced=-ONE)
        goods.cost(sold, -100, -300)
        goods.cost(sold, -60, -140, adjustment=True)
        goods.buy(1, 90, 2)
        entries = goods.book.entries.values()
        # 3 of 4 wait: of 600 recorded, 450
        assert open_decreases(entries, goods.book.item) == (-3 * ONE, -450)
        goods.book.item.costing_method = "fifo"
        # of the 400 first recorded, 300
        assert open_decreases(entries, goods.book.item) == (-3 * ONE, -300)

    def test_rules_at_the_edges(self):
        keep = Decimal(77)
        assert unit_cost(0, 500, 0, 0, keep) == keep
        assert unit_cost(ONE, 0, 0, 0, keep) == keep
        assert unit_cost(ONE, -5, 0, 0, keep) == 0
        third = unit_cost(3 * ONE, 100, 0, 0, keep, Decimal("0.001"))
        assert third == Decimal("33.333")

    def test_while_posting(self):
        assert unit_cost_while_posting(Decimal(0), Decimal(9), 5, 6) == 9
        assert unit_cost_while_posting(Decimal(4), Decimal(9), 5, 6) == 4
        assert unit_cost_while_posting(Decimal(4), Decimal(9), 0, 6) == 9
        assert unit_cost_while_posting(Decimal(4), Decimal(9), -5, 0) == 4


def test_layer_values_are_exact():
    from costing.layers import Layer

    layer = Layer(3 * ONE, 1000, [(100, ONE)], {9: 2 * ONE})
    assert layer.rest(ONE) == Fraction(1000, 3) + 100
    assert layer.rest(2 * ONE) == Fraction(2000, 3) + 100
    assert layer.cost(9, ONE) == 433


def test_the_parts_of_a_bill_line_add_up():
    """10.00 for 3: as much of it to each receipt as makes up for earlier rounding."""
    billed, parts = receipts.Billed(), []
    for _receipt in range(3):
        parts.append(billed.part(1, 1000, 3))
        billed.add(1, parts[-1])
    assert parts == [333, 334, 333]
    billed.add(-2, -667)
    assert billed.part(2, 1200, 3) == 867
