"""Names that may stand once: experiments in a project, variants in an experiment, arguments of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsl.diagnostics import Diagnostic, Span
from dsl.plan import HOLDOUT_ARM
from dsl.program import Experiment, Program, Record, Send, every_step


def repeated(program: Program) -> Iterator[Diagnostic]:
    """Names that stand twice, and a variant that takes the holdout's name."""
    experiments = []
    for playbook in program.playbooks:
        for step in every_step(playbook.body):
            match step:
                case Send(arguments=arguments, template=name) | Record(arguments=arguments, noun=str(name)):
                    yield from _twice(((a.name, a.span) for a in arguments), f"an argument of `{name}`")
                case Experiment(name=name, span=span, variants=variants):
                    experiments.append((name, span))
                    yield from _twice(((v.name, v.span) for v in variants), f"a variant of `{name}`")
                    yield from (_reserved(v.span) for v in variants if v.name == HOLDOUT_ARM)
    yield from _twice(experiments, "an experiment")


def _twice(names: Iterable[tuple[str, Span]], noun: str) -> Iterator[Diagnostic]:
    first: dict[str, Span] = {}
    for name, span in names:
        if (before := first.setdefault(name, span)) is not span:
            place = "" if before.file == span.file else f"{before.file}, "
            yield Diagnostic(
                code="WB230",
                span=span,
                message=f"There is already {noun} called `{name}`, in {place}line {before.line}.",
                hint="Remove one of them." if noun.startswith("an argument") else "Give one of them another name.",
            )


def _reserved(span: Span) -> Diagnostic:
    return Diagnostic(
        code="WB313",
        span=span,
        message=f"`{HOLDOUT_ARM}` is what results call those who are sent nothing.",
        hint="Write `holdout 10%` for them, or give the variant another name.",
    )
