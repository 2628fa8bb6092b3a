"""At most fifteen ways at a fork: each multiplies the paths of its region, which the runtime lists in SQL."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, If, Program, every_step

MOST_WAYS = 15


def bounds(program: Program) -> Iterator[Diagnostic]:
    """Forks with too many ways."""
    for playbook in program.playbooks:
        for step in every_step(playbook.body):
            match step:
                case If(arms=arms) if len(arms) > MOST_WAYS:
                    span, count = arms[MOST_WAYS].span, len(arms)
                case Experiment(variants=variants, holdout=holdout) if len(variants) + bool(holdout) > MOST_WAYS:
                    span, count = step.span, len(variants) + bool(holdout)
                case _:
                    continue
            yield Diagnostic(
                code="WB322",
                span=span,
                message=f"This fork has {count} ways; at most {MOST_WAYS} are possible.",
                hint="Put some of them into an `if` of their own, below `otherwise`.",
            )
