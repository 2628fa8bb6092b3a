"""The clock of a scenario, which jumps: runs happen only at times of the playbook's schedule, and of those only where
something can be different from the run before.

The rule. A playbook runs every so often counted from the scenario's start, or at its time of day in the project's
zone; one without a schedule may run at any time. Its first run is the first such time from the start on, or, where an
event starts it, from the first given event of that name on (where that
is more than a day later, the time before): it was switched on before the story begins. After a run at
L the next is the first such time at or after the earliest instant beyond L at which one of these happens:

- a call about the person comes in (an `after` line, or a given event after the first run);
- somebody inside is due, the deadlines of waits among it, or a message is due that was put off;
- a condition can turn by the passing of time alone: of `start when`, and while the person is inside of `leave when` and
  of waits, with the conditions of the stages and segments in them. These instants follow from what is known of the
  person: the time of an event or the value of a field, and the length that the condition asks (`is more than 24 hours
  ago`), and the midnights of dates. A test may turn at such an instant, or just after it, so both count.

Between two such instants nothing that a run asks can change, so the runs in between would do nothing. Where only
`start when` may have turned, it is asked, and if it has not the run is left out as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dsl import conditions as c
from dsl.catalog import YEARLY
from dsl.plan import WEEKDAYS, LeaveWhen, Plan, Schedule, Stage, StartWhen, Wait
from dsl.types import Type
from ledger.waits import at_local
from store import json
from store.clock import DAY, HOUR, SECOND, day_end, day_start, micros

WITHOUT_SCHEDULE = 15 * 60
"""How many seconds late something may be in a playbook without a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The times at which a playbook runs."""

    schedule: Schedule | None
    start: datetime
    """Of the scenario: runs every so often are counted from here."""
    zone: ZoneInfo
    """The project's."""

    def first(self, at: datetime) -> datetime:
        """The first run at or after `at`, in UTC."""
        match self.schedule:
            case Schedule(seconds=int(seconds)):
                late = (at - self.start) % timedelta(seconds=seconds)
                return at if not late else at + timedelta(seconds=seconds) - late
            case Schedule(time=str(clock), weekday=weekday):
                today = at.astimezone(self.zone).date()
                for ahead in range(9):
                    day = today + timedelta(days=ahead)
                    moment = at_local(day, time.fromisoformat(clock), self.zone)
                    if weekday in (None, WEEKDAYS[day.weekday()]) and moment >= at:
                        return moment
        return at.astimezone(UTC)

    @property
    def tolerance(self) -> int:
        """Seconds between two runs: so much may be later, or earlier, than a scenario says."""
        match self.schedule:
            case Schedule(seconds=int(seconds)):
                return seconds
            case Schedule(weekday=str()):
                return 7 * 86_400
            case Schedule():
                return 86_400
        return WITHOUT_SCHEDULE


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the person: where the instants come from. Times in microseconds."""

    zone: ZoneInfo
    """The project's, in which days begin."""
    now: int
    events: Mapping[str, Sequence[tuple[int, Mapping[str, Any]]]]
    """(time, properties) by name"""
    value: Callable[[str, Type], Any]
    """A field of the person, in the JSON form of the type; None: unknown."""
    started: Sequence[Mapping[str, Any]]
    """Properties of the events that started what the person is in."""
    assigned: Sequence[int]
    """When fields and stages became what they are."""
    received: Mapping[str, Sequence[int]]
    """When messages were accepted, by template."""
    lifecycle: Sequence[Stage] = field(default=())
    """Empty where no stage can turn by itself."""


def asked(plan: Plan, inside: bool) -> Iterator[c.Condition]:
    """The conditions that a run asks without anybody being due."""
    if isinstance(plan.trigger, StartWhen):
        yield plan.trigger.condition
    if inside:
        yield from (each.condition for each in plan.exits if isinstance(each, LeaveWhen))
        yield from (step.condition for step in plan.steps if isinstance(step, Wait) and step.condition is not None)


def turns(condition: c.Condition, known: Known, about: str | None = None) -> Iterator[int]:
    """The instants at, or just after, which the answer may turn by itself. `about`: in a `where`, the event."""
    match condition:
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            for part in parts:
                yield from turns(part, known, about)
        case c.Not(condition=inner):
            yield from turns(inner, known, about)
        case c.Recency(field=field, kind=kind, seconds=seconds):
            length = seconds * SECOND
            for at, end in _instants(field, known, about):
                yield from (at - length, at, end) if kind == "next" else (at + length, end + length, at)
        case c.HasEvent(event=event, window=window, where=where):
            yield from _windowed(window, [at for at, _ in known.events.get(event, ())])
            if where is not None:
                yield from turns(where, known, event)
        case c.LastEvent(event=event, condition=inner, where=where):
            yield from turns(inner, known, event)
            if where is not None:
                yield from turns(where, known, event)
        case c.Message(kind="received", template=template, window=window):
            yield from _windowed(window, known.received.get(template, ()))
        case c.Message(kind=kind, window=window):
            heard = [at for name in c.MESSAGE_EVENTS[kind] for at, _ in known.events.get(name, ())]
            yield from _windowed(window, heard)
        case c.HasBeen(field=field, seconds=seconds):
            yield from (at + seconds * SECOND for at in known.assigned)
            yield from _staged(field, known)
        case c.Compare(field=field) | c.OneOf(field=field):
            if field.name == "cart.is_abandoned" and field.scope == "profile":
                touched = known.value("cart.updated_at", Type.TIMESTAMP)
                yield from () if touched is None else (touched + 24 * HOUR,)
            yield from _staged(field, known)
        case _:
            return


def _staged(field: c.Field, known: Known) -> Iterator[int]:
    if field.scope == "profile" and field.name == "stage":
        for stage in known.lifecycle:
            if stage.condition is not None:
                yield from turns(stage.condition, known)


def _windowed(window: c.Window | None, times: Sequence[int]) -> Iterator[int]:
    """Windows between two days, and since entry, change only with what comes in."""
    if window is not None and window.kind in ("last", "before"):
        yield from (at + (window.seconds or 0) * SECOND for at in times)


def _instants(field: c.Field, known: Known, about: str | None) -> Iterator[tuple[int, int]]:
    """When a time begins and ends that a field holds: a day is as long as that, a point in time has one instant."""
    match field.scope:
        case "property":
            values = [properties.get(field.name) for _, properties in known.events.get(about or "", ())]
        case "event":
            values = [properties.get(field.name) for properties in known.started]
        case _:
            values = [known.value(field.name, field.type)]
    for value in values:
        if field.name in YEARLY and field.scope == "profile":
            yield from _returns(value, known)
        elif field.scope == "profile" and isinstance(value, int):
            yield value, value
        elif (at := json.instant_of(value)) is not None:
            yield at, at + DAY if field.type is Type.DATE else at


def _returns(value: Any, known: Known) -> Iterator[tuple[int, int]]:
    """The last and the next returns of a day of each year, in the project's zone."""
    if not isinstance(value, str):
        return
    born = date.fromisoformat(value)
    year = datetime.fromtimestamp(known.now / SECOND, known.zone).year
    for each in range(year - 1, year + 3):
        leap = each % 4 == 0 and (each % 100 != 0 or each % 400 == 0)
        day = date(each, born.month, 28 if (born.month, born.day) == (2, 29) and not leap else born.day)
        yield day_start(day, known.zone), day_end(day, known.zone)


def next_turn(conditions: Sequence[c.Condition], known: Known, after: datetime) -> int | None:
    """The earliest instant beyond `after`, in microseconds; None: nothing turns any more by itself."""
    since = micros(after)
    found = [
        at for condition in conditions for turn in turns(condition, known) for at in (turn, turn + 1) if at > since
    ]
    return min(found, default=None)
