"""All playbook files of a project to plans: parse, resolve, check, lower. Mistakes are values, never exceptions."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dsl import syntax
from dsl.catalog import STAGE, Catalog
from dsl.checks import check
from dsl.conditions import Condition, Field
from dsl.diagnostics import Diagnostic, Span, source_lines
from dsl.lower import lower, lower_audience, lower_stages
from dsl.parser import parse
from dsl.plan import Audience, Plan, Policy, Stage
from dsl.program import Program
from dsl.reads import asks_stage, values
from dsl.resolve.program import resolve
from dsl.resolve.unread import is_lifecycle
from dsl.scenario import Scenario

_UNREAD = frozenset({"WB130", "WB134"})
"""A file, or the rest of one, was not read: whatever stands there is lost, a policy too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    plans: Mapping[str, Plan]
    """By playbook; only those without errors, and none while the policy has errors: no limit is lost by a slip."""
    policy: Policy
    segments: Mapping[str, Condition]
    """Those without errors."""
    lifecycle: tuple[Stage, ...]
    """The stages in order; the last has no condition. Empty: none is declared, or it has errors; then nothing that asks
    for the stage is here."""
    audiences: Mapping[str, Audience]
    """By name; those without errors."""
    catalog: Catalog
    """With the fields and events that the files declare."""
    files: tuple[syntax.File, ...]
    """In the order of their paths."""
    sources: Mapping[str, str]
    """The text of each playbook, for descriptions."""
    scenarios: tuple[Scenario, ...]
    """Those whose own lines are sound; the playbook of one may have errors, and then it has no plan."""
    problems: tuple[Diagnostic, ...]
    """Errors and warnings by file, line and column."""

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return not any(problem.severity == "error" for problem in self.problems)


def compile_sources(sources: Mapping[str, str], catalog: Catalog) -> Compiled:
    """The plans of all playbooks in these texts, by path; declarations of all files see each other."""
    files: list[syntax.File] = []
    problems: list[Diagnostic] = []
    for path in sorted(sources):
        file, found = parse(sources[path], path)
        files.append(file)
        problems += found
    meant, found = resolve(tuple(files), catalog)
    problems += [*found, *check(meant)]
    extents = [_Extents(file) for file in files]
    with_errors = [node for extent in extents for node in extent.wrong(problems)]
    wrong = {node.span for node in with_errors}
    odd = {node.name.span for node in with_errors if isinstance(node, syntax.Scenario)}
    is_read = not any(problem.code in _UNREAD for problem in problems)
    stages = _stages(meant, files, wrong) if is_read else ()
    unstaged = bool(meant.lifecycles) and not stages  # then nobody can say who is in a stage
    names = Counter(playbook.name for playbook in meant.playbooks)
    plans: dict[str, Plan] = {}
    is_policy_whole = is_read and not any(
        _is_policy(node) and node.span in wrong for file in files for node in file.declarations
    )
    if is_policy_whole:
        for playbook in meant.playbooks:
            is_sound = playbook.source.span not in wrong and names[playbook.name] == 1
            if unstaged and any(map(_is_stage, values(playbook))):
                continue
            if is_sound and (plan := lower(playbook)):
                plans[plan.name] = plan
    return Compiled(
        plans=plans,
        policy=meant.policy,
        segments={
            name: known.meaning
            for name, known in meant.segments.items()
            if known.meaning is not None and not (unstaged and asks_stage(known.meaning))
        },
        lifecycle=stages,
        audiences={
            name: audience
            for name, known in meant.audiences.items()
            if known.source.span not in wrong and (audience := lower_audience(known))
            if not (unstaged and any(asks_stage(rule) for rule in (audience.include, audience.exclude) if rule))
        },
        catalog=meant.catalog,
        files=tuple(files),
        sources={name: text for extent in extents for name, text in extent.playbooks()},
        scenarios=tuple(each for each in meant.scenarios if each.span not in odd),
        problems=tuple(sorted(dict.fromkeys(problems), key=_place)),
    )


def _stages(program: Program, files: list[syntax.File], wrong: set[Span]) -> tuple[Stage, ...]:
    """The lifecycle; empty when a line of it is wrong, or a line that could not be read may be part of it."""
    if any(block.span in wrong for block in program.lifecycles):
        return ()
    if any(isinstance(node, syntax.Broken) and is_lifecycle(node) for file in files for node in file.declarations):
        return ()
    return lower_stages(program.lifecycle)


def _is_stage(field: Field) -> bool:
    return field.scope == "profile" and field.name == STAGE


def _is_policy(node: syntax.Declaration) -> bool:
    """Whether it is a policy, or a line that could not be read with what must have been one below."""
    if isinstance(node, syntax.Broken):
        return node.word == "policy" or any(
            isinstance(line, syntax.QuietHours | syntax.QuietDays | syntax.Limit) for line in node.body
        )
    return isinstance(node, syntax.Policy)


def _place(problem: Diagnostic) -> tuple[str, int, int, str]:
    return problem.span.file, problem.span.line, problem.span.column, problem.code


class _Extents:
    """Which declaration of a file a line belongs to: each reaches to the line before the next one."""

    def __init__(self, file: syntax.File) -> None:
        self.file = file
        self.nodes = sorted(file.declarations, key=lambda node: node.span.line)
        self.starts = [node.span.line for node in self.nodes]

    def wrong(self, problems: Iterable[Diagnostic]) -> Iterator[syntax.Declaration]:
        """The declarations that hold errors."""
        for problem in problems:
            if problem.severity == "error" and problem.span.file == self.file.path:
                at = bisect_right(self.starts, problem.span.line)
                if at:
                    yield self.nodes[at - 1]

    def playbooks(self) -> Iterator[tuple[str, str]]:
        """The name and the text of each playbook, without what stands between it and the next declaration."""
        lines = source_lines(self.file.source)
        for node, end in zip(self.nodes, [*self.starts, len(lines) + 1][1:], strict=True):
            if isinstance(node, syntax.Playbook):
                own = lines[node.span.line - 1 : end - 1]
                while own and (not own[-1].strip() or own[-1].startswith("#")):
                    own.pop()
                yield node.name.text, "\n".join(own) + "\n"
