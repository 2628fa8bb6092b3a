"""One type for everything the compiler tells, and one renderer for it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Literal

Severity = Literal["error", "warning"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_SHOWN = 110
"""The widest stretch of a line, in characters, that a message shows."""
_TEXT = 94
"""The widest line of a message's own text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a source file. Lines and columns count from 1, columns in characters; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, last: Span) -> Span:
        """The stretch from the start of this span to the end of `last`."""
        return Span(
            file=self.file,
            line=self.line,
            column=self.column,
            end_line=last.end_line,
            end_column=last.end_column,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Text to be put in the place of a stretch of a file."""

    span: Span
    """Of no width where something is put in."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What mends a mistake, when that is plain."""

    about: str
    """What it does, in a few words for a menu."""
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A mistake or a doubt about a playbook: where, what, and what to do."""

    code: str
    """Stable, like `WB203`: WB1xx syntax, WB2xx names and types, WB3xx sense."""
    span: Span
    message: str
    hint: str | None = None
    severity: Severity = "error"
    fix: Fix | None = field(default=None, compare=False)


def source_lines(source: str) -> list[str]:
    """The lines that spans count: broken at LF, CRLF and CR only, without a byte order mark."""
    return _LINE_BREAK.split(source.removeprefix("\ufeff"))


def render(problem: Diagnostic, source: str) -> str:
    """The problem as text: the place, the line as written, a caret, the message and the hint.

    What a terminal would obey or hide (control and bidirectional characters) is shown as `�`.
    """
    span = problem.span
    lines = source_lines(source)
    text = lines[span.line - 1] if span.line <= len(lines) else ""
    start = span.column - 1
    stop = span.end_column - 1 if span.end_line == span.line else len(_without_comment(text))
    text, start, stop = _window(text, start, max(stop, start + 1))
    gutter = f"{span.line:>4} │ "
    caret = " " * (len(gutter) - 2) + "│ " + " " * _width(text[:start]) + "^" * max(1, _width(text[start:stop]))
    told = [f"{visible(span.file)}:{span.line}:{span.column}", gutter + visible(text), caret]
    body = [problem.message] if problem.severity == "error" else [f"Warning: {problem.message}"]
    if problem.hint:
        body.append(f"Hint: {problem.hint}")
    body = [line for part in body for line in _wrapped(part)]
    body[-1] = f"{body[-1]:<71}{problem.code}" if len(body[-1]) < 70 else f"{body[-1]}  {problem.code}"
    return "\n".join(told + ["     " + line for line in body])


def _wrapped(text: str) -> list[str]:
    """Lines of readable length. Code between backquotes is not torn apart."""
    whole = re.sub("`[^`]*`", lambda code: code[0].replace(" ", "\u2007"), text)
    lines = wrap(whole, width=_TEXT, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [line.replace("\u2007", " ") for line in lines]


def visible(text: str) -> str:
    """The text with tabs as four blanks, and with `�` for each character that a terminal would obey or hide."""
    return "".join("    " if c == "\t" else "�" if _obeyed(c) else c for c in text)


def _obeyed(char: str) -> bool:
    # Cc: control; Cf: format, such as right-to-left overrides; Zl, Zp: line and paragraph separators; Cs: half a pair
    return unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"}


def _width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1
        for c in visible(text)
    )


def _window(text: str, start: int, stop: int) -> tuple[str, int, int]:
    """A long line cut down to what surrounds the stretch."""
    stop = min(stop, start + _SHOWN // 2)
    if len(text) > _SHOWN and start > _SHOWN // 2:
        cut = start - _SHOWN // 4
        text, start, stop = "… " + text[cut:], start - cut + 2, stop - cut + 2
    if len(text) > _SHOWN:
        text = text[:_SHOWN] + " …"
    return text, start, stop


def _without_comment(text: str) -> str:
    """The line up to its comment, for a stretch that goes on in later lines."""
    return re.sub(r'^((?:"[^"]*"|[^"#])*)#.*$', r"\1", text).rstrip()
