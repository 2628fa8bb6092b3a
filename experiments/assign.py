"""Who gets which variant: a hash of the person and the experiment's name, the same in Python and in SQL.

A person's `bucket` (profiles.bucket) is uniform over 0 … P−1 and stays for life. A position is (bucket + salt)² modulo the prime
P = 2^31−1, with a salt from the name's SHA-256. Squares mix where multiples do not: for two salts s ≠ t the pair
((b+s)², (b+t)²) is equidistributed, because every complete exponential sum Σ e((h(b+s)² + k(b+t)²)/P) is a Gauss sum of size √P
at most, or a linear sum of size 0. That holds for adjacent salts too. All numbers stay below 2^63.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, false, literal, select

from dsl.plan import Experiment
from store.schema import assignments, profiles

PRIME = 2**31 - 1


def salt(name: str) -> int:
    """0 … PRIME−1, from the name of an experiment or a holdout."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % PRIME


def position(bucket: int, salt: int) -> int:
    """Where a person stands in an experiment: 0 … PRIME−1, uniform over people."""
    mixed = (bucket + salt) % PRIME
    return mixed * mixed % PRIME


def position_sql(bucket: ColumnElement[int], salt: int) -> ColumnElement[int]:
    """`position` in SQL."""
    prime = literal(PRIME, BigInteger)
    mixed = (cast(bucket, BigInteger) + literal(salt, BigInteger)) % prime
    return (mixed * mixed) % prime


def bound(percent: float) -> int:
    """Positions below this are the first `percent` of people."""
    return round(PRIME * percent / 100)


def arm(bucket: int, experiment: Experiment) -> int:
    """The number of the person's variant, from 1."""
    where, shares = position(bucket, salt(experiment.name)), 0.0
    for number, variant in enumerate(experiment.variants, start=1):
        shares += variant.share
        if where < bound(shares):
            return number
    return len(experiment.variants)


def arm_sql(experiment: Experiment) -> ColumnElement[int]:
    """The number of the person's variant, from 1, over profiles: the one stored at the first exposure as long as the
    experiment has it, else `arm`."""
    names = {variant.name: number for number, variant in enumerate(experiment.variants, start=1)}
    stored = (
        select(assignments.c.variant)
        .where(assignments.c.experiment == experiment.name, assignments.c.profile_id == profiles.c.id)
        .correlate(profiles)
        .scalar_subquery()
    )
    where, shares = position_sql(profiles.c.bucket, salt(experiment.name)), 0.0
    ways: list[tuple[ColumnElement[Any], Any]] = []
    for number, variant in enumerate(experiment.variants, start=1):
        shares += variant.share
        ways.append((where < literal(bound(shares), BigInteger), literal(number)))
    fresh = case(*ways, else_=literal(len(names)))
    return case(*((stored == name, literal(number)) for name, number in names.items()), else_=fresh)


def held_out_sql(playbook: str, percent: float) -> ColumnElement[bool]:
    """Whether a person belongs to a playbook's holdout, over profiles."""
    if not percent:
        return false()
    where = position_sql(profiles.c.bucket, salt(f"holdout of {playbook}"))
    return where < literal(bound(percent), BigInteger)
