"""Nothing comes after `stop`."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Program, Step, Stop, blocks


def after_stop(program: Program) -> Iterator[Diagnostic]:
    """Steps that stand after a `stop` of the same block; one message for all of them."""
    for playbook in program.playbooks:
        yield from _block(playbook.body)


def _block(body: tuple[Step, ...]) -> Iterator[Diagnostic]:
    stop: Stop | None = None
    for step in body:
        if stop is not None:
            yield Diagnostic(
                code="WB317",
                span=step.span,
                message=f"The journey ends at `stop` in line {stop.span.line}, so nobody gets here.",
                hint="Remove the `stop`, or what comes after it.",
            )
            return
        if isinstance(step, Stop):
            stop = step
        for inner in blocks(step):
            yield from _block(inner)
