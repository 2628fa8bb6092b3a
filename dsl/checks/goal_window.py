"""Steps so late that the goal no longer counts, and waits that may outlast its window."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.timing import lengths
from dsl.diagnostics import Diagnostic
from dsl.program import Program, Step, Stop, Wait, blocks, takes_all
from dsl.wording import duration


def goal_window(program: Program) -> Iterator[Diagnostic]:
    """In each playbook the first wait that lasts beyond the goal's window: whatever way one takes, or, of a wait for
    something to happen, when it does not."""
    for playbook in program.playbooks:
        window = playbook.goal.seconds if playbook.goal else None
        if window is None:
            continue
        late = _block(playbook.body, 0, window)
        if isinstance(late, Wait):
            yield Diagnostic(
                code="WB351",
                span=late.span,
                message=f"{_late(late)} the goal no longer counts: it counts within {duration(window)} of entry.",
                hint="Wait shorter, or give the goal more time.",
                severity="warning",
            )


def _late(wait: Wait) -> str:
    return "When nothing ends this wait before its time," if wait.asked else "After this wait"


def _block(body: tuple[Step, ...], passed: int, window: int) -> int | Wait | None:
    """The shortest time passed at the end of the block, None when nobody gets there, or the first wait too long."""
    for step in body:
        if isinstance(step, Stop):
            return None
        if isinstance(step, Wait):
            if passed + (step.seconds or 0 if step.asked else lengths(step)[0]) > window:
                return step
            passed += lengths(step)[0]
        elif inner := blocks(step):
            ends: list[int] = [] if takes_all(step) else [passed]
            for block in inner:
                end = _block(block, passed, window)
                if isinstance(end, Wait):
                    return end
                ends += [] if end is None else [end]
            if not ends:
                return None
            passed = min(ends)
    return passed
