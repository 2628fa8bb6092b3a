"""Segments, each after those that it stands on; one that contains itself is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dsl import syntax
from dsl.program import Segment
from dsl.resolve_conditions import ask
from dsl.scope import Scope


def segments(declared: Mapping[str, syntax.Segment], scope: Scope) -> Mapping[str, Segment]:
    """The meaning of every segment by its name."""
    known = {name: Segment(name=name, span=node.name.span, meaning=None) for name, node in declared.items()}
    inside = replace(scope, segments=known)
    for name in _in_order(declared, scope):
        asked = ask(declared[name].condition, inside)
        known[name] = replace(known[name], meaning=asked.meaning, asked=asked)
    return known


def _in_order(declared: Mapping[str, syntax.Segment], scope: Scope) -> Iterator[str]:
    """Names so that each comes after those that it mentions. Those on a circle come too, their meaning told wrong."""
    mentions = {name: list(_mentioned(node.condition, declared)) for name, node in declared.items()}
    done: set[str] = set()
    for start in declared:
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                path.pop()
                done.add(name)
                yield name
            elif name in path:
                _circle(path[path.index(name) :], declared, scope)
            elif name not in done:
                path.append(name)
                stack.append((name, True))
                stack.extend((inner, False) for inner in reversed(mentions[name]))


def _circle(names: list[str], declared: Mapping[str, syntax.Segment], scope: Scope) -> None:
    way = " → ".join(f"`{name}`" for name in [*names, names[0]])
    scope.tell(
        "WB218",
        declared[names[0]].name.span,
        f"The segment `{names[0]}` contains itself: {way}.",
        "Take one of them out of the other.",
    )


def _mentioned(node: syntax.Condition, declared: Mapping[str, syntax.Segment]) -> Iterator[str]:
    todo: list[syntax.Condition] = [node]
    while todo:
        match todo.pop():
            case syntax.InSegment(segment=word) if word.text in declared:
                yield word.text
            case syntax.Not(condition=inner):
                todo.append(inner)
            case syntax.AllOf(conditions=parts) | syntax.AnyOf(conditions=parts):
                todo.extend(parts)
