"""From Lark's tree to the nodes of `syntax`: one method a rule, from the inside out.

It recurses as deep as blocks and conditions are nested, which `recovery` and `mending` limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lark import Token, Tree, v_args
from lark.tree import Meta

from dsl import syntax
from dsl.reading import literals
from dsl.reading.scenario_builder import ScenarioBuilder
from dsl.reading.step_builder import Otherwise, without_forks

_CONTINUING = frozenset({"otherwise", "else", "elif", "elsif", "elseif"})


def build(tree: Tree[Token], spoilt: Mapping[int, Token], path: str) -> tuple[syntax.Declaration, ...]:
    """The declarations of a file. Its mistakes stand in the tree as BROKEN_LINE; what begins on one of the `spoilt`
    lines becomes `Broken` too."""
    declarations: tuple[syntax.Declaration, ...] = _Builder(path, spoilt).transform(tree)
    return declarations


@v_args(meta=True)
class _Builder(ScenarioBuilder):
    """Adds blocks and declarations to what stands in them."""

    def _kept(self, node: Any) -> Any:
        """The node, or what stands for it when its line is spoilt. (Conditions of `if` are looked after apart.)"""
        line = None if isinstance(node, syntax.If) else self._spoilt.get(node.span.line)
        return self._broken(line, node.span, _below(node)) if line else node

    # ── Blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────
    def start(self, _: Meta, parts: list[Any]) -> tuple[syntax.Declaration, ...]:
        return tuple(map(self._kept, parts))

    def block(self, _: Meta, parts: list[Any]) -> tuple[Any, ...]:
        found: list[Any] = []
        for node in map(self._kept, parts):
            joined = _join(found[-1], node) if found else None
            found[-1:] = [joined] if joined else [*found[-1:], node]
        return tuple(found)

    def broken(self, meta: Meta, parts: list[Any]) -> syntax.Broken | syntax.If:
        line, *below = parts
        word = line.partition(" ")[0]
        body = tuple(self._kept(part) for part in below if not isinstance(part, syntax.Branch | Otherwise))
        branches = tuple(part for part in below if isinstance(part, syntax.Branch))
        otherwise = next((part.body for part in below if isinstance(part, Otherwise)), None)
        head = self._broken(line, self._span(line))
        if word in _CONTINUING or word == "if" or branches or otherwise is not None:
            steps = tuple(part for part in body if isinstance(part, syntax.Step))
            others = tuple(part for part in body if not isinstance(part, syntax.Step))
            rest = (self._broken(line, self._span(line), others),) if others else ()
            first = syntax.Branch(span=self._span(meta), condition=head, body=(*steps, *rest) or (head,))
            return syntax.If(span=self._span(meta), branches=(first, *branches), otherwise=otherwise)
        return self._broken(line, self._span(meta), body)

    # ── Declarations ──────────────────────────────────────────────────────────────────────────────────────────────────
    def let(self, meta: Meta, parts: list[Any]) -> syntax.Let:
        return syntax.Let(span=self._span(meta), name=self._word(parts[0]), value=parts[1])

    def field_declaration(self, meta: Meta, parts: list[Any]) -> syntax.FieldDeclaration:
        return syntax.FieldDeclaration(span=self._span(meta), name=parts[0], type=self._word(parts[1]))

    def event_declaration(self, meta: Meta, parts: list[Any]) -> syntax.EventDeclaration:
        return syntax.EventDeclaration(
            span=self._span(meta), name=self._word(parts[0]), properties=without_forks(parts[1])
        )

    def property(self, meta: Meta, parts: list[Any]) -> syntax.FieldDeclaration:
        name, kind = map(self._word, parts)
        return syntax.FieldDeclaration(span=self._span(meta), name=name, type=kind)

    def policy(self, meta: Meta, parts: list[Any]) -> syntax.Policy:
        return syntax.Policy(span=self._span(meta), lines=without_forks(parts[0]))

    def quiet_hours(self, meta: Meta, parts: list[Any]) -> syntax.QuietHours:
        start, end = map(self._clock, parts)
        return syntax.QuietHours(span=self._span(meta), start=start, end=end)

    def quiet_days(self, meta: Meta, parts: list[Any]) -> syntax.QuietDays:
        return syntax.QuietDays(span=self._span(meta), days=tuple(map(self._word, parts)))

    def limit(self, meta: Meta, parts: list[Any]) -> syntax.Limit:
        channel, count, per = parts
        return syntax.Limit(
            span=self._span(meta), channel=self._word(channel), count=literals.count(count), per=self._duration(per)
        )

    def segment(self, meta: Meta, parts: list[Any]) -> syntax.Segment:
        return syntax.Segment(span=self._span(meta), name=self._word(parts[0]), condition=parts[1])

    def playbook(self, meta: Meta, parts: list[Any]) -> syntax.Playbook:
        return syntax.Playbook(span=self._span(meta), name=self._word(parts[0]), lines=parts[1])

    def lifecycle(self, meta: Meta, parts: list[Any]) -> syntax.Lifecycle:
        return syntax.Lifecycle(span=self._span(meta), stages=without_forks(parts[0]))

    def stage(self, meta: Meta, parts: list[Any]) -> syntax.Stage:
        name, condition = parts
        return syntax.Stage(
            span=self._span(meta),
            name=self._word(name),
            condition=None if isinstance(condition, Token) else condition,
        )

    def audience(self, meta: Meta, parts: list[Any]) -> syntax.Audience:
        name, connector, lines = parts
        return syntax.Audience(
            span=self._span(meta), name=self._word(name), connector=self._word(connector), lines=without_forks(lines)
        )

    def include(self, meta: Meta, parts: list[Any]) -> syntax.Include:
        return syntax.Include(span=self._span(meta), condition=parts[0])

    def exclude(self, meta: Meta, parts: list[Any]) -> syntax.Exclude:
        return syntax.Exclude(span=self._span(meta), condition=parts[0])


def _below(node: syntax.Node) -> tuple[Any, ...]:
    """The block of a node."""
    match node:
        case syntax.Playbook(lines=lines) | syntax.Experiment(lines=lines) | syntax.Policy(lines=lines):
            return lines
        case syntax.Audience(lines=lines) | syntax.Scenario(lines=lines):
            return lines
        case syntax.EventDeclaration(properties=lines) | syntax.Variant(body=lines) | syntax.Lifecycle(stages=lines):
            return lines
        case syntax.Send(arguments=lines) | syntax.Create(arguments=lines) | syntax.Update(arguments=lines):
            return lines
        case syntax.GivenEvent(properties=lines) | syntax.AfterEvent(properties=lines):
            return lines
    return ()


def _join(above: Any, node: Any) -> syntax.If | None:
    """The `if` with a broken `otherwise if` that stands behind it, which the grammar takes for a line of its own."""
    if not (isinstance(above, syntax.If) and above.otherwise is None and isinstance(node, syntax.If)):
        return None
    head = node.branches[0].condition
    if not (isinstance(head, syntax.Broken) and head.word in _CONTINUING):
        return None
    return syntax.If(span=above.span.to(node.span), branches=above.branches + node.branches, otherwise=node.otherwise)
