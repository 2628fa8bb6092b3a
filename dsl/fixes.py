"""From a complaint about a line to what mends it, when the words that are meant are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lark import Token

from dsl.complaints.trouble import Complaint
from dsl.diagnostics import Edit, Fix, Span
from dsl.grammar import words

_GLUED = frozenset({":", ")", ","})
"""Signs that no blank stands before."""
_NONZERO = re.compile("[1-9]")


def fix_of(complaint: Complaint, line: Sequence[Token]) -> Fix | None:
    """What mends a line; None where only the reader knows."""
    if complaint.instead is None:
        return None
    start, taken = complaint.start, complaint.taken
    wrong = line[start : start + taken]
    parts = [_text(kind, complaint, wrong) for kind in complaint.instead]
    if None in parts or parts == list(map(str, wrong)):
        return None
    text = _spaced([part for part in parts if part])
    before = line[start - 1] if start else None
    if not wrong:
        return _put_in(text, before, line, complaint.problem.span.file)
    span = _between(complaint.problem.span.file, wrong[0], wrong[-1])
    if before is not None and (not text or text[0] in _GLUED):  # the blank before goes too
        span = _between(span.file, before, wrong[-1], behind=True)
    return Fix(about=f"Change it to `{text}`" if text else "Take it away", edits=(Edit(span=span, text=text),))


def _put_in(text: str, before: Token | None, line: Sequence[Token], path: str) -> Fix:
    at = before or line[0]
    row, column = (at.end_line, at.end_column) if before is not None else (at.line, at.column)
    assert row and column
    span = Span(file=path, line=row, column=column, end_line=row, end_column=column)
    spaced = f"{text} " if before is None else text if text[0] in _GLUED else f" {text}"
    return Fix(about=f"Put in `{text}`", edits=(Edit(span=span, text=spaced),))


def _text(kind: str, complaint: Complaint, wrong: Sequence[Token]) -> str | None:
    """The word of a kind. That of a value stands in the hint, unless the hint only shows how such values look."""
    kind, _, text = kind.partition(" ")
    if text or kind in words():
        return text or words()[kind]
    hint = complaint.problem.hint or ""
    codes = re.findall("`([^`…]+)`", hint)
    if len(codes) != 1 or not wrong:
        return None
    same = sorted(_NONZERO.findall(codes[0])) == sorted(_NONZERO.findall(" ".join(wrong)))
    return codes[0] if same or "24-hour" in hint else None


def _spaced(parts: Sequence[str]) -> str:
    text = ""
    for part in parts:
        text += part if not text or part in _GLUED else f" {part}"
    return text


def _between(path: str, first: Token, last: Token, *, behind: bool = False) -> Span:
    """The stretch of two words and what lies between, or only what lies behind the first."""
    row, column = (first.end_line, first.end_column) if behind else (first.line, first.column)
    assert row and column and last.end_line and last.end_column
    return Span(file=path, line=row, column=column, end_line=last.end_line, end_column=last.end_column)
