"""Two values beside each other as SQL: always true or false, false where one side is unknown."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, false, func, not_

from dsl.conditions import Constant, Field, Operand
from dsl.types import Type
from profiles.reading import Place, common, operand, read, sure, type_of
from store import json

_SIGNS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "is": operator.eq
}  # fmt: skip


def compare(field: Field, sign: str, value: Operand, place: Place) -> ColumnElement[bool]:
    """`field > value`, `field is value`, … Raises ValueError for types that cannot be compared."""
    return compared(lambda wanted: read(field, wanted, place), type_of(field, place), sign, value, place)


def compared(
    left: Callable[[Type], ColumnElement[Any]], kind: Type, sign: str, value: Operand, place: Place
) -> ColumnElement[bool]:
    """As `compare`, for a left side of type `kind` that `left` reads as the type it is given."""
    wanted = common(kind, type_of(value, place))
    if wanted is Type.ANY:
        # Nothing says what they are: numbers if both are, else texts, else yes and no.
        kinds = (Type.NUMBER, Type.TEXT, Type.YES_NO)
        return func.coalesce(*(_pair(left(each), sign, value, each, place)[0] for each in kinds), false())
    test, operands = _pair(left(wanted), sign, value, wanted, place)
    return sure(test, *operands)


def _pair(
    left: ColumnElement[Any], sign: str, value: Operand, wanted: Type, place: Place
) -> tuple[ColumnElement[bool], list[ColumnElement[Any]]]:
    """The comparison, NULL where one side is unknown, and its sides."""
    if isinstance(value, Constant) and wanted is Type.YES_NO:
        return (left if value.value else not_(left)), [left]
    right = operand(value, wanted, place)
    if sign != "is" and wanted in (Type.TEXT, Type.DATE, Type.TIME):
        return _SIGNS[sign](json.Ordinal(left), json.Ordinal(right)), [left, right]
    return _SIGNS[sign](left, right), [left, right]
