"""Which words make sense for a value of some type: the grammar lets more through than the types do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lark import Token

from dsl.catalog import STAGE
from dsl.complaints.vocabulary import PLACES
from dsl.lsp.place import Place
from dsl.lsp.project import LITERALS, Project
from dsl.lsp.roles import Role, asked_about
from dsl.types import Type

_AMOUNTS = frozenset({Type.NUMBER, Type.MONEY, Type.PERCENT, Type.DURATION})
_TIMES = frozenset({Type.DATE, Type.TIMESTAMP})
_MANY = frozenset({Type.LIST, Type.PRODUCT, Type.PRODUCTS})

_ONLY: Mapping[str, frozenset[Type]] = {
    "OPERATOR": _AMOUNTS,
    "STARTS": frozenset({Type.TEXT}),
    "CONTAINS": frozenset({Type.TEXT}),
    "INCLUDES": frozenset({Type.LIST}),
    "MORE": _TIMES,
    "BEFORE": _TIMES,
    "AFTER": _TIMES,
    "LAST": _TIMES,
    "NEXT": _TIMES,
    "TOP": frozenset({Type.NUMBER, Type.MONEY}),
    "IN": _TIMES | {Type.NUMBER, Type.MONEY},
    "HAS": frozenset(Type) - _MANY,
    "NOT": frozenset(Type) - _MANY - _TIMES,
    "ONE": frozenset(Type) - _MANY - _TIMES,
}
"""The types that a word fits behind. Other words fit behind all."""
_COMPARING = frozenset({"OPERATOR", "IS", "STARTS", "CONTAINS", "INCLUDES", "BEEN"})
_JOINING = frozenset({"AND", "OR", "LPAR", "WHERE", "WAS"})
_SETTING = frozenset({"SET", "GIVEN", "AFTER"})
_ASKING = frozenset({"NAME", "NOT", "LPAR"})
"""Words that can begin a condition wherever there are conditions."""


def sensible(place: Place, project: Project) -> frozenset[str]:
    """The kinds of words that fit at a place, without those that its types rule out."""
    expected = place.expected - {"BROKEN_LINE", "$END", "_NL", "_DEDENT", "_INDENT", "DOT"}
    if expected >= _ASKING:
        # A `where` asks about an event, not about the person, so only properties and brackets stand in it.
        return expected & (_ASKING | {"EVENT"}) if asked_about(place.before) is not None else expected
    if place.begins and place.header and place.header[0].type == "PLAYBOOK":
        expected = _in_playbook(place, expected)
    kind = compared_type(place, project)
    if kind is None or kind is Type.ANY:
        return expected
    values = "NAME" in expected
    if kind is Type.TIMESTAMP and gives(place):
        kind = Type.DATE  # a point in time begins with its day
    if compared(place.before) == STAGE and project.declared(Role.STAGE):
        expected -= {"STRING"}  # a stage is named without quotes
    if kind in _MANY:
        expected = expected - {"NAME", "EVENT"}
    return frozenset(
        word
        for word in expected
        if kind in _ONLY.get(word, (kind,)) and not (values and LITERALS.get(word, kind) is not kind)
    )


def _in_playbook(place: Place, expected: frozenset[str]) -> frozenset[str]:
    """Settings stand before the steps, and most of them once."""
    above = {word.type for word in place.siblings if (word.line or 0) < place.line}
    others = {word.type for word in place.siblings}
    settings = {word for word in expected if PLACES.get(word) == "playbook"} | {"HOLDOUT"}
    if any(PLACES.get(word) == "step" for word in above):
        return expected - settings
    return expected - (settings & others - {"LEAVE"})


def compared_type(place: Place, project: Project) -> Type | None:
    """The type of what stands on the left of a comparison, or of a `set` and a `given`; None where nothing does."""
    words = place.before
    behind_name = bool(words) and words[-1].type == "NAME" and "IS" in place.expected
    found = _ending(words, len(words)) if behind_name else _left(words)
    return project.type_of(words[: found[1]], found[0], start=place.start) if found else None


def gives(place: Place) -> bool:
    """Whether a line of a scenario gives a value, which is never a field."""
    return any(words[0].type in {"GIVEN", "AFTER"} for words in (place.before, place.header) if words)


def compared(words: Sequence[Token]) -> str:
    """The name on the left of the comparison in which a line ends; empty where there is none."""
    found = _left(words)
    return "".join(words[found[0] : found[1]]) if found else ""


def _left(words: Sequence[Token]) -> tuple[int, int] | None:
    """Where the left side of the comparison in which a line ends begins, and ends."""
    for at in range(len(words) - 1, 0, -1):
        kind = words[at].type
        if kind in _JOINING:
            return None
        if kind in _COMPARING or (kind == "EQUAL" and words[0].type in _SETTING):
            return _ending(words, at - (kind == "BEEN"))
    return None


def _ending(words: Sequence[Token], end: int) -> tuple[int, int] | None:
    """The stretch of the name that ends before a word."""
    first = end - 1
    while first >= 2 and words[first - 1].type == "DOT":
        first -= 2
    return (first, end) if first >= 0 and words[first].type in {"NAME", "EVENT"} else None
