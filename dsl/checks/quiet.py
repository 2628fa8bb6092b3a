"""Waits for a time at which nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.catalog import TRANSACTIONAL
from dsl.diagnostics import Diagnostic
from dsl.plan import Policy
from dsl.program import Program, Send, Step, Stop, Wait, blocks, every_step, takes_all

_Waits = dict[int, Wait]
"""By identity."""


def quiet(program: Program) -> Iterator[Diagnostic]:
    """`wait until TIME` inside the quiet hours or on a quiet day, when a message comes next: records do not wait."""
    for playbook in program.playbooks:
        found: _Waits = {}
        _follow(playbook.body, {}, found)
        for step in every_step(playbook.body):
            told = _told(step, program.policy) if isinstance(step, Wait) and id(step) in found else None
            if told is not None:
                yield Diagnostic(
                    code="WB357",
                    span=step.span,
                    message=told,
                    hint="Wait until a time at which messages may go out.",
                    severity="warning",
                )


def _told(step: Wait, policy: Policy) -> str | None:
    if step.time is None:
        return None
    if policy.quiet_hours and _within(step.time, *policy.quiet_hours):
        until = policy.quiet_hours[1]
        return f"{step.time} is within the quiet hours, so that what follows goes out at {until}."
    if step.weekday in policy.quiet_days:
        return f"On {step.weekday} nothing is sent, so that what follows goes out on a later day."
    return None


def _follow(body: tuple[Step, ...], last: _Waits, found: _Waits) -> _Waits:
    """The waits that people come from last at the end of the block; `found` gets those with a message right behind."""
    for step in body:
        match step:
            case Wait():
                last = {id(step): step}
            case Send(page=page) if page is None or page.topic != TRANSACTIONAL:
                found |= last
            case Stop():
                return {}
            case _ if inner := blocks(step):
                ends = {} if takes_all(step) else dict(last)
                for block in inner:
                    ends |= _follow(block, last, found)
                last = ends
            case _:
                pass
    return last


def _within(time: str, start: str, end: str) -> bool:
    return start <= time < end if start <= end else time >= start or time < end
