"""What a branch asked, and what the answers were, in words: `cart.total was $40, no order_completed since entry`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from dsl import conditions as c
from dsl.reads import fields, tests
from dsl.types import Type
from dsl.wording import money, number
from store.clock import instant

_ALONE = frozenset(
    {Type.TEXT, Type.TIME, Type.NUMBER, Type.PERCENT, Type.DURATION, Type.MONEY, Type.YES_NO, Type.DATE, Type.TIMESTAMP}
)
_WINDOWS: Mapping[str | None, str] = {None: "", "entry": " since entry", "last": " in that time"}
_NAMES = {"profile": "", "event": "event."}


def asked(conditions: Iterable[c.Condition]) -> dict[str, c.Field]:
    """The fields with a single value that conditions ask of a person and of the event that started the journey."""
    found = (field for condition in conditions for field in fields(condition))
    return {
        _NAMES[field.scope] + field.name: field
        for field in found
        if field.scope in _NAMES and field.type in _ALONE and not field.name.startswith("recommended.")
    }


def kept(value: Any, kind: Type) -> Any:
    """A value as the journal keeps it, as a Python value: money in hundredths, times aware."""
    match kind:
        case Type.TIMESTAMP if value is not None:
            return instant(int(value))
        case Type.DATE if value is not None:
            return date.fromisoformat(value)
        case Type.YES_NO if value is not None:
            return bool(value)
    return value


def counted(conditions: Iterable[c.Condition]) -> dict[str, c.HasEvent]:
    """The events whose number conditions ask, by how that is said. Those with a `where` of their own are left out."""
    found = (test for condition in conditions for test in tests(condition))
    return {
        test.event + _WINDOWS[window]: test
        for test in found
        if isinstance(test, c.HasEvent) and test.where is None
        if (window := test.window.kind if test.window is not None else None) in _WINDOWS
    }


def known(conditions: Sequence[c.Condition], saw: Mapping[str, Any]) -> dict[str, tuple[Any, Type | None]]:
    """What conditions saw, by name, and of what type that is; a value without a type is how often an event had
    happened. `saw`: as the journal kept it."""
    values = {
        name: (kept(saw[name], field.type), field.type) for name, field in asked(conditions).items() if name in saw
    }
    return values | {name: (int(saw[name]), None) for name in counted(conditions) if name in saw}


def told(values: Mapping[str, tuple[Any, Type | None]], currency: str, zone: tzinfo) -> str:
    """What was seen, for people; empty when nothing is known."""
    return ", ".join(
        f"{value or 'no'} {name}" if kind is None else f"{name} was {said(value, kind, currency, zone)}"
        for name, (value, kind) in values.items()
    )


def said(value: Any, kind: Type, currency: str, zone: tzinfo) -> str:
    """A value of a field in words."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int() if kind is Type.MONEY:
            return money(value, currency)
        case int() | float():
            return number(value)
        case datetime():
            return f"{value.astimezone(zone):%d %b %Y %H:%M}"
        case date():
            return value.isoformat()
        case list():
            return f"a list of {len(value)}"
        case dict():
            return str(value.get("name") or "a product")
    return f'"{value}"'
