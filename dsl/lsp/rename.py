"""Another name for what the files declare, in all files at once; or the reason why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dsl.diagnostics import Span
from dsl.grammar import lex, words
from dsl.lsp.definition import Thing, named, thing_at
from dsl.lsp.names import Name
from dsl.lsp.project import Project
from dsl.lsp.roles import Role
from dsl.reading.literals import LONGEST_NAME
from dsl.suggest import listed

_NOTES: Mapping[Role, str] = {
    Role.PLAYBOOK: "To the store this is another playbook: people who are inside `{old}` do not move over.",
    Role.FIELD: "Profiles that hold `{old}` already keep it under that name; the shop must send `{new}` from now on.",
    Role.EVENT: "Events that arrived as `{old}` keep that name; the shop must send `{new}` from now on.",
}
"""What a new name changes outside of the files."""
_RENAMED = (Role.SEGMENT, Role.CONSTANT, Role.PLAYBOOK, Role.FIELD, Role.EVENT, Role.AUDIENCE, Role.STAGE)
_REASONS: Mapping[Role, str] = {
    Role.TEMPLATE: "A template is called like its file: rename the file, and then the lines that send it.",
    Role.ARGUMENT: "An argument is called like the variable in its template.",
    Role.CHANNEL: "Channels come with winback.",
    Role.TYPE: "Types come with the language.",
    Role.TOPIC: "A topic is named in the front matter of templates.",
    Role.EXPERIMENT: "An experiment with another name is a new one: everybody would be drawn anew.",
    Role.VARIANT: "A variant with another name is a new one: everybody would be drawn anew.",
    Role.PROPERTY: "A property is called as the shop sends it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why something has no new name, in a sentence."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    spans: tuple[Span, ...]
    """Each is to be replaced by the new name."""
    note: str = ""
    """What this changes outside of the files."""


def renameable(project: Project, path: str, line: int, column: int) -> Name | Refused:
    """The name at a place, if it can be given another one."""
    found = thing_at(project, path, line, column)
    if found is None:
        return Refused(reason="There is no name here.")
    name, what = found
    if what.role not in _RENAMED:
        return Refused(reason=_REASONS.get(what.role, f"A {what.role.value} cannot be renamed."))
    if what.text not in project.declared(what.role):
        if what.role in {Role.FIELD, Role.EVENT}:
            return Refused(reason=f"`{what.text}` is not declared in the playbooks, so its name is not theirs.")
        return Refused(reason=f"There is no {what.role.value} called `{what.text}`.")
    return name


def rename(project: Project, path: str, line: int, column: int, new: str) -> Renamed | Refused:
    """Every place that must be changed so that the thing at a place is called `new`."""
    if isinstance(refused := renameable(project, path, line, column), Refused):
        return refused
    found = thing_at(project, path, line, column)
    assert found is not None
    what = found[1]
    if new == what.text:
        return Renamed(spans=())
    if reason := _unfit(new, what) or _taken(new, what, project):
        return Refused(reason=reason)
    note = _NOTES.get(what.role, "").format(old=what.text, new=new)
    return Renamed(spans=tuple(name.span for name in named(what, project)), note=note)


def _unfit(new: str, what: Thing) -> str:
    """Why it is no name."""
    tokens = lex(new + "\n")[:-1] if "\n" not in new else []
    kinds = [token.type for token in tokens]
    reserved = [str(token) for token in tokens if token.type in words() and token.isalpha()]
    if reserved:
        return f"{listed(reserved[:1])} is a word of the language, so it cannot be a name."
    if any(len(token) > LONGEST_NAME for token in tokens):
        return f"This name has {len(new):,} characters, and a name has at most {LONGEST_NAME}."
    if kinds == ["NAME"] and tokens[0] == new:
        return ""
    if what.role is Role.FIELD and "".join(tokens) == new and kinds == (["NAME", "DOT"] * len(kinds))[: len(kinds)]:
        return "" if kinds[-1:] == ["NAME"] else f"`{new}` ends with a dot."
    shown = new if len(new) <= 40 else new[:40] + "…"
    return f"`{shown}` is not a name: names are made of small letters a to z, digits and underscores."


def _taken(new: str, what: Thing, project: Project) -> str:
    """Why the name is not free."""
    if new in project.declared(what.role):
        return f"There is already a {what.role.value} called `{new}`."
    if what.role in {Role.FIELD, Role.CONSTANT}:
        other = Role.CONSTANT if what.role is Role.FIELD else Role.FIELD
        if new in project.declared(other):
            return f"There is already a {other.value} called `{new}`."
        if project.catalog.field(new):
            return f"`{new}` is a field that every store has."
    if what.role is Role.EVENT and new in project.catalog.events:
        return f"There is already an event called `{new}`."
    return ""
