"""Operands of conditions as SQL: where a field is found, and what it is when it is read as a type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, false, func, literal
from sqlalchemy import Column as StoredColumn
from sqlalchemy.sql.elements import BindParameter, BooleanClauseList

from dsl.catalog import STAGE
from dsl.conditions import Constant, Field, Operand
from dsl.types import Type
from profiles.columns import Column, Document, nested, profile_field
from profiles.moment import Moment
from store import json
from store.clock import day_start, micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where fields are read: the moment, and the properties of the event row at hand inside a `where`."""

    moment: Moment
    properties: ColumnElement[Any] | None = None
    stage: Callable[[], ColumnElement[str]] | None = None
    """Makes the lifecycle stage of the person; None: there is no lifecycle."""


def find(field: Field, place: Place) -> Column | Document:
    match field.scope:
        case "profile" if field.name == STAGE and place.stage is not None:
            return Column(type=Type.TEXT, expression=place.stage())
        case "profile":
            return profile_field(field.name, micros(place.moment.as_of))
        case "property":
            if place.properties is None:
                raise ValueError(f"`{field.name}` is a property of an event and read outside of a `where`")
            return Document(document=place.properties, paths=nested(field.name))
        case "event":
            if place.moment.event is None:
                raise ValueError(f"`event.{field.name}` needs an enrollment that an event has started")
            return Document(document=place.moment.event, paths=nested(field.name))


_READINGS: dict[Type, type[json.Reading]] = {
    Type.TEXT: json.Text,
    Type.TIME: json.Text,
    Type.NUMBER: json.Number,
    Type.PERCENT: json.Number,
    Type.DURATION: json.Number,
    Type.MONEY: json.Cents,
    Type.YES_NO: json.YesNo,
    Type.DATE: json.Day,
    Type.TIMESTAMP: json.Instant,
    Type.LIST: json.Filled,
    Type.PRODUCTS: json.Filled,
    Type.PRODUCT: json.Present,
    Type.ANY: json.Present,
}


def read(field: Field, wanted: Type, place: Place) -> ColumnElement[Any]:
    """The field as the wanted type; NULL when it is unknown or of another type."""
    found = find(field, place)
    if isinstance(found, Column):
        if found.type is not wanted:
            raise ValueError(f"`{field.name}` is of type {found.type} and cannot be read as {wanted}")
        return found.expression
    return read_document(found, wanted)


def read_document(found: Document, wanted: Type) -> ColumnElement[Any]:
    """The value inside JSON as the wanted type; NULL when it is missing or of another type."""
    reading = json.Number if found.in_hundredths and wanted is Type.MONEY else _READINGS[wanted]
    readings = [reading(found.document, path) for path in found.paths]
    return readings[0] if len(readings) == 1 else func.coalesce(*readings, type_=readings[0].type)


def type_of(operand: Operand, place: Place) -> Type:
    if isinstance(operand, Field) and isinstance(found := find(operand, place), Column):
        return found.type
    return operand.type


NUMBERS = {Type.NUMBER, Type.PERCENT, Type.DURATION}


def common(left: Type, right: Type) -> Type:
    """What two values are compared as."""
    pair = {left, right} - {Type.ANY}
    if not pair:
        return Type.ANY
    if len(pair) == 1:
        return pair.pop()
    if pair <= NUMBERS:
        return Type.NUMBER
    if Type.MONEY in pair and pair <= NUMBERS | {Type.MONEY}:
        return Type.MONEY
    if pair == {Type.DATE, Type.TIMESTAMP}:
        return Type.TIMESTAMP
    raise ValueError(f"a {left} cannot be compared with a {right}")


def operand(value: Operand, wanted: Type, place: Place) -> ColumnElement[Any]:
    """A constant or a field as the wanted type."""
    return constant(value, wanted) if isinstance(value, Constant) else read(value, wanted, place)


def constant(constant: Constant, wanted: Type) -> ColumnElement[Any]:
    value: Any = constant.value
    if wanted is Type.TIMESTAMP:
        return literal(day_start(date.fromisoformat(value), UTC) if isinstance(value, str) else value, BigInteger())
    if wanted is Type.MONEY:
        return json.number(value if constant.type is Type.MONEY else round(value * 100))
    return json.number(value) if wanted in NUMBERS else literal(value)


def sure(test: ColumnElement[bool], *operands: ColumnElement[Any]) -> ColumnElement[bool]:
    """The test, false where an operand is NULL."""
    columns = [o for o in operands if isinstance(o, StoredColumn)]
    others = [o for o in operands if not isinstance(o, StoredColumn | BindParameter | BooleanClauseList)]
    certain = func.coalesce(test, false()) if others else test
    return and_(*(column.is_not(None) for column in columns if column.nullable), certain)
