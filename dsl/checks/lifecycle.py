"""The lifecycle stands once, names each stage once, ends with `otherwise`, and asks no stage for the stage."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.diagnostics import Diagnostic, Span
from dsl.program import Program
from dsl.reads import asks_stage


def lifecycle(program: Program) -> Iterator[Diagnostic]:
    """What keeps the lifecycle from giving everybody one stage."""
    for again in program.lifecycles[1:]:
        first = program.lifecycles[0].span
        yield Diagnostic(
            code="WB325",
            span=again.span,
            message=f"There is one lifecycle, and {first.file}, line {first.line}, declares it already.",
            hint="Put all its stages into one `lifecycle:`.",
        )
    for block in program.lifecycles[:1]:
        yield from _stages(block)
    for stage in program.lifecycle:
        if stage.asked is not None and stage.asked.meaning is not None and asks_stage(stage.asked.meaning):
            yield Diagnostic(
                code="WB326",
                span=stage.asked.span,
                message="The stages are told apart by this, so it cannot ask for the stage itself.",
                hint="The first stage that fits is taken: whoever is in a stage above comes no further.",
            )


def _stages(block: syntax.Lifecycle) -> Iterator[Diagnostic]:
    names: dict[str, Span] = {}
    last: syntax.Stage | None = None
    for line in block.stages:
        if not isinstance(line, syntax.Stage):
            continue
        if (before := names.setdefault(line.name.text, line.name.span)) is not line.name.span:
            yield Diagnostic(
                code="WB230",
                span=line.name.span,
                message=f"There is already a stage called `{line.name.text}`, in line {before.line}.",
                hint="Join the two conditions with `or`, or give one of them another name.",
            )
        elif last is not None:
            yield Diagnostic(
                code="WB324",
                span=line.name.span,
                message=f"`{last.name.text} otherwise` in line {last.span.line} takes everybody who is left, "
                "so nobody gets here.",
                hint="Move the line with `otherwise` to the end.",
            )
            return
        if line.condition is None:
            last = last or line
    if last is None and not any(isinstance(line, syntax.Broken) for line in block.stages):
        yield Diagnostic(
            code="WB323",
            span=block.span,
            message="No stage is for those whom no condition fits.",
            hint="End the lifecycle with a line such as `prospect otherwise`.",
        )
