"""Meanings back into words: types, constants and conditions as a marketer writes them.

What `say` returns is the language itself: parsed and resolved again, it is the same condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from dsl import conditions as c
from dsl.catalog import MARKETING, STAGE
from dsl.conditions import Condition, Constant, Field, Operand
from dsl.types import Type

SIGNS = {
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN"),
    "€": ("EUR",),
    "£": ("GBP",),
}
"""The currencies that a sign may stand for."""

KINDS = {
    Type.TEXT: "text",
    Type.NUMBER: "a number",
    Type.MONEY: "an amount of money",
    Type.PERCENT: "a percentage",
    Type.YES_NO: "yes or no",
    Type.DATE: "a date",
    Type.TIMESTAMP: "a point in time",
    Type.DURATION: "a length of time",
    Type.TIME: "a time of day",
    Type.LIST: "a list",
    Type.PRODUCT: "a product",
    Type.PRODUCTS: "a list of products",
    Type.ANY: "of no declared type",
}
"""Each type in plain words."""
NOBODY: Mapping[int, str] = {}
"""No segments."""


def number(value: int | float) -> str:
    """A number without an exponent: `3`, `2.5`."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def percent(value: float) -> str:
    """`10%`, `33.3%`"""
    return number(value) + "%"


def money(hundredths: int, currency: str) -> str:
    """`$50`, `€9.90`, `1,250 PLN`"""
    whole, rest = divmod(abs(hundredths), 100)
    digits = ("-" if hundredths < 0 else "") + f"{whole:,}" + (f".{rest:02}" if rest else "")
    sign = next((sign for sign, codes in SIGNS.items() if currency in codes), None)
    return sign + digits if sign else f"{digits} {currency}"


def plural(noun: str, count: int) -> str:
    """`day`, `days`"""
    return noun if count == 1 else noun + "s"


def duration(seconds: int) -> str:
    """In the largest unit that fits whole: `2 days`, `36 hours`, `90 minutes`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {plural(unit, seconds // length)}"
    return f"{seconds} seconds"


def written(value: Operand, currency: str) -> str:
    """A value as a playbook writes it."""
    match value:
        case Field(scope="event", name=name):
            return f"event.{name}"
        case Field(name=name):
            return name
        case Constant(type=Type.MONEY, value=int(amount)):
            return money(amount, currency)
        case Constant(type=Type.PERCENT, value=int(amount) | float(amount)):
            return percent(amount)
        case Constant(type=Type.DURATION, value=int(seconds)):
            return duration(seconds)
        case Constant(value=bool(answer)):
            return "yes" if answer else "no"
        case Constant(value=int(amount) | float(amount)):
            return number(amount)
        case Constant(type=Type.TEXT, value=text):
            return f'"{text}"'
        case Constant(value=other):
            return str(other)


def say(condition: Condition, currency: str, named: Mapping[int, str] = NOBODY) -> str:
    """A condition as a playbook writes it, on one line.

    `named` has how segments and audiences were written (`in segment NAME`) by the identity of their meanings: a part
    that is such a meaning, the very same object, is said so.
    """
    if name := named.get(id(condition)):
        return name
    match condition:
        case c.AllOf(conditions=parts):
            return " and ".join(_inside(part, currency, named, c.AllOf, c.AnyOf) for part in parts)
        case c.AnyOf(conditions=parts):
            return " or ".join(_inside(part, currency, named, c.AnyOf) for part in parts)
        case c.Not(condition=c.Known(field=field)):
            return f"{written(field, currency)} is unknown"
        case c.Not(condition=inner):
            return f"not {_inside(inner, currency, named, c.AllOf, c.AnyOf)}"
        case c.HasEvent():
            return _has(condition, currency)
        case c.CanReceive(channel=channel, topic=topic) if topic == MARKETING:
            return f"can receive {channel}"
        case c.CanReceive(channel=channel, topic=topic):
            return f"can receive {channel} about {topic}"
        case c.LastEvent(event=event, where=asked, condition=inner):
            of = f" {where(asked, currency)}" if asked else ""
            return f"last {event}{of} was {_bracketed(inner, currency)}"
        case c.InAudience(audience=audience):
            return f"in audience {audience}"
        case c.Message(kind=kind, template=template, window=window):
            return f"{kind} {template}" + (f" {_window(window)}" if window else "")
        case _:
            return f"{written(condition.field, currency)} {_predicate(condition, currency)}"


_Predicate = c.Compare | c.OneOf | c.Known | c.Recency | c.Calendar | c.Contains | c.Top | c.Includes | c.HasBeen


def _predicate(condition: _Predicate, currency: str) -> str:
    match condition:
        case c.Compare(operator=operator, field=field, value=value):
            return f"{operator} {_beside(field, value, currency)}"
        case c.OneOf(field=field, values=values):
            return "is one of " + ", ".join(_beside(field, value, currency) for value in values)
        case c.Known():
            return "is known"
        case c.Recency(kind="ago", seconds=seconds):
            return f"is more than {duration(seconds)} ago"
        case c.Recency(kind=kind, seconds=seconds):
            return f"is in the {kind} {duration(seconds)}"
        case c.Calendar(kind=kind, day=day):
            return f"is {kind} {day}"
        case c.Contains(kind="starts_with", text=text):
            return f'starts with "{text}"'
        case c.Contains(text=text):
            return f'contains "{text}"'
        case c.Top(percent=share):
            return f"is in the top {percent(share)}"
        case c.Includes(value=value):
            return f"includes {written(value, currency)}"
        case c.HasBeen(field=field, value=value, seconds=seconds):
            return f"has been {_beside(field, value, currency)} for {duration(seconds)}"


def _beside(field: Field, value: Operand, currency: str) -> str:
    """A value that a field is compared with: of the stage its name, without quotation marks."""
    match value:
        case Constant(type=Type.TEXT, value=str(name)) if field.scope == "profile" and field.name == STAGE:
            return name
    return written(value, currency)


def _has(asked: c.HasEvent, currency: str) -> str:
    if asked.most == 0:
        said = f"has no {asked.event}"
    elif asked.most is None:
        said = f"has {asked.event}" + (f" at least {asked.least} times" if asked.least > 1 else "")
    elif asked.least == asked.most:
        said = f"has {asked.event} exactly {asked.most} times"
    else:
        said = f"has {asked.event} at most {asked.most} times"
    if asked.window is not None:
        said += f" {_window(asked.window)}"
    if asked.where is not None:
        said += f" {where(asked.where, currency)}"
    return said


def where(condition: Condition, currency: str) -> str:
    """`where total >= $100`, `where (total >= $100 and coupon is known)`"""
    return f"where {_bracketed(condition, currency)}"


def _bracketed(condition: Condition, currency: str) -> str:
    return _inside(condition, currency, NOBODY, c.AllOf, c.AnyOf, c.Not)


def _window(window: c.Window) -> str:
    match window.kind:
        case "last":
            return f"in the last {duration(window.seconds or 0)}"
        case "before":
            return f"before {duration(window.seconds or 0)} ago"
        case "between":
            return f"between {window.start} and {window.end}"
        case "entry":
            return "since entry"


def _inside(part: Condition, currency: str, named: Mapping[int, str], *bracketed: type[Condition]) -> str:
    said = say(part, currency, named)
    is_plain = (isinstance(part, c.Not) and isinstance(part.condition, c.Known)) or id(part) in named
    return f"({said})" if isinstance(part, bracketed) and not is_plain else said
