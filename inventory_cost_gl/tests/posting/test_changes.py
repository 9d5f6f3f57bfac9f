"""What is said to have changed since a plan was made."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting.changes import Change, Posting, changes

DAY, NEXT_DAY = date(2026, 1, 15), date(2026, 1, 16)
POSTING = Posting(DAY, (10, 20), "")
PLAN = {(1, "actual"): (POSTING, 70), (2, "actual"): (POSTING, -5)}


def test_equal_plans_have_no_changes():
    assert changes(PLAN, dict(PLAN)) == []
    assert changes({}, {}) == []


def test_gone_and_added():
    assert changes(PLAN, {}) == [Change("gone", None, None, [1, 2])]
    assert changes({}, PLAN) == [Change("added", None, None, [1, 2])]


def test_expected_and_actual_cost_are_apart():
    now = {**PLAN, (1, "expected"): (POSTING, 9)}
    assert changes(PLAN, now) == [Change("added", None, None, [1])]


def test_another_amount():
    now = {**PLAN, (2, "actual"): (POSTING, -4)}
    assert changes(PLAN, now) == [Change("amount", None, None, [2])]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", NEXT_DAY),
        ("accounts", (10, 30)),
        ("analytic", '{"7": 100}'),
    ],
)
def test_another_posting(field, value):
    moved = POSTING._replace(**{field: value})
    now = {key: (moved, amount) for key, (_posting, amount) in PLAN.items()}
    assert changes(PLAN, now) == [Change(field, getattr(POSTING, field), value, [1, 2])]


def test_several_differences_of_one_entry():
    moved = POSTING._replace(date=NEXT_DAY, accounts=(11, 20))
    now = {**PLAN, (1, "actual"): (moved, 71)}
    assert [change.what for change in changes(PLAN, now)] == [
        "date",
        "accounts",
        "amount",
    ]


plans = st.dictionaries(
    st.tuples(st.integers(1, 5), st.sampled_from(["expected", "actual"])),
    st.tuples(
        st.builds(
            Posting,
            st.sampled_from([DAY, NEXT_DAY]),
            st.sampled_from([(10, 20), (20, 10)]),
            st.just(""),
        ),
        st.integers(-3, 3),
    ),
)


@given(plans, plans)
def test_changes_are_found_exactly_where_plans_differ(planned, present):
    named = {value_id for one in changes(planned, present) for value_id in one[3]}
    assert named == {
        key[0]
        for key in planned.keys() | present.keys()
        if planned.get(key) != present.get(key)
    }
