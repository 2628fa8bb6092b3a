"""Conditions that never hold or always do, and branches that nobody can take.

What an earlier branch took is gone for the later ones, and what a branch asked holds within it, until a wait: time
changes everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from dsl import conditions as c
from dsl.catalog import SUMS
from dsl.checks.ways import Way, both, ways
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Experiment, Heard, If, Program, Step, Wait, blocks, every_step
from dsl.wording import say

_ANY: list[Way] = [{}]


def reachable(program: Program) -> Iterator[Diagnostic]:
    """Impossible and empty questions, in segments, in settings and in steps. What is told of a segment is not told of
    whatever asks for it."""
    currency = program.catalog.currency
    segments = [known.asked for known in program.segments.values() if known.asked and known.asked.meaning]
    doubts = {id(asked.meaning): told for asked in segments if (told := list(_alone(asked, currency)))}
    doubtful = frozenset(doubts)
    for meaning, told in doubts.items():
        others = doubtful - {meaning}
        yield from (each for each in told if not _stands_on(_of(segments, meaning), others))
    for playbook in program.playbooks:
        heard = [each for each in (playbook.start_on, playbook.goal, *playbook.exits) if isinstance(each, Heard)]
        heard += [step.measure for step in every_step(playbook.body) if isinstance(step, Experiment) and step.measure]
        asked = [each for each in (playbook.start_when, playbook.only_if, *playbook.exits) if isinstance(each, Asked)]
        asked += [each.where for each in heard if each.where]
        arms = [
            arm.asked for step in every_step(playbook.body) if isinstance(step, If) for arm in step.arms if arm.asked
        ]
        told_already = {each.span for each in (*asked, *arms) if each.meaning and _stands_on(each.meaning, doubtful)}
        found = [problem for each in asked for problem in _alone(each, currency)]
        found += _block(playbook.body, _ANY, currency)
        yield from (problem for problem in found if problem.span not in told_already)


def _of(segments: list[Asked], meaning: int) -> Condition:
    return next(asked.meaning for asked in segments if asked.meaning is not None and id(asked.meaning) == meaning)


def _stands_on(condition: Condition, doubtful: frozenset[int]) -> bool:
    """Whether one of these conditions, by identity, is it or a part of it."""
    match condition:
        case _ if id(condition) in doubtful:
            return True
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            return any(_stands_on(part, doubtful) for part in parts)
        case c.Not(condition=part):
            return _stands_on(part, doubtful)
        case _:
            return False


def _alone(asked: Asked, currency: str) -> Iterator[Diagnostic]:
    if asked.meaning is None:
        return
    if ways(asked.meaning) == []:
        yield _never(asked, currency)
    elif ways(asked.meaning, holds=False) == []:
        yield _always(asked, "Ask something that not everybody answers with yes.")


def _block(body: tuple[Step, ...], facts: list[Way], currency: str) -> Iterator[Diagnostic]:
    for step in body:
        if isinstance(step, If):
            yield from _fork(step, facts, currency)
        else:
            for inner in blocks(step):
                yield from _block(inner, facts, currency)
        if isinstance(step, Wait) or any(isinstance(each, Wait) for each in every_step((step,))):
            facts = _ANY


def _fork(fork: If, facts: list[Way], currency: str) -> Iterator[Diagnostic]:
    left = facts  # More ways than there are is the safe side: then less is told.
    for at, arm in enumerate(fork.arms):
        asked, meaning = arm.asked, arm.asked.meaning if arm.asked else None
        if asked is None or meaning is None:
            yield from _block(arm.body, left, currency)
            continue
        taken, rest = both(left, ways(meaning)), both(left, ways(meaning, holds=False))
        if taken == []:
            yield _never(asked, currency) if ways(meaning) == [] else _taken(asked, first=at == 0)
        elif rest == []:
            is_last = at > 0 and at == len(fork.arms) - 1 and fork.otherwise is None
            yield _always(
                asked, "Write `otherwise:`." if is_last else "Ask something else, or take the steps out of the branch."
            )
        yield from _block(arm.body, taken or left, currency)
        left = left if rest is None else rest or _ANY
    yield from _block(fork.otherwise or (), left, currency)


def _never(asked: Asked, currency: str) -> Diagnostic:
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


def _taken(asked: Asked, *, first: bool) -> Diagnostic:
    if first:
        return _doubt(
            "WB354", asked, "Nobody gets here: a branch around this one asks the opposite.", "Remove this branch."
        )
    return _doubt(
        "WB354",
        asked,
        "Nobody gets here: the branches above take everybody for whom this is true.",
        "Put the narrower branch first.",
    )


def _always(asked: Asked, way_out: str) -> Diagnostic:
    return _doubt("WB355", asked, "This is true for everybody who gets here.", way_out)


def _doubt(code: str, asked: Asked, message: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, span=asked.span, message=message, hint=hint, severity="warning")
