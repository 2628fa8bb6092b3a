"""SMS, push and WhatsApp reach few people: a send by them asks `can receive` first, or says what happens otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.facts import is_sure, places
from dsl.conditions import CanReceive
from dsl.diagnostics import Diagnostic
from dsl.program import Program, Send

ASKED = frozenset({"sms", "push", "whatsapp"})


def unreceived(program: Program) -> Iterator[Diagnostic]:
    """Sends by such a channel to people of whom nothing above says that they can receive it."""
    for playbook in program.playbooks:
        for step, facts in places(playbook, program):
            channel = step.channel if isinstance(step, Send) else None
            if channel not in ASKED or is_sure(facts, CanReceive, channel=channel):
                continue
            yield Diagnostic(
                code="WB352",
                span=step.span,
                message=f"Not everybody can receive {channel}, and nothing above asks: the others get nothing.",
                hint=f"Put it below `if can receive {channel}:`, and another channel below `otherwise:`.",
                severity="warning",
            )
