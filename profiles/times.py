"""Times in conditions: `in the last`, `more than … ago`, `in the next`, `before` and `after` a day of the calendar."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, and_, case, false, func, literal

from dsl.conditions import Calendar, Recency
from dsl.types import Type
from profiles.columns import Column
from profiles.reading import Place, find, read, sure, type_of
from store import json
from store.clock import SECOND, day_end, day_start, instant, micros


def recency(condition: Recency, place: Place) -> ColumnElement[bool]:
    field, moment = condition.field, place.moment
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


_FIRST, _LAST = day_start(date.min, UTC), day_start(date.max, UTC)
