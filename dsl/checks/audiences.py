"""An audience says each thing once, and whom to leave out only of those whom it takes."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.checks.settings import too_long
from dsl.diagnostics import Diagnostic, Span
from dsl.program import Audience, Program
from dsl.resolve.audiences import is_ruled

_ONCE: dict[type[syntax.Node], tuple[str, str]] = {
    syntax.About: ("about", "Keep one of them."),
    syntax.RunEvery: ("run every", "Keep one of them."),
    syntax.Include: ("include", "Join the two conditions with `or`."),
    syntax.Exclude: ("exclude", "Join the two conditions with `or`."),
}


def audiences(program: Program) -> Iterator[Diagnostic]:
    """Lines that stand twice, and `exclude` without `include`."""
    for audience in program.audiences.values():
        yield from _twice(audience)
        yield from too_long(audience.source.lines)
        exclude = next((line for line in audience.source.lines if isinstance(line, syntax.Exclude)), None)
        if exclude is not None and not is_ruled(audience.source):
            yield Diagnostic(
                code="WB327",
                span=exclude.span,
                message=f"`{audience.name}` has no `include` line, so there is nobody to leave out.",
                hint="Say who belongs to it, such as `include when orders.count >= 1`.",
            )


def _twice(audience: Audience) -> Iterator[Diagnostic]:
    first: dict[type[syntax.Node], syntax.Node] = {}
    names: dict[str, Span] = {}
    for line in audience.source.lines:
        if isinstance(line, syntax.Argument):
            if (before := names.setdefault(line.name.text, line.name.span)) is not line.name.span:
                yield Diagnostic(
                    code="WB230",
                    span=line.name.span,
                    message=f"The audience says already, in line {before.line}, what `{line.name.text}` is.",
                    hint="Remove one of them.",
                )
        elif type(line) in _ONCE and first.setdefault(type(line), line) is not line:
            word, hint = _ONCE[type(line)]
            yield Diagnostic(
                code="WB306",
                span=line.span,
                message=f"An audience has one `{word}` line, and line {first[type(line)].span.line} is one already.",
                hint=hint,
            )
