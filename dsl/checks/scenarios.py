"""Whether scenarios can be run: each expects something, has one clock, one name of its own, and gives nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

from dsl import syntax
from dsl.diagnostics import Diagnostic
from dsl.program import Program
from dsl.scenario import GivenArm, GivenField, Scenario
from dsl.types import Type


def scenarios(program: Program) -> Iterator[Diagnostic]:
    """What is wrong with scenarios beside their names and types."""
    named: dict[tuple[str, str], Scenario] = {}
    for scenario in program.scenarios:
        first = named.setdefault((scenario.playbook, scenario.name), scenario)
        if first is not scenario:
            at = first.span
            place = f"line {at.line}" if at.file == scenario.span.file else f"{at.file}, line {at.line}"
            yield Diagnostic(
                code="WB332",
                span=scenario.span,
                message=f"`{scenario.playbook}` already has a scenario of this name, in {place}.",
                hint="Say what is different about this one.",
            )
        yield from _lines(scenario)


def _lines(scenario: Scenario) -> Iterator[Diagnostic]:
    lines = scenario.source.lines
    if not any(isinstance(line, syntax.Expect | syntax.ExpectNo | syntax.Broken) for line in lines):
        yield Diagnostic(
            code="WB330",
            span=scenario.span,
            message="This scenario expects nothing, so it would always pass.",
            hint="Add a line like `expect send email …` or `expect no send email …`.",
        )
    clocks = [line for line in lines if isinstance(line, syntax.GivenClock)]
    for clock in clocks[1:]:
        yield Diagnostic(
            code="WB331",
            span=clock.span,
            message=f"The scenario has its clock already, in line {clocks[0].span.line}.",
            hint="Remove one of the two. What comes later is written as `after 2 days …`.",
        )
    for line in lines:
        if isinstance(line, syntax.Expect) and line.times == 0:
            yield Diagnostic(
                code="WB334",
                span=line.span,
                message="Nothing can be expected 0 times.",
                hint="Write `expect no …`.",
            )
    yield from _twice(scenario)


def _twice(scenario: Scenario) -> Iterator[Diagnostic]:
    given: dict[str, int] = {}
    for line in scenario.lines:
        match line:
            case GivenField(field=field) if field.type is not Type.LIST:
                name = field.name
            case GivenArm(experiment=experiment):
                name = f"experiment {experiment}"
            case _:
                continue
        first = given.setdefault(name, line.span.line)
        if first != line.span.line:
            yield Diagnostic(
                code="WB333",
                span=line.span,
                message=f"`{name}` is given already, in line {first}.",
                hint="Remove one of the two lines. For a change later, write `after 2 days set …`.",
            )
