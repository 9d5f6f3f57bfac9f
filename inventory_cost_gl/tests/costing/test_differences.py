"""Which value entries bring a cost to what it should be, worked out by hand."""

from datetime import date

import pytest
from costing.differences import (
    direct_difference,
    first_costs,
    last_direct_cost,
    rounding_difference,
    split_difference,
)
from costing.records import Cost, Entry, Settings

DIRECT, INDIRECT = ("direct_cost", ""), ("indirect_cost", "")
VARIANCE = ("variance", "purchase")
OPEN = Settings()


def day(number):
    return date(2024, 1, number)


def entry_of(quantity, invoiced, *costs, entry_type="sale"):
    """An entry of January 2."""
    return Entry(
        1, entry_type, quantity, 0, day(2), day(3), invoiced=invoiced, costs=list(costs)
    )


def cost_of(number, posted, actual, expected=0, **fields):
    return Cost(
        number, actual=actual, expected=expected, posting_date=day(posted), **fields
    )


def invoice(number, posted, quantity, actual, expected=0):
    return cost_of(number, posted, actual, expected, invoiced_quantity=quantity)


def delivery(number, posted, expected):
    return cost_of(number, posted, 0, expected, expected_only=True)


def adjustment(number, posted, actual, applies_to, **fields):
    return cost_of(
        number, posted, actual, adjustment=True, applies_to=applies_to, **fields
    )


def shown(rows):
    """``[(cost corrected, day, actual, expected)]``"""
    return [
        (row.applies_to_cost, row.posting_date.day, row.actual, row.expected)
        for row in rows
    ]


def direct(entry, total, settings=OPEN):
    return shown(direct_difference(entry, total, settings))


class TestFirstCost:
    @pytest.mark.parametrize(
        ("invoiced", "actual", "expected"),
        [(-10, -1001, 0), (0, 0, -1001), (-3, -300, -701)],
    )
    def test_the_invoiced_share_is_actual(self, invoiced, actual, expected):
        entry = entry_of(-10, invoiced)
        [row] = direct_difference(entry, -1001, OPEN)
        assert (row.entry_id, row.entry_type, row.variance_type) == (1, *DIRECT)
        assert (row.actual, row.expected) == (actual, expected)
        assert (row.posting_date, row.valuation_date) == (day(2), day(3))
        assert (row.first, row.cause, row.applies_to_cost) == (True, 0, 0)

    def test_of_nothing_is_recorded_too(self):
        assert direct(entry_of(-10, -10), 0) == [(0, 2, 0, 0)]

    def test_keeps_its_date_though_it_is_closed(self):
        entry = entry_of(-10, -10)
        assert direct(entry, -5, Settings(first_open_date=day(9))) == [(0, 2, -5, 0)]

    @pytest.mark.parametrize(
        ("invoiced", "first", "then"),
        [
            (-10, (-2500, 0), (200, 0)),
            (0, (0, -2500), (0, 200)),
            (-5, (-1250, -1250), (100, 100)),
        ],
    )
    def test_partly_covered_it_is_recorded_then_adjusted(self, invoiced, first, then):
        rows = first_costs(entry_of(-10, invoiced), -2500, -2300, OPEN)
        assert [(row.actual, row.expected) for row in rows] == [first, then]
        assert [row.first for row in rows] == [True, False]

    def test_without_difference_it_is_only_recorded(self):
        [row] = first_costs(entry_of(-10, 0), -2500, -2500, OPEN)
        assert (row.actual, row.expected, row.first) == (0, -2500, True)


class TestOneDocument:
    def test_no_difference(self):
        entry = entry_of(-10, -4, invoice(1, 2, -4, -400, -600))
        assert direct(entry, -1000) == []

    def test_corrects_the_document_on_its_date(self):
        entry = entry_of(-10, -10, invoice(1, 5, -10, -1000))
        assert direct(entry, -1100) == [(1, 5, -100, 0)]
        entry.costs.append(adjustment(2, 5, -100, 1))
        assert direct(entry, -1050) == [(1, 5, 50, 0)]

    def test_closed_dates_give_way_to_the_first_open_one(self):
        entry = entry_of(-10, -10, invoice(1, 5, -10, -1000))
        for first_open, posted in ((4, 5), (5, 5), (6, 6)):
            settings = Settings(first_open_date=day(first_open))
            assert direct(entry, -1100, settings) == [(1, posted, -100, 0)]

    def test_what_sources_stated_beside_it_is_left_alone(self):
        entry = entry_of(
            10,
            10,
            invoice(1, 2, 10, 1000),
            cost_of(2, 9, 50, charge=True),
            cost_of(3, 12, 70, entry_type="revaluation"),
        )
        assert direct(entry, 1000) == []
        assert direct(entry, 1100) == [(1, 2, 100, 0)]

    def test_nothing_but_a_charge(self):
        entry = entry_of(10, 4, cost_of(2, 9, 50, charge=True))
        [row] = direct_difference(entry, 1000, OPEN)
        assert shown([row]) == [(0, 2, 400, 600)]
        assert not row.first


class TestDocuments:
    def three(self, *others, actual=(-400, -400, -200)):
        """Invoices of 4, 4 and 2 on January 10, 20 and 30."""
        rows = zip((1, 2, 3), (10, 20, 30), (-4, -4, -2), actual, strict=True)
        return entry_of(-10, -10, *(invoice(*row) for row in rows), *others)

    def test_each_invoice_takes_its_part(self):
        found = direct(self.three(), -1100)
        assert found == [(1, 10, -40, 0), (2, 20, -40, 0), (3, 30, -20, 0)]

    def test_the_parts_add_up_to_the_cent(self):
        rows = ((1, 10, -1, -300), (2, 20, -1, -300), (3, 30, -1, -300))
        entry = entry_of(-3, -3, *(invoice(*row) for row in rows))
        # -333, -667 and -1000 from the first to each
        found = direct(entry, -1000)
        assert found == [(1, 10, -33, 0), (2, 20, -34, 0), (3, 30, -33, 0)]

    def test_less_what_it_was_corrected_by_already(self):
        earlier = adjustment(4, 10, -40, 1), adjustment(5, 20, -30, 2)
        found = direct(self.three(*earlier), -1200)
        assert found == [(1, 10, -40, 0), (2, 20, -50, 0), (3, 30, -40, 0)]

    def test_an_invoice_that_is_right_gets_nothing(self):
        entry = self.three(actual=(-440, -400, -220))
        assert direct(entry, -1100) == [(2, 20, -40, 0)]

    def test_a_correction_of_no_document_is_settled_on_the_last(self):
        entry = self.three(adjustment(4, 10, -20, 0))
        # 40, 40 and 20 less the 20 that are there already
        assert direct(entry, -1100) == [(1, 10, -40, 0), (2, 20, -40, 0)]
        entry = self.three(adjustment(4, 10, -10, 0))
        found = direct(entry, -1100)
        assert found == [(1, 10, -40, 0), (2, 20, -40, 0), (3, 30, -10, 0)]

    def test_though_the_last_is_right(self):
        entry = self.three(adjustment(4, 10, 20, 0), actual=(-400, -400, -220))
        found = direct(entry, -1100)
        assert found == [(1, 10, -40, 0), (2, 20, -40, 0), (3, 30, -20, 0)]

    def test_though_all_are_right(self):
        entry = self.three(adjustment(4, 10, 20, 0))
        assert direct(entry, -1000) == [(3, 30, -20, 0)]

    def test_invoices_of_one_date_are_corrected_together(self):
        entry = entry_of(
            -10,
            -8,
            delivery(1, 2, -1000),
            invoice(2, 10, -4, -400, 400),
            invoice(3, 10, -4, -400, 400),
        )
        assert direct(entry, -1100) == [(3, 10, -80, 0), (1, 2, 0, -20)]

    def test_what_is_not_invoiced_is_corrected_on_the_delivery(self):
        entry = entry_of(-10, -4, delivery(1, 2, -1000), invoice(2, 10, -4, -400, 400))
        assert direct(entry, -1100) == [(2, 10, -40, 0), (1, 2, 0, -60)]

    def test_with_the_invoice_of_the_same_date(self):
        entry = entry_of(
            -10,
            -8,
            delivery(1, 2, -1000),
            invoice(2, 2, -4, -400, 400),
            invoice(3, 10, -4, -400, 400),
        )
        assert direct(entry, -1100) == [(2, 2, -40, -20), (3, 10, -40, 0)]

    def test_without_a_delivery_on_the_last_invoice(self):
        entry = entry_of(
            -10,
            -9,
            invoice(1, 2, -3, -300, -700),
            invoice(2, 10, -3, -300, 300),
            invoice(3, 20, -3, -300, 300),
        )
        found = direct(entry, -1100)
        assert found == [(1, 2, -30, 0), (2, 10, -30, 0), (3, 20, -30, -10)]
        # only the expected part is wrong
        entry.costs.append(adjustment(4, 20, 0, 3, expected=10))
        assert direct(entry, -1000) == [(3, 20, 0, -10)]


class TestSplit:
    def split(self, entry, split, settings=OPEN):
        return [
            (row.entry_type, row.variance_type, *shown([row])[0])
            for row in split_difference(entry, split, settings)
        ]

    def back(self, invoiced, *costs):
        return entry_of(-4, invoiced, *costs, entry_type="purchase")

    def test_a_row_per_type(self):
        rows = self.split(self.back(-4), {INDIRECT: -30, DIRECT: -400})
        assert rows == [(*INDIRECT, 0, 2, -30, 0), (*DIRECT, 0, 2, -400, 0)]

    def test_expected_cost_is_direct_cost_whole(self):
        rows = self.split(self.back(0), {INDIRECT: -30, DIRECT: -400})
        assert rows == [(*DIRECT, 0, 2, 0, -430)]
        rows = self.split(self.back(-1), {INDIRECT: -32, DIRECT: -400})
        assert rows == [(*INDIRECT, 0, 2, -8, 0), (*DIRECT, 0, 2, -100, -324)]

    def test_a_first_cost_of_nothing_is_recorded(self):
        rows = self.split(self.back(-4), {INDIRECT: 0, DIRECT: 0})
        assert rows == [(*DIRECT, 0, 2, 0, 0)]
        entry = self.back(-4, invoice(1, 2, -4, 0))
        assert self.split(entry, {INDIRECT: 0, DIRECT: 0}) == []

    def test_invoicing_takes_the_expected_cost_back(self):
        entry = self.back(-4, delivery(1, 2, -430))
        rows = self.split(entry, {INDIRECT: -30, DIRECT: -400})
        assert rows == [(*INDIRECT, 1, 2, -30, 0), (*DIRECT, 1, 2, -400, 430)]

    def test_a_type_that_is_due_no_more_is_taken_back(self):
        entry = self.back(
            -4,
            invoice(1, 2, -4, -400),
            cost_of(2, 2, -5, entry_type="variance", variance_type="purchase"),
        )
        rows = self.split(entry, {INDIRECT: 0, DIRECT: -400})
        assert rows == [(*VARIANCE, 2, 2, 5, 0)]

    def test_revaluation_and_rounding_stay(self):
        entry = self.back(
            -4,
            invoice(1, 2, -4, -400),
            cost_of(2, 2, -5, entry_type="revaluation"),
            cost_of(3, 2, -1, entry_type="rounding"),
        )
        assert self.split(entry, {DIRECT: -400}) == []

    def test_corrects_the_last_document_of_its_type(self):
        entry = self.back(
            -4,
            invoice(1, 4, -4, -400),
            cost_of(2, 5, -20, entry_type="indirect_cost"),
            cost_of(3, 6, -10, entry_type="indirect_cost"),
            adjustment(4, 9, -3, 3, entry_type="indirect_cost"),
        )
        rows = self.split(entry, {INDIRECT: -40, DIRECT: -410})
        assert rows == [(*INDIRECT, 3, 6, -7, 0), (*DIRECT, 1, 4, -10, 0)]

    def test_else_the_last_direct_cost(self):
        entry = self.back(-4, invoice(1, 4, -4, -400), adjustment(2, 9, -3, 1))
        rows = self.split(entry, {INDIRECT: -30, DIRECT: -403})
        assert rows == [(*INDIRECT, 1, 4, -30, 0)]


class TestRounding:
    def test_dated_like_the_last_direct_cost(self):
        entry = entry_of(
            3, 3, invoice(1, 2, 1, 333), invoice(2, 5, 2, 667), adjustment(3, 9, 1, 2)
        )
        [row] = rounding_difference(entry, -2, OPEN)
        assert (row.entry_type, row.variance_type) == ("rounding", "")
        assert shown([row]) == [(2, 5, -2, 0)]
        assert not row.first

    def test_only_what_differs(self):
        rounded = cost_of(2, 2, -1, entry_type="rounding", adjustment=True)
        entry = entry_of(3, 3, invoice(1, 2, 3, 1000), rounded)
        assert rounding_difference(entry, -1, OPEN) == []
        assert shown(rounding_difference(entry, 2, OPEN)) == [(1, 2, 3, 0)]
        assert shown(rounding_difference(entry, 0, OPEN)) == [(1, 2, 1, 0)]

    def test_is_never_an_entry_s_first_cost(self):
        [row] = rounding_difference(entry_of(-3, -3), 1, OPEN)
        assert (row.first, row.applies_to_cost) == (False, 0)


def test_last_direct_cost():
    first, last = invoice(1, 2, 1, 10), invoice(2, 5, 1, 10)
    entry = entry_of(
        2,
        2,
        first,
        last,
        adjustment(3, 9, 1, 2),
        cost_of(4, 9, 1, entry_type="rounding"),
    )
    assert last_direct_cost(entry) is last
    entry.costs.remove(last)
    assert last_direct_cost(entry) is first
    entry.costs.remove(first)
    assert last_direct_cost(entry) is None
