"""Local times of people: waits until a time of day, and quiet hours.

A time that does not exist (the clocks go forward) moves forward by the gap; one that comes twice (they go back) counts
the first time. An unknown zone is the project's.
"""

from __future__ import annotations

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dsl.plan import WEEKDAYS, Policy, Wait

_DAY = 86_400
_LAST = datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)
def zone_of(name: str | None, default: str) -> ZoneInfo:
    """The IANA zone `name`, or `default` where there is none of that name. Raises ZoneInfoNotFoundError for a `default`
    that does not exist."""
    try:
        return ZoneInfo(name or default)
    except (ValueError, OSError, LookupError):
        # What a shop sends as a zone may be anything: "CET+1", a path, or text with a null byte.
        return ZoneInfo(default)


def over_at(wait: Wait, as_of: datetime, zone: ZoneInfo) -> datetime:
    """When a wait is over that begins at `as_of`, for a person in `zone`. In UTC.

    A time of day that it is right now ends the wait at once, unless it also asks for days.
    """
    if wait.time is None and wait.weekday is None:
        return as_of.astimezone(UTC) + timedelta(seconds=wait.seconds or 0, days=wait.days or 0)
    clock = time.fromisoformat(wait.time or "00:00")
    today = as_of.astimezone(zone).date()
    if wait.days:
        return at_local(today + timedelta(days=wait.days), clock, zone)
    # Eight days: the weekday that it is today may be over for today.
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        if wait.weekday not in (None, WEEKDAYS[day.weekday()]):
            continue
        if (moment := at_local(day, clock, zone)) >= as_of:
            return moment
    raise AssertionError("every weekday comes within nine days")


def day_at(day: str, offset: int, as_of: datetime, zone: ZoneInfo, *, yearly: bool = False) -> datetime:
    """When a wait for the start of a day is over, for a person in `zone`: in UTC, not before `as_of`.

    `day` is `YYYY-MM-DD`; with `yearly` it is `MM-DD`, and the day of that name is meant that is today or comes next
    (29 February is the 28th in other years). Whole days of `offset`, in seconds, are days of the calendar.
    """
    meant = _next_return(day, as_of.astimezone(zone).date()) if yearly else date.fromisoformat(day)
    days = timedelta(seconds=offset) if offset % _DAY == 0 else timedelta()
    try:
        at = at_local(meant + days, time(), zone) + (timedelta(seconds=offset) - days)
    except OverflowError:  # at the ends of the calendar
        at = _LAST if meant > as_of.date() else as_of
    return max(at, as_of.astimezone(UTC))


def _next_return(month_day: str, today: date) -> date:
    for year in (today.year, today.year + 1):
        leap = month_day != "02-29" or isleap(year)
        day = date.fromisoformat(f"{year:04}-{month_day if leap else '02-28'}")
        if day >= today:
            return day
    raise AssertionError("every day comes within a year")


def at_local(day: date, clock: time, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """The instant of a local time, in UTC. `fold` 1 is the second one of a time that comes twice."""
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)


def quiet_until(policy: Policy, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When it is no longer quiet for a person in `zone`, in UTC. None: it is not quiet now.

    With seven quiet days it is a time some days ahead, at which it is quiet again.
    """
    moment = now.astimezone(UTC)
    # A week of quiet days has at most fourteen ends: of each night and of each day.
    for _ in range(16):
        end = _quiet_end(policy, moment, zone)
        if end is None:
            return moment if moment > now else None
        moment = end
    return moment


def _quiet_end(policy: Policy, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the quiet hours or the quiet day that `moment` is in."""
    local = moment.astimezone(zone)
    if WEEKDAYS[local.weekday()] in policy.quiet_days:
        return at_local(local.date() + timedelta(days=1), time(), zone)
    if policy.quiet_hours is None:
        return None
    start, end = (time.fromisoformat(text) for text in policy.quiet_hours)
    clock = local.time()
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if start > end and clock >= start else 0)
    first = at_local(day, end, zone)
    # In the second of two equal hours the first end is over already.
    return first if first > moment else at_local(day, end, zone, fold=1)
