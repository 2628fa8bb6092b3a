"""All files of a project to one program: every declaration sees every other, in any order.

A name on a line that could not be read may be what that line declared; it is unknown to nobody, so that one mistake
is told once.
"""

from __future__ import annotations

from dataclasses import replace

from dsl import program, syntax
from dsl.catalog import Catalog
from dsl.diagnostics import Diagnostic
from dsl.resolve.conditions import ask
from dsl.resolve.declarations import constants, declarations, unique, with_events, with_fields
from dsl.resolve.lifecycle import lifecycle, stage_names, with_stage
from dsl.resolve.order import with_groups
from dsl.resolve.playbook import playbook
from dsl.resolve.policy import policy
from dsl.resolve.scenarios import scenarios
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.unread import first_words, undeclared


def resolve(files: tuple[syntax.File, ...], catalog: Catalog) -> tuple[program.Program, tuple[Diagnostic, ...]]:
    """The program that the files mean together, and what is wrong with their names and types."""
    scope = Scope(
        catalog=catalog,
        constants={},
        segments={},
        audiences={},
        rules={},
        playbooks=frozenset(node.name.text for node in declarations(files, syntax.Playbook)),
        stages=(),
        named={},
        suspects=undeclared(files),
        problems=[],
        start=Absent.SHARED,
        entry=True,
    )
    lifecycles = declarations(files, syntax.Lifecycle)
    scope = replace(scope, stages=stage_names(lifecycles))
    scope = replace(scope, catalog=with_fields(files, scope))
    scope = replace(scope, catalog=with_stage(lifecycles, scope.catalog))
    scope = replace(scope, catalog=with_events(files, scope))
    scope = replace(scope, constants=constants(files, scope))
    segments = unique(files, syntax.Segment, "a segment", scope)
    audiences, scope = with_groups(segments, unique(files, syntax.Audience, "an audience", scope), scope)
    policies = declarations(files, syntax.Policy)
    unique(files, syntax.Playbook, "a playbook", scope)
    inside = replace(scope, start=Absent.MISSING, entry=False)
    playbooks = tuple(playbook(node, inside, first_words(node.lines)) for node in declarations(files, syntax.Playbook))
    meant = program.Program(
        playbooks=playbooks,
        segments=scope.segments,
        policy=policy(policies, scope),
        audiences=audiences,
        lifecycle=lifecycle(lifecycles, scope),
        scenarios=scenarios(files, playbooks, scope),
        policies=policies,
        lifecycles=lifecycles,
        catalog=scope.catalog,
    )
    for broken in declarations(files, syntax.Broken):
        playbook(_as_playbook(broken), inside, frozenset())  # for the mistakes in it
        _look_below(broken, replace(scope, entry=False))
    return meant, tuple(scope.problems)


def _look_below(broken: syntax.Broken, scope: Scope) -> None:
    """Tells the mistakes in rules of audiences and in stages below a line that could not be read."""
    for line in broken.body:
        match line:
            case syntax.Include(condition=condition) | syntax.Exclude(condition=condition):
                ask(condition, scope)
            case syntax.Stage(condition=condition) if condition is not None:
                ask(condition, scope)


def _as_playbook(broken: syntax.Broken) -> syntax.Playbook:
    """What hangs below a line that could not be read, as if that line had been the head of a playbook."""
    lines = tuple(line for line in broken.body if isinstance(line, syntax.Setting | syntax.Step))
    return syntax.Playbook(span=broken.span, name=syntax.Word(span=broken.span, text=""), lines=lines)
