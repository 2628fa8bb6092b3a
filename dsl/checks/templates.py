"""Each send gives its template what it reads, and nothing else; the template itself is sound."""

from __future__ import annotations

from collections.abc import Iterator

from dsl.catalog import Template
from dsl.diagnostics import Diagnostic
from dsl.program import Program, Send, every_step
from dsl.suggest import listed, nearest


def templates(program: Program) -> Iterator[Diagnostic]:
    """Missing and unused arguments; a template's own problems once in each playbook."""
    for playbook in program.playbooks:
        told: set[str] = set()
        for step in every_step(playbook.body):
            if isinstance(step, Send) and step.page is not None:
                yield from _arguments(step, step.page)
                if step.page.path not in told:
                    told.add(step.page.path)
                    yield from (
                        Diagnostic(code="WB316", span=step.at, message=problem, hint=_look(step.page.path, problem))
                        for problem in step.page.problems
                    )


def _look(path: str, problem: str) -> str:
    if problem.startswith(path):
        return "Mend the template there; docs/templates.md says what may stand in one."
    return f"Look at {path}."


def _arguments(step: Send, page: Template) -> Iterator[Diagnostic]:
    given = {argument.name for argument in step.arguments}
    missing = sorted(page.variables - given)
    unused = [argument for argument in step.arguments if argument.name not in page.variables | page.optional]
    for argument in unused:
        near = nearest(argument.name, sorted((page.variables | page.optional) - given))
        missing = [name for name in missing if name != near]
        yield Diagnostic(
            code="WB315",
            span=argument.span,
            message=f"The template {page.path} does not read `{argument.name}`.",
            hint=f"Did you mean `{near}`?" if near else "Remove this line, or use it in the template.",
        )
    if missing and step.whole:
        lines = ", ".join(f"`{name} = …`" for name in missing)
        yield Diagnostic(
            code="WB314",
            span=step.at,
            message=f"The template {page.path} reads {listed(missing)}, which this send does not give.",
            hint=f"End the line with a colon and write below it: {lines}.",
        )
