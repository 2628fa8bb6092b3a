"""Times in conditions: `in the last`, `more than … ago`, `in the next`, `before` and `after` a day of the calendar."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, and_, case, false, func, literal, or_, true

from dsl.catalog import YEARLY
from dsl.conditions import Calendar, Recency
from dsl.types import Type
from profiles.columns import Column
from profiles.reading import Place, find, read, sure, type_of
from store import json
from store.clock import SECOND, day_end, day_start, instant, micros


def recency(condition: Recency, place: Place) -> ColumnElement[bool]:
    field, moment = condition.field, place.moment
    if condition.kind != "ago" and field.scope == "profile" and field.name in YEARLY:
        return _return_of_day(condition, place)
    if type_of(field, place) is Type.DATE:
        return _recency_of_day(condition, place)
    value = read(field, Type.TIMESTAMP, place)
    match condition.kind:
        case "ago":
            return sure(value < moment.at(-condition.seconds), value)
        case "last":
            return sure(and_(value >= moment.at(-condition.seconds), value <= moment.at()), value)
        case "next":
            return sure(and_(value >= moment.at(), value < moment.at(condition.seconds)), value)


def _recency_of_day(condition: Recency, place: Place) -> ColumnElement[bool]:
    """A day begins before a time when it is not later than the day, in UTC, of the microsecond before."""
    value = read(condition.field, Type.DATE, place)
    day, now = json.Ordinal(value), micros(place.moment.as_of)
    match condition.kind:
        case "ago":
            return sure(day <= _utc_day(now - condition.seconds * SECOND - 1), value)
        case "last":
            since = now - condition.seconds * SECOND
            return sure(and_(day > _utc_day(since - 1), day <= _utc_day(now)), value)
        case "next":
            return sure(and_(day > _utc_day(now - 1), day <= _utc_day(now + condition.seconds * SECOND - 1)), value)


def _return_of_day(condition: Recency, place: Place) -> ColumnElement[bool]:
    """Whether a day of each year that begins within the time asked about has the month and day of the field."""
    value = read(condition.field, Type.DATE, place)
    if condition.seconds >= 2 * _YEAR:  # more than once: and no calendar has so many years
        return value.is_not(None)
    zone, now = ZoneInfo(place.moment.zone), micros(place.moment.as_of)
    length = condition.seconds * SECOND
    since, until = (now - length, now + 1) if condition.kind == "last" else (now, now + length)
    first, last = (instant(at).astimezone(zone).date() for at in (since, until - 1))
    if day_start(first, zone) < since:
        first += timedelta(days=1)
    return sure(_among_days_of_years(value, first, last), value)


def _among_days_of_years(value: ColumnElement[str], first: date, last: date) -> ColumnElement[bool]:
    """Whether a day has the month and day of one from `first` to `last`."""
    if first > last:
        return false()
    if (last - first).days >= 365:
        return true()
    month_and_day = json.Ordinal(func.substr(value, 6, 5))
    is_short = (last + timedelta(days=1)).day == 1 and last.month == 2
    start, end = first.isoformat()[5:], "02-29" if is_short else last.isoformat()[5:]
    if first.year == last.year:
        return and_(month_and_day >= start, month_and_day <= end)
    return or_(month_and_day >= start, month_and_day <= end)


def calendar(condition: Calendar, place: Place) -> ColumnElement[bool]:
    day, zone = date.fromisoformat(condition.day), ZoneInfo(place.moment.zone)
    field = condition.field

    def among_days(value: ColumnElement[Any]) -> ColumnElement[bool]:
        return value < condition.day if condition.kind == "before" else value > condition.day

    if type_of(field, place) is Type.DATE:
        value = read(field, Type.DATE, place)
        return sure(among_days(json.Ordinal(value)), value)
    value = read(field, Type.TIMESTAMP, place)
    start = literal(day_start(day, zone) if condition.kind == "before" else day_end(day, zone), BigInteger())
    among_instants = value < start if condition.kind == "before" else value >= start
    if isinstance(find(field, place), Column):
        return sure(among_instants, value)
    # Sent as a day, it is that day everywhere, and not an instant of it that is another day in the project's zone.
    sent = read(field, Type.DATE, place)
    sent_as_day = and_(sent.is_not(None), func.length(read(field, Type.TEXT, place)) == 10)
    return func.coalesce(case((sent_as_day, among_days(json.Ordinal(sent))), else_=among_instants), false())


def _utc_day(at: int) -> ColumnElement[str]:
    return literal(instant(max(_FIRST, min(_LAST, at))).date().isoformat())


_YEAR = 366 * 24 * 3600
_FIRST, _LAST = day_start(date.min, UTC), day_start(date.max, UTC)
