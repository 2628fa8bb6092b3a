"""What only the store can add to the compiler's warnings: how many people they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from dsl import syntax
from dsl.compile import Compiled
from dsl.diagnostics import Diagnostic
from dsl.plan import Experiment, Plan, StartWhen
from flows.expressions import Expressions, expressions
from flows.project import Project
from flows.review.expectations import traffic, trials
from flows.world import consent
from profiles.select import people
from store.engine import read
from store.schema import playbooks, profiles

AGELESS = "WB350"
"""`start when` without an upper age: the number of people says how bad it is."""
DAYS = 14
"""For so many days it is told what an experiment can see."""


def advice(project: Project, compiled: Compiled, as_of: datetime) -> tuple[tuple[Diagnostic, ...], tuple[str, ...]]:
    """The compiler's problems, with what the project's store knows of them; and sentences about what is no mistake of
    the text: experiments too small for the traffic that there is. Raises StoreError."""
    with read(project.engine) as connection:
        if connection.scalar(select(profiles.c.id).limit(1)) is None:
            return compiled.problems, ()
        asked = {
            name: expressions(
                plan,
                as_of=as_of,
                zone=project.settings.shop.time_zone,
                consent=consent(project),
                lifecycle=compiled.lifecycle,
            )
            for name, plan in compiled.plans.items()
        }
        return (
            tuple(_counted(problem, compiled, asked, connection) for problem in compiled.problems),
            tuple(note for name in sorted(asked) for note in _notes(asked[name], connection)),
        )


def _counted(
    problem: Diagnostic, compiled: Compiled, asked: dict[str, Expressions], connection: Connection
) -> Diagnostic:
    plan = _plan_at(problem, compiled) if problem.code == AGELESS else None
    if plan is None or not isinstance(plan.trigger, StartWhen) or _has_run(plan, connection):
        return problem
    matching = select(func.count()).select_from(people()).where(asked[plan.name].matches())
    found = connection.scalar(matching) or 0
    told = "1 person" if found == 1 else f"{found:,} people"
    return replace(problem, message=f"{problem.message} In this store that is {told} now.")


def _plan_at(problem: Diagnostic, compiled: Compiled) -> Plan | None:
    """The plan of the playbook in which a problem stands."""
    above = [
        node
        for file in compiled.files
        if file.path == problem.span.file
        for node in file.declarations
        if isinstance(node, syntax.Playbook) and node.span.line <= problem.span.line
    ]
    return compiled.plans.get(max(above, key=lambda node: node.span.line).name.text) if above else None


def _has_run(plan: Plan, connection: Connection) -> bool:
    ran = select(playbooks.c.first_tick_at).where(playbooks.c.name == plan.name)
    return connection.scalar(ran) is not None


def _notes(at: Expressions, connection: Connection) -> Iterator[str]:
    if not any(isinstance(step, Experiment) and step.measure for step in at.plan.steps):
        return
    coming = traffic(connection, at)
    for trial in trials(connection, at, coming, entered=0, newest=2**62, days=DAYS):
        if trial.warning:
            yield f"{at.plan.name}: {trial.warning}"
