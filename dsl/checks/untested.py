"""After `wait for EVENT` a step asks whether it happened: else a plain `wait` says the same."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import conditions as c
from dsl import reads
from dsl.catalog import STAGE
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Broken, Heard, If, Program, Step, Wait, blocks, every_step

_OWNERS = (
    ("order_", ("orders.", "cart.", "checkout.")),
    ("product_", ("cart.", "browsing.")),
    ("cart_", ("cart.",)),
    ("checkout_", ("checkout.",)),
    ("payment_", ("checkout.",)),
)
"""Events by how their names begin, and the fields that tell of them."""


def untested(program: Program) -> Iterator[Diagnostic]:
    """Waits for an event that no later step asks about, though people stay in who did it."""
    for playbook in program.playbooks:
        left = {each.event for each in playbook.exits if isinstance(each, Heard)}
        exits = [each.meaning for each in playbook.exits if isinstance(each, Asked)]
        for wait, below in _block(playbook.body, ()):
            event = wait.event or ""
            if event in left or any(meaning is None or _tells(meaning, event) for meaning in (*exits, *below)):
                continue
            yield Diagnostic(
                code="WB359",
                span=wait.span,
                message=f"Nothing below asks whether `{event}` happened, so that all go the same way.",
                hint=f"Add `if has {event} since entry:` below, or `leave on {event}` at the top.",
                severity="warning",
            )


_Below = tuple[Condition | None, ...]
"""What is asked further down. None: something that could not be read."""


def _block(body: tuple[Step, ...], after: _Below) -> Iterator[tuple[Wait, _Below]]:
    """Each `wait for EVENT` of a block and of the blocks in it, with what is asked after it."""
    for at, step in enumerate(body):
        inner = blocks(step)
        if not inner and not (isinstance(step, Wait) and step.event is not None):
            continue
        below = (*(asked for later in every_step(body[at + 1 :]) for asked in _asked(later)), *after)
        if isinstance(step, Wait):
            yield step, below
        for block in inner:
            yield from _block(block, below)


def _asked(step: Step) -> Iterator[Condition | None]:
    match step:
        case If(arms=arms):
            yield from (arm.asked.meaning if arm.asked else None for arm in arms)
        case Wait(event=None, asked=Asked(meaning=meaning)):
            yield meaning
        case Broken():
            yield None
        case _:
            pass


def _tells(condition: Condition, event: str) -> bool:
    """Whether the answer may be another because of the event."""
    for test in reads.tests(condition):
        match test:
            case c.HasEvent(event=asked) | c.LastEvent(event=asked) if asked == event:
                return True
            case c.Message(kind=kind) if event in c.MESSAGE_EVENTS.get(kind, ()):
                return True
    owners = tuple(owner for start, fields in _OWNERS if event.startswith(start) for owner in fields)
    return any(
        field.scope == "profile" and (field.name == STAGE or field.name.startswith(owners))
        for field in reads.fields(condition)
    )
