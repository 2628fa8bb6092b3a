"""Audiences as written to audiences as meant. Lines that stand twice or miss another are told by `checks.audiences`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from dsl import conditions as c
from dsl import program, syntax
from dsl.conditions import Condition, Constant
from dsl.resolve.conditions import MOST_TESTS, ask, size
from dsl.resolve.playbook import schedule
from dsl.resolve.scope import Scope
from dsl.resolve.values import constant
from dsl.suggest import did_you_mean, listed

_ELSEWHERE = {"meta": "facebook", "instagram": "facebook", "fb": "facebook"}
_S = TypeVar("_S", bound=syntax.Node)


def is_ruled(node: syntax.Audience) -> bool:
    """Whether it has rules, so that no playbook adds or removes members. A line that could not be read may be one."""
    return any(
        isinstance(line, syntax.Include) or (isinstance(line, syntax.Broken) and line.word == "include")
        for line in node.lines
    )


def audience(node: syntax.Audience, scope: Scope) -> program.Audience:
    """The audience; what is wrong with it is told to `scope`, once."""
    outside = replace(scope, entry=False, place="in an audience")
    about, run = _first(node, syntax.About), _first(node, syntax.RunEvery)
    include, exclude = _first(node, syntax.Include), _first(node, syntax.Exclude)
    meant = program.Audience(
        source=node,
        name=node.name.text,
        connector=_service(node.connector, scope),
        about=about.text.value if about else "",
        schedule=schedule(run) if run else None,
        include=ask(include.condition, outside) if include else None,
        exclude=ask(exclude.condition, outside) if exclude else None,
        arguments=tuple(_argument(line, scope) for line in node.lines if isinstance(line, syntax.Argument)),
    )
    rule = members(meant)
    if rule is not None and size(rule) > MOST_TESTS and meant.include is not None:
        scope.tell(
            "WB225",
            meant.include.span,
            f"`include` and `exclude` hold {size(rule)} tests together; more than {MOST_TESTS} is too much.",
            "Use `is one of` for lists of values, or keep a field of its own for what is asked.",
        )
    return meant


def members(audience: program.Audience) -> Condition | None:
    """Who belongs to it by its rules. None: it has none, or they are broken."""
    include, exclude = audience.include, audience.exclude
    if include is None or include.meaning is None:
        return None
    if exclude is None:
        return include.meaning
    if exclude.meaning is None:
        return None
    return c.AllOf(conditions=(include.meaning, c.Not(condition=exclude.meaning)))


def _service(word: syntax.Word, scope: Scope) -> str | None:
    known = scope.catalog.outside
    if word.text in known:
        return word.text
    meant = _ELSEWHERE.get(word.text)
    named = f"Did you mean `{meant}`?" if meant in known else None
    hint = named or did_you_mean(word.text, known) or f"Audiences are kept on {listed(sorted(known), 'or')}."
    scope.tell("WB245", word.span, f"No audience can be kept on `{word.text}`.", hint)
    return None


def _argument(line: syntax.Argument, scope: Scope) -> program.Argument:
    value: Constant | None = None
    if not isinstance(line.value, syntax.Word):
        value = constant(line.value, scope)
    elif line.value.text in scope.constants:
        value = scope.constants[line.value.text]
    elif line.value.text not in scope.suspects:
        name = line.value.text
        slip = did_you_mean(name, [known for known, value in scope.constants.items() if value])
        is_field = scope.catalog.field(name) is not None or name.startswith("event.")
        scope.tell(
            "WB248",
            line.value.span,
            f"The service is told the same for all members, and `{name}` "
            + ("differs from one to the next." if is_field else "is no value."),
            (None if is_field else slip)
            or f"Write a value, such as `{line.name.text} = $6.00`, or the name of a `let`.",
        )
    return program.Argument(span=line.name.span, name=line.name.text, value=value)


def _first(node: syntax.Audience, kind: type[_S]) -> _S | None:
    lines: Sequence[syntax.Node] = node.lines
    return next((line for line in lines if isinstance(line, kind)), None)
