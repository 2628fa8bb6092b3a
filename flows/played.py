"""What a playbook did in a backtest, by day or by week: read from the ledger that it wrote."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from dsl.plan import Plan
from store.clock import SECOND, day_start, instant
from store.schema import enrollments, outbox

RECORDS = "crm"
"""The outbox's channel for records in the CRM, which are no messages; their template is the noun."""
Send = tuple[str, str]
"""Channel and template."""


@dataclass(slots=True, kw_only=True)
class Period:
    """A day, or some. Numbers of people, or of messages where said."""

    start: date
    days: int = 1
    entered: int = 0
    """With those held out."""
    held_out: int = 0
    left: int = 0
    """Those whom a `leave` took out."""
    converted: int = 0
    """Those who reached the goal, by the time at which they did, and were not held out."""
    converted_held_out: int = 0
    sent: Counter[Send] = field(default_factory=Counter)
    """Messages that would have been sent."""
    not_sent: Counter[str] = field(default_factory=Counter)
    """Messages that would not, by the reason's code."""
    records: Counter[str] = field(default_factory=Counter)
    """Records that would have been made or changed in the CRM, by their noun."""

    def add(self, other: Period) -> None:
        """Count the other one in."""
        for name in ("entered", "held_out", "left", "converted", "converted_held_out"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sent.update(other.sent)
        self.not_sent.update(other.not_sent)
        self.records.update(other.records)

    def as_json(self) -> dict[str, Any]:
        """As `winback backtest --json` prints it."""
        return {
            "entered": self.entered,
            "holdout": self.held_out,
            "left": self.left,
            "converted": self.converted,
            "converted_holdout": self.converted_held_out,
            "sent": self.sent.total(),
            "sends": [
                {"channel": channel, "template": template, "sent": n}
                for (channel, template), n in sorted(self.sent.items())
            ],
            "not_sent": dict(self.not_sent.most_common()),
            "crm": [{"noun": noun, "records": n} for noun, n in sorted(self.records.items())],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One playbook in a backtest."""

    plan: Plan
    every: str
    """How often it ran, in words: `15 minutes`."""
    instead_of: str | None
    """How often its schedule says, where that is something else; None: as it says."""
    runs: int
    days: tuple[Period, ...]
    """Every day of the span, also those on which nothing happened."""
    seen: int
    """People who matched at the start already, and were taken as seen."""
    waiting: int
    """Journeys that go on after the end."""
    queued: int
    """Messages that wait for their time after the end."""
    undecided: int
    """People who entered so late that the goal's window goes on after the end, and who have not reached it."""

    @property
    def total(self) -> Period:
        return merged(self.days, len(self.days))[0]

    def periods(self, days: int) -> list[Period]:
        """The days in groups of so many."""
        return merged(self.days, days)

    def as_json(self) -> dict[str, Any]:
        """As `winback backtest --json` prints it: the days, and their sums."""
        return {
            "name": self.plan.name,
            "version": self.plan.digest,
            "every": self.every,
            "instead_of": self.instead_of,
            "runs": self.runs,
            "seen": self.seen,
            "waiting": self.waiting,
            "queued": self.queued,
            "undecided": self.undecided,
            "total": self.total.as_json(),
            "days": [{"day": day.start.isoformat(), **day.as_json()} for day in self.days],
        }


def merged(days: Sequence[Period], size: int) -> list[Period]:
    """Days in groups of `size`; the last may be shorter."""
    groups = []
    for start in range(0, len(days), size):
        some = days[start : start + size]
        group = Period(start=some[0].start, days=len(some))
        for day in some:
            group.add(day)
        groups.append(group)
    return groups


def by_day(connection: Connection, plan: Plan, start: int, end: int, zone: ZoneInfo) -> tuple[Period, ...]:
    """What the ledger says of the playbook for every day in [start, end) (microseconds), days being those of
    `zone`. What is older counts on the first day, what happened at the very end on the last."""
    first, last = (instant(at).astimezone(zone).date() for at in (start, end - 1))
    days = tuple(Period(start=first + timedelta(days=n)) for n in range((last - first).days + 1))
    begins = [day_start(day.start, zone) for day in days]

    def day_of(at: int) -> Period:
        return days[max(0, bisect_right(begins, at) - 1)]

    _people(connection, plan.name, day_of)
    kinds = outbox.c["settled_at", "state", "channel", "template", "reason"]
    settled = select(*kinds, func.count().label("n")).where(
        outbox.c.playbook == plan.name, outbox.c.settled_at.is_not(None)
    )
    for row in connection.execute(settled.group_by(*kinds)):
        day, accepted = day_of(row.settled_at), row.state == "accepted"
        if row.channel == RECORDS:
            day.records[row.template] += row.n if accepted else 0
        elif accepted:
            day.sent[row.channel, row.template] += row.n
        else:
            day.not_sent[row.reason or row.state] += row.n
    return days


def _people(connection: Connection, playbook: str, day_of: Callable[[int], Period]) -> None:
    mine = enrollments.c.playbook == playbook
    for at, held, n in _counted(connection, enrollments.c.entered_at, mine):
        day = day_of(at)
        day.entered += n
        day.held_out += n if held else 0
    for at, _, n in _counted(connection, enrollments.c.ended_at, mine & (enrollments.c.state == "left")):
        day_of(at).left += n
    for at, held, n in _counted(connection, enrollments.c.converted_at, mine & enrollments.c.converted_at.is_not(None)):
        if held:
            day_of(at).converted_held_out += n
        else:
            day_of(at).converted += n


def _counted(connection: Connection, at: Any, which: Any) -> Any:
    held = enrollments.c.holdout
    return connection.execute(select(at, held, func.count()).where(which).group_by(at, held))


def still_open(connection: Connection, plan: Plan, end: int) -> tuple[int, int, int]:
    """Journeys that go on at `end`, messages that wait for their time, and people whose goal may come later."""
    mine = enrollments.c.playbook == plan.name

    def count(table: Any, *which: Any) -> int:
        return connection.scalar(select(func.count()).select_from(table).where(*which)) or 0

    waiting = count(enrollments, mine, enrollments.c.state == "active")
    message = outbox.c.channel != RECORDS
    queued = count(outbox, outbox.c.playbook == plan.name, message, outbox.c.settled_at.is_(None))
    if plan.goal is None:
        return waiting, queued, 0
    young = enrollments.c.entered_at > end - plan.goal.seconds * SECOND
    return waiting, queued, count(enrollments, mine, young, enrollments.c.converted_at.is_(None))
