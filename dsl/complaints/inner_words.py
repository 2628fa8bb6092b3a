"""What is wrong when a word inside a line does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable

from dsl.complaints import texts
from dsl.complaints.habits import HABITS
from dsl.complaints.number_words import (
    count_missing,
    number_in_words,
    odd_number_word,
    odd_unit,
    sign_apart,
    sign_before,
    sign_missing,
    unit_missing,
)
from dsl.complaints.trouble import (
    Complaint,
    Trouble,
    describe,
    example,
    near,
    quoted,
    reserved,
)
from dsl.complaints.vocabulary import CHANNELS_ELSEWHERE, COMPARATIVES, FILLERS, FOREIGN
from dsl.complaints.wait_words import wait_for, wait_until, weekday
from dsl.grammar import words
from dsl.plan import WEEKDAYS


def explain_word(trouble: Trouble) -> Complaint:
    """The complaint about a word that is not the first of its line."""
    for question in _questions():
        if complaint := question(trouble):
            return complaint
    return _something_else(trouble)


# ── Signs and words that belong elsewhere ─────────────────────────────────────────────────────────────────────────────
def _colon(trouble: Trouble) -> Complaint | None:
    before = trouble.before
    if trouble.token.type == "COLON" and trouble.index == 1 and trouble.after and trouble.line[0].type != "NAME":
        word = trouble.line[0]
        return trouble.complain("WB122", f"Behind `{word}` stands no colon.", "Delete the colon.", instead=())
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
            "Put the rest on a line below, indented by two spaces.",
        )
    if trouble.token.type != "COLON" or "_NL" not in trouble.expected:
        return None
    return trouble.complain(
        "WB122",
        f"A line that begins with `{trouble.line[0]}` opens no block, so it has no colon.",
        "Delete the colon, and do not indent what follows." if trouble.deeper else "Delete the colon.",
        instead=None if trouble.deeper else (),
    )


def _bracket(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "RPAR" or not trouble.expected & {"_NL", "COLON"}:
        return None
    return trouble.complain("WB124", "This bracket was never opened.", "Delete it.", instead=())


def _then(trouble: Trouble) -> Complaint | None:
    if trouble.text.lower() not in {"then", "do"} or "COLON" not in trouble.expected:
        return None
    colon = trouble.after is not None and trouble.after.type == "COLON"
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)} is not a word of this language.",
        f"A colon at the end of the line opens the block. Leave `{trouble.text}` out.",
        instead=() if colon else ("COLON",),
    )


def _comma(trouble: Trouble) -> Complaint | None:
    if trouble.token.type not in {"AND", "OR"} or "COMMA" not in trouble.expected:
        return None
    return trouble.complain(
        "WB112",
        f"A list is written with commas, not with `{trouble.text}`.",
        "Write a comma in its place.",
        instead=("COMMA",),
        sure=False,
    )


def _capitals(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "ODD_WORD":
        return None
    text = trouble.text.lower()
    kind = next((kind for kind, word in words().items() if word == text), None)
    if text in WEEKDAYS and "WEEKDAY" in trouble.expected:
        kind = "WEEKDAY"
    if kind not in trouble.expected:
        return None
    return trouble.complain(
        "WB112",
        f"{quoted(trouble.text)} is written in small letters here.",
        f"Write `{text}`.",
        instead=(f"{kind} {text}",),
    )


def _foreign(trouble: Trouble) -> Complaint | None:
    text = trouble.text.lower()
    for kinds in FOREIGN.get(text, ()):
        if not trouble.fits(0, kinds):
            continue
        meant = " ".join(kind.partition(" ")[2] or words()[kind] for kind in kinds)
        than = trouble.after is not None and str(trouble.after) in {"than", "to"} and kinds[0].startswith("OPERATOR")
        told = f"{text} {trouble.after}" if than else trouble.text
        if trouble.token.type == "EQUAL" and trouble.around == "EVENT":
            hint = f"Write it like `{trouble.before} is number`."
            return trouble.complain("WB111", "A property of an event has a type here, and no value.", hint)
        if trouble.token.type == "EQUAL":
            message = "`=` does not compare."
        else:
            message = f"{quoted(told)} is not {'a word' if text.isalpha() else 'a sign'} of this language."
        return trouble.complain("WB111", message, f"Did you mean `{meant}`?", instead=kinds, taken=2 if than else 1)
    return None


def _is_greater_than(trouble: Trouble) -> Complaint | None:
    """`is greater than 5` and `is older than 5 days`, where the middle word was taken for a name."""
    meant = COMPARATIVES.get(str(trouble.before)) if trouble.text in {"than", "to"} else None
    if meant is None or trouble.before is None or trouble.before.type != "NAME":
        return None
    return trouble.complain(
        "WB111",
        f"`is {trouble.before} {trouble.token}` is not a comparison of this language.",
        meant,
        back=1,
        taken=2,
    )


def _more_than_value(trouble: Trouble) -> Complaint | None:
    """`is more than $50`"""
    before = trouble.before
    if before is None or before.type != "THAN" or trouble.token.type not in {"MONEY", "NUMBER", "PERCENT", "NAME"}:
        return None
    return trouble.complain(
        "WB111",
        "`more than` asks for a duration here, like `more than 3 days ago`.",
        f"To compare amounts, write the sign: `> {trouble.text}`.",
    )


def _arithmetic(trouble: Trouble) -> Complaint | None:
    if trouble.text not in {"+", "-", "*", "/", "^", "%"}:
        return None
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)}: playbooks do not calculate.",
        "Sums live in profile fields, and constants in `let` lines.",
    )


def _no_value(trouble: Trouble) -> Complaint | None:
    if trouble.token.type not in {"NULL", "TRUE", "FALSE"}:
        return None
    return trouble.complain(
        "WB111",
        f"{quoted(trouble.text)} is not a value of this language.",
        "Whether a field has a value is asked with `is known` and `is unknown`."
        if trouble.token.type == "NULL"
        else "The values are `yes` and `no`.",
    )


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _odd_name(trouble: Trouble) -> Complaint | None:
    if trouble.token.type != "ODD_WORD" or "NAME" not in trouble.expected:
        return None
    written = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", trouble.text).lower().replace("-", "_")
    proper = re.fullmatch(r"[a-z][a-z0-9_]*", written) and written not in words().values()
    if trouble.line[0].type == "SEND" and trouble.index == 1:
        written = CHANNELS_ELSEWHERE.get(written, written)
    either = [f"Write `{written}`."] if proper else []
    either += ["A text stands in double quotes."] if "STRING" in trouble.expected or not proper else []
    return trouble.complain(
        "WB114",
        f"{quoted(trouble.text)} is not a name: names are made of small letters a to z, digits and underscores.",
        " ".join(either),
        instead=(f"NAME {written}",) if proper else ("NAME",),
        kept=False,
    )


def _reserved(trouble: Trouble) -> Complaint | None:
    """A word of the language where only a name fits."""
    if trouble.token.type not in {*words(), "WEEKDAY"} or not trouble.text.isalpha() or "NAME" not in trouble.expected:
        return None
    after = trouble.after.type if trouble.after else "_NL"
    if "_NL" in trouble.expected or not trouble.fits(0, ("NAME", after)):
        return None
    return reserved(trouble)


# ── Misspelt, missing, too many ───────────────────────────────────────────────────────────────────────────────────────
def _misspelt(trouble: Trouble) -> Complaint | None:
    kind = near(trouble.text, trouble.expected) if trouble.token.type != "STRING" else None
    if kind is None:
        return None
    return trouble.complain(
        "WB112",
        f"{quoted(trouble.text)} does not fit here.",
        f"Did you mean `{words()[kind]}`?",
        instead=(kind,),
        sure=False,
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
        sure=trouble.token.type != "NAME",
        vague=True,
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


def _doubled(trouble: Trouble) -> Complaint | None:
    """`send send email hello`"""
    before = trouble.before
    if before is None or before.type != trouble.token.type or str(before) != trouble.text:
        return None
    if trouble.token.type not in words() or not trouble.text.isalpha() or trouble.token.type in {"NOT", "LPAR"}:
        return None
    return trouble.complain("WB112", f"{quoted(trouble.text)} stands here twice.", "Delete one of them.", instead=())


def _filler(trouble: Trouble) -> Complaint | None:
    after = trouble.after
    if trouble.text in FILLERS and after is not None and trouble.fits(0, (after.type,)):
        return trouble.complain("WB112", f"{quoted(trouble.text)} is too much here.", "Leave it out.", instead=())
    taken = trouble.line[1]
    if trouble.line[0].type == "SEND" and taken in {"a", "an"} and trouble.index > 1:  # it was taken for a channel
        back = trouble.index - 1
        return trouble.complain("WB112", f"{quoted(str(taken))} is too much here.", "Leave it out.", back=back)
    return None


def _something_else(trouble: Trouble) -> Complaint:
    text = quoted(trouble.text)
    if trouble.token.type in {"AND", "OR"} and _behind_where(trouble):
        return trouble.complain(
            "WB122",
            f"A `where` asks one thing, and {text} begins a second.",
            f"Put brackets around all that it asks: `where (… {trouble.text} …)`.",
        )
    if trouble.expected == {"_NL"}:
        return trouble.complain(
            "WB122", f"The line is complete before {text}.", "Delete the rest of the line.", vague=True
        )
    if not trouble.expected - {"COLON", "_NL"}:
        return trouble.complain(
            "WB122",
            f"The line is complete before {text}. Here comes {describe(trouble)}.",
            example(trouble),
            vague=True,
        )
    return trouble.complain("WB100", f"Instead of {text} I expected {describe(trouble)}.", example(trouble), vague=True)


def _behind_where(trouble: Trouble) -> bool:
    """Whether what a `where` asks without brackets ends right before."""
    kinds = [word.type for word in trouble.line[: trouble.index]]
    asked = kinds[len(kinds) - kinds[::-1].index("WHERE") :] if "WHERE" in kinds else []
    return bool(asked) and "LPAR" not in asked and not trouble.expected & {"NAME", "EVENT", "LPAR"}


def _questions() -> tuple[Callable[[Trouble], Complaint | None], ...]:
    """In the order in which they are asked: first what can only be one mistake, last what is guessed."""
    return (
        wait_until,
        wait_for,
        texts.curly_text,
        texts.text_in_text,
        texts.open_text,
        odd_number_word,
        number_in_words,
        unit_missing,
        sign_missing,
        odd_unit,
        sign_apart,
        sign_before,
        _doubled,
        texts.quoted_name,
        _colon,
        _bracket,
        _then,
        *HABITS,
        _comma,
        _capitals,
        _foreign,
        count_missing,
        _odd_name,
        _is_greater_than,
        _more_than_value,
        weekday,
        _misspelt,
        _word_missing,
        _misspelt_before,
        _filler,
        _arithmetic,
        _no_value,
        _reserved,
    )
