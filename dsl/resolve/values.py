"""Literals to typed constants: money in the store's currency, lengths of time in seconds.

The parser has seen to it that numbers have at most 15 digits and amounts at most two decimals, and that lengths of
time are at least one unit and at most a hundred years.
"""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import cast

from dsl import plan, syntax, wording
from dsl.conditions import Constant
from dsl.resolve.scope import Scope
from dsl.types import Type

SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
"""The length of each unit. A day is 24 hours, a month 30 days."""


def constant(value: syntax.Constant, scope: Scope) -> Constant | None:
    """The typed value of a literal, or None with a problem told."""
    match value:
        case syntax.Money(amount=amount):
            if _is_own(value, scope):
                return Constant(type=Type.MONEY, value=_hundredths(amount))
            return None
        case syntax.Percent(amount=amount):
            return Constant(type=Type.PERCENT, value=float(amount))
        case syntax.Number(amount=amount):
            is_whole = amount == amount.to_integral_value()
            return Constant(type=Type.NUMBER, value=int(amount) if is_whole else float(amount))
        case syntax.Duration():
            return Constant(type=Type.DURATION, value=seconds(value))
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


def weekday(word: syntax.Word) -> plan.Weekday:
    """The parser lets only weekdays through. Raises ValueError for anything else."""
    return plan.WEEKDAYS[plan.WEEKDAYS.index(cast("plan.Weekday", word.text))]


def seconds(length: syntax.Duration) -> int:
    """A length of time in seconds."""
    return length.count * SECONDS[length.unit]


def _is_own(value: syntax.Money, scope: Scope) -> bool:
    currency = scope.catalog.currency
    if currency in wording.SIGNS.get(value.currency, (value.currency,)):
        return True
    scope.tell(
        "WB216",
        value.span,
        f"This shop counts in {currency}, and `{value.currency}` is another currency.",
        f"Write `{wording.money(_hundredths(value.amount), currency)}` if that is the amount you mean.",
    )
    return False


def _hundredths(amount: Decimal) -> int:
    return round(amount * 100)
