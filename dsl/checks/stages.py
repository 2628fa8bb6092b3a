"""Every stage has somebody: the stages above it do not take all whom its own condition fits."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.doubts import always, never, taken
from dsl.checks.ways import Way, both, ways
from dsl.diagnostics import Diagnostic
from dsl.program import Program
from dsl.reads import asks_stage


def stages(program: Program) -> Iterator[Diagnostic]:
    """Stages that nobody is in."""
    left: list[Way] = [{}]
    currency = program.catalog.currency
    for stage in program.lifecycle:
        if stage.asked is None:
            return
        if stage.asked.meaning is None or asks_stage(stage.asked.meaning):
            continue
        meaning = stage.asked.meaning
        fits, rest = both(left, ways(meaning)), both(left, ways(meaning, holds=False))
        if fits == []:
            yield never(stage.asked, currency) if ways(meaning) == [] else taken(stage.asked, "stages")
        elif rest == []:
            yield always(stage.asked, "Nobody is left for the stages below: ask for less, or write `otherwise` here.")
        left = left if rest is None else rest or [{}]
