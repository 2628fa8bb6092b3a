"""`has been … for`: since when a field is what it is. Always true or false, over `people()`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select

from dsl.catalog import STAGE
from dsl.conditions import Field, HasBeen, Operand
from dsl.types import Type
from profiles.columns import Column, Document, nested
from profiles.comparing import compare, compared
from profiles.moment import FAR
from profiles.reading import Place, find, operand, read_document, type_of
from store import json, schema

COLUMNS, TRAITS = "columns", "traits"
"""What an identify call's row in `events` keeps: the columns of `profiles` that it set, as they were read, and the
traits as they were sent. Rows of versions before have no columns."""


def has_been(condition: HasBeen, place: Place) -> ColumnElement[bool]:
    """It is so now, and nothing else was said since the time asked about."""
    now = compare(condition.field, "is", condition.value, place)
    if condition.field.name == STAGE and place.stage is not None:
        return and_(now, _seen_since(condition.value, condition.seconds, place))
    return and_(now, _said_since(condition, place))


def _seen_since(value: Operand, seconds: int, place: Place) -> ColumnElement[bool]:
    row = schema.stages.alias()
    seen = and_(
        row.c.profile_id == schema.profiles.c.id,
        row.c.stage == operand(value, Type.TEXT, place),
        row.c.since <= place.moment.at(-seconds),
    )
    return exists(select(row.c.profile_id).where(seen).correlate_except(row))


def _said_since(condition: HasBeen, place: Place) -> ColumnElement[bool]:
    """Of the instants at which identify calls gave the field, one long enough ago gave this value, and none after it
    gave only others."""
    call = schema.events.alias()
    said, given = _said(condition.field, place, call.c.properties)
    same = compared(said, type_of(condition.field, place), "is", condition.value, place)
    instants = (
        select(call.c.at, func.max(case((same, 1), else_=0)).label("same"))
        .where(
            call.c.profile_id == schema.profiles.c.id,
            call.c.name == "identify",
            call.c.at <= place.moment.at(),
            given,
        )
        .group_by(call.c.at)
        .correlate_except(call)
        .subquery()
    )
    long_ago = and_(instants.c.same == 1, instants.c.at <= place.moment.at(-condition.seconds))
    newest = func.max(case((long_ago, instants.c.at)))
    broken = func.coalesce(func.max(case((instants.c.same == 0, instants.c.at))), -FAR)
    lasted = select(newest > broken).select_from(instants).correlate_except(instants).scalar_subquery()
    return func.coalesce(lasted, false())


def _said(
    field: Field, place: Place, properties: ColumnElement[Any]
) -> tuple[Callable[[Type], ColumnElement[Any]], ColumnElement[bool]]:
    """How a call's row is read for the field, and whether the call gave it: null takes a value away."""
    name = field.name
    if isinstance(find(field, place), Column):
        kept = json.Given(properties, (COLUMNS,))
        new, old = (COLUMNS, name), (TRAITS, name)

        def either(wanted: Type) -> ColumnElement[Any]:
            now, before = (read_document(Document(document=properties, paths=(path,)), wanted) for path in (new, old))
            return case((kept, now), else_=before)

        return either, case((kept, json.Given(properties, new)), else_=json.Given(properties, old))
    paths = nested(name)
    document = Document(document=properties, paths=tuple((TRAITS, *path) for path in paths))
    # A call gives an object as a whole: `loyalty` without a tier takes `loyalty.tier` away.
    given = or_(*(json.Given(properties, (TRAITS, path[0])) for path in paths))
    return lambda wanted: read_document(document, wanted), given
