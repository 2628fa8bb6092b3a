"""What an experiment can be expected to see: how many people come to it, and how many of them convert by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    select,
    true,
)

from dsl.plan import Experiment, Plan, StartOn
from experiments.power import detects, people_needed, too_small
from flows.expressions import Expressions, measured
from ledger.rows import started
from store.clock import SECOND, micros
from store.schema import assignments, enrollments, events, playbooks

LOOKED_AT = timedelta(days=28)
"""How far back entries and starting events are counted."""
LONGER = timedelta(days=90)
"""How far back conversions are looked for."""
ENOUGH = 100
"""People from whom a share is told. Fewer say nothing about 5 %."""
ASSUMED = 0.05
"""The baseline where none is known."""
SOME = 20
"""People from whom it is told how many come to an experiment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many people come in on a day."""

    per_day: float | None
    """None: it cannot be known yet."""
    source: Literal["ledger", "events", "unknown"]
    """From past entries; from past events that would have started it (`only if` not asked); from nothing."""
    days: float = 0.0
    """How many days were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One experiment before it is run. Shares are 0 … 1."""

    step: str
    name: str
    arms: tuple[tuple[str, int], ...]
    """Expected people in each arm."""
    only_now: bool
    """It is not known how many come in on a day: these are of the people who would enter now alone."""
    days: int
    """In so many days."""
    reach: float
    """The share of those who enter that comes to the experiment."""
    reach_known: bool
    """False: taken as if all of them did."""
    measure: str | None
    """The event that is measured."""
    baseline: float
    """The share that does what is measured within its time, without the experiment."""
    baseline_people: int
    """From so many people in the past; 0: it is not known, and ASSUMED."""
    difference: float | None
    """The smallest increase that could be detected; None: none, or not known."""
    needed: int | None
    """People an arm to see a fifth more than the baseline, for scale."""

    @property
    def warning(self) -> str | None:
        """Why it is too small for the expected traffic, in a sentence; None: it is not, or that is not known."""
        if self.measure is None or self.only_now or not self.reach or not too_small(self.baseline, self.difference):
            return None
        smallest = min(people for _, people in self.arms)
        sees = (
            "sees no difference at all"
            if self.difference is None
            else f"sees only differences of {self.difference:.1%} or more".replace("%", " points")
        )
        convert = "convert" if self.baseline_people else "are assumed to convert"
        needs = f" To see a fifth more it needs {self.needed:,} people an arm." if self.needed else ""
        return (
            f"The experiment `{self.name}` is too small for the expected traffic: with {smallest:,} people an "
            f"arm in {self.days} days it {sees}, and {self.baseline:.1%} {convert} by themselves.{needs}"
        )

    def as_json(self) -> dict[str, Any]:
        """As `winback plan --json` prints it."""
        return {
            "name": self.name,
            "step": self.step,
            "days": self.days,
            "arms": [{"name": name, "people": people} for name, people in self.arms],
            "only_now": self.only_now,
            "reach": round(self.reach, 4),
            "reach_known": self.reach_known,
            "measure": self.measure,
            "baseline": round(self.baseline, 5),
            "baseline_people": self.baseline_people,
            "detects": None if self.difference is None else round(self.difference, 5),
            "too_small": self.warning,
        }


# ── Traffic ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def traffic(connection: Connection, at: Expressions) -> Traffic:
    """People who come in on a day, the held-out included: by the ledger's entries; for a playbook that has not run for
    a day, by the events that would have started it."""
    plan, now = at.plan, micros(at.moment.as_of)
    first: int | None = connection.scalar(select(playbooks.c.first_tick_at).where(playbooks.c.name == plan.name))
    day = 86_400 * SECOND
    if first is not None and now - first >= day:
        # The first run takes in all who match already: they are no day's traffic.
        since = max(first, now - LOOKED_AT // timedelta(microseconds=1))
        entered = select(func.count()).where(
            enrollments.c.playbook == plan.name, enrollments.c.entered_at > since, enrollments.c.entered_at <= now
        )
        days = (now - since) / day
        return Traffic(per_day=(connection.scalar(entered) or 0) / days, source="ledger", days=days)
    if not isinstance(plan.trigger, StartOn):
        return Traffic(per_day=None, source="unknown")
    since = now - LOOKED_AT // timedelta(microseconds=1)
    oldest: int | None = connection.scalar(select(func.min(events.c.at)).where(events.c.name == plan.trigger.event))
    if oldest is None or now - oldest < day:
        return Traffic(per_day=None, source="unknown")
    since = max(since, oldest - 1)
    each: Any = events.c.id if plan.entry.kind in ("per", "every") else distinct(events.c.profile_id)
    found = select(func.count(each)).where(
        events.c.name == plan.trigger.event, events.c.at > since, events.c.at <= now, at.starts()
    )
    days = (now - since) / day
    return Traffic(per_day=(connection.scalar(found) or 0) / days, source="events", days=days)


# ── Experiments ───────────────────────────────────────────────────────────────────────────────────────────────────────
def trials(
    connection: Connection,
    at: Expressions,
    coming: Traffic,
    *,
    entered: int,
    newest: int,
    days: int,
) -> tuple[Trial, ...]:
    """Each experiment of the plan. On a rehearsal on which `entered` people came in, with enrollments above the id
    `newest`, and were walked on."""
    found = []
    for step in at.plan.steps:
        if isinstance(step, Experiment):
            reach = _reach(connection, at.plan, step, newest)
            rate = _baseline(connection, at, step) if step.measure else None
            found.append(_trial(at.plan, step, coming, entered, reach, rate, days))
    return tuple(found)


def _trial(
    plan: Plan,
    step: Experiment,
    coming: Traffic,
    entered: int,
    reach: float | None,
    rate: tuple[float, int] | None,
    days: int,
) -> Trial:
    baseline, people = rate or (ASSUMED, 0)
    enter = entered if coming.per_day is None else coming.per_day * days
    comes = enter * (1 if reach is None else reach) * (1 - plan.holdout / 100)
    exact = [comes * variant.share / 100 for variant in step.variants]
    return Trial(
        step=step.id,
        name=step.name,
        arms=tuple((variant.name, round(n)) for variant, n in zip(step.variants, exact, strict=True)),
        only_now=coming.per_day is None,
        days=days,
        reach=1.0 if reach is None else reach,
        reach_known=reach is not None,
        measure=step.measure.event if step.measure else None,
        baseline=baseline,
        baseline_people=people,
        difference=detects(baseline, exact) if step.measure else None,
        needed=people_needed(baseline, baseline / 5) if 0 < baseline <= 1 / 1.2 and step.measure else None,
    )


def _reach(connection: Connection, plan: Plan, step: Experiment, newest: int) -> float | None:
    """The share of those who enter that comes to the experiment: of journeys that are over, or else of the people who
    come in now, as if none of them left before. None: too few of both."""
    shown = select(assignments.c.profile_id).where(
        assignments.c.experiment == step.name, assignments.c.profile_id == enrollments.c.profile_id
    )
    came = func.sum(case((shown.exists(), 1), else_=0))
    ours = and_(enrollments.c.playbook == plan.name, enrollments.c.holdout.is_(False))
    over = and_(ours, enrollments.c.state != "active", enrollments.c.digest == plan.digest, enrollments.c.id <= newest)
    walked = and_(ours, enrollments.c.id > newest)
    for who, least in ((over, ENOUGH), (walked, SOME)):
        row = connection.execute(select(func.count(), came).where(who)).one()
        people: int = row[0]
        if people >= least:
            return int(row[1] or 0) / people
    return None


def _baseline(connection: Connection, at: Expressions, step: Experiment) -> tuple[float, int] | None:
    """The share that did what is measured within its time, and of how many people: of past enrollments, or else of
    those to whom the starting event happened. None: not known."""
    assert step.measure is not None
    now, span = micros(at.moment.as_of), step.measure.seconds * SECOND
    until, since = now - span, now - span - LONGER // timedelta(microseconds=1)
    asked = measured(step, as_of=at.moment.as_of, zone=at.moment.zone)
    past = and_(
        enrollments.c.playbook == at.plan.name, enrollments.c.entered_at > since, enrollments.c.entered_at <= until
    )
    sources: list[tuple[Any, Any, FromClause, ColumnElement[bool]]] = [
        (enrollments.c.profile_id, enrollments.c.entered_at, enrollments, past)
    ]
    if isinstance(at.plan.trigger, StartOn):
        fitting = select(events.c.id).where(
            events.c.name == at.plan.trigger.event, events.c.at > since, events.c.at <= until, at.starts()
        )
        sources.append((started.c.profile_id, started.c.at, started, started.c.id.in_(fitting)))
    for person, moment, source, which in sources:
        did = (
            select(events.c.id)
            .where(
                events.c.profile_id == person,
                events.c.name == step.measure.event,
                events.c.at > moment,
                events.c.at <= moment + literal(span, BigInteger),
                true() if asked is None else asked,
            )
            .correlate(source)
        )
        converted = func.sum(cast(case((did.exists(), 1), else_=0), BigInteger))
        row = connection.execute(select(func.count(), converted).select_from(source).where(which)).one()
        people: int = row[0]
        if people >= ENOUGH:
            return int(row[1] or 0) / people, people
    return None
