"""Sizes of experiments, against published values and against chance itself."""

from __future__ import annotations

import random
from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.power import detects, people_needed, smallest_difference, too_small


@pytest.mark.parametrize(
    ("baseline", "other", "power", "people"),
    [
        (0.50, 0.75, 0.9, 77),  # R, help of power.prop.test: n = 76.7
        (0.05, 0.06, 0.8, 8158),  # R: n = 8157.5
        (0.10, 0.20, 0.8, 199),  # R: n = 198.96
        (0.60, 0.70, 0.8, 356),  # R: n = 355.9
    ],
)
def test_people_as_published(baseline: float, other: float, power: float, people: int) -> None:
    assert people_needed(baseline, other - baseline, power=power) == people


def test_a_difference_as_published() -> None:
    found = smallest_difference(0.5, 50, 50, power=0.9)  # R, help of power.prop.test: p2 = 0.8026
    assert found == pytest.approx(0.3026, abs=0.00005)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0])
def test_so_many_people_see_it_as_often_as_promised(ratio: float) -> None:
    chance = random.Random(f"power {ratio}")
    first = people_needed(0.3, 0.2, ratio=ratio)
    second = round(first * ratio)
    edge, seen = NormalDist().inv_cdf(0.975), 0
    for _ in range(1500):
        one = sum(chance.random() < 0.3 for _ in range(first))
        two = sum(chance.random() < 0.5 for _ in range(second))
        mean = (one + two) / (first + second)
        spread = sqrt(mean * (1 - mean) * (1 / first + 1 / second))
        seen += abs(one / first - two / second) > edge * spread
    assert 0.76 < seen / 1500 < 0.85


@given(st.floats(0.005, 0.8), st.floats(20, 1e7), st.floats(0.1, 10))
def test_the_difference_is_the_inverse_of_the_people(baseline: float, first: float, ratio: float) -> None:
    found = smallest_difference(baseline, first, first * ratio)
    if found is None:
        assert people_needed(baseline, 1 - baseline, ratio=ratio) > first
    else:
        assert people_needed(baseline, found, ratio=ratio) <= first + 1
        if found > 1e-6:
            assert people_needed(baseline, found * 0.99, ratio=ratio) >= first - 1


def test_arms_that_see_nothing() -> None:
    assert smallest_difference(0.05, 0, 100) is None
    assert smallest_difference(0.05, 2, 2) is None
    assert smallest_difference(1.0, 1000, 1000) is None
    assert detects(0.05, [1000]) is None
    assert detects(0.05, [1000, 0]) is None


def test_the_weakest_pair_decides() -> None:
    assert detects(0.05, [5000, 4000, 1000]) == smallest_difference(0.05, 5000, 1000)


def test_too_small_is_what_misses_a_doubling() -> None:
    assert too_small(0.05, 0.06) and too_small(0.05, None) and too_small(0.0, None)
    assert not too_small(0.05, 0.05) and not too_small(0.05, 0.012)
    assert not too_small(0.0, 0.02)


@pytest.mark.parametrize(
    ("baseline", "difference", "ratio"), [(0.5, 0.0, 1), (0.9, 0.2, 1), (0.1, -0.2, 1), (0.5, 0.1, 0)]
)
def test_what_is_no_share_is_refused(baseline: float, difference: float, ratio: float) -> None:
    with pytest.raises(ValueError, match="no such shares"):
        people_needed(baseline, difference, ratio=ratio)
