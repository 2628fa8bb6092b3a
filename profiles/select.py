"""Conditions as SQL: the only meaning that they have. See `dsl.conditions` for what each kind says.

Every expression made here is true or false and never NULL, so that `not` means what it says. Where a value may be
missing, a plain column is tested with IS NOT NULL (an index on it stays usable) and anything else with coalesce.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    and_,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy import Text as SqlText

from dsl.conditions import (
    AllOf,
    AnyOf,
    Calendar,
    CanReceive,
    Compare,
    Condition,
    Constant,
    Contains,
    Field,
    HasBeen,
    HasEvent,
    InAudience,
    Includes,
    Known,
    LastEvent,
    Message,
    Not,
    OneOf,
    Operand,
    Recency,
    Top,
    Window,
)
from dsl.types import Type
from profiles.columns import RECOMMENDED, alive, people
from profiles.moment import Moment
from profiles.reach import can_receive, granted, reachable, suppressed
from profiles.reading import Place, common, constant, read, sure, type_of
from profiles.recommend import anything_to_offer
from profiles.times import calendar, recency
from store import json, schema
from store.clock import day_end, day_start, micros

__all__ = ["Moment", "alive", "can_receive", "event_holds", "granted", "holds", "people", "reachable", "suppressed"]

_LISTS = (Type.LIST, Type.PRODUCTS)


def holds(condition: Condition, moment: Moment) -> ColumnElement[bool]:
    """Whether a person meets a condition, for a statement that has `people()` in its FROM. Always true or false.

    Raises ValueError for what cannot be asked there, none of which the compiler lets through: `since entry` and
    `event.x` without an enrollment, `recommended.…`, a property outside of `where`, types that cannot be compared.
    """
    return _typed(_holds(condition, Place(moment=moment)))


def event_holds(condition: Condition | None, moment: Moment) -> ColumnElement[bool]:
    """Whether a row of `events` meets a `where`; true without one. Fields of the person need `people()` in the FROM."""
    if condition is None:
        return true()
    return _typed(_holds(condition, Place(moment=moment, properties=schema.events.c.properties)))


def _typed(test: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQLAlchemy forgets that NOT of a conjunction is a boolean, and SQLite would give back 0 and 1."""
    return type_coerce(test, Boolean())


def _holds(condition: Condition, place: Place) -> ColumnElement[bool]:
    match condition:
        case Compare(field=field, operator="is not", value=value):
            return not_(_compare(field, "is", value, place))
        case Compare(field=field, operator=sign, value=value):
            return _compare(field, sign, value, place)
        case OneOf(field=field, values=values):
            return or_(false(), *(_compare(field, "is", value, place) for value in values))
        case Known(field=field):
            return _known(field, place)
        case Recency():
            return recency(condition, place)
        case Calendar():
            return calendar(condition, place)
        case Contains(field=field, kind=kind, text=text):
            return _contains(field, kind, text, place)
        case HasEvent():
            return _has_event(condition, place)
        case CanReceive(channel=channel, topic=topic):
            return can_receive(channel, topic, place.moment)
        case Top() | Includes() | HasBeen() | LastEvent() | InAudience() | Message():
            raise ValueError(f"{type(condition).__name__} cannot be asked yet")
        case Not(condition=inner):
            return not_(_holds(inner, place))
        case AllOf(conditions=parts):
            return and_(true(), *(_holds(part, place) for part in parts))
        case AnyOf(conditions=parts):
            return or_(false(), *(_holds(part, place) for part in parts))


# ── Comparing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
_SIGNS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "is": operator.eq
}  # fmt: skip


def _compare(field: Field, sign: str, value: Operand, place: Place) -> ColumnElement[bool]:
    wanted = common(type_of(field, place), type_of(value, place))
    if wanted is Type.ANY:
        # Nothing says what they are: numbers if both are, else texts, else yes and no.
        kinds = (Type.NUMBER, Type.TEXT, Type.YES_NO)
        return func.coalesce(*(_pair(field, sign, value, kind, place)[0] for kind in kinds), false())
    test, operands = _pair(field, sign, value, wanted, place)
    return sure(test, *operands)


def _pair(
    field: Field, sign: str, value: Operand, wanted: Type, place: Place
) -> tuple[ColumnElement[bool], list[ColumnElement[Any]]]:
    """The comparison, NULL where one side is unknown, and its sides."""
    left = read(field, wanted, place)
    if isinstance(value, Constant) and wanted is Type.YES_NO:
        return (left if value.value else not_(left)), [left]
    right = constant(value, wanted) if isinstance(value, Constant) else read(value, wanted, place)
    if sign != "is" and wanted in (Type.TEXT, Type.DATE, Type.TIME):
        return _SIGNS[sign](json.Ordinal(left), json.Ordinal(right)), [left, right]
    return _SIGNS[sign](left, right), [left, right]


def _known(field: Field, place: Place) -> ColumnElement[bool]:
    if field.scope == "profile" and field.name.startswith(RECOMMENDED):
        return anything_to_offer(field.name.removeprefix(RECOMMENDED), place.moment.as_of)
    kind = type_of(field, place)
    value = read(field, kind, place)
    return func.coalesce(value, false()) if kind in _LISTS else value.is_not(None)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _contains(field: Field, kind: str, text: str, place: Place) -> ColumnElement[bool]:
    value = read(field, Type.TEXT, place)
    folded = func.lower(json.Ordinal(value), type_=SqlText())
    matches = folded.contains if kind == "contains" else folded.startswith
    return sure(matches(text.translate(_ASCII_LOWER), autoescape=True), value)


# ── Events and consent ────────────────────────────────────────────────────────────────────────────────────────────────
def _has_event(condition: HasEvent, place: Place) -> ColumnElement[bool]:
    """A correlated subquery on the index (profile_id, name, at).

    With 200,000 people and 2,000,000 events, `id IN (SELECT … GROUP BY …)` was up to three times as fast for everybody
    at once (0.1–0.5 s against 0.1–0.8 s, both databases), and 10 to 100 times slower for 500 people due in a region.
    """
    least, most = condition.least, condition.most
    if least <= 0 and most is None:
        return true()
    event = schema.events.alias()
    found = and_(
        event.c.profile_id == schema.profiles.c.id,
        event.c.name == condition.event,
        *_within(condition.window, event.c.at, place.moment),
    )
    if condition.where is not None:
        found = and_(found, _holds(condition.where, Place(moment=place.moment, properties=event.c.properties)))
    if least <= 1 and most is None:
        return exists(select(event.c.profile_id).where(found).correlate_except(event))
    if most == 0:
        return ~exists(select(event.c.profile_id).where(found).correlate_except(event))
    count = select(func.count()).select_from(event).where(found).correlate_except(event).scalar_subquery()
    return and_(count >= least, *([count <= most] if most is not None else []))


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
