"""Reading single JSON values as types: small, slow and obvious. For `tests.reference`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from dsl.types import Type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def inner(document: Any, name: str) -> Any:
    """The value under this name, or, with dots, inside of objects."""
    if not isinstance(document, Mapping):
        return None
    if name in document or "." not in name:
        return document.get(name)
    head, rest = name.split(".", 1)
    return inner(document.get(head), rest)


def typed(value: Any, kind: Type) -> Any:
    """A JSON value as a type; None when it is of another one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case Type.TEXT:
            if isinstance(value, int) and number and len(str(abs(value))) <= 15:
                return str(value)
            return value if isinstance(value, str) else None
        case Type.NUMBER:
            return Decimal(repr(value)) if number else None
        case Type.MONEY:
            return int((Decimal(repr(value)) * 100).to_integral_value(ROUND_HALF_EVEN)) if number else None
        case Type.YES_NO:
            return value if isinstance(value, bool) else None
        case Type.LIST | Type.PRODUCTS:
            return value if isinstance(value, list) and value else None
        case Type.DATE:
            match = isinstance(value, str) and re.fullmatch(r"([0-9-]{10})([T ].*)?", value, re.DOTALL)
            return match[1] if match and real(match[1]) else None
        case Type.TIMESTAMP:
            return timestamp(value)
    return value


def timestamp(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        size = abs(value)
        unit = 10**6 if size < 1e11 else 10**3 if size < 1e14 else 1 if size < 1e17 else None
        return int((Decimal(repr(value)) * unit).to_integral_value(ROUND_HALF_UP)) if unit else None
    if not isinstance(value, str):
        return None
    if real(value):
        return day_at(value, UTC)
    match = re.fullmatch(r"([0-9-]{10})[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):?(\d\d))", value, re.ASCII)
    if not match or not real(match[1]):
        return None
    hour, minute, second = int(match[2]), int(match[3]), int(match[4])
    offset = timedelta(hours=int(match[7] or 0), minutes=int(match[8] or 0)) * (-1 if match[6] == "-" else 1)
    if hour > 23 or minute > 59 or second > 59 or abs(offset) >= timedelta(hours=15) or int(match[8] or 0) > 59:
        return None
    at = day_at(match[1], UTC) + ((hour * 60 + minute) * 60 + second) * 10**6 + int(f"{match[5] or 0:0<6}"[:6])
    return at - offset // timedelta(microseconds=1)


def real(day: str) -> bool:
    if not re.fullmatch(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}", day):
        return False
    try:
        return bool(date.fromisoformat(day))
    except ValueError:
        return False


def day_at(day: str | None, zone: Any) -> Any:
    """The first instant of the day in the zone."""
    if day is None:
        return None
    return (datetime.fromisoformat(day).replace(tzinfo=zone) - EPOCH) // timedelta(microseconds=1)


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(x) + 32) if "A" <= x <= "Z" else x for x in text)
