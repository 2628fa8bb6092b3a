"""Instants as the store keeps them: whole microseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def micros(at: datetime) -> int:
    """Microseconds since 1970. Raises ValueError for a time without a zone: nothing is guessed."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(at: int) -> datetime:
    """The inverse of `micros`, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def day_start(day: date, zone: tzinfo) -> int:
    """The first instant of a day in a zone; where midnight is skipped, the instant at which the clock jumps."""
    return micros(datetime.combine(day, time(), zone))


def day_end(day: date, zone: tzinfo) -> int:
    """The first instant of the day after. The last day that there is ends at the end of the calendar."""
    return day_start(day + timedelta(days=1), zone) if day < date.max else micros(datetime.max.replace(tzinfo=UTC))
