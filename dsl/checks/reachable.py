"""Conditions that never hold or always do, and branches that nobody can take.

What an earlier branch took is gone for the later ones, and what a branch asked holds within it, until a wait: time
changes everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from dsl import conditions as c
from dsl.catalog import SUMS
from dsl.checks.ways import STAGES, Way, both, one_of, ways
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Audience, Experiment, Heard, If, Program, Step, Wait, blocks, every_step
from dsl.wording import say

_ANY: list[Way] = [{}]


def reachable(program: Program) -> Iterator[Diagnostic]:
    """Impossible and empty questions, in settings, in steps and in the rules of audiences."""
    currency = program.catalog.currency
    everybody: list[Way] = (
        [{STAGES: one_of([stage.name for stage in program.lifecycle])}] if program.lifecycle else _ANY
    )
    for playbook in program.playbooks:
        heard = [each for each in (playbook.start_on, playbook.goal, *playbook.exits) if isinstance(each, Heard)]
        heard += [step.measure for step in every_step(playbook.body) if isinstance(step, Experiment) and step.measure]
        asked = [each for each in (playbook.start_when, playbook.only_if, *playbook.exits) if isinstance(each, Asked)]
        for each in [*asked, *(each.where for each in heard if each.where)]:
            yield from _alone(each, everybody, currency)
        waits = [step for step in every_step(playbook.body) if isinstance(step, Wait) and step.asked]
        for each in (wait.asked for wait in waits if wait.asked):
            yield from _alone(each, everybody, currency)
        yield from _block(playbook.body, _Place(everybody=everybody, currency=currency), everybody)
    for audience in program.audiences.values():
        yield from _members(audience, everybody, currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    everybody: list[Way]
    """What holds for everybody at any time."""
    currency: str


def _members(audience: Audience, everybody: list[Way], currency: str) -> Iterator[Diagnostic]:
    include, exclude = audience.include, audience.exclude
    for rule in (include, exclude):
        if rule is not None:
            yield from _alone(rule, everybody, currency)
    if include is None or exclude is None or include.meaning is None or exclude.meaning is None:
        return
    taken_in = both(everybody, ways(include.meaning))
    if taken_in and ways(exclude.meaning, holds=False) and both(taken_in, ways(exclude.meaning, holds=False)) == []:
        yield _doubt(
            "WB354", exclude, "This leaves out everybody whom `include` takes in.", "Leave out less, or take in more."
        )


def _alone(asked: Asked, everybody: list[Way], currency: str) -> Iterator[Diagnostic]:
    if asked.meaning is None:
        return
    if both(everybody, ways(asked.meaning)) == []:
        yield never(asked, currency)
    elif both(everybody, ways(asked.meaning, holds=False)) == []:
        yield always(asked, "Ask something that not everybody answers with yes.")


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
        if fits == []:
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


def never(asked: Asked, currency: str) -> Diagnostic:
    """It holds for nobody."""
    match asked.meaning:
        case c.AllOf(conditions=parts):
            for one, other in combinations(parts[:30], 2):
                if both(ways(one), ways(other)) == []:
                    message = f"`{say(one, currency)}` and `{say(other, currency)}` are never true together."
                    return _doubt("WB354", asked, message, "Use `or`, or look at the signs and the numbers.")
        case c.Compare(field=c.Field(name=name)) if name in SUMS:
            hint = f"`{name}` counts as 0 when nothing is known, and is never below."
            return _doubt("WB354", asked, "This is never true.", hint)
    return _doubt("WB354", asked, "This is never true: no value fits all of it.", "Look at the signs and the numbers.")


def taken(asked: Asked, above: str = "") -> Diagnostic:
    """Nobody is left for it, for those `above`, branches or stages, take them all; `above` empty: it is the first."""
    if not above:
        return _doubt(
            "WB354", asked, "Nobody gets here: a branch around this one asks the opposite.", "Remove this branch."
        )
    return _doubt(
        "WB354",
        asked,
        f"Nobody gets here: the {above} above take everybody for whom this is true.",
        "Put the narrower one first.",
    )


def always(asked: Asked, way_out: str) -> Diagnostic:
    """It holds for everybody."""
    return _doubt("WB355", asked, "This is true for everybody who gets here.", way_out)


def _doubt(code: str, asked: Asked, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, span=asked.span, message=message, hint=hint, severity="warning")
