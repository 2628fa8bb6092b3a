"""The settings of a playbook: the required ones are there, none stands twice, all stand before the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dsl import syntax
from dsl.complaints.vocabulary import EXAMPLES, FOREIGN
from dsl.diagnostics import Diagnostic
from dsl.program import Playbook, Program
from dsl.suggest import nearest

LONGEST_ABOUT = 500
_ONCE: dict[type[syntax.Node], str] = {
    syntax.About: "about",
    syntax.RunEvery: "run every",
    syntax.Start: "start",
    syntax.OnlyIf: "only if",
    syntax.Enter: "enter",
    syntax.Goal: "goal",
    syntax.Holdout: "holdout",
}
_WAYS_OUT = {
    "start": "Say who enters: `start when …` for a condition, `start on …` for an event.",
    "enter": "Say whether people may come back: `enter once`, `enter again after 30 days` or `enter every time`.",
    "only if": "Join the two conditions with `and`.",
}


def settings(program: Program) -> Iterator[Diagnostic]:
    """Missing, repeated and late settings."""
    for playbook in program.playbooks:
        yield from _missing(playbook)
        yield from _repeated(playbook)
        yield from _late(playbook)
        if not playbook.body:
            yield Diagnostic(
                code="WB358",
                span=playbook.span,
                message=f"`{playbook.name}` has no steps, so nothing happens to those who enter.",
                hint="Add a step, such as `send email …`.",
                severity="warning",
            )
        yield from too_long(playbook.source.lines)


def too_long(lines: Iterable[syntax.Node]) -> Iterator[Diagnostic]:
    """Sentences about a playbook or an audience that do not fit where they are shown."""
    for line in lines:
        if isinstance(line, syntax.About) and len(line.text.value) > LONGEST_ABOUT:
            yield Diagnostic(
                code="WB308",
                span=line.text.span,
                message=f"This sentence has {len(line.text.value)} characters; {LONGEST_ABOUT} fit.",
                hint="Say it shorter; more belongs into a comment.",
            )


def _missing(playbook: Playbook) -> Iterator[Diagnostic]:
    kinds = {type(line) for line in playbook.source.lines}
    for kind, word in ((syntax.Start, "start"), (syntax.Enter, "enter")):
        if kind not in kinds and not any(_perhaps(unread.lower(), word) for unread in playbook.unread):
            yield Diagnostic(
                code="WB305",
                span=playbook.span,
                message=f"`{playbook.name}` has no `{word}` line.",
                hint=_WAYS_OUT[word],
            )


def _perhaps(unread: str, word: str) -> bool:
    """Whether a line that could not be read, by its first word, may be the one that is missing."""
    if unread in FOREIGN:
        return any(kinds[0] == word.upper() for kinds in FOREIGN[unread])
    return nearest(unread, (word,)) is not None or nearest(unread, [kind.lower() for kind in EXAMPLES]) is None


def _repeated(playbook: Playbook) -> Iterator[Diagnostic]:
    first: dict[type[syntax.Node], syntax.Node] = {}
    for line in playbook.source.lines:
        if type(line) not in _ONCE:
            continue
        if (before := first.setdefault(type(line), line)) is not line:
            word = _ONCE[type(line)]
            yield Diagnostic(
                code="WB306",
                span=line.span,
                message=f"A playbook has one `{word}` line, and line {before.span.line} is one already.",
                hint=_WAYS_OUT["only if"] if word == "only if" else "Keep one of them.",
            )


def _late(playbook: Playbook) -> Iterator[Diagnostic]:
    """One message for settings that stand together."""
    step: syntax.Node | None = None
    told = False
    for line in playbook.source.lines:
        if isinstance(line, syntax.Step) and not _unread(line):
            step, told = step or line, False
        elif step is not None and not told and not isinstance(line, syntax.Step):
            told = True
            yield Diagnostic(
                code="WB307",
                span=line.span,
                message="This is a setting, and settings stand before the first step.",
                hint=f"Move it above line {step.span.line}.",
            )


def _unread(line: syntax.Step) -> bool:
    """Whether it is a line that could not be read, or an `if` with neither condition nor block (`only if`, maybe)."""
    match line:
        case syntax.If(branches=(syntax.Branch(condition=syntax.Broken(), body=body),), otherwise=None):
            return all(isinstance(inner, syntax.Broken) for inner in body)
        case _:
            return isinstance(line, syntax.Broken)
