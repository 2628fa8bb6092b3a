"""What may stand at a place: the parser is led up to it, over whatever mistakes lie before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lark import Token

from dsl.complaints.vocabulary import PLACES
from dsl.diagnostics import source_lines
from dsl.grammar import words
from dsl.lsp.names import headers, lines_of, starting_event
from dsl.parser import LARGEST_FILE
from dsl.reading.characters import plain
from dsl.reading.cursor import Cursor
from dsl.reading.recovery import Reader
from dsl.reading.statements import Statement, statements

_MISPLACED = frozenset({"WB105", "WB106"})
"""What is told of a line whose indentation fits no block."""
_COUNT = re.compile(r"(?<![\w$€£.])[0-9]+ +[a-z]*$")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place that something is typed at."""

    cursor: Cursor
    """The parser, before the word that is being typed."""
    line: int
    expected: frozenset[str]
    """The kinds of words that fit here."""
    before: Sequence[Token]
    """The words of the line before the one being typed, those of the lines it continues too."""
    header: Sequence[Token]
    """The words of the line whose block this line stands in."""
    start: str
    """The event that starts the playbook around; empty when there is none."""
    written: str
    """What is typed already of the word, with its dots: `cart.to`."""
    around: Sequence[Token] = ()
    """The words of the declaration that the line is in, which may be this line."""
    followed: bool = False
    """More stands on the line behind the place, or a block below it."""
    siblings: tuple[Token, ...] = ()
    """The first words of the other lines of the block."""
    continues: frozenset[str] = frozenset()
    """At a line's start: the words with which the line above can go on (`and`, `or`)."""

    @property
    def begins(self) -> bool:
        """Whether this is the first word of a line."""
        return not self.before


def place(source: str, line: int, column: int, *, counting: bool = True) -> Place | None:
    """The place at a line and column; None where nothing can be offered: in a comment, in a text, in a broken line.

    `counting`: a number and the beginning of a word are taken for a length of time where one fits.
    """
    if len(source) > LARGEST_FILE:
        return None
    rows = source_lines(source)
    row = rows[line - 1] if line <= len(rows) else ""
    found = _typed(source, rows, line, row[: column - 1], counting)
    behind = row[column - 1 :].partition("#")[0].strip()
    below = next((other for other in rows[line:] if other.strip()), "")
    return replace(found, followed=bool(behind) or _indent(below) > _indent(row[: column - 1])) if found else None


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _typed(source: str, rows: list[str], line: int, before: str, counting: bool) -> Place | None:
    typed = plain(before).rstrip("\n")
    if _in_text(typed):
        return None
    above = rows[: line - 1]
    count = _COUNT.search(typed) if counting else None
    if count:  # `3 da`
        found = _at(above, typed[: count.start()], source, line, count[0])
        if found is not None and "DURATION" in found.expected:
            return found
    written = _last_word(typed)
    return _at(above, typed[: len(typed) - len(written)], source, line, written)


def _at(above: list[str], typed: str, source: str, line: int, written: str) -> Place | None:
    start = _declaration(above)  # what stands in the declarations before is no matter, and may be long
    _, lines = statements("\n".join(["" for _ in range(start)] + above[start:] + [typed]))
    if not typed.strip():
        return _line_start(lines, source, line, len(typed.expandtabs(2)), written)
    here = lines[-1]
    return _inside(lines[:-1], here, source, line, written)


def _declaration(rows: list[str]) -> int:
    """Where the last declaration of these rows begins; 0 when there is none."""
    first = tuple(words()[kind] for kind, place in PLACES.items() if place == "file")
    return next((at for at in range(len(rows) - 1, -1, -1) if rows[at].startswith(first)), 0)


def _line_start(lines: list[Statement], source: str, line: int, indent: int, written: str) -> Place | None:
    reader = Reader(lines, "")
    reader.read_all()
    continues: frozenset[str] = frozenset()
    if lines and indent > lines[-1].indent and (above := _inside(lines[:-1], lines[-1], source, line, written)):
        continues = above.expected & {"AND", "OR"}
    word = Token("NAME", "x", line=line, column=indent + 1, end_line=line, end_column=indent + 2)
    here = Statement(words=[word], tokens=(word,), newline=Token("_NL", "\n"), indent=indent)
    told = len(reader.problems)
    fits = reader.lead_to(here) and not any(p.code in _MISPLACED for p in reader.problems[told:])
    if not fits and not continues:
        return None
    expected = reader.cursor.accepts() if fits else frozenset[str]()
    found = _place(reader.cursor, [], [*lines, here], source, line, written)
    return replace(found, expected=expected, continues=continues)


def _inside(above: list[Statement], here: Statement, source: str, line: int, written: str) -> Place | None:
    reader = Reader(above, "")
    reader.read_all()
    if not reader.lead_to(here) or not reader.cursor.feed_all(here.words):
        return None
    return _place(reader.cursor, here.words, [*above, here], source, line, written)


def _place(
    cursor: Cursor, before: Sequence[Token], lines: list[Statement], source: str, line: int, written: str
) -> Place:
    *_, (_, header) = headers(lines)
    everything = lines_of(source)
    index = max((i for i, known in enumerate(everything) if (known.words[0].line or 0) <= line), default=0)
    return Place(
        cursor=cursor,
        line=line,
        expected=cursor.accepts(),
        before=before,
        header=header,
        start=starting_event(everything, index) if everything else "",
        written=written,
        around=_around(everything, index),
        siblings=tuple(_siblings(everything, header, line)),
    )


def _around(lines: Sequence[Statement], index: int) -> Sequence[Token]:
    while index > 0 and lines[index].indent > 0:
        index -= 1
    return lines[index].words if lines else ()


def _siblings(lines: Sequence[Statement], header: Sequence[Token], line: int) -> Iterator[Token]:
    if not header:
        return
    for other, above in headers(lines):
        if above and above[0].line == header[0].line and other.words[0].line != line:
            yield other.words[0]


def _last_word(typed: str) -> str:
    """The part of the line that is still being typed: letters, digits, and dots between them."""
    at = len(typed)
    while at and (typed[at - 1] in _LETTERS or typed[at - 1] == "."):
        at -= 1
    word = typed[at:]
    return "" if word[:1].isdigit() or (at and typed[at - 1] in "$€£") else word


def _in_text(typed: str) -> bool:
    """Whether the place behind these characters is in a comment or in a text."""
    quoted = False
    for char in typed:
        if char == '"':
            quoted = not quoted
        elif char == "#" and not quoted:
            return True
    return quoted
