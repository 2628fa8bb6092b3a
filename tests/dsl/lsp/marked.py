"""Texts with a mark at the place that a question is asked about: `send ▮`."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.compile import compile_sources
from dsl.lsp.completion import Item, complete
from dsl.lsp.project import Project
from tests.dsl.shop import shop

MARK = "▮"
PATH = "here.playbook"


@dataclass(frozen=True, slots=True)
class Place:
    text: str
    line: int
    column: int

    @property
    def project(self) -> Project:
        return project({PATH: self.text})


def place(marked: str) -> Place:
    """The text without its mark, and where the mark was."""
    before, found, after = marked.partition(MARK)
    assert found, "there is no mark"
    lines = before.split("\n")
    return Place(before + after, len(lines), len(lines[-1]) + 1)


def project(sources: dict[str, str]) -> Project:
    """The texts with the names of the tests' shop."""
    return Project(sources=sources, catalog=compile_sources(sources, shop()).catalog)


def items(marked: str) -> dict[str, Item]:
    """What can be typed at the mark, by label."""
    at = place(marked)
    found = complete(at.text, at.line, at.column, at.project)
    assert len({item.label for item in found}) == len(found), "something is offered twice"
    return {item.label: item for item in found}


def offered(marked: str, kind: str = "") -> set[str]:
    """The labels of what can be typed at the mark; only of one kind, if any is given."""
    return {label for label, item in items(marked).items() if not kind or item.kind == kind}


def applied(marked: str, label: str) -> str:
    """The text after one of the items was chosen in an editor without blanks."""
    at = place(marked)
    item = items(marked)[label]
    lines = at.text.split("\n")
    row = lines[at.line - 1]
    lines[at.line - 1] = row[: at.column - 1 - item.replaces] + item.plain + row[at.column - 1 :]
    return "\n".join(lines)
