"""`wait until FIELD` of a person asks before whether the field is known: who has none would leave there."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.facts import is_known, places
from dsl.diagnostics import Diagnostic
from dsl.program import Program, Wait

_ALWAYS = frozenset({"created_at", "last_seen_at"})


def until(program: Program) -> Iterator[Diagnostic]:
    """Waits until a date or a time that the person may not have. Of properties of the starting event nothing is told:
    whoever sends the event gives them, or does not."""
    for playbook in program.playbooks:
        for step, facts in places(playbook, program):
            if not isinstance(step, Wait) or step.field is None or step.field.scope != "profile":
                continue
            name = step.field.name
            if name in _ALWAYS or is_known(name, facts):
                continue
            yield Diagnostic(
                code="WB360",
                span=step.span,
                message=f"Whoever has no `{name}` leaves at this wait, and gets nothing of what follows.",
                hint=f"Ask before: `only if {name} is known` at the top, or `if {name} is known:` around it.",
                severity="warning",
            )
