"""Which arm of an experiment a person gets, and who is held out: the same answer always, from a stored number.

Each person has a bucket, uniform over 0 … 2^31−2. A salt, from the hashed name of the experiment, mixes it into a
position over the same range, and shares cut the range into arms. The mixer adds the salt and squares, twice, modulo the
prime 2^31−1, so that positions under two salts are independent of each other, neighbouring salts too; that multiplying
alone is not enough was measured. Every product stays below 2^62, so both databases compute what Python does.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, false, literal, literal_column, select

from dsl import plan
from store.schema import assignments, profiles

PRIME = 2**31 - 1
"""Buckets and positions are 0 … PRIME − 1."""


@lru_cache(maxsize=1024)
def salt(name: str) -> int:
    """31 bits of a name's SHA-256."""
    return int.from_bytes(sha256(name.encode()).digest()[:8]) % PRIME


def position(bucket: int, salt: int) -> int:
    """Where a person stands in the experiment, 0 … PRIME − 1."""
    once = (bucket + salt) % PRIME
    twice = (once * once + salt) % PRIME
    return twice * twice % PRIME


def position_sql(bucket: ColumnElement[Any], salt: int) -> ColumnElement[int]:
    """`position` over a column with buckets."""
    prime: ColumnElement[int] = literal_column(str(PRIME), BigInteger())
    grain = literal(salt, BigInteger())
    once = (cast(bucket, BigInteger()) + grain) % prime
    twice = (once * once + grain) % prime
    return twice * twice % prime


def arm(bucket: int, experiment: plan.Experiment) -> int:
    """The number of a person's arm among `experiment.variants`, from 1."""
    where = position(bucket, salt(f"experiment:{experiment.name}"))
    return next((n for n, end in enumerate(_ends(experiment), 1) if where < end), len(experiment.variants))


def arm_sql(bucket: ColumnElement[Any], experiment: plan.Experiment) -> ColumnElement[int]:
    """`arm` over a column with buckets. Raises ValueError for an experiment without variants."""
    where = position_sql(bucket, salt(f"experiment:{experiment.name}"))
    *ends, _ = list(enumerate(_ends(experiment), 1))
    last: ColumnElement[int] = literal_column(str(len(experiment.variants)))
    return case(*((where < end, literal_column(str(n))) for n, end in ends), else_=last) if ends else last


def held_out(bucket: int, playbook: str, share: float) -> bool:
    """Whether a person is among the `share` percent of a playbook who are measured and sent nothing."""
    return position(bucket, salt(f"holdout:{playbook}")) < _cut(share)


def held_out_sql(bucket: ColumnElement[Any], playbook: str, share: float) -> ColumnElement[bool]:
    """`held_out` over a column with buckets."""
    return position_sql(bucket, salt(f"holdout:{playbook}")) < _cut(share) if share else false()


def _cut(percent: float | Decimal) -> int:
    """The position below which so many percent stand."""
    return int(PRIME * Decimal(str(percent)) / 100)


def _ends(experiment: plan.Experiment) -> tuple[int, ...]:
    """Where each variant's part of the range ends."""
    if not experiment.variants:
        raise ValueError(f"the experiment {experiment.name} has no variants")
    return _cuts(tuple(variant.share for variant in experiment.variants))


@lru_cache(maxsize=1024)
def _cuts(shares: tuple[float, ...]) -> tuple[int, ...]:
    """Shares are added up as decimals: 33.3 is not a binary number."""
    return tuple(_cut(total) for total in accumulate(Decimal(str(share)) for share in shares))


def sticky_arm_sql(experiment: plan.Experiment) -> ColumnElement[int]:
    """Over profiles the arm of the person's first exposure, as long as the experiment has it, else `arm`."""
    stored = (
        select(assignments.c.variant)
        .where(assignments.c.experiment == experiment.name, assignments.c.profile_id == profiles.c.id)
        .correlate(profiles)
        .scalar_subquery()
    )
    fresh = arm_sql(profiles.c.bucket, experiment)
    numbers = enumerate(experiment.variants, 1)
    return case(*((stored == variant.name, literal_column(str(n))) for n, variant in numbers), else_=fresh)
