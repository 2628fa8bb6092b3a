"""Regions: the pieces of a plan between its waits, which a person goes through in one go.

A region begins where the journey begins or at a wait, when that is over, and goes on to the next waits and ends. It is
named by where people stand before it: at START, or at the wait, by the wait's id. What a person does in it follows from
the choice at each of its decisions, and all choices fit into one whole number, the path: the choice of the first
decision in the lowest bits. Choice 0 is "none of the arms", i is the i-th arm or variant.

A branch is asked before its region is gone through. So a region is cut before a branch that comes after a step which
changes what it may ask: a field that is set, an audience. The region that begins there is named by the branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dsl.plan import Acting, Branch, ChangeAudience, Experiment, Plan, SetField, Step, Stop, Wait

START = "(start)"
"""Where somebody stands who has just entered. No step has such an id: names have no brackets."""

MOST_BITS = 60
MOST_PATHS = 1024
"""The paths of a region are listed in SQL. A region with more is cut: its people go through a second pass."""

Decision = Branch | Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One way through a region."""

    steps: tuple[str, ...]
    """The ids of the steps in the order in which they are taken, the wait at the end included."""
    wait: Wait | None
    """What the person waits for now. None: the journey ends, or the region was cut and goes on at once."""
    next_entry: str | None
    """The region that comes next. None: the journey ends."""
    reason: str | None
    """Why the journey ends: `end` or `stop`."""


def entries(plan: Plan) -> tuple[str, ...]:
    """Where regions begin, each after those that lead to it."""
    return tuple(_in_order(START, lambda entry: _exits(plan, entry)))


def decisions(plan: Plan, entry: str) -> tuple[Decision, ...]:
    """The branches and experiments of a region in the order in which their choices are packed.

    Those that do not fit into one pass are left out: the region is cut before them.
    """
    kept: list[Decision] = []
    bits, paths = 0, 1
    reached = _reached(plan, entry)
    later = _after_changes(reached)
    for step in reached:
        if not isinstance(step, Branch | Experiment) or step.id in later:
            continue
        bits, paths = bits + _bits(step), paths * (_arms(step) + 1)
        if kept and (bits > MOST_BITS or paths > MOST_PATHS):
            break
        kept.append(step)
    return tuple(kept)


def shifts(decided: Sequence[Decision]) -> tuple[int, ...]:
    """By how many bits the choice of each decision is shifted in the path."""
    found, at = [], 0
    for decision in decided:
        found.append(at)
        at += _bits(decision)
    return tuple(found)


def unpack(decided: Sequence[Decision], path: int) -> dict[str, int]:
    """The choices in a path, by the decision's id."""
    pairs = zip(decided, shifts(decided), strict=True)
    return {decision.id: path >> shift & (1 << _bits(decision)) - 1 for decision, shift in pairs}


def walk(plan: Plan, entry: str, choices: Mapping[str, int]) -> Walk:
    """What somebody with these choices does in the region that begins at `entry`.

    A decision that `choices` does not name ends the walk: the region was cut there. Raises ValueError for a choice that
    the decision does not have, and for a plan that runs in a circle.
    """
    steps = {step.id: step for step in plan.steps}
    taken: list[str] = []
    at = _begins(steps, plan, entry)
    while at is not None:
        step = steps[at]
        if isinstance(step, Branch | Experiment) and at not in choices:
            return Walk(steps=tuple(taken), wait=None, next_entry=at, reason=None)
        if at in taken:
            raise ValueError(f"the plan of {plan.name} comes to {at} again without a wait")
        taken.append(at)
        match step:
            case Wait():
                return Walk(steps=tuple(taken), wait=step, next_entry=at, reason=None)
            case Stop():
                return Walk(steps=tuple(taken), wait=None, next_entry=None, reason="stop")
            case _ if isinstance(step, Acting):
                at = step.next
            case Branch() | Experiment():
                at = _chosen(step, choices[at])
    return Walk(steps=tuple(taken), wait=None, next_entry=None, reason="end")


def acting(plan: Plan, entry: str) -> tuple[Step, ...]:
    """The steps of a region that do something, each before those that follow it."""
    return tuple(step for step in _reached(plan, entry) if isinstance(step, Acting))


def _begins(steps: Mapping[str, Step], plan: Plan, entry: str) -> str | None:
    """The first step of a region: after the wait that people stand at, or where the region before was cut."""
    if entry == START:
        return plan.first
    step = steps[entry]
    return step.next if isinstance(step, Wait) else entry


def _chosen(decision: Decision, choice: int) -> str | None:
    match decision:
        case Branch(arms=arms) if choice <= len(arms):
            return arms[choice - 1].next if choice else decision.next
        case Experiment(variants=variants) if 0 < choice <= len(variants):
            return variants[choice - 1].next
    raise ValueError(f"{decision.id} has no arm {choice}")


def _arms(decision: Decision) -> int:
    return len(decision.arms if isinstance(decision, Branch) else decision.variants)


def _bits(decision: Decision) -> int:
    return max(1, _arms(decision).bit_length())


def _follows(step: Step) -> tuple[str | None, ...]:
    """Where a step may lead without waiting."""
    match step:
        case Branch():
            return (*(arm.next for arm in step.arms), step.next)
        case Experiment():
            return tuple(variant.next for variant in step.variants)
        case _ if isinstance(step, Acting):
            return (step.next,)
        case _:
            return ()


def _reached(plan: Plan, entry: str) -> list[Step]:
    """The steps that may be taken from `entry` without waiting, each before those that follow it."""
    steps = {step.id: step for step in plan.steps}
    first = _begins(steps, plan, entry)
    if first is None:
        return []
    return [steps[id] for id in _in_order(first, lambda id: [next for next in _follows(steps[id]) if next is not None])]


def _after_changes(reached: Iterable[Step]) -> set[str]:
    """The decisions before which a region is cut, as a step of it changes what they may ask, and all after those.

    `reached` has each step before those that follow it.
    """
    changed: set[str] = set()
    cut: set[str] = set()
    for step in reached:
        follows = [next for next in _follows(step) if next is not None]
        if step.id in cut or (step.id in changed and isinstance(step, Branch)):
            cut.update((step.id, *follows))
        elif step.id in changed or isinstance(step, SetField | ChangeAudience):
            changed.update(follows)
    return cut


def _in_order(first: str, follows: Callable[[str], Iterable[str]]) -> list[str]:
    """What can be reached from `first`, each before those that follow it (the reverse of a depth-first post-order)."""
    done: set[str] = set()
    order: list[str] = []
    # By hand and not by recursion: a long playbook must not meet Python's limit.
    stack: list[tuple[str, bool]] = [(first, False)]
    while stack:
        name, left = stack.pop()
        if left:
            order.append(name)
        elif name not in done:
            done.add(name)
            stack.append((name, True))
            stack += [(next, False) for next in follows(name) if next not in done]
    return order[::-1]


def _exits(plan: Plan, entry: str) -> list[str]:
    """The regions that may come after this one."""
    packed = {decision.id for decision in decisions(plan, entry)}
    found: list[str] = []
    seen: set[str] = set()
    steps = {step.id: step for step in plan.steps}
    pending: list[str | None] = [_begins(steps, plan, entry)]
    while pending:
        id = pending.pop(0)
        if id is None or id in seen:
            continue
        seen.add(id)
        step = steps[id]
        if isinstance(step, Wait) or (isinstance(step, Branch | Experiment) and id not in packed):
            found.append(id)
        else:
            pending += _follows(step)
    return found
