"""Places as editors count them: lines and columns from 0, columns in code units. Ours count characters from 1.

Most editors count in UTF-16, where a character beyond U+FFFF, such as an emoji, is two units; some in UTF-8 (an `ä` is
two, an emoji four) or in UTF-32. An editor that sends a byte order mark counts it; we do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.diagnostics import Span, source_lines

Encoding = Literal["utf-8", "utf-16", "utf-32"]

_MARK = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in an editor's text."""

    line: int
    character: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A stretch of an editor's text; the end is exclusive."""

    start: Position
    end: Position


class Lines:
    """The lines of one text, to count in."""

    def __init__(self, source: str, encoding: Encoding = "utf-16") -> None:
        self._lines = source_lines(source)
        self._encoding = encoding
        self._shift = self._units(_MARK) if source.startswith(_MARK) else 0

    def place(self, position: Position) -> tuple[int, int]:
        """Our line and column of an editor's position, moved into the text where it lies outside of it."""
        if position.line < 0:
            return 1, 1
        if position.line >= len(self._lines):
            return len(self._lines), len(self._lines[-1]) + 1
        left = position.character - (self._shift if position.line == 0 else 0)
        column = 1
        for char in self._lines[position.line]:
            left -= self._units(char)
            if left < 0:
                break
            column += 1
        return position.line + 1, column

    def position(self, line: int, column: int) -> Position:
        """The editor's position of our line and column, moved into the text where they lie outside of it."""
        number = min(max(line, 1), len(self._lines))
        text = self._lines[number - 1]
        before = text[: max(column - 1, 0)] if number == line else text
        shift = self._shift if number == 1 else 0
        return Position(line=number - 1, character=shift + sum(map(self._units, before)))

    def range(self, span: Span) -> Range:
        """The editor's stretch of a span."""
        start, end = self.position(span.line, span.column), self.position(span.end_line, span.end_column)
        return Range(start=start, end=end)

    def whole(self) -> Range:
        """All of the text, its byte order mark too."""
        end = self.position(len(self._lines), len(self._lines[-1]) + 1)
        return Range(start=Position(line=0, character=0), end=end)

    def _units(self, char: str) -> int:
        match self._encoding:
            case "utf-8":
                return len(char.encode("utf-8", "surrogatepass"))
            case "utf-16":
                return 2 if ord(char) > 0xFFFF else 1
            case "utf-32":
                return 1
