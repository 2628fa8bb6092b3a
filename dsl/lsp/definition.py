"""What a name at a place is, where it is declared, and every place that speaks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.diagnostics import Span
from dsl.lsp.names import Name, name_at
from dsl.lsp.project import Project
from dsl.lsp.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What a name is the name of: two names of the same thing are equal here."""

    role: Role
    """Never `VALUE`."""
    text: str
    of: str = ""
    """Of a property the event, of a template the channel, of an argument `channel template`."""


def thing_at(project: Project, path: str, line: int, column: int) -> tuple[Name, Thing] | None:
    """The name at a place, and what it stands for."""
    name = name_at(project.sources.get(path, ""), path, line, column)
    return (name, thing(name, project)) if name else None


def thing(name: Name, project: Project) -> Thing:
    """What a name stands for."""
    text, role, of = name.text, name.role, name.meant.of
    if role is Role.VALUE or (role is Role.FIELD and not name.meant.declares):
        role = _value(text, project)
    if role is Role.PROPERTY:
        return Thing(role=role, text=text.removeprefix("event."), of=of)
    if role in {Role.TEMPLATE, Role.ARGUMENT}:
        return Thing(role=role, text=text, of=of)
    return Thing(role=role, text=text)


def _value(text: str, project: Project) -> Role:
    if text in project.declared(Role.CONSTANT):
        return Role.CONSTANT
    if project.catalog.field(text) is None and text in project.declared(Role.STAGE):
        return Role.STAGE
    return Role.FIELD


def definition(project: Project, path: str, line: int, column: int) -> Span | None:
    """Where the thing at a place is declared; of a template the start of its file. None: every store has it."""
    found = thing_at(project, path, line, column)
    return declared_at(found[1], project) if found else None


def declared_at(what: Thing, project: Project) -> Span | None:
    """Where a thing is declared."""
    if what.role in {Role.TEMPLATE, Role.ARGUMENT}:
        return _template(what, project)
    if what.role is Role.PROPERTY:
        own = (name.span for name in project.names() if name.meant.declares and thing(name, project) == what)
        return next(own, None)
    declared = project.declared(what.role).get(what.text)
    return declared.span if declared else None


def _template(what: Thing, project: Project) -> Span | None:
    channel, name = what.of, what.text
    if what.role is Role.ARGUMENT:
        channel, _, name = what.of.partition(" ")
    for (of, known), template in sorted(project.catalog.templates.items()):
        if known == name and (of == channel or not channel):
            return Span(file=template.path, line=1, column=1, end_line=1, end_column=1)
    return None


def references(project: Project, path: str, line: int, column: int, *, declaration: bool = True) -> tuple[Span, ...]:
    """Every place in all files that speaks of the thing at a place; `declaration`: that of its declaration too."""
    found = thing_at(project, path, line, column)
    if found is None:
        return ()
    names = named(found[1], project)
    return tuple(name.span for name in names if declaration or not name.meant.declares)


def named(what: Thing, project: Project) -> Iterator[Name]:
    """Every name of a thing. A template that is spoken of without its channel counts for each channel."""
    for name in project.names():
        other = thing(name, project)
        same_template = what.role is other.role is Role.TEMPLATE and what.text == other.text
        if other == what or (same_template and not (what.of and other.of)):
            yield name
