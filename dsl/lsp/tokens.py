"""Which names are what, so that an editor can colour fields, events and templates apart. Words and values are
coloured by the grammar that `textmate` makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dsl.lsp.definition import thing
from dsl.lsp.names import names
from dsl.lsp.positions import Lines
from dsl.lsp.project import Project
from dsl.lsp.roles import Role

KINDS: Mapping[Role, str] = {
    Role.ARGUMENT: "parameter",
    Role.AUDIENCE: "type",
    Role.CHANNEL: "enumMember",
    Role.CONNECTOR: "enumMember",
    Role.CONSTANT: "variable",
    Role.EVENT: "event",
    Role.EXPERIMENT: "class",
    Role.FIELD: "property",
    Role.NOUN: "enumMember",
    Role.PLAYBOOK: "class",
    Role.PROPERTY: "property",
    Role.SEGMENT: "type",
    Role.STAGE: "enumMember",
    Role.TEAM: "enumMember",
    Role.TEMPLATE: "function",
    Role.TOPIC: "enumMember",
    Role.TYPE: "type",
    Role.VARIANT: "class",
}
"""What editors call each kind of name, in the protocol's standard words."""
TYPES = tuple(sorted(set(KINDS.values())))
MODIFIERS = ("declaration", "readonly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coloured:
    """A stretch of one line, in an editor's counting."""

    line: int
    character: int
    length: int
    kind: str
    modifiers: tuple[str, ...]


def coloured(project: Project, path: str, lines: Lines) -> Iterator[Coloured]:
    """The names of a file in the order written."""
    for name in names(project.sources.get(path, ""), path):
        role = thing(name, project).role
        where = lines.range(name.span)
        marks = ("declaration",) * name.meant.declares + ("readonly",) * (role is Role.CONSTANT)
        yield Coloured(
            line=where.start.line,
            character=where.start.character,
            length=where.end.character - where.start.character,
            kind=KINDS[role],
            modifiers=marks,
        )


def encoded(stretches: Iterator[Coloured]) -> list[int]:
    """Five numbers a stretch, each place counted from the one before, as the protocol wants it."""
    numbers: list[int] = []
    line = character = 0
    for each in stretches:
        if each.line != line:
            character = 0
        bits = sum(1 << MODIFIERS.index(mark) for mark in each.modifiers)
        numbers += [each.line - line, each.character - character, each.length, TYPES.index(each.kind), bits]
        line, character = each.line, each.character
    return numbers
