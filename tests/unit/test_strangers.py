"""Messages about nothing taught: how many are expected, and where refusing them pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.scoring import Vector
from bot.understanding.strangers import best_cut, learn_membership, share_of_strangers, told_apart

GENERATOR = np.random.default_rng(5)


def around(mean: float, count: int) -> Vector:
    return GENERATOR.normal(mean, 0.4, count).astype(np.float32)


def test_that_few_phrases_expect_strangers_and_thousands_do_not() -> None:
    assert share_of_strangers(300) == 0.5
    assert share_of_strangers(10_000) < 0.001


def test_that_the_cut_lies_between_known_and_strangers() -> None:
    known, strangers = around(1.5, 400), around(0.0, 400)
    cut = best_cut(known, np.ones(400, dtype=bool), strangers)
    assert 0.4 < cut < 1.1


def test_that_what_looks_alike_is_not_refused() -> None:
    known, strangers = around(0.5, 400), around(0.4, 400)
    assert best_cut(known, np.ones(400, dtype=bool), strangers) == known.min()
    assert learn_membership(known, strangers) is None


def test_that_thousands_of_phrases_are_a_closed_set() -> None:
    known, strangers = around(1.5, 9_000), around(0.0, 9_000)
    right = np.ones(9_000, dtype=bool)
    assert (known < best_cut(known, right, strangers)).mean() < 0.001
    membership = learn_membership(known, strangers)
    assert membership is not None
    assert membership.share(0.5) > 0.99


def test_that_membership_rises_with_familiarity() -> None:
    membership = learn_membership(around(1.5, 400), around(0.0, 400))
    assert membership is not None
    shares = [membership.share(familiar) for familiar in (-0.5, 0.0, 0.7, 1.5)]
    assert shares == sorted(shares)
    assert shares[0] < 0.5 < 0.95 < shares[-1]


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=30),
    st.lists(st.integers(-50, 50), min_size=1, max_size=30),
)
def test_that_told_apart_counts_the_pairs(known: list[int], strangers: list[int]) -> None:
    pairs = [(one > other) + 0.5 * (one == other) for one in known for other in strangers]
    found = told_apart(np.array(known, dtype=np.float32), np.array(strangers, dtype=np.float32))
    assert found == pytest.approx(sum(pairs) / len(pairs))
