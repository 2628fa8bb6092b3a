"""Conditions that never hold or always do, and branches that nobody can take.

What an earlier branch took is gone for the later ones, and what a branch asked holds within it, until a wait: time
changes everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.checks.doubts import alone, always, doubt, doubtful, everybody, never, stands_on, taken
from dsl.checks.ways import Way, both, ways
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Audience, Experiment, Heard, If, Program, Step, Wait, blocks, every_step


def reachable(program: Program) -> Iterator[Diagnostic]:
    """Impossible and empty questions, in settings, in steps and in the rules of audiences.

    What is told of a segment is not told of whatever asks for it.
    """
    place = _Place(everybody=everybody(program), currency=program.catalog.currency, doubtful=doubtful(program))
    for playbook in program.playbooks:
        heard = [each for each in (playbook.start_on, playbook.goal, *playbook.exits) if isinstance(each, Heard)]
        heard += [step.measure for step in every_step(playbook.body) if isinstance(step, Experiment) and step.measure]
        asked = [each for each in (playbook.start_when, playbook.only_if, *playbook.exits) if isinstance(each, Asked)]
        for each in [*asked, *(each.where for each in heard if each.where)]:
            yield from _alone(each, place)
        waits = [step for step in every_step(playbook.body) if isinstance(step, Wait) and step.asked]
        for each in (wait.asked for wait in waits if wait.asked):
            yield from _alone(each, place)
        yield from _block(playbook.body, place, place.everybody)
    for audience in program.audiences.values():
        yield from _members(audience, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    everybody: list[Way]
    """What holds for everybody at any time."""
    currency: str
    doubtful: frozenset[int]
    """Segments that are told of already."""


def _alone(asked: Asked, place: _Place) -> Iterator[Diagnostic]:
    if asked.meaning is not None and not stands_on(asked.meaning, place.doubtful):
        yield from alone(asked, place.everybody, place.currency)


def _members(audience: Audience, place: _Place) -> Iterator[Diagnostic]:
    include, exclude = audience.include, audience.exclude
    for rule in (include, exclude):
        if rule is not None:
            yield from _alone(rule, place)
    if include is None or exclude is None or include.meaning is None or exclude.meaning is None:
        return
    taken_in = both(place.everybody, ways(include.meaning))
    if taken_in and ways(exclude.meaning, holds=False) and both(taken_in, ways(exclude.meaning, holds=False)) == []:
        yield doubt(
            "WB354", exclude, "This leaves out everybody whom `include` takes in.", "Leave out less, or take in more."
        )


def _block(body: tuple[Step, ...], place: _Place, facts: list[Way]) -> Iterator[Diagnostic]:
    for step in body:
        if isinstance(step, If):
            yield from _fork(step, place, facts)
        else:
            for inner in blocks(step):
                yield from _block(inner, place, facts)
        if isinstance(step, Wait) or any(isinstance(each, Wait) for each in every_step((step,))):
            facts = place.everybody


def _fork(fork: If, place: _Place, facts: list[Way]) -> Iterator[Diagnostic]:
    left = facts  # More ways than there are is the safe side: then less is told.
    for at, arm in enumerate(fork.arms):
        asked, meaning = arm.asked, arm.asked.meaning if arm.asked else None
        if asked is None or meaning is None:
            yield from _block(arm.body, place, left)
            continue
        fits, rest = both(left, ways(meaning)), both(left, ways(meaning, holds=False))
        if stands_on(meaning, place.doubtful):
            pass
        elif fits == []:
            yield (
                never(asked, place.currency)
                if both(place.everybody, ways(meaning)) == []
                else taken(asked, "branches" if at else "")
            )
        elif rest == []:
            is_last = at > 0 and at == len(fork.arms) - 1 and fork.otherwise is None
            yield always(
                asked, "Write `otherwise:`." if is_last else "Ask something else, or take the steps out of the branch."
            )
        yield from _block(arm.body, place, fits or left)
        left = left if rest is None else rest or place.everybody
    yield from _block(fork.otherwise or (), place, left)
