"""Grouping of amounts into journal entries."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting.grouping import (
    DOCUMENT,
    ENTRY,
    GRANULARITIES,
    POSTING_GROUP,
    Accounts,
    Cost,
    Dimensions,
    journal_entries,
)

DAY = date(2026, 1, 15)
BOUGHT = Accounts("inventory", "direct_cost_applied", 10, 20)
SOLD = Accounts("inventory", "cogs", 10, 30)


def cost(amounts, accounts=BOUGHT, first_id=1, **values):
    """Return a cost of value entries numbered from ``first_id``."""
    ids = list(range(first_id, first_id + len(amounts)))
    values = {"date": DAY, "kind": "actual", **values}
    values.setdefault("posting_date", values["date"])
    return Cost(accounts=accounts, value_entry_ids=ids, amounts=amounts, **values)


def pairs_of(costs, granularity):
    """Return all line pairs of the journal entries."""
    return [
        pair for entry in journal_entries(costs, granularity) for pair in entry.pairs
    ]


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_positive_debits_the_first_account(granularity):
    [pair] = pairs_of([cost([70])], granularity)
    assert (pair.debit_account, pair.credit_account, pair.amount) == (10, 20, 70)
    assert (pair.debit_role, pair.credit_role) == ("inventory", "direct_cost_applied")
    assert pair.label == ""


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_negative_flips(granularity):
    [pair] = pairs_of([cost([-70], SOLD)], granularity)
    assert (pair.debit_account, pair.credit_account, pair.amount) == (30, 10, 70)
    assert (pair.debit_role, pair.credit_role) == ("cogs", "inventory")


def test_per_posting_group_documents_are_added_up():
    costs = [cost([1, 2], document="A"), cost([4], first_id=3, document="B")]
    [entry] = journal_entries(costs, POSTING_GROUP)
    [pair] = entry.pairs
    assert (entry.document, pair.amount, pair.value_entry_ids) == ("", 7, [1, 2, 3])


@pytest.mark.parametrize(
    "difference",
    [
        {"date": DAY + timedelta(days=1)},
        {"posting_date": DAY - timedelta(days=1)},
        {"accounts": SOLD},
        {"accounts": BOUGHT._replace(role2="purchase_variance")},
        {"amounts": [-5]},
        {"kind": "expected"},
        {"analytic": '{"7": 100}'},
        {"dimensions": Dimensions(cost_location=8)},
        {"dimensions": Dimensions(inventory_group=8)},
        {"dimensions": Dimensions(business_group=8)},
        {"dimensions": Dimensions(product_group=8)},
    ],
    ids=str,
)
def test_per_posting_group_keeps_apart(difference):
    other = {"amounts": [5], "first_id": 9, **difference}
    assert len(pairs_of([cost([5]), cost(**other)], POSTING_GROUP)) == 2


def test_per_document_one_pair_for_each_document_and_role_pair():
    costs = [
        cost([1], document="A", dimensions=Dimensions(cost_location=1)),
        cost([2], first_id=2, document="A", dimensions=Dimensions(cost_location=2)),
        cost([-4], SOLD, first_id=3, document="A"),
        cost([8], first_id=4, document="B"),
    ]
    entries = journal_entries(costs, DOCUMENT)
    assert [(entry.document, len(entry.pairs)) for entry in entries] == [
        ("A", 2),
        ("B", 1),
    ]
    assert [pair.amount for entry in entries for pair in entry.pairs] == [3, 4, 8]


def test_per_entry_one_pair_each_but_one_journal_entry_per_document():
    costs = [cost([1, 2], document="A"), cost([4], first_id=3, document="B")]
    entries = journal_entries(costs, ENTRY)
    assert [[pair.amount for pair in entry.pairs] for entry in entries] == [[1, 2], [4]]


def test_long_journal_entries_are_cut():
    entries = journal_entries([cost([1] * 25)], ENTRY, max_pairs=10)
    assert [len(entry.pairs) for entry in entries] == [10, 10, 5]
    assert {entry.date for entry in entries} == {DAY}


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_one_journal_entry_for_posting_dates_moved_to_the_same_date(granularity):
    costs = [
        cost([1], posting_date=DAY - timedelta(days=2), document="A"),
        cost([2], posting_date=DAY - timedelta(days=1), first_id=2, document="A"),
        cost([4], first_id=3, document="A"),
    ]
    [entry] = journal_entries(costs, granularity)
    assert entry.date == DAY
    assert [(DAY - pair.posting_date).days for pair in entry.pairs] == [2, 1, 0]


def test_increases_and_decreases_of_the_same_size_both_stay():
    """A group of zero cannot come about: its value entries would have no items."""
    pairs = pairs_of([cost([5, 3]), cost([-8], first_id=3)], POSTING_GROUP)
    assert [(pair.amount, pair.value_entry_ids) for pair in pairs] == [
        (8, [1, 2]),
        (8, [3]),
    ]


def test_decimals_stay_exact():
    amounts = [Decimal("0.1")] * 3
    assert pairs_of([cost(amounts)], POSTING_GROUP)[0].amount == Decimal("0.3")


def test_nothing_makes_nothing():
    assert journal_entries([], POSTING_GROUP) == []


@st.composite
def costs_strategy(draw):
    """Costs of few keys, so that they meet; every value entry comes once a kind."""
    costs, next_id = [], 1
    for _number in range(draw(st.integers(0, 12))):
        sign = draw(st.sampled_from([1, -1]))
        amounts = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=4))
        costs.append(
            cost(
                [sign * amount for amount in amounts],
                draw(st.sampled_from([BOUGHT, SOLD])),
                first_id=next_id,
                date=DAY + timedelta(days=draw(st.integers(0, 2))),
                kind=draw(st.sampled_from(["actual", "expected"])),
                document=draw(st.sampled_from(["", "A", "B"])),
                analytic=draw(st.sampled_from(["", '{"7": 100}'])),
                dimensions=Dimensions(draw(st.sampled_from([None, 1]))),
            )
        )
        next_id += len(amounts)
    return costs


def balances(costs):
    """Return what each date and account gets, straight from the costs."""
    result = Counter()
    for one in costs:
        result[one.date, one.accounts.account1] += sum(one.amounts)
        result[one.date, one.accounts.account2] -= sum(one.amounts)
    return {key: amount for key, amount in result.items() if amount}


@given(costs_strategy(), st.sampled_from(GRANULARITIES), st.integers(1, 5))
def test_every_amount_reaches_its_accounts_on_its_date(costs, granularity, max_pairs):
    posted = Counter()
    for entry in journal_entries(costs, granularity, max_pairs):
        for pair in entry.pairs:
            posted[entry.date, pair.debit_account] += pair.amount
            posted[entry.date, pair.credit_account] -= pair.amount
    posted = {key: amount for key, amount in posted.items() if amount}
    assert posted == balances(costs)


@given(costs_strategy(), st.sampled_from(GRANULARITIES), st.integers(1, 5))
def test_every_value_entry_is_linked_once_with_its_amount(
    costs, granularity, max_pairs
):
    given_amounts = Counter(
        (value_entry, one.kind, amount)
        for one in costs
        for value_entry, amount in zip(one.value_entry_ids, one.amounts, strict=True)
    )
    linked = Counter(
        (value_entry, pair.kind, amount)
        for entry in journal_entries(costs, granularity, max_pairs)
        for pair in entry.pairs
        for value_entry, amount in zip(pair.value_entry_ids, pair.amounts, strict=True)
    )
    assert linked == given_amounts


@given(costs_strategy(), st.sampled_from(GRANULARITIES), st.integers(1, 5))
def test_pairs_are_positive_and_journal_entries_within_the_limit(
    costs, granularity, max_pairs
):
    entries = journal_entries(costs, granularity, max_pairs)
    assert all(0 < len(entry.pairs) <= max_pairs for entry in entries)
    assert all(pair.amount > 0 for entry in entries for pair in entry.pairs)
    assert entries == sorted(entries, key=lambda entry: (entry.date, entry.document))


@given(costs_strategy())
def test_coarser_detail_never_has_more_lines(costs):
    counts = {name: len(pairs_of(costs, name)) for name in GRANULARITIES}
    assert counts[POSTING_GROUP] <= counts[ENTRY]
    assert counts[DOCUMENT] <= counts[ENTRY]
    assert counts[ENTRY] == sum(len(one.amounts) for one in costs)


@given(costs_strategy(), st.randoms())
def test_posting_group_amounts_do_not_depend_on_the_order(costs, random):
    def amounts(some):
        return Counter(
            (pair.debit_account, pair.credit_account, pair.amount)
            for pair in pairs_of(some, POSTING_GROUP)
        )

    shuffled = random.sample(costs, len(costs))
    assert amounts(costs) == amounts(shuffled)


def test_names_that_are_stored():
    """Runs keep them, and settings offer them."""
    assert GRANULARITIES == ("posting_group", "document", "entry")


def test_costs_without_document_and_distribution():
    plain = Cost(DAY, DAY, "actual", BOUGHT, [1], [5])
    [entry] = journal_entries([plain], DOCUMENT)
    assert (entry.document, entry.pairs[0].analytic) == ("", "")


def test_a_journal_entry_has_a_thousand_pairs_at_most():
    entries = journal_entries([cost([1] * 1001)], ENTRY)
    assert [len(entry.pairs) for entry in entries] == [1000, 1]


def test_each_value_entry_needs_its_amount():
    with pytest.raises(ValueError, match="shorter"):
        journal_entries([Cost(DAY, DAY, "actual", BOUGHT, [1, 2], [5])], ENTRY)
