"""A plan as a picture: its steps in order, named as the marketer wrote them, and which come before which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.plan import Branch, Experiment, Plan, Send, Step, Stop, Wait

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))

LONGEST_LABEL = 60
"""Characters of a condition that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One step of the picture, as a Watcher is told of it."""

    key: str
    """The step's id."""
    name: str
    after: tuple[str, ...]
    """The ids of the steps that lead to it; empty for the first."""


def picture(plan: Plan) -> tuple[Drawn, ...]:
    """All steps of the plan, each after those that lead to it."""
    before: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for following in ways_out(step):
            if following is not None and step.id not in before[following]:
                before[following].append(step.id)
    return tuple(Drawn(key=step.id, name=title(step), after=tuple(before[step.id])) for step in plan.steps)


def ways_out(step: Step) -> Iterator[str | None]:
    """The ids of the steps that may follow; None where the journey ends."""
    match step:
        case Branch():
            yield from (arm.next for arm in step.arms)
            yield step.next
        case Experiment():
            yield from (variant.next for variant in step.variants)
        case Send() | Wait():
            yield step.next
        case Stop():
            yield None


def title(step: Step) -> str:
    """The step's line in the playbook: `send email cart_reminder`, `wait 2 days`, `if cart.total >= $50`."""
    match step:
        case Send():
            return f"send {step.channel} {step.template}"
        case Wait():
            return _wait(step)
        case Branch():
            return " / ".join(_shorten(arm.label) for arm in step.arms)
        case Experiment():
            return f"experiment {step.name}"
        case Stop():
            return "stop"


def _shorten(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[:LONGEST_LABEL].rstrip() + "…"


def _wait(step: Wait) -> str:
    words = ["wait"]
    if step.seconds is not None:
        words.append(span(step.seconds))
    if step.days is not None:
        words.append(span(step.days * 86_400))
    if step.time is not None:
        words += ["until", *([step.weekday] if step.weekday else []), step.time]
    return " ".join(words)


def span(seconds: int) -> str:
    """A duration in the largest unit that it is whole in: `90 minutes`, `2 days`."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
