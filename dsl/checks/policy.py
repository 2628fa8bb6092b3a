"""The policy stands once, says each thing once, and leaves hours in which something may be sent."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.diagnostics import Diagnostic, Span
from dsl.program import Program
from dsl.resolve.values import SECONDS


def policy(program: Program) -> Iterator[Diagnostic]:
    """Policies and policy lines that stand twice or shut everything."""
    for again in program.policies[1:]:
        first = program.policies[0].span
        yield Diagnostic(
            code="WB318",
            span=again.span,
            message=f"There is one policy for all playbooks, and {first.file}, line {first.line}, declares it already.",
            hint="Put all its lines into one `policy:`.",
        )
    for block in program.policies[:1]:
        hours: syntax.QuietHours | None = None
        limits: dict[tuple[str, int], Span] = {}
        days: set[str] = set()
        for line in block.lines:
            match line:
                case syntax.QuietHours():
                    if hours is not None:
                        yield _repeated(line.span, hours.span, "Keep one `quiet hours` line.")
                    hours = hours or line
                    yield from _empty(line)
                case syntax.QuietDays(days=words):
                    days |= {word.text for word in words}
                    if len(days) == 7:
                        yield Diagnostic(
                            code="WB319",
                            span=line.span,
                            message="Every day of the week is quiet, so that nothing is ever sent.",
                            hint="Leave out at least one day.",
                        )
                case syntax.Limit(channel=channel, count=count, per=per):
                    key = channel.text, per.count * SECONDS[per.unit]
                    if key in limits:
                        hint = f"Keep one limit of `{channel.text}` for that time."
                        yield _repeated(line.span, limits[key], hint)
                    limits.setdefault(key, line.span)
                    if count < 1:
                        yield Diagnostic(
                            code="WB321",
                            span=line.span,
                            message=f"With a limit of {count} nothing is ever sent by {channel.text}.",
                            hint="Write at least 1.",
                        )


def _empty(line: syntax.QuietHours) -> Iterator[Diagnostic]:
    if line.start.value == line.end.value:
        yield Diagnostic(
            code="WB319",
            span=line.span,
            message="These quiet hours begin and end at the same time: that is no time, or all day.",
            hint="Write two times, such as `quiet hours 21:00 to 08:00`.",
        )


def _repeated(span: Span, first: Span, hint: str) -> Diagnostic:
    return Diagnostic(
        code="WB320",
        span=span,
        message=f"The policy says this already, in line {first.line}.",
        hint=hint,
    )
