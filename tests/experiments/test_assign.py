"""Arms are uniform over people, independent between experiments, and the same in Python and in both databases.

The bounds are those of chi-square tests at p = 1e-6 with a fixed seed: no run fails by chance, and a mixer that is not
uniform fails by orders of magnitude (`test_multiplying_alone_would_fail` shows it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from random import Random

import pytest
from sqlalchemy import Engine, insert, select

from dsl.plan import Experiment, Variant
from experiments.assign import PRIME, arm, arm_sql, held_out, held_out_sql, position, position_sql, salt, sticky_arm_sql
from store.engine import write
from store.schema import assignments, profiles

PEOPLE = 200_000
NEIGHBOURS = [
    1,
    2,
    3,
    4,
    1_000_000_007,
    1_000_000_008,
    PRIME - 2,
    PRIME - 1,
    salt("experiment:a"),
    salt("experiment:b"),
]
LIMIT = {1: 23.9, 2: 27.7, 3: 30.7, 19: 64, 63: 132, 99: 182}
"""The chi-square value that chance exceeds once in a million, by degrees of freedom."""


@pytest.fixture(scope="module")
def buckets() -> list[int]:
    random = Random(20260330)
    return [random.randrange(PRIME) for _ in range(PEOPLE)]


@pytest.fixture(scope="module")
def twentieths(buckets: list[int]) -> Callable[[int], list[int]]:
    """By salt: in which twentieth of the range each person stands."""
    return cache(lambda grain: [position(bucket, grain) * 20 // PRIME for bucket in buckets])


def chi_square(counts: Counter[int], cells: int) -> float:
    expected = sum(counts.values()) / cells
    return sum((counts[cell] - expected) ** 2 / expected for cell in range(cells))


@pytest.mark.parametrize("grain", NEIGHBOURS)
def test_uniform_under_every_salt(twentieths: Callable[[int], list[int]], grain: int) -> None:
    assert chi_square(Counter(twentieths(grain)), 20) < LIMIT[19]


@pytest.mark.parametrize(("one", "other"), [*pairwise(NEIGHBOURS), (1, 3), (1, PRIME - 1)])
def test_two_salts_are_independent(twentieths: Callable[[int], list[int]], one: int, other: int) -> None:
    pairs = zip(twentieths(one), twentieths(other), strict=True)
    assert chi_square(Counter(a // 2 * 10 + b // 2 for a, b in pairs), 100) < LIMIT[99]


def test_three_salts_in_a_row_are_independent(twentieths: Callable[[int], list[int]]) -> None:
    """Squaring once would tie them together: p(s) − 2 p(s+1) + p(s+2) would always be 2."""
    triples = zip(twentieths(1), twentieths(2), twentieths(3), strict=True)
    assert chi_square(Counter(a // 5 * 16 + b // 5 * 4 + c // 5 for a, b, c in triples), 64) < LIMIT[63]


def test_close_buckets_part() -> None:
    """Buckets are hashes, but nothing should hang on that: people with numbers in a row spread as well."""
    counts = Counter(position(bucket, salt("x")) * 20 // PRIME for bucket in range(PEOPLE))
    assert chi_square(counts, 20) < LIMIT[19]


def test_multiplying_alone_would_fail(buckets: list[int]) -> None:
    """The tests above can tell: this mixer is as uniform, but neighbouring salts go together."""
    counts = Counter((b * 3 % PRIME * 10 // PRIME) * 10 + b * 4 % PRIME * 10 // PRIME for b in buckets)
    assert chi_square(counts, 100) > 10_000


def experiment(*shares: float, name: str = "subject_line") -> Experiment:
    variants = tuple(Variant(name=f"v{n}", share=share, next=None) for n, share in enumerate(shares))
    return Experiment(id="e", name=name, variants=variants)


@pytest.mark.parametrize("shares", [(50, 50), (33.3, 33.3, 33.4), (90, 9.5, 0.5), (30, 30, 30, 10), (100,)])
def test_arms_get_their_shares(buckets: list[int], shares: tuple[float, ...]) -> None:
    counts = Counter(arm(bucket, experiment(*shares)) for bucket in buckets)
    expected = [share / 100 * PEOPLE for share in shares]
    assert set(counts) <= set(range(1, len(shares) + 1))
    assert sum((counts[n] - e) ** 2 / e for n, e in enumerate(expected, 1)) < LIMIT.get(len(shares) - 1, 1e-9)


def test_experiment_and_holdout_of_one_name_are_independent(buckets: list[int]) -> None:
    held = [bucket for bucket in buckets if held_out(bucket, "same", 20)]
    arms = Counter(arm(bucket, experiment(50, 50, name="same")) for bucket in held)
    assert abs(len(held) - PEOPLE * 0.2) < 5 * (PEOPLE * 0.2 * 0.8) ** 0.5
    assert abs(arms[1] - len(held) / 2) < 5 * (len(held) / 4) ** 0.5


def test_nobody_and_everybody_held_out() -> None:
    assert not any(held_out(bucket, "p", 0) for bucket in (0, 1, PRIME - 1))
    assert all(held_out(bucket, "p", 100) for bucket in (0, 1, PRIME - 1))


def test_an_arm_does_not_change_with_the_release() -> None:
    """Positions are part of what a store remembers: another formula would move people between arms."""
    assert salt("experiment:subject_line") == 816839385
    assert [position(bucket, 12345) for bucket in (0, 1, 2, PRIME - 1)] == [322376603, 380112689, 119499102, 2093478199]


def test_sql_is_python(engine: Engine) -> None:
    random = Random(7)
    those = [0, 1, 2, PRIME // 2, PRIME - 2, PRIME - 1, *(random.randrange(PRIME) for _ in range(2000))]
    rows = [
        {"id": id, "bucket": bucket, "created_at": 0, "custom": {}, "set_at": {}} for id, bucket in enumerate(those)
    ]
    test = experiment(33.3, 33.3, 33.4)
    bucket = profiles.c.bucket
    asked = [position_sql(bucket, grain) for grain in (0, *NEIGHBOURS)]
    with write(engine) as conn:
        conn.execute(insert(profiles), rows)
        found = conn.execute(
            select(bucket, arm_sql(bucket, test), held_out_sql(bucket, "p", 12.5), *asked).order_by(profiles.c.id)
        ).all()
    assert [tuple(row) for row in found] == [
        (b, arm(b, test), held_out(b, "p", 12.5), *(position(b, grain) for grain in (0, *NEIGHBOURS))) for b in those
    ]


def test_one_arm_and_no_holdout(engine: Engine) -> None:
    with write(engine) as conn:
        conn.execute(insert(profiles), {"id": 1, "bucket": 0, "created_at": 0, "custom": {}, "set_at": {}})
        asked = arm_sql(profiles.c.bucket, experiment(100)), held_out_sql(profiles.c.bucket, "p", 0)
        assert conn.execute(select(*asked).select_from(profiles)).all() == [(1, False)]


def test_an_experiment_without_variants_is_refused() -> None:
    with pytest.raises(ValueError, match="the experiment subject_line has no variants"):
        arm(0, experiment())


def test_the_first_exposure_goes_before_the_hash(engine: Engine) -> None:
    people = [{"id": i, "bucket": i, "created_at": 0, "custom": {}, "set_at": {}} for i in range(1, 51)]
    seen = [{"experiment": "offer", "profile_id": i, "playbook": "p", "variant": "b", "at": 0} for i in range(1, 51)]
    halves = tuple(Variant(name=name, share=share, next=None) for name, share in (("a", 99.0), ("b", 1.0)))
    changed = Experiment(id="experiment:offer", name="offer", variants=halves)
    gone = Experiment(id="e", name="offer", variants=(Variant(name="new", share=100.0, next=None),))
    with write(engine) as connection:
        connection.execute(insert(profiles), people)
        assert set(connection.scalars(select(sticky_arm_sql(changed)).select_from(profiles))) >= {1}
        connection.execute(insert(assignments), seen)
        assert set(connection.scalars(select(sticky_arm_sql(changed)).select_from(profiles))) == {2}
        assert set(connection.scalars(select(sticky_arm_sql(gone)).select_from(profiles))) == {1}
