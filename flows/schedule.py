"""When a playbook's schedule makes it run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from dsl.plan import WEEKDAYS, Schedule
from ledger.waits import at_local


def run_times(schedule: Schedule, after: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The runs in (after, end), in UTC, earliest first.

    An interval counts from `after`. A time of day is one of `zone`: where the clocks jump over it, it is that much
    later; of one that comes twice the first counts.
    """
    if schedule.seconds is not None:
        step = timedelta(seconds=schedule.seconds)
        first, moments = after.astimezone(UTC), count(1)
        yield from _until(end, (first + step * number for number in moments))
        return
    clock = time.fromisoformat(schedule.time or "00:00")
    today = after.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in count())
    ours = (day for day in days if schedule.weekday in (None, WEEKDAYS[day.weekday()]))
    yield from _until(end, (at for day in ours if (at := at_local(day, clock, zone)) > after))


def _until(end: datetime, moments: Iterator[datetime]) -> Iterator[datetime]:
    for at in moments:
        if at >= end:
            return
        yield at
