"""Cost that depends on itself is found, wherever it hides."""

import random

import pytest
from costing.loops import find_loop


def test_no_pairs():
    assert find_loop([]) == []


def test_a_chain_and_a_diamond_are_no_loops():
    assert find_loop([(1, 2), (2, 3), (1, 3), (3, 4), (2, 4)]) == []


@pytest.mark.parametrize(
    "pairs",
    [
        [(7, 7)],
        [(1, 2), (2, 1)],
        [(5, 6), (1, 2), (2, 3), (3, 1), (3, 5)],
    ],
)
def test_a_loop_is_a_closed_path_along_the_pairs(pairs):
    loop = find_loop(pairs)
    assert loop[0] == loop[-1]
    assert all(step in pairs for step in zip(loop, loop[1:], strict=False))


@pytest.mark.parametrize("seed", range(20))
def test_any_pair_that_leads_back_makes_a_loop(seed):
    chance = random.Random(seed)
    ids = list(range(50))
    chance.shuffle(ids)
    pairs = [
        (ids[early], ids[late])
        for early, late in (sorted(chance.sample(range(50), 2)) for _pair in range(200))
    ]
    assert find_loop(pairs) == []
    assert find_loop([*pairs, (pairs[0][1], pairs[0][0])])


def test_a_long_chain_needs_no_recursion():
    pairs = [(number, number + 1) for number in range(100_000)]
    assert find_loop(pairs) == []
    assert len(find_loop([*pairs, (100_000, 0)])) == 100_002
