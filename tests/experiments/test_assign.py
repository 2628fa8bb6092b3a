"""Assignment: uniform, independent, equal in Python and SQL, and sticky."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Engine, insert, select

from dsl.plan import Experiment, Variant
from experiments.assign import PRIME, arm, arm_sql, held_out_sql, position, position_sql, salt
from store.engine import read, write
from store.schema import assignments, profiles

PEOPLE = 200_000
CELLS = 50
# The 99.9% points of chi-square with 49 and with 9 degrees of freedom.
LIMIT_49, LIMIT_9 = 85.35, 27.88


@pytest.fixture(scope="module")
def buckets() -> list[int]:
    chance = random.Random(20261121)
    return [chance.randrange(PRIME) for _ in range(PEOPLE)]


def experiment(name: str, *shares: float) -> Experiment:
    variants = tuple(Variant(name=f"v{i}", share=share, next=None) for i, share in enumerate(shares))
    return Experiment(id=f"experiment:{name}", name=name, variants=variants)


SALTS = [0, 1, 2, 3, 1000, 1001, PRIME - 1, salt("welcome_offer"), salt("welcome_offer") + 1, salt("reminder")]


@pytest.mark.parametrize("salted", SALTS)
def test_positions_are_uniform(buckets: list[int], salted: int) -> None:
    counts = [0] * CELLS
    for bucket in buckets:
        counts[position(bucket, salted) * CELLS // PRIME] += 1
    expected = PEOPLE / CELLS
    assert sum((n - expected) ** 2 / expected for n in counts) < LIMIT_49


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (7, 8), (salt("a"), salt("a") + 1), (salt("a"), salt("b"))])
def test_two_experiments_are_independent(buckets: list[int], one: int, other: int) -> None:
    joint = [[0] * 4 for _ in range(4)]
    for bucket in buckets:
        joint[position(bucket, one) * 4 // PRIME][position(bucket, other) * 4 // PRIME] += 1
    rows, columns = [sum(row) for row in joint], [sum(column) for column in zip(*joint, strict=True)]
    chi = sum(
        (joint[i][j] - rows[i] * columns[j] / PEOPLE) ** 2 / (rows[i] * columns[j] / PEOPLE)
        for i in range(4)
        for j in range(4)
    )
    assert chi < LIMIT_9


def test_consecutive_buckets_are_spread_too() -> None:
    counts = [0] * CELLS
    for bucket in range(PEOPLE):
        counts[position(bucket, salt("welcome_offer")) * CELLS // PRIME] += 1
    assert max(counts) < 1.2 * PEOPLE / CELLS and min(counts) > 0.8 * PEOPLE / CELLS


def test_shares_are_kept(buckets: list[int]) -> None:
    test = experiment("offer", 33.4, 33.3, 33.3)
    counts = [0] * 3
    for bucket in buckets:
        counts[arm(bucket, test) - 1] += 1
    assert all(abs(n / PEOPLE - share / 100) < 0.004 for n, share in zip(counts, (33.4, 33.3, 33.3), strict=True))


def people(engine: Engine, buckets: list[int]) -> None:
    rows = [{"id": i, "bucket": b, "created_at": 0, "custom": {}, "set_at": {}} for i, b in enumerate(buckets, start=1)]
    with write(engine) as connection:
        connection.execute(insert(profiles), rows)


def test_sql_says_what_python_says(engine: Engine, buckets: list[int]) -> None:
    some = [0, 1, PRIME - 1, PRIME - 2, *buckets[:2000]]
    people(engine, some)
    test = experiment("offer", 20, 30.5, 49.5)
    with read(engine) as connection:
        for salted in (0, PRIME - 1, salt("offer")):
            found = connection.execute(select(profiles.c.bucket, position_sql(profiles.c.bucket, salted))).all()
            assert [where for _, where in found] == [position(bucket, salted) for bucket, _ in found]
        chosen = connection.execute(select(profiles.c.bucket, arm_sql(test))).all()
        assert [number for _, number in chosen] == [arm(bucket, test) for bucket, _ in chosen]


def test_a_stored_assignment_goes_before_the_hash(engine: Engine) -> None:
    people(engine, list(range(50)))
    with write(engine) as connection:
        connection.execute(
            insert(assignments),
            [{"experiment": "offer", "profile_id": i, "playbook": "p", "variant": "v1", "at": 0} for i in range(1, 51)],
        )
        changed = experiment("offer", 99, 1)
        assert set(connection.scalars(select(arm_sql(changed)))) == {2}
        gone = Experiment(id="e", name="offer", variants=(Variant(name="new", share=100, next=None),))
        assert set(connection.scalars(select(arm_sql(gone)))) == {1}


def test_holdouts_hold_their_share_and_nobody_at_zero(engine: Engine, buckets: list[int]) -> None:
    people(engine, buckets[:20_000])
    with read(engine) as connection:
        held = sum(bool(out) for out in connection.scalars(select(held_out_sql("win_back", 10))))
        other = [bool(out) for out in connection.scalars(select(held_out_sql("welcome", 0)))]
    assert 1850 < held < 2150
    assert not any(other)
