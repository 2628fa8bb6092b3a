"""What is wrong when a word inside a line does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from unicodedata import category

from dsl.complaints import Complaint, Trouble, describe, example, is_planned_condition, listed, near, planned, quoted
from dsl.grammar import words
from dsl.literals import odd_number
from dsl.vocabulary import FILLERS, FOREIGN, UNITS, WEEKDAYS

_LITERALS = ("DURATION", "CLOCK_TIME", "DATE", "PERCENT", "MONEY", "NUMBER")


def explain_word(trouble: Trouble) -> Complaint:
    """The complaint about a word that is not the first of its line."""
    for question in _QUESTIONS:
        if complaint := question(trouble):
            return complaint
    return _otherwise_expected(trouble)


# ── Texts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _curly_text(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "CURLY_TEXT":
        return None
    inner = trouble.text[1:-1]
    what = "Here are single quotation marks." if trouble.text[0] in "'`" else "Here are curly quotation marks."
    return trouble.complain(
        "WB108",
        what,
        f'Use straight double ones: "{inner}".' if len(inner) <= 40 else 'Use straight double ones: "like this".',
        instead=(f'STRING "{inner}"',) if "STRING" in trouble.expected else None,
    )


def _open_text(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "OPEN_TEXT":
        return None
    if trouble.before is not None and trouble.before.type in {"STRING", "NAME"} and "STRING" not in trouble.expected:
        hint = 'Add a `"`, or delete this one. A text cannot hold quotation marks of this kind itself.'
    elif trouble.text[0] == '"':
        hint = 'Add a `"` at the end of the text.'
    else:
        hint = 'Put straight double quotes around it: "like this".'
    complaint = trouble.complain("WB109", "This text is never closed.", hint)
    return complaint


# ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def _odd_number(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "ODD_NUMBER":
        return None
    code, message, hint = odd_number(trouble.text)
    kinds = {"WB114": ("NAME",), "WB115": ("MONEY",), "WB117": ("CLOCK_TIME",), "WB118": ("DATE",)}
    likely = kinds.get(code, ("DURATION",) if code == "WB119" else ("NUMBER", "PERCENT", "MONEY"))
    instead = next(((kind,) for kind in (*likely, *_LITERALS) if kind in trouble.expected), None)
    return trouble.complain(code, message, hint, instead=instead, kept=False)


def _unit_missing(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "NUMBER" or "DURATION" not in trouble.expected or "NUMBER" in trouble.expected:
        return None
    if "." in trouble.text:
        return trouble.complain(
            "WB119",
            f"A duration is a whole number, and {quoted(trouble.text)} is not.",
            "Use a smaller unit: `36 hours` for one day and a half.",
            instead=("DURATION",),
            taken=2 if _is_unit(trouble) else 1,
            kept=False,
        )
    if _is_unit(trouble):
        assert trouble.after is not None
        unit = _unit(str(trouble.after))
        written = f"{trouble.text} {unit.removesuffix('s') if trouble.text == '1' else unit}"
        return trouble.complain(
            "WB112",
            f"{quoted(str(trouble.after))} is not a unit of time.",
            f"Did you mean `{written}`?",
            instead=(f"DURATION {written}",),
            taken=2,
            kept=False,
        )
    if "CLOCK_TIME" in trouble.expected and int(trouble.text) < 24:
        return None
    return trouble.complain(
        "WB104",
        f"{quoted(trouble.text)} needs a unit of time.",
        f"Write it like `{trouble.text} days`; the units are {', '.join(UNITS)}.",
        instead=("DURATION",),
        kept=False,
    )


def _is_unit(trouble: Trouble) -> bool:
    return trouble.after is not None and _unit(str(trouble.after)) != ""


def _unit(text: str) -> str:
    """The unit that a word is like, or an empty text."""
    short = {"h": "hours", "hr": "hours", "hrs": "hours", "d": "days", "m": "minutes", "min": "minutes", "w": "weeks"}
    short |= {"mins": "minutes", "wk": "weeks", "wks": "weeks", "mo": "months", "hours": "hours", "days": "days"}
    if text.lower() in short:
        return short[text.lower()]
    kind = re.sub(r"[^a-z]", "", text.lower())
    from difflib import get_close_matches

    found = get_close_matches(kind, UNITS, n=1, cutoff=0.7)
    return found[0] if found else ""


def _sign_missing(trouble: Trouble) -> Complaint | None:
    """A number where a percentage, a time or an amount must be."""
    if trouble.token.type != "NUMBER" or "NUMBER" in trouble.expected:
        return None
    number, after = trouble.text, trouble.after
    if "PERCENT" in trouble.expected:
        percent = after is not None and str(after) in {"%", "percent", "pct"}
        return trouble.complain(
            "WB116",
            f"{quoted(number)} needs a percent sign." if not percent else "A percent sign stands right behind its number.",
            f"Write `{number}%`.",
            instead=(f"PERCENT {number}%",),
            taken=2 if percent else 1,
        )
    if "CLOCK_TIME" in trouble.expected and "." not in number:
        written = f"{int(number):02}:00" if int(number) < 24 else "09:00"
        return trouble.complain(
            "WB117",
            f"{quoted(number)} is not a time.",
            f"Write hours and minutes: `{written}`.",
            instead=(f"CLOCK_TIME {written}",),
            kept=False,
        )
    return None


def _sign_apart(trouble: Trouble) -> Complaint | None:
    """`10 %`, `$ 50`, `50 pln` and the like: a sign or a code that is cut off from its number."""
    before, after, text = trouble.before, trouble.after, trouble.text
    if before is not None and before.type == "NUMBER":
        if text in {"%", "percent", "pct"} and trouble.fits(1, ("PERCENT",)):
            return trouble.complain(
                "WB116", "A percent sign stands right behind its number.", f"Write `{before}%`.",
                instead=(f"PERCENT {before}%",), back=1, taken=2,
            )  # fmt: skip
        if text in {"dollar", "dollars", "euro", "euros", "pound", "pounds"} or category(text[0]) == "Sc":
            sign = {"d": "$", "e": "€", "p": "£"}.get(text[0], text[0])
            written = f"{sign}{before}" if sign in "$€£" else f"{before} JPY"
            return trouble.complain(
                "WB115", f"`{before} {text}` is not an amount of money.", f"Write it like `{written}`.",
                instead=(f"MONEY {written}",), back=1, taken=2, kept=False,
            )  # fmt: skip
        if re.fullmatch(r"[A-Za-z]{3}", text) and text.lower() not in words().values() and _is_currency(text):
            written = f"{before} {text.upper()}"
            return trouble.complain(
                "WB115", "The code of a currency is written in capitals.", f"Write `{written}`.",
                instead=(f"MONEY {written}",), back=1, taken=2,
            )  # fmt: skip
    if category(text[0]) == "Sc" and after is not None and after.type in {"NUMBER", "ODD_NUMBER"}:
        written = f"{text}{after}" if text in "$€£" else f"{after} PLN"
        return trouble.complain(
            "WB115", f"`{text} {after}` is not an amount of money.", f"Write it like `{written}`.",
            instead=("MONEY",) if "MONEY" in trouble.expected else None, taken=2, kept=False,
        )  # fmt: skip
    if re.fullmatch(r"[A-Z]{3}", text) and after is not None and after.type == "NUMBER" and "MONEY" in trouble.expected:
        return trouble.complain(
            "WB115", "The code of a currency stands behind the amount.", f"Write `{after} {text}`.",
            instead=(f"MONEY {after} {text}",), taken=2,
        )  # fmt: skip
    return None


def _is_currency(text: str) -> bool:
    return text.upper() in {"AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HUF", "JPY", "NOK", "PLN", "RON", "SEK", "USD"}


# ── Forms of later versions ───────────────────────────────────────────────────────────────────────────────────────────
def _planned(trouble: Trouble) -> Complaint | None:
    if what := is_planned_condition(trouble):
        code, message, hint = planned(what)
        return trouble.complain(code, message, hint)
    return None


def _wait_until(trouble: Trouble) -> Complaint | None:
    before, after = trouble.before, trouble.after
    if before is None or before.type != "UNTIL" or trouble.line[0].type != "WAIT":
        return None
    hint = "Here comes a time like `09:00`, or a weekday and a time like `thursday 10:00`."
    if trouble.token.type == "NAME" and after is not None and after.type == "CLOCK_TIME":
        return _weekday(trouble)
    if trouble.token.type in {"NAME", "EVENT", "DURATION", "HAS", "CAN", "NOT", "LPAR", "IN"}:
        what = "wait until" + (" … before" if trouble.token.type == "DURATION" else " …")
        return trouble.complain(
            "WB150", f"`{what}` with a date of a field, or with a condition, is not part of this version yet.", hint
        )
    return None


def _weekday(trouble: Trouble) -> Complaint | None:
    if "WEEKDAY" not in trouble.expected or trouble.token.type not in {"NAME", "ODD_WORD"}:
        return None
    text = trouble.text.lower()
    from difflib import get_close_matches

    found = [day for day in WEEKDAYS if day.startswith(text[:3]) and len(text) <= 5] or get_close_matches(text, WEEKDAYS, 1)
    hint = f"Did you mean `{found[0]}`?" if found else f"They are {listed(WEEKDAYS)}."
    return trouble.complain(
        "WB112",
        f"{quoted(trouble.text)} is not a weekday.",
        hint,
        instead=(f"WEEKDAY {found[0]}",) if found else None,
        sure=False,
    )


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _colon(trouble: Trouble) -> Complaint | None:
    before = trouble.before
    if before is not None and before.type == "COLON" and trouble.token.type in {"AND", "OR"}:
        return trouble.complain(
            "WB122",
            "The condition goes on below, so the colon stands too early.",
            "Put the colon at the end of the condition's last line.",
        )
    if before is not None and before.type == "COLON":
        return trouble.complain(
            "WB122",
            "Nothing more can stand on this line behind the colon.",
            "Put the rest below, indented by two spaces.",
        )
    if trouble.token.type != "COLON" or "_NL" not in trouble.expected:
        return None
    return trouble.complain(
        "WB122",
        f"A line that begins with `{trouble.line[0]}` opens no block, so it has no colon.",
        "Delete the colon." if not trouble.deeper else "Delete the colon, and do not indent what follows.",
        instead=None if trouble.deeper else (),
    )


def _bracket(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "RPAR" or not trouble.expected & {"_NL", "COLON"}:
        return None
    return trouble.complain("WB124", "This bracket was never opened.", "Delete it.", instead=())


def _capitals(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "ODD_WORD":
        return None
    text = trouble.text.lower()
    kind = next((kind for kind, word in words().items() if word == text), None)
    if kind in trouble.expected:
        return trouble.complain(
            "WB112", f"{quoted(trouble.text)} is written in small letters here.", f"Write `{text}`.", instead=(kind,)
        )
    if text in WEEKDAYS and "WEEKDAY" in trouble.expected:
        return trouble.complain(
            "WB112", "Weekdays are written in small letters.", f"Write `{text}`.", instead=(f"WEEKDAY {text}",)
        )
    return None


def _odd_name(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "ODD_WORD" or "NAME" not in trouble.expected:
        return None
    written = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", trouble.text).lower().replace("-", "_")
    proper = re.fullmatch(r"[a-z][a-z0-9_]*", written) and written not in words().values()
    return trouble.complain(
        "WB114",
        f"{quoted(trouble.text)} is not a name: names are made of small letters a to z, digits and underscores.",
        f"Write `{written}`. A text stands in double quotes." if proper else "A text stands in double quotes.",
        instead=(f"NAME {written}",) if proper else ("NAME x",),
        kept=False,
    )


def _reserved(trouble: Trouble) -> Complaint | None:
    """A word of the language where only a name fits."""
    if trouble.token.type not in words() or not trouble.text.isalpha() or "NAME" not in trouble.expected:
        return None
    if trouble.token.type in {"TRUE", "FALSE", "NULL"}:
        return None
    after = trouble.after.type if trouble.after else "_NL"
    if "_NL" in trouble.expected or not trouble.fits(0, ("NAME", after)):
        return None
    return trouble.complain(
        "WB113",
        f"{quoted(trouble.text)} is a word of the language, so it cannot be a name.",
        f"Choose another, such as `{trouble.text}_name`.",
        instead=("NAME " + trouble.text,),
        kept=False,
    )


def _foreign(trouble: Trouble) -> Complaint | None:
    text = trouble.text.lower()
    for kinds in FOREIGN.get(text, ()):
        if not trouble.fits(0, kinds):
            continue
        meant = " ".join(kind.partition(" ")[2] or words()[kind] for kind in kinds)
        than = trouble.after is not None and str(trouble.after) in {"than", "to"} and kinds[0].startswith("OPERATOR")
        told = f"{text} {trouble.after}" if than else trouble.text
        if (text, "EQUAL") == (trouble.text, trouble.token.type):
            message = "`=` gives a value; to compare, the language has a word."
        else:
            message = f"{quoted(told)} is not {'a sign' if not text.isalpha() else 'a word'} of this language."
        return trouble.complain(
            "WB111", message, f"Did you mean `{meant}`?", instead=kinds, taken=2 if than else 1
        )
    return None


def _is_greater_than(trouble: Trouble) -> Complaint | None:
    """`is greater than 5`, where `greater` was taken for a name."""
    before = trouble.before
    if before is None or str(before) not in {"greater", "less", "bigger", "smaller", "higher", "lower", "fewer", "equal"}:
        return None
    if str(trouble.token) not in {"than", "to"}:
        return None
    sign = "is" if before == "equal" else ">" if before in ("greater", "bigger", "higher") else "<"
    return trouble.complain(
        "WB111",
        f"`is {before} {trouble.token}` is not a comparison of this language.",
        "Write only `is`." if sign == "is" else f"Write the sign `{sign}` in place of all three words.",
        back=1,
        taken=2,
    )


def _more_than_value(trouble: Trouble) -> Complaint | None:
    before = trouble.before
    if before is None or before.type != "THAN" or trouble.token.type not in {"MONEY", "NUMBER", "PERCENT", "NAME"}:
        return None
    if trouble.token.type == "NUMBER" and (trouble.after is None or trouble.after.type in {"AGO", "NAME"}):
        return None
    return trouble.complain(
        "WB111",
        "`more than` asks for a duration here, like `more than 3 days ago`.",
        f"To compare amounts, write the sign: `> {trouble.text}`.",
    )


def _then(trouble: Trouble) -> Complaint | None:
    if trouble.text != "then" or "COLON" not in trouble.expected:
        return None
    colon = trouble.after is not None and trouble.after.type == "COLON"
    return trouble.complain(
        "WB111",
        "`then` is not a word of this language.",
        "A colon at the end of the line opens the block. Leave `then` out.",
        instead=() if colon else ("COLON",),
    )


def _times(trouble: Trouble) -> Complaint | None:
    count = {"once": 1, "twice": 2, "thrice": 3}.get(trouble.text)
    if count is None or "NUMBER" not in trouble.expected:
        return None
    return trouble.complain(
        "WB112",
        f"{quoted(trouble.text)} cannot count here.",
        f"Write `{count} times`.",
        instead=(f"NUMBER {count}", "TIMES"),
    )


def _word_missing(trouble: Trouble) -> Complaint | None:
    """Exactly one fixed word fits, and behind it this word does."""
    only = trouble.expected - {"DOT"}
    if len(only) != 1:
        return None
    (kind,) = only
    word = words().get(kind, "")
    if not word or not trouble.fits(0, (kind, trouble.token.type)):
        return None
    return trouble.complain(
        "WB112",
        f"`{word}` is missing before {quoted(trouble.text)}.",
        example(trouble),
        instead=(kind,),
        taken=0,
    )


def _misspelt(trouble: Trouble) -> Complaint | None:
    if trouble.token.type == "STRING":
        return None
    kind = near(trouble.text, trouble.expected)
    if kind is None:
        return None
    return trouble.complain(
        "WB112",
        f"{quoted(trouble.text)} does not fit here.",
        f"Did you mean `{words()[kind]}`?",
        instead=(kind,),
        sure=False,
    )


def _misspelt_before(trouble: Trouble) -> Complaint | None:
    """The word before was taken for a name, but is like a word of the language behind which this one fits."""
    before = trouble.before
    if before is None or before.type != "NAME":
        return None
    fitting = frozenset(kind for kind in words() if trouble.fits(1, (kind, trouble.token.type)))
    kind = near(str(before), fitting)
    if kind is None:
        return None
    return trouble.complain(
        "WB112",
        f"{quoted(str(before))} does not fit here.",
        f"Did you mean `{words()[kind]}`?",
        instead=(kind,),
        back=1,
        sure=False,
    )


def _filler(trouble: Trouble) -> Complaint | None:
    after = trouble.after
    if trouble.text not in FILLERS or after is None or not trouble.fits(0, (after.type,)):
        return None
    return trouble.complain("WB112", f"{quoted(trouble.text)} is too much here.", "Leave it out.", instead=())


def _arithmetic(trouble: Trouble) -> Complaint | None:
    if trouble.text not in {"+", "-", "*", "/", "^", "%"}:
        return None
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)}: playbooks do not calculate.",
        "Sums live in profile fields, and constants in `let` lines.",
    )


def _otherwise_expected(trouble: Trouble) -> Complaint:
    text = quoted(trouble.text)
    if trouble.expected == {"_NL"}:
        return trouble.complain("WB122", f"The line is complete before {text}.", "Delete the rest of the line.")
    if not trouble.expected - {"COLON", "_NL"}:
        return trouble.complain(
            "WB122", f"The line is complete before {text}; here comes {describe(trouble.expected)}.", example(trouble)
        )
    return trouble.complain("WB100", f"Instead of {text} I expected {describe(trouble.expected)}.", example(trouble))


_QUESTIONS: tuple[Callable[[Trouble], Complaint | None], ...] = (
    _curly_text,
    _open_text,
    _odd_number,
    _unit_missing,
    _sign_missing,
    _sign_apart,
    _planned,
    _wait_until,
    _colon,
    _bracket,
    _then,
    _times,
    _capitals,
    _foreign,
    _odd_name,
    _is_greater_than,
    _more_than_value,
    _word_missing,
    _weekday,
    _misspelt,
    _misspelt_before,
    _filler,
    _arithmetic,
    _reserved,
)
