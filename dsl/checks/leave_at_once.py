"""Nobody leaves at the moment of entering."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.ways import both, ways
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Program


def leave_at_once(program: Program) -> Iterator[Diagnostic]:
    """`leave when` that holds for everybody who enters by `start when` and `only if`."""
    for playbook in program.playbooks:
        if playbook.start_when is None or playbook.start_when.meaning is None:
            continue
        entering = ways(playbook.start_when.meaning)
        if playbook.only_if is not None and playbook.only_if.meaning is not None:
            entering = both(entering, ways(playbook.only_if.meaning))
        if entering is None or not entering:
            continue  # too much to follow, or nobody enters, of which another rule tells
        for leave in playbook.exits:
            if not isinstance(leave, Asked) or leave.meaning is None or ways(leave.meaning, holds=False) == []:
                continue
            if both(entering, ways(leave.meaning, holds=False)) == []:
                yield Diagnostic(
                    code="WB361",
                    span=leave.span,
                    message="This is true for everybody who enters, so that all leave at once.",
                    hint="Say what ends the journey, such as `leave on order_completed`.",
                    severity="warning",
                )
