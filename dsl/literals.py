"""Amounts, durations, times and dates: from what is written to values, and what is wrong with those that do not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Final

from lark import Token

from dsl import syntax
from dsl.diagnostics import Span

DIGITS: Final = 15
"""The most digits of a number. More would not fit a store's columns."""
DAYS: Final = 36_500
"""The longest duration, in days."""

_DAYS_OF = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 31.0}
_UNITS: dict[str, syntax.Unit] = {u: u for u in ("minute", "hour", "day", "week", "month")}  # type: ignore[misc]


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


def clock(token: Token, span: Span) -> syntax.Clock:
    """`09:00`"""
    hour, minute = token.split(":")
    return syntax.Clock(span=span, value=time(int(hour), int(minute)))


def day(token: Token, span: Span) -> syntax.Day:
    """`2026-12-24`"""
    return syntax.Day(span=span, value=date.fromisoformat(token))


def fault(token: Token) -> tuple[str, str, str] | None:
    """The code, the message and the hint when the token is a literal that cannot be."""
    if token.type in _FAULTS and sum(c.isdigit() for c in token) > DIGITS:
        return "WB116", "This number is too long.", f"A number has at most {DIGITS} digits."
    check = _FAULTS.get(token.type)
    return check(str(token)) if check else None


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


# ── Odd ones: what is wrong with a word that begins like a number ─────────────────────────────────────────────────────
_UNIT = r"(m|min|mins|minute|minutes|h|hr|hrs|hour|hours|d|day|days|w|week|weeks|mo|month|months)"
_LONG = {"m": "minute", "h": "hour", "d": "day", "w": "week"}
_AMOUNT = r"\d[\d,]*(\.\d+)?"


def odd_number(text: str) -> tuple[str, str, str]:
    """The code, the message and the hint for a word that begins like a number and is none."""
    if found := re.fullmatch(rf"(\d+)-?{_UNIT}", text):
        unit = "month" if found[2].startswith("mo") else _LONG[found[2][0]]
        written = f"{found[1]} {unit}{'' if found[1] == '1' else 's'}"
        return "WB119", f"`{text}` is not a duration.", f"Write it in words, with a space: `{written}`."
    if found := re.fullmatch(r"(\d{1,2})([:.](\d{2}))?(am|pm)", text):
        hour = int(found[1]) % 12 + (12 if found[4] == "pm" else 0)
        return "WB117", f"`{text}` is not a time.", f"Write it by the 24-hour clock: `{hour:02}:{found[3] or '00'}`."
    if re.fullmatch(r"\d{1,2}[:.]\d+(:\d+)*|\d{1,2}h\d\d", text) and not re.fullmatch(r"\d+\.\d+", text):
        return "WB117", f"`{text}` is not a time.", "Write hours and minutes with two digits each: `09:00`."
    if re.fullmatch(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}", text) or re.fullmatch(r"\d{4}-\d{2}-\d{2}T.*", text):
        return "WB118", f"`{text}` is not a date.", "Write year, month, day: `2026-12-24`."
    if found := re.fullmatch(rf"({_AMOUNT})([$€£])", text):
        return "WB115", f"`{text}` is not an amount of money.", f"The sign comes first: `{found[3]}{found[1]}`."
    if found := re.fullmatch(rf"({_AMOUNT})(AUD|CAD|CHF|CZK|DKK|EUR|GBP|JPY|NOK|PLN|SEK|USD)", text, re.IGNORECASE):
        written = f"{found[1]} {found[3].upper()}"
        return "WB115", f"`{text}` is not an amount of money.", f"Write it with a space: `{written}`."
    if re.match(r"-?[$€£]", text):
        return "WB115", f"`{text}` is not an amount of money.", _money_hint(text)
    if text.startswith("-"):
        return "WB116", f"`{text}`: no number in a playbook is below zero.", "Leave the minus sign out."
    if re.fullmatch(r"\d+(,\d+)*%|\d+%\w+|\d[\d.,]*%", text):
        return "WB116", f"`{text}` is not a percentage.", "Write it like `10%` or `2.5%`."
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        return "WB116", f"`{text}` is not a number.", f"Write it without commas: `{text.replace(',', '')}`."
    if re.fullmatch(r"\d+,\d+", text):
        return "WB116", f"`{text}` is not a number.", f"Decimals come after a point: `{text.replace(',', '.')}`."
    if re.fullmatch(r"\d+[A-Za-z_]\w*(-\w+)*", text):
        return "WB114", f"`{text}` is not a name.", "A name begins with a letter."
    return "WB116", f"`{text}` is not a number.", "Write numbers like `3` or `2.5`."


def _money_hint(text: str) -> str:
    if text.startswith("-"):
        return "No amount in a playbook is below zero. Leave the minus sign out."
    if re.fullmatch(rf"[$€£]{_AMOUNT}", text) and "." in text:
        return "After the point come two digits, the cents: `$9.90`."
    if re.fullmatch(r"[$€£]\d+,\d{2}", text):
        return f"Cents come after a point: `{text.replace(',', '.')}`."
    if "," in text:
        return "Commas stand before groups of three digits: `$1,000`."
    return "Write it like `$50`, `$1,000` or `$9.90`."
