"""Where the steps of a plan stand in the file: by the ids that `dsl.lower` gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dsl import syntax
from dsl.diagnostics import Span, source_lines
from dsl.outline import outline
from dsl.plan import Plan

Place = tuple[str, int | None]
"""The id of a step, and for the head of a fork's or experiment's way its number, as `outline.Line` has them."""


def places(node: syntax.Playbook, plan: Plan, source: str) -> Mapping[Place, Span]:
    """The place of each line of the plan's outline. `node`, of the file `source`, is what `plan` was made of."""
    found: dict[Place, Span] = {}
    spans = _spans(tuple(line for line in node.lines if isinstance(line, syntax.Step)), source_lines(source))
    # An outline has the lines in the order in which they were written, and so have the nodes.
    for line, span in zip(outline(plan), spans, strict=False):
        found[line.id, line.way] = span
    return found


def _spans(body: tuple[syntax.Step, ...], source: list[str]) -> Iterator[Span]:
    for step in body:
        match step:
            case syntax.If(branches=branches, otherwise=otherwise):
                for branch in branches:
                    yield branch.condition.span
                    yield from _spans(branch.body, source)
                if otherwise:
                    yield _otherwise(otherwise[0].span, source)
                    yield from _spans(otherwise, source)
            case syntax.Experiment(name=name, lines=lines):
                yield name.span
                variants = [line for line in lines if isinstance(line, syntax.Variant)]
                for variant in variants:
                    yield variant.name.span
                    yield from _spans(variant.body, source)
                yield from (line.span for line in lines if isinstance(line, syntax.Holdout))
            case _:
                yield step.span


def _otherwise(first: Span, source: list[str]) -> Span:
    """The line `otherwise:` above the first step of its block: the node has no place of its own."""
    above = range(first.line - 1, 0, -1)
    line = next((at for at in above if source[at - 1].lstrip().startswith("otherwise")), first.line)
    column = len(source[line - 1]) - len(source[line - 1].lstrip()) + 1
    return Span(file=first.file, line=line, column=column, end_line=line, end_column=column + len("otherwise"))
