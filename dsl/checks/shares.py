"""Shares: each more than 0% and at most 100%, those of an experiment 100% together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dsl import syntax
from dsl.diagnostics import Diagnostic
from dsl.program import Experiment, Program, every_step


def shares(program: Program) -> Iterator[Diagnostic]:
    """Wrong shares, and experiments without variants."""
    for playbook in program.playbooks:
        for line in playbook.source.lines:
            if isinstance(line, syntax.Holdout):
                yield from _outside(line.share)
        for step in every_step(playbook.body):
            if isinstance(step, Experiment):
                yield from _experiment(step)


def _experiment(step: Experiment) -> Iterator[Diagnostic]:
    lines = step.source.lines
    parts = [line for line in lines if isinstance(line, syntax.Variant | syntax.Holdout)]
    wrong = [problem for part in parts for problem in _outside(part.share)]
    yield from wrong
    yield from _repeated(step)
    if any(isinstance(line, syntax.Broken) for line in lines):
        return
    if not step.variants:
        yield Diagnostic(
            code="WB311",
            span=step.span,
            message=f"The experiment `{step.name}` has no variants.",
            hint="Add at least one: `variant NAME 50%:` with its steps below.",
        )
        return
    total = sum(part.share.amount for part in parts)
    if total == 100 or wrong:
        return
    last = parts[-1]
    left = 100 - (total - last.share.amount)
    what = f"`{last.name.text}`" if isinstance(last, syntax.Variant) else "the holdout"
    yield Diagnostic(
        code="WB309",
        span=step.span,
        message=f"The shares of `{step.name}` add up to {_plain(total)}%, not 100%.",
        hint=f"Give {what} {_plain(left)}%." if left > 0 else "Make them smaller.",
    )


def _repeated(step: Experiment) -> Iterator[Diagnostic]:
    for kind, word in ((syntax.Holdout, "holdout"), (syntax.Measure, "measure")):
        for line in [line for line in step.source.lines if isinstance(line, kind)][1:]:
            yield Diagnostic(
                code="WB306",
                span=line.span,
                message=f"An experiment has one `{word}` line.",
                hint="Keep one of them.",
            )


def _outside(share: syntax.Percent) -> Iterator[Diagnostic]:
    if not 0 < share.amount <= 100:
        yield Diagnostic(
            code="WB310",
            span=share.span,
            message=f"A share is more than 0% and at most 100%, and this is {_plain(share.amount)}%.",
            hint="Remove the line if nobody is meant." if share.amount == 0 else "Write it like `10%`.",
        )


def _plain(amount: Decimal | int) -> str:
    text = format(Decimal(amount), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
