"""Reading single values of calls: names, times, amounts, texts. A value that cannot be read raises `CallError`."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from dsl.conditions import JSON
from store.clock import micros

MAX_LINE = 1 << 20
"""Bytes of one line, or of one call."""
MAX_TEXT = 1 << 16
"""Bytes, in UTF-8, of one text inside a call."""
MAX_ID = 512
"""Characters of what is looked up by: identifiers, event ids, product and order ids, categories."""
MAX_DEPTH = 32
MAX_AMOUNT = 10**9
MAX_QUANTITY = 10**6
MAX_CENTS = 2**63 - 1
"""What a column of the store holds."""
_canonical = json.JSONEncoder(sort_keys=True).encode
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^\w]+|_{2,}")
_NUMERIC = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_FIRST, _LAST = datetime(1970, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 — compared as written, whatever the zone
_NOT_AN_ID = frozenset({"null", "undefined", "none", "nan", "[object object]"})


class CallError(Exception):
    """A call cannot be used; the text says why and what to write instead."""


@lru_cache(maxsize=8192)
def snake_case(name: str) -> str:
    """`Product Added`, `ProductAdded` and `product.added` as `product_added`; empty when there is nothing to name."""
    return _OTHER.sub("_", _BOUNDARY.sub("_", name)).strip("_").lower()


def shown(value: object) -> str:
    """A value as it stands in a reason: as JSON, cut to 60 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "nested far too deeply"
    return text if len(text) <= 60 else text[:57] + "…"


@lru_cache(maxsize=8192)
def read_time(field: str, value: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time with a zone."""
    example = "Write it like 2026-11-21T18:30:00Z."
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        raise CallError(f"`{field}` is {shown(value)}, which is not a time. {example}") from None
    if at.tzinfo is None:
        raise CallError(f"`{field}` is {shown(value)}, which has no time zone. {example}")
    if not _FIRST <= at.replace(tzinfo=None) < _LAST:
        raise CallError(f"`{field}` is {shown(value)}, which is not between the years 1970 and 2200.")
    return max(0, micros(at))


def time_of(field: str, value: object) -> int:
    """As `read_time`, for a value of any type."""
    if not isinstance(value, str):
        raise CallError(
            f"`{field}` is {shown(value)}, which is not a text with a time. Write it like 2026-11-21T18:30:00Z."
        )
    return read_time(field, value)


def identifier_of(field: str, value: object) -> str | None:
    """An identifier as text; None when it is not given (missing, null or empty). Whole numbers become text."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise CallError(f"`{field}` is {shown(value)}; it must be a text.")
    found = value.strip()
    if len(found) > MAX_ID:
        raise CallError(f"`{field}` is longer than {MAX_ID} characters.")
    if found.lower() in _NOT_AN_ID:
        raise CallError(f"`{field}` is {shown(value)}, which names nobody. Leave it out when it is not known.")
    return found or None


def object_of(field: str, value: object) -> dict[str, Any]:
    """An object; empty when it is missing or null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CallError(f"`{field}` is {shown(value)}; it must be an object in braces.")
    return value


def number_of(field: str, value: object) -> int | float:
    """A number, also from a text that is nothing but a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip()
        if _NUMERIC.fullmatch(text):
            return float(text) if "." in text else int(text)
    raise CallError(
        f"`{field}` is {shown(value)}, which is not a number. Write it without quotes, currency and separators of "
        "thousands, like 1299.5."
    )


def amount_of(field: str, value: object, *, negative: bool = False) -> int | float:
    """An amount of money, in units of the currency."""
    number = number_of(field, value)
    if number < 0 and not negative:
        raise CallError(
            f"`{field}` is {shown(value)}; it cannot be negative. Send what goes back as `Product Removed` or "
            "`Order Refunded`."
        )
    if abs(number) > MAX_AMOUNT:
        raise CallError(f"`{field}` is {shown(value)}; the most is {MAX_AMOUNT}.")
    return number


def quantity_of(field: str, value: object) -> int:
    """A number of pieces."""
    number = amount_of(field, value)
    if number != int(number):
        raise CallError(f"`{field}` is {shown(value)}; it must be a whole number of pieces.")
    if number > MAX_QUANTITY:
        raise CallError(f"`{field}` is {shown(value)}; the most is {MAX_QUANTITY}.")
    return int(number)


@lru_cache(maxsize=65536)
def cents(amount: int | float) -> int:
    """An amount as hundredths, halves to the even one. Floats count as they are written, not as they are stored."""
    return int(Decimal(repr(amount)).scaleb(2).to_integral_value(ROUND_HALF_EVEN))


def oddity(value: object, depth: int = 0) -> str | None:
    """Why a JSON value cannot be stored, if so: nested too deeply, too long, too large, or no proper text."""
    if depth > MAX_DEPTH:
        return f"The call is nested more than {MAX_DEPTH} levels deep."
    match value:
        case None | bool():
            return None
        case str():
            return _odd_text(value)
        case int():
            return None if abs(value) <= MAX_CENTS else f"The number {shown(value)} is too large."
        case float():
            return None if math.isfinite(value) else "A number is infinite or not a number at all."
        case list():
            return next((odd for item in value if (odd := oddity(item, depth + 1))), None)
        case dict():
            parts = (odd for pair in value.items() for part in pair if (odd := oddity(part, depth + 1)))
            return next(parts, None)
    return f"A value of the type {type(value).__name__} is not JSON."


def _odd_text(text: str) -> str | None:
    if "\0" in text:
        return f"The text {shown(text)} holds the character \\u0000, which cannot be stored."
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "A text holds half of a character (a lone \\ud800 … \\udfff)."
    return None if size <= MAX_TEXT else f"The text {shown(text)} is longer than {MAX_TEXT >> 10} KiB."


def rank(value: JSON) -> str:
    """An order of JSON values, the same everywhere: it decides between two calls of the same time."""
    return _canonical(value)
