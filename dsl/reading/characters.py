"""Characters that a playbook may not hold: each is told, and replaced by a blank so that the line can still be read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from dsl.diagnostics import Diagnostic, Edit, Fix, Span, source_lines

_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
_TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"

_NEVER = re.compile(f"[{_TURNING}{_CONTROL}]")
"""Not even in texts and comments: they make a line look other than it is, or a terminal do things."""
_NOT_BETWEEN_WORDS = re.compile(f"[\t{_BLANKS}{_INVISIBLE}{_TURNING}{_CONTROL}]")
_UNSEEN = re.compile(f"[{_INVISIBLE}{_TURNING}{_CONTROL}]")
_OF_WORDS = frozenset({"WB100", "WB112", "WB117", "WB122", "WB125"})
"""What is told of a word that does not fit."""
_STRETCH = re.compile(rf'(?P<quoted>"[^"\n]*"?|#[^\n]*)|{_NOT_BETWEEN_WORDS.pattern}')

_TOLD = (
    (re.compile("\t"), "WB107", "This is a tab.", "Use spaces: two for each level of indentation, one between words."),
    (
        re.compile(f"[{_BLANKS}]"),
        "WB110",
        "This blank is not an ordinary space but {name}.",
        "Type it again with the space bar. Such blanks come along when text is copied from a document or a web page.",
    ),
    (
        re.compile(f"[{_TURNING}]"),
        "WB110",
        "Here is an invisible character that turns the direction of writing: {name}.",
        "Delete it: it makes a line look other than it is.",
    ),
    (
        re.compile("[\ud800-\udfff]"),
        "WB110",
        "Here is half of a character: {name}.",
        "Delete it and save the file as UTF-8.",
    ),
    (re.compile("."), "WB110", "Here is an invisible character: {name}.", "Delete it."),
)


def plain(source: str) -> str:
    """The source with LF line ends, a line break at its end, and a space for each character that is told of.

    Lines and columns are those of `source_lines(source)`.
    """
    text = "\n".join(source_lines(source))
    text = text if text.endswith("\n") else text + "\n"
    return _STRETCH.sub(lambda found: _NEVER.sub(" ", found["quoted"]) if found["quoted"] else " ", text)


def odd_characters(source: str, path: str) -> list[Diagnostic]:
    """One problem for each kind of character, at its first place; the message says where the others are."""
    places: dict[tuple[str, str], list[Span]] = {}
    hints: dict[tuple[str, str], str] = {}
    for number, line in enumerate(source_lines(source), 1):
        for column in _odd(line):
            code, message, hint = _explain(line[column])
            span = Span(file=path, line=number, column=column + 1, end_line=number, end_column=column + 2)
            places.setdefault((code, message), []).append(span)
            hints[code, message] = hint
    return [
        Diagnostic(
            code=code,
            span=spans[0],
            message=message + _more(spans),
            hint=hints[code, message],
            fix=_fix(code, hints[code, message], spans),
        )
        for (code, message), spans in places.items()
    ]


def torn(span: Span, lines: Sequence[str], code: str) -> bool:
    """Whether what is told of a word may only come of an invisible character in the middle of it."""
    if code not in _OF_WORDS or span.line != span.end_line:
        return False
    line = lines[span.line - 1]
    beside = line[span.column - 2 : span.column - 1], line[span.end_column - 1 : span.end_column]
    return any(char and _UNSEEN.match(char) for char in beside)


def _fix(code: str, hint: str, spans: list[Span]) -> Fix:
    """A tab at the start of a line is a level, another a blank; what cannot be seen goes."""
    goes = hint.startswith("Delete")
    edits = tuple(Edit(span=span, text="" if goes else "  " if code == "WB107" else " ") for span in spans)
    what = "Take them all away" if goes else "Make spaces of them all"
    return Fix(about=what if len(spans) > 1 else what.replace("them all", "it"), edits=edits)


def named(char: str) -> str:
    """What a character is called, for messages: `U+00A0 (no-break space)`."""
    name = unicodedata.name(char, "").lower() or ("control character" if ord(char) < 0xA0 else "no name")
    return f"U+{ord(char):04X} ({name})"


def _odd(line: str) -> Iterator[int]:
    for found in _STRETCH.finditer(line):
        if found["quoted"]:
            yield from (found.start() + inner.start() for inner in _NEVER.finditer(found["quoted"]))
        else:
            yield found.start()


def _explain(char: str) -> tuple[str, str, str]:
    code, message, hint = next((c, m, h) for pattern, c, m, h in _TOLD if pattern.match(char))
    return code, message.format(name=named(char)), hint


def _more(spans: list[Span]) -> str:
    others = sorted({span.line for span in spans} - {spans[0].line})
    if not others:
        return ""
    if len(others) > 5:
        return f" The same on lines {', '.join(map(str, others[:5]))} and {len(others) - 5} more."
    return f" The same on line{'s' if len(others) > 1 else ''} {_listed(others)}."


def _listed(numbers: list[int]) -> str:
    """`3` · `3 and 4` · `3, 4 and 5`"""
    texts = list(map(str, numbers))
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
