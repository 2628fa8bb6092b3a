"""The outline of a file: its declarations, and the lines of their blocks. It works on words, so that broken lines
do not hide the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dsl.complaints.trouble import between
from dsl.diagnostics import Span
from dsl.format import spaced
from dsl.grammar import words
from dsl.lsp.names import dotted, lines_of
from dsl.reading.statements import Statement

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    name: str
    kind: str
    """The first word of the line: `playbook`, `send`."""
    span: Span
    """With the block."""
    at: Span
    """The line alone."""
    inside: tuple[Symbol, ...] = ()


def outline(source: str, path: str) -> tuple[Symbol, ...]:
    """The outline of a file. Lines that begin with a name, such as arguments, are left out."""
    return _block(lines_of(source), path)


def _block(lines: Sequence[Statement], path: str) -> tuple[Symbol, ...]:
    found: list[Symbol] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end].indent > lines[at].indent:
            end += 1
        if lines[at].words[0].type in words():
            found.append(_symbol(lines[at], lines[at + 1 : end], path))
        at = end
    return tuple(found)


def _symbol(line: Statement, below: Sequence[Statement], path: str) -> Symbol:
    first, last = line.words[0], (below[-1] if below else line).words[-1]
    own = between(path, first, line.words[-1])
    name = spaced(line.words).removesuffix(":")
    if line.indent == 0 and len(line.words) > 1 and (end := dotted(line.words, 1)) > 1:
        name = "".join(line.words[1:end])
    return Symbol(
        name=name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…",
        kind=str(first),
        span=between(path, first, last),
        at=own,
        inside=_block(below, path),
    )
