"""What an editor can do about mistakes: the fixes that the compiler knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dsl.diagnostics import Diagnostic, Edit, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    title: str
    problems: tuple[Diagnostic, ...]
    """What it mends."""
    edits: tuple[Edit, ...]
    preferred: bool = False
    """The editor may apply it without asking which."""


def actions(problems: Iterable[Diagnostic], path: str, first: int, last: int) -> Iterator[Action]:
    """The fixes of the problems on the lines from `first` to `last`, and one for all of the file's when there are more
    than one."""
    fixable = [problem for problem in problems if problem.span.file == path and problem.fix is not None]
    here = [problem for problem in fixable if problem.span.line <= last and problem.span.end_line >= first]
    for problem in here:
        assert problem.fix is not None
        yield Action(title=problem.fix.about, problems=(problem,), edits=problem.fix.edits, preferred=True)
    if here and len(fixable) > 1:
        edits, mended = _together(fixable)
        if len(mended) > 1:
            yield Action(title=f"Mend {len(mended)} mistakes in this file", problems=mended, edits=edits)


def _together(problems: list[Diagnostic]) -> tuple[tuple[Edit, ...], tuple[Diagnostic, ...]]:
    """The edits of all problems, leaving out those that would touch what another one changes."""
    edits: list[Edit] = []
    mended: list[Diagnostic] = []
    for problem in problems:
        assert problem.fix is not None
        if not any(_touch(mine.span, other.span) for mine in problem.fix.edits for other in edits):
            edits += problem.fix.edits
            mended.append(problem)
    return tuple(edits), tuple(mended)


def _touch(one: Span, other: Span) -> bool:
    start, end = (one.line, one.column), (one.end_line, one.end_column)
    return start <= (other.end_line, other.end_column) and (other.line, other.column) <= end
