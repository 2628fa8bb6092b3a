"""Conditions as SQL: the only meaning that they have. See `dsl.conditions` for what each kind says.

Every expression made here is true or false and never NULL, so that `not` means what it says. Where a value may be
missing, a plain column is tested with IS NOT NULL (an index on it stays usable) and anything else with coalesce.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlalchemy import Boolean, ColumnElement, and_, false, func, not_, or_, true, type_coerce
from sqlalchemy import Text as SqlText

from dsl.conditions import (
    AllOf,
    AnyOf,
    Calendar,
    CanReceive,
    Compare,
    Condition,
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
    Recency,
    Top,
)
from dsl.types import Type
from profiles.columns import RECOMMENDED, Column, alive, people
from profiles.comparing import compare
from profiles.event_tests import has_event, in_audience, last_event, message
from profiles.history_tests import has_been
from profiles.moment import Moment
from profiles.rank import top
from profiles.reach import can_receive, granted, reachable, suppressed
from profiles.reading import Place, find, operand, read, sure, type_of
from profiles.recommend import anything_to_offer
from profiles.stages import stage_of
from profiles.times import calendar, recency
from store import json, schema

__all__ = [
    "Moment", "alive", "can_receive", "event_holds", "granted", "holds", "people", "reachable", "stage", "suppressed",
]  # fmt: skip

_LISTS = (Type.LIST, Type.PRODUCTS)


def holds(condition: Condition, moment: Moment) -> ColumnElement[bool]:
    """Whether a person meets a condition, for a statement that has `people()` in its FROM. Always true or false.

    Raises ValueError for what cannot be asked there, none of which the compiler lets through: `since entry` and
    `event.x` without an enrollment, `recommended.…`, a property outside of `where`, types that cannot be compared.
    """
    return _typed(_holds(condition, _place(moment)))


def event_holds(condition: Condition | None, moment: Moment) -> ColumnElement[bool]:
    """Whether a row of `events` meets a `where`; true without one. Fields of the person need `people()` in the FROM."""
    if condition is None:
        return true()
    return _typed(_holds(condition, replace(_place(moment), properties=schema.events.c.properties)))


def stage(moment: Moment) -> ColumnElement[str]:
    """The name of the stage of `moment.lifecycle` that a person is in, over `people()`; never NULL.

    Raises ValueError when there is no lifecycle.
    """
    return stage_of(moment, _holds)


def _place(moment: Moment) -> Place:
    return Place(moment=moment, stage=partial(stage, moment) if moment.lifecycle else None)


def _typed(test: ColumnElement[bool]) -> ColumnElement[bool]:
    """SQLAlchemy forgets that NOT of a conjunction is a boolean, and SQLite would give back 0 and 1."""
    return type_coerce(test, Boolean())


def _holds(condition: Condition, place: Place) -> ColumnElement[bool]:
    match condition:
        case Compare(field=field, operator="is not", value=value):
            return not_(compare(field, "is", value, place))
        case Compare(field=field, operator=sign, value=value):
            return compare(field, sign, value, place)
        case OneOf(field=field, values=values):
            return or_(false(), *(compare(field, "is", value, place) for value in values))
        case Known(field=field):
            return _known(field, place)
        case Recency():
            return recency(condition, place)
        case Calendar():
            return calendar(condition, place)
        case Contains(field=field, kind=kind, text=text):
            return _contains(field, kind, text, place)
        case Includes():
            return _includes(condition, place)
        case Top():
            return top(condition, place)
        case HasBeen():
            return has_been(condition, place)
        case HasEvent():
            return has_event(condition, place, _holds)
        case LastEvent():
            return last_event(condition, place, _holds)
        case InAudience():
            return in_audience(condition)
        case Message():
            return message(condition, place, _holds)
        case CanReceive(channel=channel, topic=topic):
            return can_receive(channel, topic, place.moment)
        case Not(condition=inner):
            return not_(_holds(inner, place))
        case AllOf(conditions=parts):
            return and_(true(), *(_holds(part, place) for part in parts))
        case AnyOf(conditions=parts):
            return or_(false(), *(_holds(part, place) for part in parts))


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


def _includes(condition: Includes, place: Place) -> ColumnElement[bool]:
    found = find(condition.field, place)
    if isinstance(found, Column):
        raise ValueError(f"`{condition.field.name}` is of type {found.type} and no list")
    text = operand(condition.value, Type.TEXT, place)
    return func.coalesce(*(json.HoldsText(found.document, path, text) for path in found.paths), false())
