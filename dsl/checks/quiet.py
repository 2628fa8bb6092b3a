"""Waits for a time at which nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Program, Wait, every_step


def quiet(program: Program) -> Iterator[Diagnostic]:
    """`wait until TIME` inside the quiet hours or on a quiet day."""
    hours, days = program.policy.quiet_hours, program.policy.quiet_days
    for playbook in program.playbooks:
        for step in every_step(playbook.body):
            if not isinstance(step, Wait) or step.time is None:
                continue
            if hours and _within(step.time, *hours):
                message = f"{step.time} is within the quiet hours, so that what follows goes out at {hours[1]}."
            elif step.weekday in days:
                message = f"On {step.weekday} nothing is sent, so that what follows goes out on a later day."
            else:
                continue
            yield Diagnostic(
                code="WB357",
                span=step.span,
                message=message,
                hint="Wait until a time at which messages may go out.",
                severity="warning",
            )


def _within(time: str, start: str, end: str) -> bool:
    return start <= time < end if start <= end else time >= start or time < end
