"""What to put in for a word: with it come all the words that must follow, and blanks to fill in for values.

In the notation of editors: `${1:…}` is a blank with an example in it, `$0` is where the cursor ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lark import Token

from dsl.grammar import words
from dsl.lsp.place import Place
from dsl.lsp.roles import meant
from dsl.plan import WEEKDAYS

EXAMPLES: Mapping[str, str] = {
    "STRING": '"text"',
    "PERCENT": "10%",
    "NUMBER": "3",
    "DURATION": "2 days",
    "CLOCK_TIME": "09:00",
    "DATE": "2026-12-24",
    "WEEKDAY": WEEKDAYS[0],
    "OPERATOR": ">",
    "MONEY": "$50",
}
"""How a value of each kind looks."""
_LONGEST = 8
"""Words that are put in at once, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    text: str
    goes_on: bool
    """Something must be chosen behind it."""

    @property
    def plain(self) -> str:
        """What an editor that has no blanks gets: all up to the first of them."""
        head = self.text.partition("${")[0].partition("$0")[0]
        return head.partition("\n")[0].replace("\\$", "$").replace("\\}", "}")


def escaped(text: str) -> str:
    """Text in which no sign is taken for a blank."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")


def snippet(place: Place, kind: str) -> Snippet:
    """What to put in for a fixed word, at a place where it fits."""
    start = place.cursor.mark()
    try:
        return _chain(place, kind)
    finally:
        place.cursor.back(start)


def _chain(place: Place, kind: str) -> Snippet:
    cursor, line, text, blank = place.cursor, list(place.before), words()[kind], 1
    fed = Token(kind, text)
    for _ in range(_LONGEST):
        if not cursor.feed(fed):
            break
        line.append(fed)
        after = cursor.accepts() - {"BROKEN_LINE", "DOT"}
        if {"HAS", "LPAR", "NAME"} <= after:
            if place.begins and _opens_block(place):
                return Snippet(text=f"{text} ${{{blank}:condition}}:\n  $0", goes_on=True)
            break
        if "_NL" in after:
            return Snippet(text=text, goes_on=False)
        if len(after) != 1:
            break
        (next_kind,) = after
        if next_kind == "COLON":
            return Snippet(text=f"{text}:\n  $0", goes_on=True)
        if next_kind == "NAME":
            told = meant(line, place.header)
            if told is None or not told.declares:
                break
            text += f" ${{{blank}:{told.role.value}_name}}"
            blank += 1
            fed = Token("NAME", "x")
        elif next_kind in EXAMPLES:
            text += f" ${{{blank}:{escaped(EXAMPLES[next_kind])}}}"
            blank += 1
            fed = Token(next_kind, EXAMPLES[next_kind])
        elif next_kind in words():
            fed = Token(next_kind, words()[next_kind])
            text += f" {fed}"
        else:
            break
    return Snippet(text=f"{text} ", goes_on=True)


def _opens_block(place: Place) -> bool:
    """Whether a colon, and nothing less, ends a line whose condition begins here."""
    known = (Token("NAME", "x"), Token("IS", "is"), Token("KNOWN", "known"))
    if not place.cursor.feed_all(known):
        return False
    after = place.cursor.accepts()
    return "COLON" in after and "_NL" not in after
