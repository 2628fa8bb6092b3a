"""SMS, push and WhatsApp reach few people: a send by them asks `can receive` first, or says what happens otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import conditions as c
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, If, Program, Send, Step

ASKED = frozenset({"sms", "push", "whatsapp"})


def unreceived(program: Program) -> Iterator[Diagnostic]:
    """Sends by such a channel that nothing above asks about."""
    for playbook in program.playbooks:
        asked = [start.meaning for start in (playbook.start_when, playbook.only_if) if start and start.meaning]
        known = frozenset(channel for channel in ASKED if any(_implies(each, channel) for each in asked))
        yield from _block(playbook.body, known)


def _block(body: tuple[Step, ...], known: frozenset[str]) -> Iterator[Diagnostic]:
    for step in body:
        match step:
            case Send(channel=str(channel)) if channel in ASKED - known:
                yield Diagnostic(
                    code="WB352",
                    span=step.span,
                    message=f"Not everybody can receive {channel}, and nothing above asks: the others get nothing.",
                    hint=f"Put it below `if can receive {channel}:`, and another channel below `otherwise:`.",
                    severity="warning",
                )
            case If(arms=arms, otherwise=otherwise):
                for arm in arms:
                    meaning = arm.asked.meaning if arm.asked else None
                    # A broken condition might have asked.
                    more = ASKED if meaning is None else {each for each in ASKED if _implies(meaning, each)}
                    yield from _block(arm.body, known | more)
                yield from _block(otherwise or (), known)
            case Experiment(variants=variants):
                for variant in variants:
                    yield from _block(variant.body, known)
            case _:
                pass


def _implies(condition: Condition, channel: str) -> bool:
    match condition:
        case c.CanReceive(channel=asked):
            return asked == channel
        case c.AllOf(conditions=parts):
            return any(_implies(part, channel) for part in parts)
        case c.AnyOf(conditions=parts):
            return all(_implies(part, channel) for part in parts)
        case _:
            return False
