"""From the text of a playbook file to its syntax tree and everything that is wrong with how it is written."""

from __future__ import annotations

from dsl import syntax
from dsl.diagnostics import Diagnostic, Span, source_lines
from dsl.reading.builder import build
from dsl.reading.characters import odd_characters, torn
from dsl.reading.recovery import mend
from dsl.reading.statements import statements

__all__ = ["LARGEST_FILE", "MOST_STEPS", "parse"]

LARGEST_FILE = 256 * 1024
"""In characters."""
MOST_STEPS = 500
"""In one playbook, those in branches and variants included."""


def parse(source: str, path: str) -> tuple[syntax.File, tuple[Diagnostic, ...]]:
    """Reads a file. Whatever it holds there is a tree; a line that cannot be read stands in it as `Broken`.

    `path` is how messages call the file. The diagnostics (codes WB1xx) come in the order of their places, all in one
    go, and none because of another. Nothing is raised.
    """
    if len(source) > LARGEST_FILE:
        return syntax.File(path=path, source=source, declarations=()), (_too_big(source, path),)
    _, lines = statements(source)
    mended = mend(lines, path)
    declarations = build(mended.tree, mended.spoilt, path)
    odd = odd_characters(source, path)
    lines_as_written = source_lines(source) if odd else []
    told = (problem for problem in mended.problems if not (odd and torn(problem.span, lines_as_written, problem.code)))
    problems = [*told, *odd]
    problems += (problem for declaration in declarations if (problem := _too_many_steps(declaration)))
    problems.sort(key=lambda problem: (problem.span.line, problem.span.column))
    return syntax.File(path=path, source=source, declarations=declarations), tuple(problems)


def _too_big(source: str, path: str) -> Diagnostic:
    return Diagnostic(
        code="WB130",
        span=Span(file=path, line=1, column=1, end_line=1, end_column=2),
        message=f"This file has {len(source):,} characters. It was not read.",
        hint=f"A file has at most {LARGEST_FILE:,}. Put each playbook into a file of its own.",
    )


def _too_many_steps(declaration: syntax.Declaration) -> Diagnostic | None:
    if not isinstance(declaration, syntax.Playbook):
        return None
    found = _steps(declaration.lines)
    if len(found) <= MOST_STEPS:
        return None
    return Diagnostic(
        code="WB133",
        span=found[MOST_STEPS].span,
        message=f"The playbook `{declaration.name.text}` has {len(found)} steps; this one is the first too many.",
        hint=f"A playbook has at most {MOST_STEPS} steps. Make two of it.",
    )


def _steps(lines: tuple[syntax.Node, ...]) -> list[syntax.Node]:
    """The steps of a block and of the blocks inside it, in the order written."""
    found: list[syntax.Node] = []
    for line in lines:
        match line:
            case syntax.If():
                found.append(line)
                for branch in line.branches:
                    found += _steps(branch.body)
                found += _steps(line.otherwise or ())
            case syntax.Experiment():
                found.append(line)
                for part in line.lines:
                    found += _steps(part.body) if isinstance(part, syntax.Variant) else []
            case syntax.Broken():
                pass
            case _ if isinstance(line, syntax.Step):
                found.append(line)
    return found
