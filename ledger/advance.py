"""Moving people on: one pass over everybody who is due in a region, in one transaction.

A pass writes for each person which way he takes (`enrollments.path`), walks the few distinct ways over the plan, and
writes what they come to: the queue, exposures to experiments, the journal, and where each person stands next. It takes
statements by the number of steps, never by the number of people.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    select,
    update,
)

from dsl import regions
from dsl.plan import Branch, Experiment, Plan, Schedule, Send, Wait
from dsl.regions import Walk
from ledger import waits
from ledger.rows import chosen, inside
from store.clock import DAY, SECOND, micros
from store.engine import Store, read, write
from store.schema import assignments, enrollments, journal, outbox, profiles
from store.upsert import insert_new

NOBODY = -1
"""The path of an enrollment whose person is not in the store any more."""

Conditions = Mapping[str, Sequence[ColumnElement[bool]]]
Arms = Mapping[str, ColumnElement[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """How many people, by the id of the step where nothing else is said. The held-out count in all but `planned`."""

    counts: Counter[str] = field(default_factory=Counter)
    """Took the step."""
    ways: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Took this way of a branch or experiment, by its id and the number of the way: of the arm or variant, from 1; 0 is
    none of the arms."""
    planned: Counter[str] = field(default_factory=Counter)
    """A message was queued for them."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Began this wait."""
    ended: Counter[str] = field(default_factory=Counter)
    """By reason: the journey is over."""
    stuck: Counter[str] = field(default_factory=Counter)
    """Due at a step that the plan does not have: nothing moves them, a person must look."""

    def add(self, other: Advanced) -> None:
        """Add what another pass did."""
        for name in ("counts", "ways", "planned", "waiting", "ended"):
            getattr(self, name).update(getattr(other, name))


def advance(
    store: Store,
    *,
    plan: Plan,
    decisions: Conditions,
    arms: Arms,
    as_of: datetime,
    zone: str,
    limit: int = 100_000,
    late: timedelta = timedelta(hours=24),
) -> Advanced:
    """Move everybody on `plan` who is due, until nobody is.

    `decisions` has for each branch (by its id) a condition for each arm, over `ledger.rows.inside()`; `arms` for each
    experiment the number of the person's variant, from 1. `zone` is the project's. `limit` is how many people one
    transaction moves at most. A message counts as late `late` after the person was due, and after the tick that the
    schedule promised him.
    """
    total = Advanced()
    digest = plan.digest
    entries = regions.entries(plan)
    moved = True
    while moved:
        moved = False
        due = _due_at(store, plan.name, digest, as_of)
        for entry in entries:
            if entry not in due:
                continue
            made = _region(plan, entry, digest, decisions, arms, as_of, zone, late)
            more = True
            while more:
                with write(store) as connection:
                    people, advanced = made.run(connection, limit)
                total.add(advanced)
                moved = moved or people > 0
                more = people == limit
    total.stuck.update({entry: people for entry, people in due.items() if entry not in entries})
    return total


def _due_at(store: Store, playbook: str, digest: str, as_of: datetime) -> dict[str, int]:
    """How many people are due, by the region that comes next for them."""
    with read(store) as connection:
        rows = connection.execute(
            select(enrollments.c.step, func.count().label("people"))
            .where(
                enrollments.c.playbook == playbook,
                enrollments.c.state == "active",
                enrollments.c.due_at <= micros(as_of),
                enrollments.c.digest == digest,
            )
            .group_by(enrollments.c.step)
        )
        return {row.step: row.people for row in rows}


def _region(
    plan: Plan, entry: str, digest: str, decisions: Conditions, arms: Arms, as_of: datetime, zone: str, late: timedelta
) -> _Region:
    decided = regions.decisions(plan, entry)
    path: ColumnElement[int] = literal(0, BigInteger)
    for decision, shift in zip(decided, regions.shifts(decided), strict=True):
        if isinstance(decision, Branch):
            held = enumerate(decisions[decision.id], start=1)
            choice: ColumnElement[int] = case(*((condition, number) for number, condition in held), else_=0)
        else:
            choice = arms[decision.id]
        path = path + cast(choice, BigInteger) * literal(1 << shift, BigInteger)
    grace = late // timedelta(microseconds=1) + _interval(plan.schedule)
    return _Region(
        plan=plan, entry=entry, digest=digest, decided=decided, path=path, as_of=as_of, zone=zone, grace=grace
    )


def _interval(schedule: Schedule | None) -> int:
    """Microseconds between two ticks. Without a schedule nobody promised one: a week."""
    match schedule:
        case Schedule(seconds=int(seconds)):
            return seconds * SECOND
        case Schedule(weekday=None):
            return DAY
    return 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    plan: Plan
    entry: str
    digest: str
    decided: tuple[Branch | Experiment, ...]
    path: ColumnElement[int]
    as_of: datetime
    zone: str
    grace: int

    @property
    def due(self) -> ColumnElement[bool]:
        return and_(
            enrollments.c.playbook == self.plan.name,
            enrollments.c.state == "active",
            enrollments.c.step == self.entry,
            enrollments.c.due_at <= micros(self.as_of),
            enrollments.c.digest == self.digest,
        )

    def run(self, connection: Connection, limit: int) -> tuple[int, Advanced]:
        """One pass over at most `limit` people. Returns how many there were."""
        mark = uuid.uuid4().hex
        people = self._choose(connection, mark, limit)
        if not people:
            return 0, Advanced()
        passing = and_(self.due, enrollments.c["pass"] == mark)
        walks, advanced = self._walk(connection, passing)
        self._queue(connection, passing, walks)
        self._expose(connection, passing, walks)
        self._note(connection, passing)
        self._move(connection, passing, walks)
        return people, advanced

    def _choose(self, connection: Connection, mark: str, limit: int) -> int:
        """Take the people and write their paths. Those whom another tick is moving just now are left to it."""
        path = case((profiles.c.id.is_(None), NOBODY), else_=self.path)
        rows = (
            select(enrollments.c.id, path.label("path"))
            .select_from(inside())
            .where(self.due)
            .order_by(enrollments.c.due_at)
            .limit(limit)
            .with_for_update(of=enrollments, skip_locked=True)
        )
        due = chosen(connection, rows, "due")
        taken = update(enrollments).where(enrollments.c.id == due.c.id).values({"pass": mark, "path": due.c.path})
        return connection.execute(taken).rowcount

    def _walk(self, connection: Connection, passing: ColumnElement[bool]) -> tuple[dict[int, Walk], Advanced]:
        walks: dict[int, Walk] = {}
        done = Advanced()
        groups = connection.execute(
            select(enrollments.c.path, enrollments.c.holdout, func.count().label("people"))
            .where(passing)
            .group_by(enrollments.c.path, enrollments.c.holdout)
        )
        for path, holdout, people in groups:
            if path == NOBODY:
                done.ended["nobody"] += people
                continue
            choices = regions.unpack(self.decided, path)
            if path not in walks:
                walks[path] = regions.walk(self.plan, self.entry, choices)
            taken = walks[path]
            for id in taken.steps:
                done.counts[id] += people
                if id in choices:
                    done.ways[id, choices[id]] += people
                if not holdout and isinstance(self.plan.step(id), Send):
                    done.planned[id] += people
            if taken.wait is not None:
                done.waiting[taken.wait.id] += people
            elif taken.reason is not None:
                done.ended[taken.reason] += people
        return walks, done

    def _queue(self, connection: Connection, passing: ColumnElement[bool], walks: Mapping[int, Walk]) -> None:
        now = micros(self.as_of)
        # Late counts from when the person was due: after a pause nobody gets the mail of last week.
        expires = enrollments.c.due_at + self.grace if self.plan.schedule else literal(now + self.grace, BigInteger)
        for step, paths in _by_step(walks).items():
            send = self.plan.step(step)
            if not isinstance(send, Send):
                continue
            row = {
                "playbook": enrollments.c.playbook,
                "enrollment_id": enrollments.c.id,
                "step": literal(step),
                # A plan has no loops, so a step comes once.
                "occurrence": literal(1),
                "profile_id": enrollments.c.profile_id,
                "digest": enrollments.c.digest,
                "channel": literal(send.channel),
                "template": literal(send.template),
                "state": literal("planned"),
                "planned_at": literal(now, BigInteger),
                "due_at": literal(now, BigInteger),
                "expires_at": expires,
            }
            rows = select(*row.values()).where(passing, enrollments.c.holdout == false(), enrollments.c.path.in_(paths))
            connection.execute(insert_new(connection, outbox).from_select(list(row), rows))

    def _expose(self, connection: Connection, passing: ColumnElement[bool], walks: Mapping[int, Walk]) -> None:
        for step, paths in _by_step(walks).items():
            experiment = self.plan.step(step)
            if not isinstance(experiment, Experiment):
                continue
            choices = {path: regions.unpack(self.decided, path)[step] for path in paths}
            variant = case(
                {path: experiment.variants[i - 1].name for path, i in choices.items()}, value=enrollments.c.path
            )
            row = {
                "experiment": literal(experiment.name),
                "profile_id": enrollments.c.profile_id,
                "playbook": enrollments.c.playbook,
                "variant": variant,
                "at": literal(micros(self.as_of), BigInteger),
            }
            rows = select(*row.values()).where(passing, enrollments.c.holdout == false(), enrollments.c.path.in_(paths))
            connection.execute(insert_new(connection, assignments).from_select(list(row), rows))

    def _note(self, connection: Connection, passing: ColumnElement[bool]) -> None:
        at = literal(micros(self.as_of), BigInteger)
        rows = select(enrollments.c.id, at, literal(self.entry), enrollments.c.path).where(
            passing, enrollments.c.path != NOBODY
        )
        columns = ["enrollment_id", "at", "region", "path"]
        connection.execute(insert_new(connection, journal).from_select(columns, rows))

    def _move(self, connection: Connection, passing: ColumnElement[bool], walks: Mapping[int, Walk]) -> None:
        now = micros(self.as_of)
        ends: dict[tuple[str | None, Wait | None, str | None], list[int]] = {}
        for path, taken in walks.items():
            ends.setdefault((taken.next_entry, taken.wait, taken.reason), []).append(path)
        step, due, state, reason, ended = [], [], [], [], []
        for (entry, wait, why), paths in ends.items():
            here = enrollments.c.path.in_(paths)
            step.append((here, literal(entry) if entry else null()))
            due.append((here, self._due(connection, passing, wait, paths) if entry else null()))
            state.append((here, literal("active" if entry else "done")))
            reason.append((here, literal(why) if why else null()))
            ended.append((here, null() if entry else literal(now, BigInteger)))
        nobody = enrollments.c.path == NOBODY
        connection.execute(
            update(enrollments)
            .where(passing)
            .values(
                {
                    "step": case(*step, (nobody, null())),
                    "due_at": cast(case(*due, (nobody, null())), BigInteger),
                    "state": case(*state, (nobody, literal("left"))),
                    "reason": case(*reason, (nobody, literal("nobody"))),
                    "ended_at": cast(case(*ended, (nobody, literal(now, BigInteger))), BigInteger),
                    "pass": None,
                    "path": None,
                }
            )
        )

    def _due(
        self, connection: Connection, passing: ColumnElement[bool], wait: Wait | None, paths: Sequence[int]
    ) -> ColumnElement[int]:
        if wait is None:
            return enrollments.c.due_at
        project = waits.zone_of(None, self.zone)
        otherwise = literal(micros(waits.over_at(wait, self.as_of, project)), BigInteger)
        if wait.time is None and wait.weekday is None:
            return otherwise
        zones = connection.scalars(
            select(profiles.c.time_zone)
            .distinct()
            .join(enrollments, enrollments.c.profile_id == profiles.c.id)
            .where(passing, enrollments.c.path.in_(paths), profiles.c.time_zone.is_not(None))
        )
        # What is no zone is left to the project's, so this holds no more than there are zones in the world.
        same: dict[int, list[str]] = {}
        for name in zones:
            if (zone := waits.zone_of(name, self.zone)).key == name:
                same.setdefault(micros(waits.over_at(wait, self.as_of, zone)), []).append(name)
        if not same:
            return otherwise
        local = case(
            *((profiles.c.time_zone.in_(names), literal(at, BigInteger)) for at, names in same.items()), else_=otherwise
        )
        return select(local).where(profiles.c.id == enrollments.c.profile_id).scalar_subquery()


def _by_step(walks: Mapping[int, Walk]) -> dict[str, list[int]]:
    """The paths that come by each step."""
    found: dict[str, list[int]] = {}
    for path, taken in walks.items():
        for step in taken.steps:
            found.setdefault(step, []).append(path)
    return found
