"""A few thousand damaged playbooks, each run with others: `python -m tests.dsl.fuzz` tries more."""

from __future__ import annotations

import random

import pytest

from dsl.codes import CODES
from tests.dsl.fuzz import SLOWER, corpus, damaged, slowest

INPUTS = 750


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_there_is_a_tree_and_nothing_is_raised(seed: int) -> None:
    worst, codes = slowest(INPUTS, seed)
    assert worst < SLOWER
    assert set(codes) <= set(CODES)
    assert len(codes) > 40, "the damages do not reach far"


def test_the_damages_can_be_made_again_and_leave_little_as_it_was() -> None:
    texts = corpus()
    again = [[damaged(text, random.Random(seed)) for seed, text in enumerate(texts)] for _ in range(2)]
    assert again[0] == again[1]
    same = sum(one == whole for one, whole in zip(again[0], texts, strict=True))
    assert same < len(texts) / 5
