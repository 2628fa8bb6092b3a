"""From Lark's tree to the nodes of `syntax`: one method a rule, from the inside out.

It recurses as deep as blocks and conditions are nested, which `recovery` and `mending` limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lark import Token, Tree, v_args
from lark.tree import Meta

from dsl import literals, syntax
from dsl.condition_builder import ConditionBuilder
from dsl.diagnostics import Span

_CONTINUING = frozenset({"otherwise", "else", "elif", "elsif", "elseif"})


def build(tree: Tree[Token], spoilt: Mapping[int, Token], path: str) -> tuple[syntax.Declaration, ...]:
    """The declarations of a file. Its mistakes stand in the tree as BROKEN_LINE; what begins on one of the `spoilt`
    lines becomes `Broken` too."""
    declarations: tuple[syntax.Declaration, ...] = _Builder(path, spoilt).transform(tree)
    return declarations


@dataclass(frozen=True, slots=True)
class _Otherwise:
    body: tuple[Any, ...]


@v_args(meta=True)
class _Builder(ConditionBuilder):
    """Adds blocks, declarations, settings and steps to values and conditions."""

    def __init__(self, path: str, spoilt: Mapping[int, Token]) -> None:
        super().__init__(path)
        self._spoilt = spoilt

    def _kept(self, node: Any) -> Any:
        """The node, or what stands for it when its line is spoilt. (Conditions of `if` are looked after apart.)"""
        line = None if isinstance(node, syntax.If) else self._spoilt.get(node.span.line)
        return self._broken(line, node.span, _below(node)) if line else node

    def _broken(self, line: Token, span: Span, body: tuple[Any, ...] = ()) -> syntax.Broken:
        word, _, name = line.partition(" ")
        return syntax.Broken(span=span, word=word, declares=name or None, body=body)

    def _condition(self, meta: Meta, condition: syntax.Condition) -> syntax.Condition | syntax.Broken:
        line = self._spoilt.get(meta.line)
        return self._broken(line, self._span(line)) if line else condition

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
        body = tuple(self._kept(part) for part in below if not isinstance(part, syntax.Branch | _Otherwise))
        branches = tuple(part for part in below if isinstance(part, syntax.Branch))
        otherwise = next((part.body for part in below if isinstance(part, _Otherwise)), None)
        head = self._broken(line, self._span(line))
        if word in _CONTINUING or word == "if" or branches or otherwise is not None:
            first = syntax.Branch(span=self._span(meta), condition=head, body=body or (head,))
            return syntax.If(span=self._span(meta), branches=(first, *branches), otherwise=otherwise)
        return self._broken(line, self._span(meta), body)

    # ── Declarations ──────────────────────────────────────────────────────────────────────────────────────────────────
    def let(self, meta: Meta, parts: list[Any]) -> syntax.Let:
        return syntax.Let(span=self._span(meta), name=self._word(parts[0]), value=parts[1])

    def field_declaration(self, meta: Meta, parts: list[Any]) -> syntax.FieldDeclaration:
        return syntax.FieldDeclaration(span=self._span(meta), name=parts[0], type=self._word(parts[1]))

    def event_declaration(self, meta: Meta, parts: list[Any]) -> syntax.EventDeclaration:
        return syntax.EventDeclaration(span=self._span(meta), name=self._word(parts[0]), properties=parts[1])

    def property(self, meta: Meta, parts: list[Any]) -> syntax.FieldDeclaration:
        name, kind = map(self._word, parts)
        return syntax.FieldDeclaration(span=self._span(meta), name=name, type=kind)

    def policy(self, meta: Meta, parts: list[Any]) -> syntax.Policy:
        return syntax.Policy(span=self._span(meta), lines=parts[0])

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

    # ── Settings ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def about(self, meta: Meta, parts: list[Any]) -> syntax.About:
        return syntax.About(span=self._span(meta), text=literals.text(parts[0], self._span(parts[0])))

    def run_every(self, meta: Meta, parts: list[Any]) -> syntax.RunEvery:
        return syntax.RunEvery(span=self._span(meta), duration=self._duration(parts[0]))

    def run_at(self, meta: Meta, parts: list[Any]) -> syntax.RunEvery:
        return syntax.RunEvery(span=self._span(meta), day=self._word(parts[0]), clock=self._clock(parts[1]))

    def on_event(self, meta: Meta, parts: list[Any]) -> syntax.OnEvent:
        event, where = (*parts, None)[:2]
        return syntax.OnEvent(span=self._span(meta), event=self._word(event), where=where)

    def when_condition(self, meta: Meta, parts: list[Any]) -> syntax.WhenCondition:
        return syntax.WhenCondition(span=self._span(meta), condition=parts[0])

    def start_line(self, meta: Meta, parts: list[Any]) -> syntax.Start:
        return syntax.Start(span=self._span(meta), moment=parts[0])

    def only_if(self, meta: Meta, parts: list[Any]) -> syntax.OnlyIf:
        return syntax.OnlyIf(span=self._span(meta), condition=parts[0])

    def enter_once(self, meta: Meta, _: list[Any]) -> syntax.Enter:
        return syntax.Enter(span=self._span(meta), kind="once")

    def enter_once_per(self, meta: Meta, parts: list[Any]) -> syntax.Enter:
        return syntax.Enter(span=self._span(meta), kind="per", per=parts[0])

    def enter_again(self, meta: Meta, parts: list[Any]) -> syntax.Enter:
        return syntax.Enter(span=self._span(meta), kind="again", after=self._duration(parts[0]))

    def enter_every_time(self, meta: Meta, _: list[Any]) -> syntax.Enter:
        return syntax.Enter(span=self._span(meta), kind="every")

    def leave(self, meta: Meta, parts: list[Any]) -> syntax.Leave:
        return syntax.Leave(span=self._span(meta), moment=parts[0])

    def goal(self, meta: Meta, parts: list[Any]) -> syntax.Goal:
        event, within, where = (*parts, None)[:3]
        return syntax.Goal(span=self._span(meta), event=self._word(event), within=self._duration(within), where=where)

    def holdout(self, meta: Meta, parts: list[Any]) -> syntax.Holdout:
        return syntax.Holdout(span=self._span(meta), share=literals.percent(parts[0], self._span(parts[0])))

    # ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def send(self, meta: Meta, parts: list[Any]) -> syntax.Send:
        channel, template, arguments = (*parts, ())[:3]
        return syntax.Send(
            span=self._span(meta), channel=self._word(channel), template=self._word(template), arguments=arguments
        )

    def argument(self, meta: Meta, parts: list[Any]) -> syntax.Argument:
        return syntax.Argument(span=self._span(meta), name=self._word(parts[0]), value=parts[1])

    def wait(self, meta: Meta, parts: list[Any]) -> syntax.Wait:
        by_kind = {part.type: part for part in parts}
        duration, weekday, clock = (by_kind.get(kind) for kind in ("DURATION", "WEEKDAY", "CLOCK_TIME"))
        return syntax.Wait(
            span=self._span(meta),
            duration=self._duration(duration) if duration else None,
            weekday=self._word(weekday) if weekday else None,
            clock=self._clock(clock) if clock else None,
        )

    def branch(self, meta: Meta, parts: list[Any]) -> syntax.If:
        condition, body, *more = self._condition(meta, parts[0]), *parts[1:]
        otherwise = more.pop().body if more and isinstance(more[-1], _Otherwise) else None
        end = body[-1].span if body else self._span(meta)
        first = syntax.Branch(span=self._span(meta).to(end), condition=condition, body=body)
        return syntax.If(span=self._span(meta), branches=(first, *more), otherwise=otherwise)

    def otherwise_if(self, meta: Meta, parts: list[Any]) -> syntax.Branch:
        return syntax.Branch(span=self._span(meta), condition=self._condition(meta, parts[0]), body=parts[1])

    def otherwise(self, _: Meta, parts: list[Any]) -> _Otherwise:
        return _Otherwise(parts[0])

    def experiment(self, meta: Meta, parts: list[Any]) -> syntax.Experiment:
        return syntax.Experiment(span=self._span(meta), name=self._word(parts[0]), lines=parts[1])

    def measure(self, meta: Meta, parts: list[Any]) -> syntax.Measure:
        event, within, where = (*parts, None)[:3]
        return syntax.Measure(
            span=self._span(meta), event=self._word(event), within=self._duration(within), where=where
        )

    def variant(self, meta: Meta, parts: list[Any]) -> syntax.Variant:
        name, share, body = parts
        return syntax.Variant(
            span=self._span(meta),
            name=self._word(name),
            share=literals.percent(share, self._span(share)),
            body=body,
        )

    def stop(self, meta: Meta, _: list[Any]) -> syntax.Stop:
        return syntax.Stop(span=self._span(meta))


def _below(node: syntax.Node) -> tuple[Any, ...]:
    """The block of a node."""
    match node:
        case syntax.Playbook(lines=lines) | syntax.Experiment(lines=lines) | syntax.Policy(lines=lines):
            return lines
        case syntax.EventDeclaration(properties=lines) | syntax.Send(arguments=lines) | syntax.Variant(body=lines):
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
