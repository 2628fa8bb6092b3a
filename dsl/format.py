"""The one canonical form of a playbook file. It works on words and not on the tree, so that every comment survives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lark import Token

from dsl.reading.statements import Statement, statements

WIDTH = 72
"""A condition that makes its line longer is written one part a line."""
INDENT = "  "

_NO_BLANK_BEFORE = frozenset({"COLON", "COMMA", "DOT", "RPAR"})
_NO_BLANK_AFTER = frozenset({"DOT", "LPAR"})
_BLOCKS = frozenset({"POLICY", "EVENT", "PLAYBOOK", "LIFECYCLE", "AUDIENCE", "SCENARIO"})
"""Declarations with a block; an empty line stands before and after each."""


def canonical(source: str) -> str:
    """The canonical form of a source that parses without errors: two spaces a level, one space between words, at most
    one empty line in a row, long conditions one part a line. It means the same, and is its own canonical form."""
    above, lines = statements(source)
    page = _Page()
    if above is not None:
        page.comments = above.split("\n")[:-1]
    for line in lines:
        page.write(line)
    page.end()
    return "".join(text + "\n" for text in page.lines)


@dataclass(slots=True)
class _Page:
    lines: list[str] = field(default_factory=list)
    levels: list[int] = field(default_factory=lambda: [0])
    """The indentation, as written, of each level that is open."""
    comments: list[str] = field(default_factory=list)
    """Comments and empty lines met since the last statement, as written."""
    after_block: bool = False
    """The last declaration had a block."""

    def write(self, line: Statement) -> None:
        before = self.levels.copy()
        while line.indent < self.levels[-1]:
            self.levels.pop()
        if line.indent > self.levels[-1]:
            self.levels.append(line.indent)
        depth = len(self.levels) - 1
        block = not depth and line.words[0].type in _BLOCKS
        self._flush(before, depth, apart=not depth and bool(self.lines) and (block or self.after_block))
        if not depth:
            self.after_block = block
        end, *below = line.newline.split("\n")
        self.lines += _laid_out(line.tokens, depth)
        self.lines[-1] += _trailing(end)
        self.comments = below[:-1]

    def end(self) -> None:
        self._flush(self.levels, 0, apart=False)
        while self.lines and not self.lines[-1]:
            self.lines.pop()

    def _flush(self, before: list[int], depth: int, *, apart: bool) -> None:
        """Writes the comments above a statement, each as deep as it is indented, but between the two statements."""
        deepest = max(len(before) - 1, depth)
        opened = bool(self.lines) and depth == len(before)
        texts: list[tuple[str, int]] = []
        for raw in self.comments:
            text = raw.strip()
            indent = len(raw) - len(raw.lstrip(" "))
            own = sum(level <= indent for level in before) - 1
            texts.append((text, depth if opened else min(max(own, depth), deepest)))
        if apart and not any(not text for text, _ in texts):
            place = len(texts)
            while place and texts[place - 1][1] == 0:
                place -= 1
            texts.insert(place, ("", 0))
        first = len(self.lines)
        for text, own in texts:
            if text:
                self.lines.append(INDENT * own + text)
            elif self.lines and self.lines[-1] and not (opened and len(self.lines) == first):
                self.lines.append("")
        self.comments = []


def _laid_out(tokens: tuple[Token, ...], depth: int) -> list[str]:
    """The statement on one line; when that is too long or comments stand between, one part of its condition a line."""
    words = [token for token in tokens if token.type != "CONTINUATION"]
    whole = INDENT * depth + spaced(words)
    commented = any("#" in token for token in tokens if token.type == "CONTINUATION")
    if not commented and len(whole) <= WIDTH:
        return [whole]
    lines: list[str] = []
    indent = INDENT * depth
    for part in _parts(tokens):
        if part and part[0].type == "CONTINUATION":
            end, *above = part[0].split("\n")
            lines[-1] += _trailing(end)
            lines += [indent + text.strip() for text in above if text.strip()]
            part = part[1:]
        lines.append(indent + spaced(part))
        indent = INDENT * (depth + 1)
    return lines


def _parts(tokens: tuple[Token, ...]) -> list[list[Token]]:
    """Cut before each `and` and `or` outside of brackets, and at each line break that holds a comment."""
    parts: list[list[Token]] = [[]]
    brackets = 0
    for place, token in enumerate(tokens):
        brackets += {"LPAR": 1, "RPAR": -1}.get(token.type, 0)
        if token.type == "CONTINUATION":
            if "#" in token:
                parts.append([token])
            continue
        joins = token.type in {"AND", "OR"} and not brackets and not _of_between(tokens, place)
        if joins and [word.type for word in parts[-1]] != ["CONTINUATION"]:
            parts.append([])
        parts[-1].append(token)
    return parts


def _of_between(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether this `and` is the one of `between 2026-11-01 and 2026-11-30`."""
    before = (token.type for token in reversed(tokens[max(place - 4, 0) : place]) if token.type != "CONTINUATION")
    return next(before, "") == "DATE" and next(before, "") == "BETWEEN"


def spaced(words: Iterable[Token]) -> str:
    """The words on one line, as far apart as they should be."""
    text, before = "", ""
    for word in words:
        apart = text and word.type not in _NO_BLANK_BEFORE and before not in _NO_BLANK_AFTER
        text += (" " if apart else "") + _spelt(word)
        before = word.type
    return text


def _spelt(word: Token) -> str:
    match word.type:
        case "DURATION":
            count, unit = word.split()
            return f"{count} {unit.removesuffix('s')}{'' if int(count) == 1 else 's'}"
        case "CLOCK_TIME":
            return word.zfill(5)
    return str(word)


def _trailing(text: str) -> str:
    return f"  {text.strip()}" if text.strip() else ""
