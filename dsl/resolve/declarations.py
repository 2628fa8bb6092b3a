"""Constants, fields and events that the files declare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from dsl import syntax
from dsl.catalog import STAGE, Catalog, Event, Field
from dsl.conditions import Constant
from dsl.resolve.names import NO_LIFECYCLE
from dsl.resolve.scope import Scope
from dsl.resolve.values import constant
from dsl.suggest import did_you_mean, listed
from dsl.types import Type
from dsl.wording import KINDS

DECLARED = ("text", "number", "money", "yes_no", "date", "timestamp", "list")
"""The types that a declaration may name."""
_N = TypeVar("_N", bound=syntax.Node)
_D = TypeVar(
    "_D", syntax.Let, syntax.FieldDeclaration, syntax.EventDeclaration, syntax.Segment, syntax.Audience, syntax.Playbook
)


def declarations(files: tuple[syntax.File, ...], kind: type[_N]) -> tuple[_N, ...]:
    """All declarations of one kind, file by file."""
    return tuple(node for file in files for node in file.declarations if isinstance(node, kind))


def unique(files: tuple[syntax.File, ...], kind: type[_D], noun: str, scope: Scope) -> dict[str, _D]:
    """Declarations of one kind by name. A name that stands twice is told, and the first counts."""
    found: dict[str, _D] = {}
    for node in declarations(files, kind):
        first = found.setdefault(node.name.text, node)
        if first is not node:
            at = first.name.span
            place = f"line {at.line}" if at.file == node.name.span.file else f"{at.file}, line {at.line}"
            scope.tell(
                "WB230",
                node.name.span,
                f"There is already {noun} called `{node.name.text}`, in {place}.",
                "Give one of them another name.",
            )
    return found


def constants(files: tuple[syntax.File, ...], scope: Scope) -> Mapping[str, Constant | None]:
    """What each `let` names; None where its value is wrong."""
    found: dict[str, Constant | None] = {}
    for name, node in unique(files, syntax.Let, "a constant", scope).items():
        if scope.catalog.field(name):
            _taken(node.name, scope)
        if isinstance(node.value, syntax.Word):
            scope.tell(
                "WB231",
                node.value.span,
                f"A constant is a value, and `{node.value.text}` is a name.",
                "Write a value, such as `$50` or `3`."
                if "." in node.value.text
                else f'For the text, write `"{node.value.text}"`.',
            )
            found[name] = None
        else:
            found[name] = constant(node.value, scope)
    return found


def with_fields(files: tuple[syntax.File, ...], scope: Scope) -> Catalog:
    """The catalog with the declared fields."""
    catalog, found = scope.catalog, {}
    for name, node in unique(files, syntax.FieldDeclaration, "a field", scope).items():
        if name == STAGE:
            hint = "Leave this line out." if scope.stages else NO_LIFECYCLE
            scope.tell("WB230", node.name.span, "The stage of a person comes from the lifecycle.", hint)
        elif catalog.field(name):
            _taken(node.name, scope)
        elif name.split(".")[0] == "event":
            scope.tell(
                "WB232",
                node.name.span,
                "Names that begin with `event.` are properties of the event that starts a playbook.",
                "Give the field another name.",
            )
        else:
            kind = _type(node.type, scope)
            found[name] = Field(name=name, type=kind, about="A field of the shop's own.")
    return replace(catalog, fields={**catalog.fields, **found})


def with_events(files: tuple[syntax.File, ...], scope: Scope) -> Catalog:
    """The catalog with the declared events. An event that every store has may be given more properties."""
    catalog, found = scope.catalog, {}
    for name, node in unique(files, syntax.EventDeclaration, "an event", scope).items():
        known = catalog.events.get(name, Event(name=name, properties={}, about="An event of the shop's own."))
        own: dict[str, Type] = {}
        for line in node.properties:
            if not isinstance(line, syntax.FieldDeclaration):
                continue
            kind, stands = _type(line.type, scope), known.properties.get(line.name.text, Type.ANY)
            if line.name.text in own:
                scope.tell(
                    "WB230",
                    line.name.span,
                    f"`{name}` already has a property called `{line.name.text}`.",
                    "Remove one of the two lines.",
                )
            elif stands not in (Type.ANY, kind) and kind is not Type.ANY:
                scope.tell(
                    "WB233",
                    line.type.span,
                    f"The property `{line.name.text}` of `{name}` is {KINDS[stands]} in every store.",
                    "Remove this line, or give your property another name.",
                )
            else:
                own[line.name.text] = kind
        found[name] = replace(known, properties={**known.properties, **own})
    return replace(catalog, events={**catalog.events, **found})


def _type(word: syntax.Word, scope: Scope) -> Type:
    """The declared type. ANY with a problem told: it fits everywhere, so that nothing else is told because of it."""
    if word.text in DECLARED:
        return Type(word.text)
    hint = did_you_mean(word.text, DECLARED) or f"Write one of {listed(DECLARED, 'or')}."
    scope.tell("WB234", word.span, f"There is no type called `{word.text}`.", hint)
    return Type.ANY


def _taken(word: syntax.Word, scope: Scope) -> None:
    scope.tell("WB230", word.span, f"`{word.text}` is a field that every store has.", "Give yours another name.")
