"""An experiment says what it measures."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, Program, every_step


def measured(program: Program) -> Iterator[Diagnostic]:
    """Experiments without `measure`."""
    for playbook in program.playbooks:
        for step in every_step(playbook.body):
            if not isinstance(step, Experiment) or not step.variants:
                continue
            if not any(isinstance(line, syntax.Measure | syntax.Broken) for line in step.source.lines):
                yield Diagnostic(
                    code="WB353",
                    span=step.span,
                    message=f"The experiment `{step.name}` has no `measure`, so nothing says which variant did better.",
                    hint="Add a line such as `measure order_completed within 14 days`.",
                    severity="warning",
                )
