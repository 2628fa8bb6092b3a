"""Segments that hold for nobody, or for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.checks.doubts import alone, doubtful, everybody, stands_on
from dsl.diagnostics import Diagnostic
from dsl.program import Program


def segments(program: Program) -> Iterator[Diagnostic]:
    """One message for each; those that are so because of another are silent."""
    some = doubtful(program)
    for segment in program.segments.values():
        asked = segment.asked
        if asked is None or asked.meaning is None or stands_on(asked.meaning, some - {id(asked.meaning)}):
            continue
        yield from alone(asked, everybody(program), program.catalog.currency)
