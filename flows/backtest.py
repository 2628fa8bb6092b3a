"""Playbooks over stored history: the production tick, on a store in memory that history is fed into.

Nothing is written to the project's store, and nothing leaves: every message passes the guards (consent, suppression,
caps, quiet hours) and is then counted instead of being handed to a connector.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from dsl.errors import UserError
from dsl.plan import Plan, Schedule
from dsl.wording import duration
from flows import moving
from flows.played import Played, by_day, still_open
from flows.project import Project
from flows.schedule import run_times
from flows.tick import tick
from flows.watch import Plain
from flows.world import World, world
from ledger.leave import convert
from profiles.history import Replay, newest_event_at, oldest_event_at, replay
from store.clock import day_start, instant, micros
from store.engine import read, write
from store.schema import matches

USUAL = timedelta(days=30)
"""How much is played when nobody says."""
MOST_DAYS = 731
MOST_RUNS = 3_000
"""A playbook whose schedule asks for more runs is run less often, unless somebody says how often."""
MOST_ASKED = 100_000
"""Runs that somebody may ask for."""
MOST_TROUBLE = 5
"""Sentences of runs that are kept."""
_LONGER = tuple(timedelta(minutes=minutes) for minutes in (30, 60, 120, 180, 360))
LONGEST = timedelta(hours=6)
"""Between two runs: with less than a few a day, messages that wait for the end of quiet hours would come too late."""
_HOUR = Schedule(seconds=3600)
"""For playbooks without a schedule."""


_LIMITS = (
    "Nobody got these messages, so nobody reacted to them: goals are what people did anyway, and nothing was opened or "
    "clicked.",
    "Attributes and consents that changed later are known as they were only where identify calls told them, otherwise "
    "they count as unknown; suppressions are as recorded, and people who were joined later are one person throughout.",
    "Nobody was inside at the start, audiences that playbooks fill were empty, and what was really sent in that time "
    "does not count against the limits.",
)


class NoBacktest(UserError):  # noqa: N818  it says what happened
    """What was asked for cannot be played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is played: both instants aware."""

    start: datetime
    end: datetime
    cut: datetime | None = None
    """The end that was asked for, where history ends before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    span: Span
    zone: ZoneInfo
    """The project's: days begin in it."""
    first_run: bool
    """Those who matched at the start were let in."""
    played: tuple[Played, ...]
    """The first is the one that was asked for; the others played beside it."""
    trouble: tuple[str, ...] = ()
    """What runs had to say, each sentence once: a channel that nothing sends, a playbook that is not there."""

    @property
    def period_days(self) -> int:
        """Days a row: 1, or 7 for what is longer than 45 days."""
        return 1 if len(self.played[0].days) <= 45 else 7

    @property
    def heading(self) -> str:
        """Which time was played, in the project's zone."""
        start, end = (at.astimezone(self.zone) for at in (self.span.start, self.span.end))
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, days of {self.zone.key}"

    @property
    def limits(self) -> tuple[str, ...]:
        """What history cannot tell, in sentences."""
        return _LIMITS

    def as_json(self) -> dict[str, Any]:
        """As `winback backtest --json` prints it."""
        return {
            "from": self.span.start.isoformat(),
            "to": self.span.end.isoformat(),
            "asked_to": self.span.cut.isoformat() if self.span.cut else None,
            "zone": self.zone.key,
            "first_run": self.first_run,
            "playbooks": [one.as_json() for one in self.played],
            "trouble": list(self.trouble),
            "limits": list(self.limits),
        }


def span(project: Project, start: datetime | None, end: datetime | None) -> Span:
    """The time to be played: without `end` up to the newest event, without `start` the thirty days before.

    Raises NoBacktest for a store without events, times that history does not hold, and far too many days.
    """
    if not project.has_store():
        raise NoBacktest(
            "The store", "There is none yet, so there is no history.", "`winback import events.jsonl` makes it."
        )
    with read(project.engine) as connection:
        oldest, newest = oldest_event_at(connection), newest_event_at(connection)
    if oldest is None or newest is None:
        raise NoBacktest(
            "The store", "It holds no events, so there is no history to play.", "`winback import` takes events in."
        )
    first, last = instant(oldest), instant(newest)
    history = f"The store's events are from {_day(first)} to {_day(last)}."
    if start is not None and end is not None and start >= end:
        raise NoBacktest("--from", f"{_day(start)} is not before --to, {_day(end)}.", "--from is the earlier one.")
    if start is not None and start >= last:
        raise NoBacktest("--from", f"{_day(start)} is after the newest event.", history)
    if end is not None and end <= first:
        raise NoBacktest("--to", f"{_day(end)} is before the first event.", history)
    if start is not None and start < first - timedelta(days=1):
        raise NoBacktest("--from", f"{_day(start)} is before the first event.", history)
    until = min(end or last, last)
    begin = max(_midnight(until - USUAL, project.settings.shop.time_zone), first) if start is None else start
    if until - begin > timedelta(days=MOST_DAYS):
        days = (until - begin).days
        raise NoBacktest(
            "--from", f"From {_day(begin)} to {_day(until)} are {days:,} days.",
            f"A backtest plays at most {MOST_DAYS} days; take a part of them.",
        )  # fmt: skip
    return Span(start=begin, end=until, cut=end if end is not None and end > last else None)


def backtest(
    project: Project,
    plans: Sequence[Plan],
    asked: Span,
    *,
    every: timedelta | None = None,
    first_run: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backtest:
    """Play the playbooks together, so that they compete for caps; the first is the one that matters.

    They run once at the start, where who matches already is taken as seen (`first_run`: enters), then by their
    schedules, or `every` so long. `progress` gets runs done and to do. Raises NoBacktest, ConfigurationError,
    StoreError.
    """
    zone = ZoneInfo(project.settings.shop.time_zone)
    schedules = [_schedule(plan, asked, every) for plan in plans]
    _bound(schedules, asked, every)
    runs = list(_runs(schedules, asked, zone))
    with ExitStack() as closing:
        played = closing.enter_context(replay(project.engine, end=asked.end, rules=project.rules))
        closing.callback(played.store.dispose)
        stage = world(project, store=played.store)
        played.until(asked.start)
        trouble: dict[str, None] = {}
        for plan in plans:
            report = tick(stage, plan, as_of=asked.start, only_new=not first_run, watch=_Nobody())
            trouble.update(dict.fromkeys(report.trouble[:MOST_TROUBLE]))
        seen = [0 if first_run else _matching(played, plan) for plan in plans]
        for number, (at, place) in enumerate(runs):
            progress(number, len(runs))
            played.until(at)
            report = tick(stage, plans[place], as_of=at, watch=_Nobody())
            trouble.update(dict.fromkeys(report.trouble[: max(0, MOST_TROUBLE - len(trouble))]))
        played.until(asked.end)
        progress(len(runs), len(runs))
        made = [
            _told(stage, asked, zone, plan, schedule, seen[place], 1 + sum(run[1] == place for run in runs))
            for place, (plan, schedule) in enumerate(zip(plans, schedules, strict=True))
        ]
    return Backtest(span=asked, zone=zone, first_run=first_run, played=tuple(made), trouble=tuple(trouble))


def _midnight(at: datetime, zone: str) -> datetime:
    """The beginning of the day, so that the first row is a whole one."""
    place = ZoneInfo(zone)
    return instant(day_start(at.astimezone(place).date(), place))


def _schedule(plan: Plan, asked: Span, every: timedelta | None) -> Schedule:
    """How often the playbook is run: as it says, or less often where that would take too long."""
    if every is not None:
        return Schedule(seconds=int(every.total_seconds()))
    own = plan.schedule or _HOUR
    if own.seconds is not None and (asked.end - asked.start).total_seconds() / own.seconds > MOST_RUNS:
        length = asked.end - asked.start
        longer = next(step for step in _LONGER if step.total_seconds() > own.seconds and length / step <= MOST_RUNS)
        return Schedule(seconds=int(longer.total_seconds()))
    return own


def _bound(schedules: Sequence[Schedule], asked: Span, every: timedelta | None) -> None:
    if every is not None and every > LONGEST:
        often = _often(Schedule(seconds=int(every.total_seconds())))
        reason = f"{often} is too long between two runs: what waits for the end of quiet hours would come too late."
        raise NoBacktest("--every", reason, "Play at least every 6 hours.")
    length = (asked.end - asked.start).total_seconds()
    runs = sum(int(length / one.seconds) for one in schedules if one.seconds)
    if runs > MOST_ASKED:
        raise NoBacktest("--every", f"That is {runs:,} runs.", f"At most {MOST_ASKED:,} are played: run less often.")


def _runs(schedules: Sequence[Schedule], asked: Span, zone: ZoneInfo) -> Iterator[tuple[datetime, int]]:
    """When which playbook runs, after the first run of all; of one time in the order in which they were named."""
    return heapq.merge(
        *([(at, place) for at in run_times(one, asked.start, asked.end, zone)] for place, one in enumerate(schedules))
    )


def _matching(played: Replay, plan: Plan) -> int:
    with read(played.store) as connection:
        found = select(func.count()).select_from(matches).where(matches.c.playbook == plan.name)
        return connection.scalar(found) or 0


def _told(
    stage: World,
    asked: Span,
    zone: ZoneInfo,
    plan: Plan,
    schedule: Schedule,
    seen: int,
    runs: int,
) -> Played:
    end = micros(asked.end)
    with write(stage.store) as connection:
        if plan.goal is not None:
            # Goals reached after the last run, which a schedule of weeks would leave uncounted.
            at = moving.asked(stage, plan, asked.end)
            convert(
                connection, playbook=plan.name, digest=plan.digest, event=plan.goal.event, where=at.goal(),
                seconds=plan.goal.seconds, as_of=asked.end,
            )  # fmt: skip
        days = by_day(connection, plan, micros(asked.start), end, zone)
        waiting, queued, undecided = still_open(connection, plan, end)
    own = _often(plan.schedule) if plan.schedule else None
    often = _often(schedule)
    return Played(
        plan=plan, every=often, instead_of=own if own not in (None, often) else None, runs=runs, days=days, seen=seen,
        waiting=waiting, queued=queued, undecided=undecided,
    )  # fmt: skip


def _often(schedule: Schedule) -> str:
    """`15 minutes`, `day at 09:00`, `monday at 09:00`"""
    if schedule.seconds is not None:
        return duration(schedule.seconds)
    return f"{schedule.weekday or 'day'} at {schedule.time}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


class _Nobody(Plain):
    """A watcher who keeps nothing: of thousands of runs nobody reads the log."""

    def run(self, key: str, name: str, work: Callable[[], Any], *, after: Sequence[str] = ()) -> Any:  # noqa: ARG002
        return work()

    def say(self, sentence: str) -> None:
        pass

    def show(self, *_: Any, **__: Any) -> None:
        pass
