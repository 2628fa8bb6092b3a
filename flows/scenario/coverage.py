"""What of the playbooks no scenario comes by: ways of forks, variants of experiments, and steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dsl import syntax
from dsl.compile import Compiled
from dsl.complaints.places import Place, places
from dsl.diagnostics import Span
from dsl.outline import Line, outline
from dsl.plan import Plan
from flows.scenario.play import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """A line of a playbook that nobody came by; what hangs below it is not told again."""

    playbook: str
    text: str
    """As the playbook writes it."""
    span: Span
    kind: str
    """playbook (nobody enters it), way, variant, step"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    lines: int
    """Ways, variants and steps in all."""
    covered: int
    uncovered: tuple[Uncovered, ...]

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.lines if self.lines else 100.0


def coverage(compiled: Compiled, results: Iterable[Result], names: Iterable[str] | None = None) -> Coverage:
    """What the scenarios came by. `names`: of the playbooks that count; default: all. Those with mistakes do not."""
    passed: dict[str, set[Place]] = defaultdict(set)
    for result in results:
        for name, these in result.passed.items():
            passed[name] |= these
    lines = covered = 0
    missing: list[Uncovered] = []
    for name in sorted(set(compiled.plans if names is None else names) & set(compiled.plans)):
        plan, node, source = compiled.plans[name], *_node(compiled, name)
        told = [line for line in outline(plan) if not _is_head(plan, line)]
        gaps = [line for line in told if (line.id, line.way) not in passed[name]]
        lines += len(told)
        covered += len(told) - len(gaps)
        if told and len(gaps) == len(told):
            missing.append(Uncovered(playbook=name, text=f"playbook {name}", span=node.name.span, kind="playbook"))
        else:
            missing += _told(plan, gaps, places(node, plan, source))
    return Coverage(
        lines=lines,
        covered=covered,
        uncovered=tuple(sorted(missing, key=lambda each: (each.span.file, each.span.line))),
    )


def _is_head(plan: Plan, line: Line) -> bool:
    """The line `experiment NAME`: its variants are what counts."""
    return line.way is None and any(each.id == line.id and each.way is not None for each in outline(plan))


def _told(plan: Plan, gaps: list[Line], spans: Mapping[Place, Span]) -> list[Uncovered]:
    """The outermost lines of each gap: what stands in a block that nobody comes by is no news, nor what follows."""
    found: list[Uncovered] = []
    hidden: int | None = None
    before: int | None = None
    order = {(line.id, line.way): number for number, line in enumerate(outline(plan))}
    for line in gaps:
        at = order[line.id, line.way]
        follows = before is not None and at == before + 1
        inner = hidden is not None and (line.depth > hidden or (line.depth == hidden and line.way is None))
        if follows and inner:
            before = at
            continue
        hidden, before = line.depth + (line.way is not None), at
        kind = "step" if line.way is None else "variant" if line.text.startswith(("variant ", "holdout ")) else "way"
        span = spans.get((line.id, line.way))
        if span is not None:
            found.append(Uncovered(playbook=plan.name, text=line.text, span=span, kind=kind))
    return found


def _node(compiled: Compiled, name: str) -> tuple[syntax.Playbook, str]:
    """The playbook as written, and the text of its file."""
    for file in compiled.files:
        for node in file.declarations:
            if isinstance(node, syntax.Playbook) and node.name.text == name:
                return node, file.source
    raise KeyError(name)
