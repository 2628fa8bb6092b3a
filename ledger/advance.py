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
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    update,
)

from dsl import regions
from dsl.plan import Branch, Experiment, Plan, Record, Schedule, Send, Wait
from dsl.regions import Walk
from ledger import actions
from ledger.actions import Acted, Given, Passing
from ledger.pause import LATE, is_paused, overdue_before
from ledger.rows import chosen, inside
from ledger.standing import Until, arrive, clock_due, wake
from store.clock import DAY, SECOND, micros
from store.engine import Store, read, write
from store.schema import enrollments, journal, profiles
from store.upsert import insert_new

MOST_ASKED = 40
"""So many values of a pass are kept: PostgreSQL's functions take a hundred arguments."""

NOBODY = -1
"""The path of an enrollment whose person is not in the store any more."""

Conditions = Mapping[str, Sequence[ColumnElement[bool]]]
Arms = Mapping[str, ColumnElement[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """How many people, by the id of the step where nothing else is said. The held-out count in `counts`, `ways`,
    `waiting`, `woken` and `ended`."""

    counts: Counter[str] = field(default_factory=Counter)
    """Took the step."""
    ways: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Took this way of a branch or experiment, by its id and the number of the way: of the arm or variant, from 1; 0 is
    none of the arms."""
    planned: Counter[str] = field(default_factory=Counter)
    """A message or a record was queued for them."""
    enrolled: Counter[str] = field(default_factory=Counter)
    """Came into the other playbook by this `enroll in`; who is held out there counts."""
    changed: Counter[str] = field(default_factory=Counter)
    """Came into the audience or left it by this step."""
    waiting: Counter[str] = field(default_factory=Counter)
    """Began this wait."""
    woken: Counter[str] = field(default_factory=Counter)
    """Went on from this wait as its condition held, before its time was up."""
    ended: Counter[str] = field(default_factory=Counter)
    """By reason: the journey is over."""
    stuck: Counter[str] = field(default_factory=Counter)
    """Due at a step that the plan does not have: nothing moves them, a person must look."""

    def add(self, other: Advanced) -> None:
        """Add what another pass did."""
        for name in ("counts", "ways", "planned", "enrolled", "changed", "waiting", "woken", "ended"):
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
    given: Given | None = None,
    wakes: Mapping[str, ColumnElement[bool]] | None = None,
    until: Mapping[str, Until] | None = None,
    asks: Mapping[str, Mapping[str, ColumnElement[Any]]] | None = None,
) -> Advanced:
    """Move everybody on `plan` who is due, until nobody is.

    `decisions` has for each branch (by its id) a condition for each arm, over `ledger.rows.inside()`; `arms` for each
    experiment the number of the person's variant, from 1. `zone` is the project's. `limit` is how many people one
    transaction moves at most. A message counts as late `late` after the person was due, and after the tick that the
    schedule promised him. `given` is what steps need that act; `wakes` has for each wait until a condition that
    condition, over `ledger.rows.inside()`; `until` for each wait until a field when that is; `asks` for each
    branch what it asks, by name, to be kept in the journal. Nobody moves in a playbook that is paused.
    """
    total = Advanced()
    digest = plan.digest
    with read(store) as connection:
        if is_paused(connection, plan.name):
            return total
    entries, steps = regions.entries(plan), {step.id for step in plan.steps}
    wakes = wakes or {}
    # Asked after all that lead to them, so that who has just come goes on at once if it is true already.
    to_ask = set(wakes)
    moved = True
    while moved:
        moved = False
        due = _due_at(store, plan.name, digest, as_of)
        others = [step for step in due if step in steps and step not in entries]
        for entry in (*others, *entries):
            if entry in to_ask:
                to_ask.remove(entry)
                with write(store) as connection:
                    woken = wake(connection, plan=plan, wait=entry, holds=wakes[entry], as_of=as_of)
                total.woken[entry] += woken
                due |= {entry: woken} if woken else {}
            if entry not in due:
                continue
            made = _region(
                plan, entry, digest, decisions, arms, as_of, zone, late, given or Given(), until or {}, asks or {}
            )
            more = True
            while more:
                with write(store) as connection:
                    people, advanced = made.run(connection, limit)
                total.add(advanced)
                to_ask |= advanced.waiting.keys() & wakes.keys()
                moved = moved or people > 0
                more = people == limit
    total.stuck.update({entry: people for entry, people in due.items() if entry not in steps | {regions.START}})
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
    plan: Plan,
    entry: str,
    digest: str,
    decisions: Conditions,
    arms: Arms,
    as_of: datetime,
    zone: str,
    late: timedelta,
    given: Given,
    until: Mapping[str, Until],
    asks: Mapping[str, Mapping[str, ColumnElement[Any]]],
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
        plan=plan, entry=entry, digest=digest, decided=decided, path=path, as_of=as_of, zone=zone, grace=grace,
        given=given, until=until,
        saw={name: value for decision in decided for name, value in asks.get(decision.id, {}).items()},
    )  # fmt: skip


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
    given: Given
    until: Mapping[str, Until]
    saw: Mapping[str, ColumnElement[Any]]
    """What the branches ask, by name."""

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
        actions.lock(connection, regions.acting(self.plan, self.entry), self.given)
        people = self._choose(connection, mark, limit)
        if not people:
            return 0, Advanced()
        passing = and_(self.due, enrollments.c["pass"] == mark)
        walks, advanced = self._walk(connection, passing)
        # Before the steps act: they may set what the branches have asked.
        self._note(connection, passing)
        acted = self._act(connection, passing, walks)
        advanced.enrolled.update(acted.enrolled)
        advanced.changed.update(acted.changed)
        self._move(connection, passing, walks)
        self._arrive(connection, walks, advanced)
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
                if not holdout and isinstance(self.plan.step(id), Send | Record):
                    done.planned[id] += people
            if taken.wait is not None:
                done.waiting[taken.wait.id] += people
            elif taken.reason is not None:
                done.ended[taken.reason] += people
        return walks, done

    def _act(self, connection: Connection, passing: ColumnElement[bool], walks: Mapping[int, Walk]) -> Acted:
        # Late counts from when the person was due: after a pause nobody gets the mail of last week.
        expires: ColumnElement[int] = enrollments.c.due_at + self.grace
        if not self.plan.schedule:
            expires = literal(micros(self.as_of) + self.grace, BigInteger)
            if (before := overdue_before(connection, self.plan.name)) is not None:
                day = LATE // timedelta(microseconds=1)
                expires = case((enrollments.c.due_at < before, enrollments.c.due_at + day), else_=expires)
        people = Passing(
            connection=connection, plan=self.plan, rows=passing, decided=self.decided, as_of=self.as_of, expires=expires
        )
        return actions.act(people, _by_step(walks), self.given)

    def _note(self, connection: Connection, passing: ColumnElement[bool]) -> None:
        at = literal(micros(self.as_of), BigInteger)
        saw: ColumnElement[Any] = null()
        if self.saw:
            build = func.json_object if connection.dialect.name == "sqlite" else func.jsonb_build_object
            pairs = list(self.saw.items())[:MOST_ASKED]
            saw = build(*(part for name, value in pairs for part in (cast(literal(name), Text), value)))
        rows = (
            select(enrollments.c.id, at, literal(self.entry), enrollments.c.path, saw)
            .select_from(inside() if self.saw else enrollments)
            .where(passing, enrollments.c.path != NOBODY)
        )
        columns = ["enrollment_id", "at", "region", "path", "saw"]
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
            due.append((here, self._due(connection, and_(passing, here), wait) if entry else null()))
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
        self, connection: Connection, here: ColumnElement[bool], wait: Wait | None
    ) -> ColumnElement[int] | ColumnElement[None]:
        if wait is None:
            return enrollments.c.due_at
        return null() if wait.field else clock_due(connection, wait, here, self.as_of, self.zone)

    def _arrive(self, connection: Connection, walks: Mapping[int, Walk], advanced: Advanced) -> None:
        """Say until when those stand who have come to a wait until a field, or let them go if that is not known."""
        for wait in {taken.wait.id: taken.wait for taken in walks.values() if taken.wait and taken.wait.field}.values():
            reason, left = arrive(
                connection, plan=self.plan, wait=wait, until=self.until[wait.id], as_of=self.as_of, zone=self.zone
            )
            if left:
                advanced.ended[reason] += left
                advanced.waiting[wait.id] -= left


def _by_step(walks: Mapping[int, Walk]) -> dict[str, list[int]]:
    """The paths that come by each step."""
    found: dict[str, list[int]] = {}
    for path, taken in walks.items():
        for step in taken.steps:
            found.setdefault(step, []).append(path)
    return found
