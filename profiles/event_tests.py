"""Conditions about a person's events, messages and memberships: subqueries over `people()`, always true or false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, exists, false, func, literal, or_, select, true

from dsl.conditions import (
    MESSAGE_EVENTS,
    Compare,
    Condition,
    Constant,
    Field,
    HasEvent,
    InAudience,
    LastEvent,
    Message,
    Window,
)
from dsl.types import Type
from profiles.moment import Moment
from profiles.reading import Place
from store import json, schema
from store.clock import day_end, day_start, micros

Ask = Callable[[Condition, Place], ColumnElement[bool]]
"""Makes the SQL of a condition within another."""
_RECORDS = "crm"
"""The channel of records in the CRM: they go through the outbox, and are no messages that a person receives."""
_WENT_OUT = ("accepted", "assumed_sent")


def has_event(condition: HasEvent, place: Place, ask: Ask) -> ColumnElement[bool]:
    """A correlated subquery on the index (profile_id, name, at).

    With 200,000 people and 2,000,000 events, `id IN (SELECT … GROUP BY …)` was up to three times as fast for everybody
    at once (0.1–0.5 s against 0.1–0.8 s, both databases), and 10 to 100 times slower for 500 people due in a region.
    """
    least, most = condition.least, condition.most
    if least <= 0 and most is None:
        return true()
    event = schema.events.alias()
    found = and_(_of_person(event, condition.event), *_within(condition.window, event.c.at, place.moment))
    if condition.where is not None:
        found = and_(found, ask(condition.where, replace(place, properties=event.c.properties)))
    if least <= 1 and most is None:
        return exists(select(event.c.profile_id).where(found).correlate_except(event))
    if most == 0:
        return ~exists(select(event.c.profile_id).where(found).correlate_except(event))
    count = select(func.count()).select_from(event).where(found).correlate_except(event).scalar_subquery()
    return and_(count >= least, *([count <= most] if most is not None else []))


def last_event(condition: LastEvent, place: Place, ask: Ask) -> ColumnElement[bool]:
    """The answer of the newest event; of two at the same time the one with the larger id, as traits fold them.

    Without `where` the index alone tells when it was, and one row is read for each person instead of all.
    """
    event = schema.events.alias()
    inside = replace(place, properties=event.c.properties)
    found = [_of_person(event, condition.event)]
    if condition.where is None:
        other = schema.events.alias()
        theirs = and_(_of_person(other, condition.event), *_within(None, other.c.at, place.moment))
        found.append(event.c.at == select(func.max(other.c.at)).where(theirs).correlate_except(other).scalar_subquery())
    else:
        found += [*_within(None, event.c.at, place.moment), ask(condition.where, inside)]
    newest = (event.c.at.desc(), json.Ordinal(event.c.event_id).desc())
    answer = select(ask(condition.condition, inside)).where(*found).order_by(*newest).limit(1)
    return func.coalesce(answer.correlate_except(event).scalar_subquery(), false())


def _of_person(event: FromClause, name: str) -> ColumnElement[bool]:
    return and_(event.c.profile_id == schema.profiles.c.id, event.c.name == name)


def in_audience(condition: InAudience) -> ColumnElement[bool]:
    """A row that says member; one that says otherwise is a member who was."""
    row = schema.memberships.alias()
    member = and_(row.c.audience == condition.audience, row.c.profile_id == schema.profiles.c.id, row.c.member)
    return exists(select(row.c.profile_id).where(member).correlate_except(row))


def message(condition: Message, place: Place, ask: Ask) -> ColumnElement[bool]:
    """`received` is in the outbox, `opened` and `clicked` are events of the specification."""
    if condition.kind != "received":
        named = Field(scope="property", name="template", type=Type.TEXT)
        where = Compare(field=named, operator="is", value=Constant(type=Type.TEXT, value=condition.template))
        told = (
            HasEvent(event=event, least=1, most=None, window=condition.window, where=where)
            for event in MESSAGE_EVENTS[condition.kind]
        )
        return or_(*(has_event(each, place, ask) for each in told))
    row = schema.outbox.alias()
    sent = and_(
        row.c.profile_id == schema.profiles.c.id,
        row.c.template == condition.template,
        row.c.channel != _RECORDS,
        row.c.state.in_(_WENT_OUT),
        *_within(condition.window, row.c.settled_at, place.moment),
    )
    return exists(select(row.c.profile_id).where(sent).correlate_except(row))


def _within(window: Window | None, at: ColumnElement[int], moment: Moment) -> list[ColumnElement[bool]]:
    """At most one bound on each side: with two on one, SQLite took the index on (name, at), and a question about each
    of 23,570 people read 20,000 events each: minutes in place of a second.
    """
    now = at <= moment.at()
    match window:
        case None:
            return [now]
        case Window(kind="last", seconds=int(seconds)):
            return [at >= moment.at(-seconds), now]
        case Window(kind="entry"):
            if moment.entered_at is None:
                raise ValueError("`since entry` needs an enrollment")
            # Open: the event that started the enrollment is not since entry.
            return [at > moment.entered_at, now]
        case Window(kind="before", seconds=int(seconds)):
            return [at < moment.at(-seconds)]
        case Window(kind="between", start=str(start), end=str(end)):
            zone = ZoneInfo(moment.zone)
            return [
                at >= literal(day_start(date.fromisoformat(start), zone), BigInteger()),
                at < literal(min(day_end(date.fromisoformat(end), zone), micros(moment.as_of) + 1), BigInteger()),
            ]
    raise ValueError(f"{window} is no window")
