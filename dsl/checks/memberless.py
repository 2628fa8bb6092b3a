"""An audience has rules, or a playbook that adds people to it."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.diagnostics import Diagnostic
from dsl.program import Broken, ChangeAudience, Program, every_step
from dsl.resolve.audiences import is_ruled


def memberless(program: Program) -> Iterator[Diagnostic]:
    """Audiences that stay empty. Silent while a step could not be read: it may be the one that adds."""
    steps = [step for playbook in program.playbooks for step in every_step(playbook.body)]
    if any(isinstance(step, Broken) for step in steps):
        return
    filled = {step.audience for step in steps if isinstance(step, ChangeAudience) and step.kind == "add"}
    for name, audience in program.audiences.items():
        if name not in filled and audience.exclude is None and not is_ruled(audience.source):
            yield Diagnostic(
                code="WB362",
                span=audience.source.name.span,
                message=f"Nobody gets into `{name}`: it has no `include` line, and no playbook adds people to it.",
                hint=f"Add a line such as `include when orders.count >= 1`, or a step `add to audience {name}`.",
                severity="warning",
            )
