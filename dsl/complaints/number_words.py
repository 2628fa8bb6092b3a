"""What is wrong with a number, a sign or a unit that does not fit."""

from __future__ import annotations

import re
from difflib import get_close_matches
from unicodedata import category

from dsl.complaints.trouble import Complaint, Trouble, quoted
from dsl.complaints.vocabulary import COUNTS, CURRENCIES, SHORT_UNITS, SIGNS, UNITS, UNITS_ELSEWHERE
from dsl.grammar import words

_LITERALS = ("DURATION", "CLOCK_TIME", "DATE", "PERCENT", "MONEY", "NUMBER")


# ── Questions ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def odd_number_word(trouble: Trouble) -> Complaint | None:
    """`2days`, `50$`, `9am`, `1,000`"""
    if trouble.token.type != "ODD_NUMBER":
        return None
    code, message, hint = odd_number(trouble.text)
    kinds = {"WB114": ("NAME",), "WB115": ("MONEY",), "WB117": ("CLOCK_TIME",), "WB118": ("DATE",)}
    likely = kinds.get(code, ("DURATION",) if code == "WB119" else ("NUMBER", "PERCENT", "MONEY"))
    instead = next(((kind,) for kind in (*likely, *_LITERALS) if kind in trouble.expected), None)
    return trouble.complain(code, message, hint, instead=instead, kept=False)


def unit_missing(trouble: Trouble) -> Complaint | None:
    """`wait 2`, `wait 2 dayz`, `wait 1.5 days`"""
    if trouble.token.type != "NUMBER" or "DURATION" not in trouble.expected or "NUMBER" in trouble.expected:
        return None
    if trouble.after is not None and unit_like(str(trouble.after)):
        return _unit(trouble, back=0)
    if "CLOCK_TIME" in trouble.expected and re.fullmatch("[012]?[0-9]", trouble.text):
        return None
    return trouble.complain(
        "WB104",
        f"{quoted(trouble.text)} needs a unit of time.",
        f"Write it like `{trouble.text} {'day' if trouble.text == '1' else 'days'}`; the units are {', '.join(UNITS)}.",
        instead=("DURATION",),
        kept=False,
    )


def number_in_words(trouble: Trouble) -> Complaint | None:
    """`wait two days`, `wait a week`, `wait 1 fortnight`, `wait 2 business days`"""
    if "DURATION" not in trouble.expected:
        return None
    count = COUNTS.get(trouble.text.lower(), int(trouble.text) if trouble.text.isdecimal() else None)
    rest = [str(token).lower() for token in trouble.line[trouble.index + 1 : trouble.index + 4]]
    if count is None or not rest or not rest[0].isalpha():
        return None
    if rest[0] in {"couple", "few"}:
        count, rest = (2 if rest[0] == "couple" else 3), rest[1:]
    taken = 1 + len(trouble.line[trouble.index + 1 : trouble.index + 4]) - len(rest)
    while len(rest) > 1 and (rest[0] in {"of", "full", "whole", "more", "business", "working", "calendar"}):
        rest, taken = rest[1:], taken + 1
    if rest and rest[0] in UNITS_ELSEWHERE:
        near, unit = UNITS_ELSEWHERE[rest[0]].split()
        least = int(near) * (1 if rest[0].startswith("sec") else max(count, 1))
        written = f"{least} {unit if least == 1 else unit.rstrip('s') + 's'}"
        return trouble.complain(
            "WB112",
            f"{quoted(rest[0])} is not a unit of time.",
            f"The units are {', '.join(UNITS[:-1])} and {UNITS[-1]}. Write it like `{written}`.",
            instead=("DURATION",),
            taken=taken + 1,
            kept=False,
        )
    unit = unit_like(rest[0]) if rest else ""
    if not unit or count < 1 or (trouble.token.type == "NUMBER" and taken == 1):
        return None
    written = f"{count} {unit.removesuffix('s') if count == 1 else unit}"
    told = " ".join(str(token) for token in trouble.line[trouble.index : trouble.index + taken + 1])
    if trouble.token.type == "NUMBER":
        message = f"Days are counted as they come: there is no {quoted(str(trouble.after))}."
        hint = f"Write `{written}`. To send on certain days only, `policy` has `quiet days saturday, sunday`."
    else:
        message, hint = f"A duration is written with a number, and {quoted(told)} has none.", f"Write `{written}`."
    return trouble.complain(
        "WB112", message, hint, instead=(f"DURATION {written}",), taken=taken + 1, kept=trouble.token.type != "NUMBER"
    )


def odd_unit(trouble: Trouble) -> Complaint | None:
    """`let pause = 2 dayz`, where a number fits too."""
    if trouble.before is None or trouble.before.type != "NUMBER" or not unit_like(trouble.text):
        return None
    return _unit(trouble, back=1) if trouble.fits(1, ("DURATION",)) else None


def _unit(trouble: Trouble, back: int) -> Complaint:
    number, written = (str(trouble.line[trouble.index - back + i]) for i in (0, 1))
    unit = unit_like(written)
    if not number.isdecimal():
        return trouble.complain(
            "WB119",
            f"A duration is a whole number, and {quoted(number)} is not.",
            "Use a smaller unit: `36 hours` is a day and a half.",
            instead=("DURATION",),
            back=back,
            taken=2,
            kept=False,
        )
    duration = f"{number} {unit.removesuffix('s') if number == '1' else unit}"
    return trouble.complain(
        "WB112",
        f"{quoted(written)} is not a unit of time.",
        f"Did you mean `{duration}`?",
        instead=(f"DURATION {duration}",),
        back=back,
        taken=2,
        sure=False,
    )


def unit_like(text: str) -> str:
    """The unit of time that a word is like, in the plural; or an empty text."""
    text = text.lower()
    if text in SHORT_UNITS:
        return SHORT_UNITS[text]
    found = get_close_matches(text, UNITS, n=1, cutoff=0.7) if text.isalpha() else []
    return found[0] if found else ""


def count_missing(trouble: Trouble) -> Complaint | None:
    """`limit email to 3 per week`, `has product_viewed twice`, `limit email to three per week`"""
    text = trouble.text
    if "DURATION" in trouble.expected and f"{text.removesuffix('s')}s" in UNITS:
        unit = text.removesuffix("s")
        return trouble.complain(
            "WB104",
            f"How many {unit}s?",
            f"Write it with a number: `1 {unit}`.",
            instead=(f"DURATION 1 {unit}",),
            kept=False,
        )
    count = COUNTS.get(text)
    if count is None:
        return None
    if "NUMBER" in trouble.expected:
        times = ("TIMES",) if text in {"once", "twice"} else ()
        return trouble.complain(
            "WB112",
            f"{quoted(text)} does not fit here.",
            f"Write `{count} times`." if times else f"Write the number: `{count}`.",
            instead=(f"NUMBER {count}", *times),
        )
    if "EXACTLY" in trouble.expected and text in {"once", "twice"}:
        return trouble.complain(
            "WB112",
            f"{quoted(text)} does not fit here.",
            f"Write `exactly {count} times` or `at least {count} times`.",
            instead=("EXACTLY", f"NUMBER {count}", "TIMES"),
        )
    return None


def sign_missing(trouble: Trouble) -> Complaint | None:
    """A number where a percentage or a time must be."""
    if trouble.token.type != "NUMBER" or "NUMBER" in trouble.expected:
        return None
    number, after = trouble.text, trouble.after
    if "PERCENT" in trouble.expected:
        apart = after is not None and str(after) in {"%", "percent", "pct"}
        return trouble.complain(
            "WB116",
            "A percent sign stands right behind its number." if apart else f"{quoted(number)} needs a percent sign.",
            f"Write `{number}%`.",
            instead=(f"PERCENT {number}%",),
            taken=2 if apart else 1,
        )
    if "CLOCK_TIME" in trouble.expected:
        hour = int(number) if re.fullmatch("[01]?[0-9]|2[0-3]", number) else 9
        return trouble.complain(
            "WB117",
            f"{quoted(number)} is not a time.",
            f"Write hours and minutes: `{hour:02}:00`.",
            instead=(f"CLOCK_TIME {hour:02}:00",),
            kept=False,
        )
    return None


def sign_apart(trouble: Trouble) -> Complaint | None:
    """`10 %`, `50 dollars`, `50 pln`: a sign or a code that is cut off from the number before it."""
    before, text = trouble.before, trouble.text
    if before is None or before.type != "NUMBER":
        return None
    if text in {"%", "percent", "pct"} and trouble.fits(1, ("PERCENT",)):
        return trouble.complain(
            "WB116",
            "A percent sign stands right behind its number.",
            f"Write `{before}%`.",
            instead=(f"PERCENT {before}%",),
            back=1,
            taken=2,
        )
    if not trouble.fits(1, ("MONEY",)):
        return None
    if text in SIGNS or category(text[0]) == "Sc":
        return trouble.complain(
            "WB115",
            f"`{before} {text}` is not an amount of money.",
            f"Write it like `{_money(str(before), text)}`.",
            instead=("MONEY",),
            back=1,
            taken=2,
            kept=False,
        )
    if text.upper() in CURRENCIES:
        written = f"{before} {text.upper()}"
        return trouble.complain(
            "WB115",
            "The code of a currency is written in capitals.",
            f"Write `{written}`.",
            instead=("MONEY",),
            back=1,
            taken=2,
            kept=False,
        )
    return None


def sign_before(trouble: Trouble) -> Complaint | None:
    """`$ 50`, `¥500`, `EUR 50`: a sign or a code that stands before its number and must not."""
    after, text = trouble.after, trouble.text
    if after is None or after.type not in {"NUMBER", "ODD_NUMBER", "MONEY"} or "MONEY" not in trouble.expected:
        return None
    code = re.fullmatch("[A-Z]{3}", text) is not None and text.lower() not in words().values()
    if not code and category(text[0]) != "Sc":
        return None
    told = f"{text}{'' if trouble.token.end_column == after.column else ' '}{after}"
    message = "The code of a currency stands behind the amount." if code else f"`{told}` is not an amount of money."
    return trouble.complain(
        "WB115",
        message,
        f"Write it like `{_money(str(after), text)}`.",
        instead=("MONEY",),
        taken=2,
        kept=False,
    )


def _money(number: str, sign: str) -> str:
    sign = SIGNS.get(sign, sign)
    if sign in {"$", "€", "£"}:
        return f"{sign}{number}"
    return f"{number} {sign if re.fullmatch('[A-Z]{3}', sign) else 'PLN'}"


# ── Words that begin like a number ────────────────────────────────────────────────────────────────────────────────────
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
