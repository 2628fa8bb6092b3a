"""Segments and audiences, which may ask for each other: each is settled after those that it stands on.

One that contains itself, directly or through others, is told, and has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from dsl import conditions as c
from dsl import syntax
from dsl.program import Audience, Segment
from dsl.resolve.audiences import audience, is_ruled, members
from dsl.resolve.conditions import ask
from dsl.resolve.scope import Scope

_Name = tuple[Literal["segment", "audience"], str]


def with_groups(
    segments: Mapping[str, syntax.Segment], audiences: Mapping[str, syntax.Audience], scope: Scope
) -> tuple[Mapping[str, Audience], Scope]:
    """The audiences by name, and the scope that knows the segments and the rules of audiences."""
    known = {name: Segment(name=name, span=node.name.span, meaning=None) for name, node in segments.items()}
    ruled = {name: is_ruled(node) for name, node in audiences.items()}
    rules: dict[str, c.Condition | None] = {name: None for name, has_rules in ruled.items() if has_rules}
    named: dict[int, str] = {}
    scope = replace(scope, segments=known, audiences=ruled, rules=rules, named=named)
    kept: dict[str, Audience] = {}
    mentions: dict[_Name, list[_Name]] = {
        ("segment", name): list(_mentioned((node.condition,), segments, rules)) for name, node in segments.items()
    }
    for name, node in audiences.items():
        asked = tuple(line.condition for line in node.lines if isinstance(line, syntax.Include | syntax.Exclude))
        mentions["audience", name] = list(_mentioned(asked, segments, rules)) if ruled[name] else []

    def circle(names: list[_Name]) -> None:
        _tell_circle(names, segments, audiences, scope)

    for kind, name in _in_order(mentions, circle):
        if kind == "segment":
            whole = ask(segments[name].condition, scope)
            meaning = _own(whole.meaning, "in audience", named)
            known[name] = replace(known[name], meaning=meaning, asked=whole)
            if meaning is not None:
                named[id(meaning)] = f"in segment {name}"
        else:
            kept[name] = audience(audiences[name], scope)
            if name in rules and (meaning := _own(members(kept[name]), "in segment", named)) is not None:
                rules[name] = meaning
                named[id(meaning)] = f"in audience {name}"
    return {name: kept[name] for name in audiences}, scope


def _own(meaning: c.Condition | None, others: str, named: Mapping[int, str]) -> c.Condition | None:
    """The meaning, or an equal one of its own where it goes by the name of another kind already: `named` tells them
    apart by identity, and a person by what was written."""
    return replace(meaning) if meaning is not None and named.get(id(meaning), "").startswith(others) else meaning


def _in_order(mentions: Mapping[_Name, list[_Name]], circle: Callable[[list[_Name]], None]) -> Iterator[_Name]:
    """Names so that each comes after those that it mentions. Those on a circle come too, after `circle` is called."""
    done: set[_Name] = set()
    for start in mentions:
        path: list[_Name] = []
        stack = [(start, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                path.pop()
                done.add(name)
                yield name
            elif name in path:
                circle(path[path.index(name) :])
            elif name not in done:
                path.append(name)
                stack.append((name, True))
                stack.extend((inner, False) for inner in reversed(mentions[name]))


def _tell_circle(
    names: list[_Name],
    segments: Mapping[str, syntax.Segment],
    audiences: Mapping[str, syntax.Audience],
    scope: Scope,
) -> None:
    first = next((at for at, (kind, _) in enumerate(names) if kind == "audience"), 0)
    names = [*names[first:], *names[:first]]
    kind, name = names[0]
    mixed = len({kind for kind, _ in names}) > 1
    way = " → ".join(f"{kind} `{name}`" if mixed else f"`{name}`" for kind, name in [*names, names[0]])
    scope.tell(
        "WB218" if kind == "segment" else "WB247",
        (segments[name] if kind == "segment" else audiences[name]).name.span,
        f"The {kind} `{name}` contains itself: {way}.",
        "Take one of them out of the other." if len(names) > 1 else "Take this part out.",
    )


def _mentioned(
    nodes: tuple[syntax.Condition, ...],
    segments: Mapping[str, syntax.Segment],
    rules: Mapping[str, c.Condition | None],
) -> Iterator[_Name]:
    todo: list[syntax.Condition] = list(reversed(nodes))
    while todo:
        match todo.pop():
            case syntax.InSegment(segment=word) if word.text in segments:
                yield "segment", word.text
            case syntax.InAudience(audience=word) if word.text in rules:
                yield "audience", word.text
            case syntax.Not(condition=inner):
                todo.append(inner)
            case syntax.AllOf(conditions=parts) | syntax.AnyOf(conditions=parts):
                todo.extend(reversed(parts))
