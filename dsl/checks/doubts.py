"""What is told of questions that nobody, or everybody, answers with yes, and which segments are such questions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from dsl import conditions as c
from dsl.catalog import SUMS
from dsl.checks.ways import STAGES, Way, both, one_of, ways
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Asked, Program
from dsl.wording import say


def everybody(program: Program) -> list[Way]:
    """What holds for everybody at any time: they are in one of the stages."""
    if len(program.lifecycles) != 1:
        return [{}]
    return [{STAGES: one_of([stage.name for stage in program.lifecycle])}] if program.lifecycle else [{}]


def doubtful(program: Program) -> frozenset[int]:
    """The identities of the meanings of segments that hold for nobody, or for everybody."""
    all_ = everybody(program)
    meanings = (segment.meaning for segment in program.segments.values())
    return frozenset(
        id(meaning)
        for meaning in meanings
        if meaning and (both(all_, ways(meaning)) == [] or both(all_, ways(meaning, holds=False)) == [])
    )


def stands_on(condition: Condition, some: frozenset[int]) -> bool:
    """Whether one of these conditions, by identity, is it or a part of it."""
    match condition:
        case _ if id(condition) in some:
            return True
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            return any(stands_on(part, some) for part in parts)
        case c.Not(condition=part):
            return stands_on(part, some)
        case _:
            return False


def alone(asked: Asked, all_: list[Way], currency: str) -> Iterator[Diagnostic]:
    """What is wrong with a question that nothing stands around. `all_`: see `everybody`."""
    if asked.meaning is None:
        return
    if both(all_, ways(asked.meaning)) == []:
        yield never(asked, currency)
    elif both(all_, ways(asked.meaning, holds=False)) == []:
        yield always(asked, "Ask something that not everybody answers with yes.")


def never(asked: Asked, currency: str) -> Diagnostic:
    """It holds for nobody."""
    match asked.meaning:
        case c.AllOf(conditions=parts):
            for one, other in combinations(parts[:30], 2):
                if both(ways(one), ways(other)) == []:
                    message = f"`{say(one, currency)}` and `{say(other, currency)}` are never true together."
                    return doubt("WB354", asked, message, "Use `or`, or look at the signs and the numbers.")
        case c.Compare(field=c.Field(name=name)) if name in SUMS:
            hint = f"`{name}` counts as 0 when nothing is known, and is never below."
            return doubt("WB354", asked, "This is never true.", hint)
    return doubt("WB354", asked, "This is never true: no value fits all of it.", "Look at the signs and the numbers.")


def taken(asked: Asked, above: str = "") -> Diagnostic:
    """Nobody is left for it, for those `above`, branches or stages, take them all; `above` empty: it is the first."""
    if not above:
        return doubt(
            "WB354", asked, "Nobody gets here: a branch around this one asks the opposite.", "Remove this branch."
        )
    return doubt(
        "WB354",
        asked,
        f"Nobody gets here: the {above} above take everybody for whom this is true.",
        "Put the narrower one first.",
    )


def always(asked: Asked, way_out: str) -> Diagnostic:
    """It holds for everybody."""
    return doubt("WB355", asked, "This is true for everybody who gets here.", way_out)


def doubt(code: str, asked: Asked, message: str, hint: str) -> Diagnostic:
    """A warning about a question."""
    return Diagnostic(code=code, span=asked.span, message=message, hint=hint, severity="warning")
