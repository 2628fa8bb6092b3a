"""What is known of the people who come to a step: what let them in, and what the branches on their way asked.

Of a branch that ends with `stop` nobody goes on; behind the others is known what holds at the end of one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsl.checks.staged import plain
from dsl.checks.ways import KNOWN, Way, both, ways
from dsl.conditions import Condition, Constant, Field
from dsl.program import (
    Asked,
    Broken,
    Experiment,
    If,
    Playbook,
    Program,
    Send,
    SetField,
    Stage,
    Step,
    Stop,
    Wait,
    blocks,
    takes_all,
)

Facts = list[Way] | None
"""The ways that are left; [] when nobody comes here, None when nothing can be said."""
Place = tuple[Send | Wait, Facts]


def places(playbook: Playbook, program: Program) -> list[Place]:
    """Every send and every wait, with the facts in front of it."""
    found: list[Place] = []
    stages = program.lifecycle
    _block(playbook.body, _inside(playbook, stages), stages, found)
    return found


def is_known(name: str, facts: Facts) -> bool:
    """Whether the field of the person is known for sure, or nothing can be said."""
    return facts is None or all(
        any(
            isinstance(thing, Field) and thing.scope == "profile" and thing.name == name and not left.unknown
            for thing, left in way.items()
        )
        for way in facts
    )


def is_sure(facts: Facts, tests: type, **about: object) -> bool:
    """Whether, in each way, a yes-or-no test of this kind and these contents has the answer yes."""
    return facts is None or all(
        any(
            isinstance(thing, tests)
            and all(getattr(thing, name) == value for name, value in about.items())
            and all(low > 0 for low, *_ in left.ranges)
            for thing, left in way.items()
        )
        for way in facts
    )


def _inside(playbook: Playbook, stages: tuple[Stage, ...]) -> Facts:
    facts: Facts = [{}]
    for asked in (playbook.start_when, playbook.only_if):
        if asked is not None:
            # A broken condition might have asked for anything.
            facts = None if asked.meaning is None else _and(facts, asked.meaning, stages, holds=True)
    for leave in playbook.exits:
        if isinstance(leave, Asked) and leave.meaning is not None:
            facts = _and(facts, leave.meaning, stages, holds=False) or facts
    return facts


def _block(body: tuple[Step, ...], facts: Facts, stages: tuple[Stage, ...], found: list[Place]) -> Facts:
    """The facts for those who come to the end of the block."""
    for step in body:
        match step:
            case Send():
                found.append((step, facts))
            case Wait():
                found.append((step, facts))
                if step.field is not None and step.field.scope == "profile":
                    facts = both(facts, [{step.field: KNOWN}])
            case If():
                facts = _fork(step, facts, stages, found)
            case Experiment():
                ends = [_block(block, facts, stages, found) for block in blocks(step)]
                facts = _joined(ends if takes_all(step) else [*ends, facts])
            case Broken():  # it might have asked, or ended the journey
                facts = None
            case SetField(field=Field() as field, value=value):
                facts = _written(facts, field, is_known=isinstance(value, Constant))
            case Stop():
                return []
            case _:
                pass
    return facts


def _written(facts: Facts, field: Field, *, is_known: bool) -> Facts:
    """What was asked of a field is past once a step has written it."""
    if facts is None:
        return None
    left: Facts = [{thing: each for thing, each in way.items() if thing != field} for way in facts]
    return both(left, [{field: KNOWN}]) if is_known else left


def _fork(fork: If, facts: Facts, stages: tuple[Stage, ...], found: list[Place]) -> Facts:
    ends: list[Facts] = []
    left = facts
    for arm in fork.arms:
        meaning = arm.asked.meaning if arm.asked else None
        if meaning is None:  # it might have asked
            ends.append(_block(arm.body, None, stages, found))
            left = None
            continue
        ends.append(_block(arm.body, _and(left, meaning, stages, holds=True), stages, found))
        left = _and(left, meaning, stages, holds=False)
    ends.append(_block(fork.otherwise or (), left, stages, found))
    return _joined(ends)


def _joined(ends: Sequence[Facts]) -> Facts:
    together: list[Way] = []
    for end in ends:
        if end is None:
            return None
        together += [way for way in end if way not in together]
    return together


def _and(facts: Facts, meaning: Condition, stages: tuple[Stage, ...], *, holds: bool) -> Facts:
    asked = both(facts, ways(meaning, holds=holds))
    staged = plain(meaning, stages, holds=holds)
    if asked is None or staged == meaning:
        return asked
    more = both(asked, ways(staged))
    return asked if more is None else more  # what a stage means may be too much to follow
