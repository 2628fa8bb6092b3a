"""Taking people along from older versions of a playbook to another one, by the ids of their steps.

Without it they stay on the version that they entered with. Nobody is lost on the way, and nobody gets a message twice:
the enrollment is the same, and so are the keys of what it has sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Connection, func, literal, select, update

from dsl.diff import fate
from dsl.plan import Plan, Wait, from_json
from dsl.regions import START
from ledger.plans import lock_playbook, register
from store.clock import micros
from store.schema import enrollments, journal, plans
from store.upsert import insert_new

MOVED = "(moved) "
"""How the region of a line in the journal begins that tells of a move. The version follows by which the lines before it
are to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """People of one version at one step."""

    version: str
    step: str
    """Where they stand: a wait, or `regions.START`."""
    missing: str
    """The step that the new version does not have: the wait itself, or the one that follows it."""
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    people: int
    """Now on the new version; those held out count."""
    stayed: int
    """Before whom there is nothing any more but the end: they end on their version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nobody was moved: these would have been stranded."""

    stranded: tuple[Place, ...]


def move(
    connection: Connection,
    plan: Plan,
    as_of: datetime,
    *,
    versions: Sequence[str] | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Moved | Refused:
    """Take everybody inside on `versions` (digests; default: all others) along to `plan`, or nobody.

    Who stands at a wait goes on standing at it until the same time, and then takes the steps of `plan`. `mapping` gives
    for steps that `plan` does not have one where their people go on. Raises ValueError for a mapping to no step of
    `plan`, UnknownPlaybook.
    """
    mapping = mapping or {}
    if wrong := sorted(set(mapping.values()) - {step.id for step in plan.steps}):
        raise ValueError(f"{plan.digest} of {plan.name} has no step {', '.join(wrong)}")
    # First the row that ticks hold while they let people in, so that nobody enters on an older version meanwhile.
    lock_playbook(connection, plan.name)
    register(connection, plan, as_of)
    standing = connection.execute(
        select(enrollments.c.digest, enrollments.c.step, func.count().label("people"))
        .where(
            enrollments.c.playbook == plan.name,
            enrollments.c.state == "active",
            enrollments.c.digest.in_(versions) if versions is not None else enrollments.c.digest != plan.digest,
            enrollments.c.digest != plan.digest,
        )
        .group_by(enrollments.c.digest, enrollments.c.step)
        .order_by(enrollments.c.digest, enrollments.c.step)
    ).all()
    bodies = select(plans.c.digest, plans.c.body).where(plans.c.digest.in_({row.digest for row in standing}))
    old = {row.digest: from_json(row.body) for row in connection.execute(bodies)}
    goes: dict[tuple[str, str], str] = {}
    stranded, stayed = [], 0
    for row in standing:
        to = _place(old[row.digest], plan, row.step, mapping)
        if to is None:
            stayed += row.people
        elif isinstance(to, _Missing):
            stranded.append(Place(version=row.digest, step=row.step, missing=to.step, people=row.people))
        else:
            goes[row.digest, row.step] = to
    if stranded:
        return Refused(stranded=tuple(stranded))
    people = sum(_take_along(connection, plan, digest, step, to, as_of) for (digest, step), to in goes.items())
    return Moved(people=people, stayed=stayed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    step: str


def _place(old: Plan, new: Plan, at: str, mapping: Mapping[str, str]) -> str | _Missing | None:
    """Where people go on in `new` who stand at `at` in `old`. None: only the end is before them."""
    there = {step.id for step in new.steps}
    if at in mapping and at not in there:
        return mapping[at]
    if at == START:
        return START
    step = next((step for step in old.steps if step.id == at), None)
    # What follows a wait for a time is settled already; a wait for a condition has to be asked on.
    follows = step.next if isinstance(step, Wait) and step.condition is None else at
    if follows is None:
        return at if at in there else None
    if fate(old, new, at) == "gone":
        return mapping.get(follows, _Missing(step=follows))
    return at if at in there else follows


def _take_along(connection: Connection, plan: Plan, digest: str, step: str, to: str, as_of: datetime) -> int:
    here = (
        enrollments.c.playbook == plan.name,
        enrollments.c.state == "active",
        enrollments.c.digest == digest,
        enrollments.c.step == step,
    )
    at = literal(micros(as_of), BigInteger)
    told = select(enrollments.c.id, at, literal(MOVED + digest), literal(0, BigInteger)).where(*here)
    connection.execute(insert_new(connection, journal).from_select(["enrollment_id", "at", "region", "path"], told))
    return connection.execute(update(enrollments).where(*here).values(digest=plan.digest, step=to)).rowcount
