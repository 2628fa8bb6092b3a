"""One type for everything the compiler tells, and one renderer for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a source file. Lines and columns count from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, last: Span) -> Span:
        """The stretch from the start of this span to the end of `last`."""
        return Span(
            file=self.file,
            line=self.line,
            column=self.column,
            end_line=last.end_line,
            end_column=last.end_column,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A mistake or a doubt about a playbook: where, what, and what to do."""

    code: str
    """Stable, like `WB203`: WB1xx syntax, WB2xx names and types, WB3xx sense."""
    span: Span
    message: str
    hint: str | None = None
    severity: Severity = "error"


def render(problem: Diagnostic, source: str) -> str:
    """The problem as text: the place, the line as written, a caret, the message and the hint."""
    span = problem.span
    lines = source.splitlines()
    text = lines[span.line - 1] if span.line <= len(lines) else ""
    gutter = f"{span.line:>4} │ "
    width = span.end_column - span.column if span.end_line == span.line else len(text) + 1 - span.column
    caret = " " * (len(gutter) - 2) + "│ " + " " * (span.column - 1) + "^" * max(1, width)
    told = [f"{span.file}:{span.line}:{span.column}", gutter + text, caret]
    body = [problem.message] if problem.severity == "error" else [f"Warning: {problem.message}"]
    if problem.hint:
        body.append(f"Hint: {problem.hint}")
    body[-1] = f"{body[-1]:<71}{problem.code}" if len(body[-1]) < 70 else f"{body[-1]}  {problem.code}"
    return "\n".join(told + ["     " + line for line in body])
