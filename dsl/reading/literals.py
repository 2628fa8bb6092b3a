"""Amounts, durations, times and dates: from what is written to values, and what is wrong with those that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Final

from lark import Token

from dsl import syntax
from dsl.diagnostics import Span

DIGITS: Final = 15
"""The most digits of a number. More would not fit a store's columns."""
LONGEST_NAME: Final = 80
"""In characters."""
DAYS: Final = 36_500
"""The longest duration, in days."""

_DAYS_OF = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 31.0}
_UNITS: dict[str, syntax.Unit] = {
    "minute": "minute",
    "hour": "hour",
    "day": "day",
    "week": "week",
    "month": "month",
}

STAND_INS: Final = {
    "DURATION": "1 day",
    "CLOCK_TIME": "00:00",
    "DATE": "2000-01-01",
    "PERCENT": "0%",
    "MONEY": "$0",
    "NUMBER": "0",
    "WEEKDAY": "monday",
    "NAME": "x",
    "STRING": '""',
}
"""What is read in the place of a wrong value, so that the rest of its line is read. The line is not kept."""


def value(token: Token, span: Span) -> syntax.Value:
    """The node of a literal that `fault` finds nothing wrong with."""
    match token.type:
        case "STRING":
            return text(token, span)
        case "NUMBER":
            return syntax.Number(span=span, amount=Decimal(token))
        case "PERCENT":
            return percent(token, span)
        case "MONEY":
            return money(token, span)
        case "DURATION":
            return duration(token, span)
        case "CLOCK_TIME":
            return clock(token, span)
        case "DATE":
            return day(token, span)
        case "YES" | "NO":
            return syntax.YesNo(span=span, value=token.type == "YES")
    raise AssertionError(f"not a literal: {token.type}")


def text(token: Token, span: Span) -> syntax.Text:
    """`"text"`: all between the quotes is as it stands."""
    return syntax.Text(span=span, value=token[1:-1])


def percent(token: Token, span: Span) -> syntax.Percent:
    """`10%` · `2.5%`"""
    return syntax.Percent(span=span, amount=Decimal(token[:-1]))


def money(token: Token, span: Span) -> syntax.Money:
    """`$1,000` · `€9.90` · `250.50 PLN`"""
    amount, _, code = token.partition(" ")
    sign = code or amount[0]
    return syntax.Money(span=span, amount=Decimal(amount.lstrip("$€£").replace(",", "")), currency=sign)


def duration(token: Token, span: Span) -> syntax.Duration:
    """`1 day` · `36 hours`"""
    count, unit = token.split()
    return syntax.Duration(span=span, count=int(count), unit=_UNITS[unit.removesuffix("s")])


def count(token: Token) -> int:
    """`3`, of times or messages; of what `count_fault` finds wrong, the whole part."""
    return int(Decimal(token))


def clock(token: Token, span: Span) -> syntax.Clock:
    """`09:00`"""
    hour, minute = token.split(":")
    return syntax.Clock(span=span, value=time(int(hour), int(minute)))


def day(token: Token, span: Span) -> syntax.Day:
    """`2026-12-24`"""
    return syntax.Day(span=span, value=date.fromisoformat(token))


def fault(token: Token) -> tuple[str, str, str] | None:
    """The code, the message and the hint when the token is a literal or a name that cannot be."""
    if token.type == "NAME" and len(token) > LONGEST_NAME:
        return "WB114", f"This name has {len(token):,} characters.", f"A name has at most {LONGEST_NAME}."
    if token.type in _FAULTS and sum(c.isdigit() for c in token) > DIGITS:
        return "WB116", "This number is too long.", f"A number has at most {DIGITS} digits."
    check = _FAULTS.get(token.type)
    return check(str(token)) if check else None


def count_fault(token: Token) -> tuple[str, str, str] | None:
    """As `fault`, where a number counts times or messages."""
    if token.type == "NUMBER" and "." in token:
        return "WB116", f"`{token}` is not a count: nothing happens half a time.", "Write a whole number, such as `3`."
    return None


def _duration_fault(text: str) -> tuple[str, str, str] | None:
    count, unit = text.split()
    if int(count) == 0:
        return "WB119", f"`{text}` is no time at all.", f"A duration is at least 1: `1 {unit.removesuffix('s')}`."
    if int(count) * _DAYS_OF[unit.removesuffix("s")] > DAYS:
        return "WB119", f"`{text}` is longer than a hundred years.", "Check the number and the unit."
    return None


def _clock_fault(text: str) -> tuple[str, str, str] | None:
    hour, minute = map(int, text.split(":"))
    if (hour, minute) == (24, 0):
        return "WB117", "A day ends before `24:00`.", "Midnight is `00:00`."
    if hour > 23:
        return "WB117", f"There is no time `{text}`.", "The hours of a day are 00 to 23: `09:00`, `21:30`."
    if minute > 59:
        return "WB117", f"There is no time `{text}`.", "The minutes of an hour are 00 to 59: `09:00`, `21:30`."
    return None


def _date_fault(text: str) -> tuple[str, str, str] | None:
    try:
        date.fromisoformat(text)
    except ValueError:
        year, month, _ = map(int, text.split("-"))
        if 1 <= month <= 12 and year:
            first = date(year, month, 1)
            return "WB118", f"There is no `{text}`.", f"Check the day: {first:%B} {year} has {_length(first)} days."
        return "WB118", f"There is no `{text}`.", "Write year, month, day: `2026-12-24`."
    return None


def _length(first: date) -> int:
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1) if first.year < 9999 else date(9999, 12, 1)
    return (after - first).days or 31


_FAULTS: dict[str, Callable[[str], tuple[str, str, str] | None]] = {
    "NUMBER": lambda _: None,
    "PERCENT": lambda _: None,
    "MONEY": lambda _: None,
    "DURATION": _duration_fault,
    "CLOCK_TIME": _clock_fault,
    "DATE": _date_fault,
}
