"""Whoever a playbook enters into another comes without an event, so the other must do without its starting event."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Enroll, Program, every_step
from dsl.reads import starting_properties


def entered(program: Program) -> Iterator[Diagnostic]:
    """`enroll in` a playbook that reads `event.x`."""
    needed = {playbook.name: sorted(starting_properties(playbook)) for playbook in program.playbooks}
    for playbook in program.playbooks:
        for step in every_step(playbook.body):
            if isinstance(step, Enroll) and step.playbook is not None and (names := needed[step.playbook]):
                yield Diagnostic(
                    code="WB328",
                    span=step.span,
                    message=f"`{step.playbook}` reads `event.{names[0]}` of the event that starts it, "
                    "and whoever is enrolled comes without one.",
                    hint=f"Let `{step.playbook}` read fields of the person instead, or start it by its event alone.",
                )
