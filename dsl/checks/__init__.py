"""Whether a program makes sense: one rule a file, each a function from the program to what is wrong with it.

Names and types are settled before; a rule says nothing about what is broken already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dsl.checks.after_stop import after_stop
from dsl.checks.audiences import audiences
from dsl.checks.bounds import bounds
from dsl.checks.caps import caps
from dsl.checks.circles import circles
from dsl.checks.entered import entered
from dsl.checks.goal_window import goal_window
from dsl.checks.known import known
from dsl.checks.leave_at_once import leave_at_once
from dsl.checks.lifecycle import lifecycle
from dsl.checks.measured import measured
from dsl.checks.memberless import memberless
from dsl.checks.policy import policy
from dsl.checks.quiet import quiet
from dsl.checks.reachable import reachable
from dsl.checks.repeated import repeated
from dsl.checks.scenarios import scenarios
from dsl.checks.segments import segments
from dsl.checks.settings import settings
from dsl.checks.shares import shares
from dsl.checks.stages import stages
from dsl.checks.start_age import start_age
from dsl.checks.templates import templates
from dsl.checks.unreceived import unreceived
from dsl.checks.untested import untested
from dsl.checks.until import until
from dsl.diagnostics import Diagnostic
from dsl.program import Program

Rule = Callable[[Program], Iterable[Diagnostic]]

RULES: tuple[Rule, ...] = (
    settings,
    repeated,
    shares,
    bounds,
    templates,
    after_stop,
    policy,
    lifecycle,
    audiences,
    entered,
    circles,
    scenarios,
    start_age,
    goal_window,
    unreceived,
    known,
    measured,
    leave_at_once,
    memberless,
    segments,
    reachable,
    stages,
    untested,
    until,
    caps,
    quiet,
)
"""Every rule: errors first, then warnings."""


def check(program: Program) -> tuple[Diagnostic, ...]:
    """Everything that the rules find."""
    return tuple(problem for rule in RULES for problem in rule(program))
