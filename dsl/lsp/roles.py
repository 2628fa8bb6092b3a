"""What a name stands for, told by the words before it: after `send` a channel, after `has` an event.

The words of the language are reserved, so the words before a name decide, even on a line that cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lark import Token


class Role(StrEnum):
    """What a name can be the name of; the value is how a marketer calls it."""

    ARGUMENT = "argument"
    AUDIENCE = "audience"
    CHANNEL = "channel"
    CONNECTOR = "connector"
    CONSTANT = "constant"
    EVENT = "event"
    EXPERIMENT = "experiment"
    FIELD = "field"
    NOUN = "record"
    PLAYBOOK = "playbook"
    PROPERTY = "property"
    SEGMENT = "segment"
    STAGE = "stage"
    TEAM = "team"
    TEMPLATE = "template"
    TOPIC = "topic"
    TYPE = "type"
    VALUE = "value"
    """A field or a constant."""
    VARIANT = "variant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a name at a place stands for."""

    role: Role
    declares: bool = False
    """The name is given here."""
    of: str = ""
    """Of a template the channel (empty: any), of a property the event, of an argument `channel template`."""


FIRST: Mapping[str, Role] = {
    "LET": Role.CONSTANT,
    "FIELD": Role.FIELD,
    "EVENT": Role.EVENT,
    "SEGMENT": Role.SEGMENT,
    "AUDIENCE": Role.AUDIENCE,
    "PLAYBOOK": Role.PLAYBOOK,
    "EXPERIMENT": Role.EXPERIMENT,
    "VARIANT": Role.VARIANT,
}
"""What the second word of a line names, by its first."""

AFTER: Mapping[str, Role] = {
    "SEND": Role.CHANNEL,
    "RECEIVE": Role.CHANNEL,
    "LIMIT": Role.CHANNEL,
    "ABOUT": Role.TOPIC,
    "ON": Role.EVENT,
    "HAS": Role.EVENT,
    "NO": Role.EVENT,
    "LAST": Role.EVENT,
    "GOAL": Role.EVENT,
    "MEASURE": Role.EVENT,
    "SEGMENT": Role.SEGMENT,
    "AUDIENCE": Role.AUDIENCE,
    "EXPERIMENT": Role.EXPERIMENT,
    "PICKS": Role.VARIANT,
    "RECEIVED": Role.TEMPLATE,
    "OPENED": Role.TEMPLATE,
    "CLICKED": Role.TEMPLATE,
    "CREATE": Role.NOUN,
    "UPDATE": Role.NOUN,
    "SET": Role.FIELD,
    "PER": Role.FIELD,
    "UNTIL": Role.FIELD,
    "BEFORE": Role.FIELD,
    "AFTER": Role.FIELD,
    "GIVEN": Role.FIELD,
    "WHEN": Role.FIELD,
    "IF": Role.FIELD,
    "AND": Role.FIELD,
    "OR": Role.FIELD,
    "NOT": Role.FIELD,
    "LPAR": Role.FIELD,
    "WHERE": Role.FIELD,
    "WAS": Role.FIELD,
    "INCLUDE": Role.FIELD,
    "EXCLUDE": Role.FIELD,
    "IS": Role.VALUE,
    "OF": Role.VALUE,
    "COMMA": Role.VALUE,
    "EQUAL": Role.VALUE,
    "OPERATOR": Role.VALUE,
    "INCLUDES": Role.VALUE,
    "BEEN": Role.VALUE,
}
"""What a name behind a word stands for, wherever it is."""

_FOR: Mapping[str, Role] = {"WAIT": Role.EVENT, "CREATE": Role.TEAM, "SCENARIO": Role.PLAYBOOK}
_ASKED = frozenset({"WHERE", "WAS"})
"""Words behind which the properties of an event are asked about."""
_NAMING = frozenset({"HAS", "NO", "ON", "GOAL", "MEASURE", "FOR", "LAST"})


def meant(before: Sequence[Token], header: Sequence[Token] = (), *, start: str = "") -> Meant | None:
    """What a name behind the words `before` of a line stands for; None where no name can be told.

    `header`: the words of the line whose block the line stands in. `start`: the event that starts the playbook.
    """
    if not before:
        return _first(header)
    first, last = before[0].type, before[-1].type
    if last == "DOT":
        return Meant(role=Role.PROPERTY, of=start) if len(before) > 1 and before[-2].type == "EVENT" else None
    if len(before) == 1 and first in FIRST:
        return Meant(role=FIRST[first], declares=True)
    if first == "SEND" or (first == "EXPECT" and "SEND" in _kinds(before)):
        at = _kinds(before).index("SEND")
        if len(before) == at + 2:
            return Meant(role=Role.TEMPLATE, of=str(before[at + 1]))
    if last == "ON" and first == "AUDIENCE":
        return Meant(role=Role.CONNECTOR)
    if last == "FOR":
        role = _FOR.get(first)
        return Meant(role=role) if role else None
    if last == "IN":
        return Meant(role=Role.PLAYBOOK) if first == "ENROLL" else None
    if last == "IS" and (first == "FIELD" or _kind(header) == "EVENT"):
        return Meant(role=Role.TYPE)
    if last == "NOT" and before[-2:-1] and before[-2].type == "IS":
        return Meant(role=Role.VALUE)
    if first == "AFTER" and last == "DURATION":
        return Meant(role=Role.EVENT)
    role = AFTER.get(last)
    if role is Role.FIELD and (event := asked_about(before)) is not None:
        return Meant(role=Role.PROPERTY, of=event)
    return Meant(role=role) if role else None


def asked_about(before: Sequence[Token]) -> str | None:
    """The event whose properties are asked about behind these words; None outside of a `where`."""
    at = next((place for place in range(len(before) - 1, -1, -1) if before[place].type in _ASKED), None)
    if at is None:
        return None
    inside = before[at + 1 :]
    depth = 0
    for place, word in enumerate(inside):
        depth += {"LPAR": 1, "RPAR": -1}.get(word.type, 0)
        if depth == 0 and (word.type in {"AND", "OR", "COLON", "UP"} or (word.type == "RPAR" and place)):
            return None
    names = [before[i].value for i in range(1, at) if before[i].type == "NAME" and before[i - 1].type in _NAMING]
    return str(names[-1]) if names else ""


def _first(header: Sequence[Token]) -> Meant | None:
    """The first word of a line, where it is a name."""
    match _kind(header):
        case "SEND" if len(header) > 2:
            return Meant(role=Role.ARGUMENT, of=f"{header[1]} {header[2]}")
        case "SEND" | "CREATE" | "UPDATE" | "AUDIENCE":
            return Meant(role=Role.ARGUMENT)
        case "EVENT":
            return Meant(role=Role.PROPERTY, declares=True, of=str(header[1]) if len(header) > 1 else "")
        case "LIFECYCLE":
            return Meant(role=Role.STAGE, declares=True)
        case "GIVEN" | "AFTER":
            names = [str(word) for word in header if word.type == "NAME"]
            return Meant(role=Role.PROPERTY, of=names[0] if names else "")
    return None


def _kind(header: Sequence[Token]) -> str:
    return header[0].type if header else ""


def _kinds(words: Sequence[Token]) -> list[str]:
    return [word.type for word in words]
