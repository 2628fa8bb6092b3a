"""Values that steps write into fields of the shop's own: as shops send them, read from constants and other fields."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Text, literal

from dsl.conditions import Constant, Operand
from dsl.types import Type
from profiles.moment import Moment
from profiles.reading import NUMBERS, Place, read
from store import json
from store.writing import Kind, Written

_KINDS: dict[Type, Kind] = {
    Type.TEXT: "text",
    Type.TIME: "text",
    Type.DATE: "text",
    Type.MONEY: "money",
    Type.YES_NO: "yes_no",
    Type.TIMESTAMP: "timestamp",
    **dict.fromkeys(NUMBERS, "number"),
}


def as_json(operand: Operand, moment: Moment) -> ColumnElement[Any]:
    """The value as JSON, in the form in which calls bring it; NULL when it is unknown or not of its type.

    For a statement that has `people()` in its FROM. Raises ValueError for lists and products, which no step writes.
    """
    if operand.type not in _KINDS:
        raise ValueError(f"a value of type {operand.type} cannot be written")
    return Written(_value(operand, moment), _KINDS[operand.type])


def _value(operand: Operand, moment: Moment) -> ColumnElement[Any]:
    if not isinstance(operand, Constant):
        return read(operand, operand.type, Place(moment=moment))
    value: Any = operand.value
    match _KINDS[operand.type]:
        case "number":
            return json.number(value)
        case "money" | "timestamp":
            return literal(value, BigInteger())
        case "yes_no":
            return literal(value, Boolean())
        case _:
            return literal(value, Text())
