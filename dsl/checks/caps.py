"""More sends than the policy's limit lets through."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.catalog import TRANSACTIONAL
from dsl.checks.timing import lengths
from dsl.diagnostics import Diagnostic, Span
from dsl.plan import Limit
from dsl.program import Program, Send, Step, Stop, Wait, blocks, takes_all
from dsl.wording import duration, plural

_Sent = tuple[int, ...]
"""How many seconds ago, at most, each of the last sends of the channel went out; the oldest first."""
_MOST = 32
"""Different pasts that are followed; a playbook with more is looked at in part."""


def caps(program: Program) -> Iterator[Diagnostic]:
    """In each playbook and for each limit the first send that comes too soon, however long the waits last."""
    for playbook in program.playbooks:
        told: set[Span] = set()
        for limit in (each for each in program.policy.limits if each.count):  # of 0 another rule tells
            found: list[Send] = []
            _follow(playbook.body, {()}, limit, found)
            if not found or found[0].span in told:
                continue
            told.add(found[0].span)
            times = f"{limit.count} {plural('message', limit.count)} by {limit.channel}"
            yield Diagnostic(
                code="WB356",
                span=found[0].span,
                message=f"The policy lets {times} through per {duration(limit.seconds)}: this one is skipped.",
                hint="Wait longer before it, or leave out a message.",
                severity="warning",
            )


def _follow(body: tuple[Step, ...], pasts: set[_Sent], limit: Limit, found: list[Send]) -> set[_Sent]:
    """The pasts with which people leave the block; `found` gets the sends that come too soon."""
    for step in body:
        match step:
            case Send(channel=channel) if channel == limit.channel and not _passes(step):
                if any(len(past) >= limit.count and past[-limit.count] < limit.seconds for past in pasts):
                    found.append(step)
                pasts = {(*past, 0)[-limit.count :] for past in pasts}
            case Wait():
                longest = lengths(step)[1]
                pasts = {tuple(ago + longest for ago in past) for past in pasts}
            case Stop():
                return set()
            case _ if inner := blocks(step):
                ends = set() if takes_all(step) else set(pasts)
                for block in inner:
                    ends |= _follow(block, pasts, limit, found)
                pasts = set(sorted(ends)[:_MOST])
            case _:
                pass
    return pasts


def _passes(step: Send) -> bool:
    return step.page is not None and step.page.topic == TRANSACTIONAL
