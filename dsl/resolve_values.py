"""Literals to typed constants: money in the store's currency, lengths of time in seconds."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

from dsl import syntax, wording
from dsl.conditions import Constant
from dsl.scope import Scope
from dsl.types import Type

SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
"""The length of each unit. A day is 24 hours, a month 30 days."""
LONGEST = 36_500 * 86_400
"""No length of time in a playbook is longer: a hundred years, so that no sum of times leaves the calendar."""
LARGEST = 10**12
"""No number or amount in a playbook is larger: so that sums stay exact in every database."""

Literal = (
    syntax.Money
    | syntax.Percent
    | syntax.Number
    | syntax.Duration
    | syntax.Clock
    | syntax.Day
    | syntax.Text
    | syntax.YesNo
)


def constant(value: Literal, scope: Scope) -> Constant | None:
    """The typed value of a literal, or None with a problem told."""
    match value:
        case syntax.Money():
            return _money(value, scope)
        case syntax.Percent(amount=amount):
            return _bounded(value, Constant(type=Type.PERCENT, value=float(amount)), amount, scope)
        case syntax.Number(amount=amount):
            exact = int(amount) if amount == amount.to_integral_value() and abs(amount) < LARGEST else float(amount)
            return _bounded(value, Constant(type=Type.NUMBER, value=exact), amount, scope)
        case syntax.Duration():
            length = seconds(value, scope, least=0)
            return None if length is None else Constant(type=Type.DURATION, value=length)
        case syntax.Clock(value=at):
            return Constant(type=Type.TIME, value=clock(at))
        case syntax.Day(value=day):
            return Constant(type=Type.DATE, value=day.isoformat())
        case syntax.Text(value=text):
            return Constant(type=Type.TEXT, value=text)
        case syntax.YesNo(value=answer):
            return Constant(type=Type.YES_NO, value=answer)


def clock(at: time) -> str:
    """`09:00`"""
    return at.strftime("%H:%M")


def seconds(length: syntax.Duration, scope: Scope, *, least: int = 1) -> int | None:
    """A length of time in seconds, or None with a problem told. `least` counts in the unit that was written."""
    if length.count < least:
        scope.tell("WB220", length.span, "This length of time is nothing at all.", f"Write at least `1 {length.unit}`.")
        return None
    if length.count * SECONDS[length.unit] > LONGEST:
        scope.tell("WB221", length.span, "This is longer than a hundred years.", "Write a shorter time.")
        return None
    return length.count * SECONDS[length.unit]


def _money(value: syntax.Money, scope: Scope) -> Constant | None:
    currency = scope.catalog.currency
    if currency not in wording.SIGNS.get(value.currency, (value.currency,)):
        scope.tell(
            "WB216",
            value.span,
            f"This shop counts in {currency}, and `{value.currency}` is another currency.",
            f"Write `{wording.money(_hundredths(value.amount), currency)}` if that is the amount you mean.",
        )
        return None
    hundredths = value.amount * 100
    if abs(value.amount) >= LARGEST:
        return _bounded(value, None, value.amount, scope)
    if hundredths != hundredths.to_integral_value():
        scope.tell(
            "WB217",
            value.span,
            "An amount of money has at most two decimals.",
            f"Write `{wording.money(_hundredths(value.amount), currency)}`.",
        )
        return None
    return Constant(type=Type.MONEY, value=int(hundredths))


def _hundredths(amount: Decimal) -> int:
    return round(min(amount, Decimal(LARGEST)) * 100)


def _bounded(value: Literal, meaning: Constant | None, amount: Decimal, scope: Scope) -> Constant | None:
    if abs(amount) < LARGEST:
        return meaning
    scope.tell("WB222", value.span, "This number is too large.", f"The largest is {LARGEST - 1:,}.")
    return None
