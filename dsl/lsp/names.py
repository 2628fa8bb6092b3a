"""Every name in a file, with its place and what it stands for. It works on words, so that broken lines count too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lark import Token

from dsl.complaints.trouble import between
from dsl.diagnostics import Span
from dsl.lsp.roles import Meant, Role, meant
from dsl.parser import LARGEST_FILE
from dsl.reading.statements import Statement, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name in a file, with its dots: `cart.total`, `event.order_id`."""

    text: str
    span: Span
    meant: Meant

    @property
    def role(self) -> Role:
        return self.meant.role


@lru_cache(maxsize=512)
def lines_of(source: str) -> tuple[Statement, ...]:
    """The statements of a file; none of one that is too big to be read."""
    return tuple(statements(source)[1]) if len(source) <= LARGEST_FILE else ()


def headers(lines: Sequence[Statement]) -> Iterator[tuple[Statement, Sequence[Token]]]:
    """Each line, with the words of the line whose block it stands in."""
    above: list[Statement] = []
    for line in lines:
        while above and above[-1].indent >= line.indent:
            above.pop()
        yield line, above[-1].words if above else ()
        above.append(line)


def starting_event(lines: Sequence[Statement], index: int) -> str:
    """The event that starts the playbook around a line; empty when there is none."""
    first = index
    while first > 0 and lines[first].indent > 0:
        first -= 1
    for line in lines[first + 1 :]:
        if line.indent == 0:
            break
        if [word.type for word in line.words[:3]] == ["START", "ON", "NAME"]:
            return str(line.words[2])
    return ""


@lru_cache(maxsize=512)
def names(source: str, path: str) -> tuple[Name, ...]:
    """Every name in a file whose meaning the words around it tell, in the order written."""
    lines = lines_of(source)
    found: list[Name] = []
    for index, (line, header) in enumerate(headers(lines)):
        start: str | None = None
        at = 0
        while at < len(line.words):
            end = dotted(line.words, at)
            if end == at:
                at += 1
                continue
            group = line.words[at:end]
            if group[0].type == "EVENT":
                start = starting_event(lines, index) if start is None else start
                told: Meant | None = Meant(role=Role.PROPERTY, of=start)
            else:
                told = _given(line.words, at, end) or meant(line.words[:at], header)
            if told is not None:
                span = between(path, group[0], group[-1])
                found.append(Name(text="".join(map(str, group)), span=span, meant=told))
            at = end
    return tuple(found)


def _given(words: Sequence[Token], at: int, end: int) -> Meant | None:
    """`given order_completed 2 days ago` names an event, `given cart.total = $5` a field."""
    is_event = at == 1 and words[0].type == "GIVEN" and end < len(words) and words[end].type == "DURATION"
    return Meant(role=Role.EVENT) if is_event else None


def dotted(words: Sequence[Token], at: int) -> int:
    """Where the name that begins at a word ends; `at` itself when none begins there."""
    whole = words[at].type == "NAME"
    if not whole and words[at].type != "EVENT":
        return at
    end = at + 1
    while end + 1 < len(words) and words[end].type == "DOT" and words[end + 1].type == "NAME":
        end += 2
    return end if whole or end > at + 1 else at


def name_at(source: str, path: str, line: int, column: int) -> Name | None:
    """The name at a place, or that ends right before it."""
    for name in names(source, path):
        span = name.span
        if span.line == line and span.column <= column <= span.end_column:
            return name
    return None
