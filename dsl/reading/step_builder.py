"""From Lark's tree to nodes: settings and steps of playbooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lark import Token, v_args
from lark.tree import Meta

from dsl import syntax
from dsl.diagnostics import Span
from dsl.reading import literals
from dsl.reading.condition_builder import ConditionBuilder


@dataclass(frozen=True, slots=True)
class Otherwise:
    """The last way of a fork, until the fork takes it in."""

    body: tuple[Any, ...]


def without_forks(lines: tuple[Any, ...]) -> tuple[Any, ...]:
    """The lines of a block that holds no steps: a stray `otherwise` in it is a line that cannot be read."""
    return tuple(
        line.branches[0].condition
        if isinstance(line, syntax.If) and isinstance(line.branches[0].condition, syntax.Broken)
        else line
        for line in lines
    )


@v_args(meta=True)
class StepBuilder(ConditionBuilder):
    """Adds settings and steps to values and conditions."""

    def __init__(self, path: str, spoilt: Mapping[int, Token]) -> None:
        super().__init__(path)
        self._spoilt = spoilt

    def _broken(self, line: Token, span: Span, body: tuple[Any, ...] = ()) -> syntax.Broken:
        word, _, name = line.partition(" ")
        return syntax.Broken(span=span, word=word, declares=name or None, body=body)

    def _condition(self, meta: Meta, condition: syntax.Condition) -> syntax.Condition | syntax.Broken:
        line = self._spoilt.get(meta.line)
        return self._broken(line, self._span(line)) if line else condition

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
    def arguments(self, _: Meta, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)  # nothing: a block is built by `block`

    def send(self, meta: Meta, parts: list[Any]) -> syntax.Send:
        channel, template, arguments = parts
        return syntax.Send(
            span=self._span(meta),
            channel=self._word(channel),
            template=self._word(template),
            arguments=without_forks(arguments),
        )

    def create(self, meta: Meta, parts: list[Any]) -> syntax.Create:
        noun, team, arguments = parts
        return syntax.Create(
            span=self._span(meta), noun=self._word(noun), team=self._word(team), arguments=without_forks(arguments)
        )

    def update(self, meta: Meta, parts: list[Any]) -> syntax.Update:
        return syntax.Update(span=self._span(meta), noun=self._word(parts[0]), arguments=without_forks(parts[1]))

    def set(self, meta: Meta, parts: list[Any]) -> syntax.Set:
        return syntax.Set(span=self._span(meta), field=parts[0], value=parts[1])

    def add(self, meta: Meta, parts: list[Any]) -> syntax.ChangeAudience:
        return syntax.ChangeAudience(span=self._span(meta), kind="add", audience=self._word(parts[0]))

    def remove(self, meta: Meta, parts: list[Any]) -> syntax.ChangeAudience:
        return syntax.ChangeAudience(span=self._span(meta), kind="remove", audience=self._word(parts[0]))

    def enroll(self, meta: Meta, parts: list[Any]) -> syntax.Enroll:
        return syntax.Enroll(span=self._span(meta), playbook=self._word(parts[0]))

    def argument(self, meta: Meta, parts: list[Any]) -> syntax.Argument:
        return syntax.Argument(span=self._span(meta), name=self._word(parts[0]), value=parts[1])

    # ── Waits ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def wait(self, meta: Meta, parts: list[Any]) -> syntax.Wait:
        return syntax.Wait(span=self._span(meta), what=parts[0])

    def wait_span(self, meta: Meta, parts: list[Any]) -> syntax.WaitSpan:
        return syntax.WaitSpan(span=self._span(meta), duration=self._duration(parts[0]))

    def wait_clock(self, meta: Meta, parts: list[Any]) -> syntax.WaitClock:
        *before, clock = parts
        by_kind = {part.type: part for part in before}
        duration, weekday = by_kind.get("DURATION"), by_kind.get("WEEKDAY")
        return syntax.WaitClock(
            span=self._span(meta),
            clock=self._clock(clock),
            weekday=self._word(weekday) if weekday else None,
            duration=self._duration(duration) if duration else None,
        )

    def wait_field(self, meta: Meta, parts: list[Any]) -> syntax.WaitField:
        *before, field = parts
        if not before:
            return syntax.WaitField(span=self._span(meta), field=field)
        duration, side = before
        return syntax.WaitField(
            span=self._span(meta),
            field=field,
            offset=self._duration(duration),
            side="before" if side.type == "BEFORE" else "after",
        )

    def wait_event(self, meta: Meta, parts: list[Any]) -> syntax.WaitEvent:
        event, *where, up_to = parts
        return syntax.WaitEvent(
            span=self._span(meta),
            event=self._word(event),
            up_to=self._duration(up_to),
            where=where[0] if where else None,
        )

    def wait_condition(self, meta: Meta, parts: list[Any]) -> syntax.WaitCondition:
        condition, up_to = parts
        return syntax.WaitCondition(span=self._span(meta), condition=condition, up_to=self._duration(up_to))

    # ── Forks ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    def branch(self, meta: Meta, parts: list[Any]) -> syntax.If:
        condition, body, *more = self._condition(meta, parts[0]), *parts[1:]
        otherwise = more.pop().body if more and isinstance(more[-1], Otherwise) else None
        end = body[-1].span if body else self._span(meta)
        first = syntax.Branch(span=self._span(meta).to(end), condition=condition, body=body)
        return syntax.If(span=self._span(meta), branches=(first, *more), otherwise=otherwise)

    def otherwise_if(self, meta: Meta, parts: list[Any]) -> syntax.Branch:
        return syntax.Branch(span=self._span(meta), condition=self._condition(meta, parts[0]), body=parts[1])

    def otherwise(self, _: Meta, parts: list[Any]) -> Otherwise:
        return Otherwise(parts[0])

    def experiment(self, meta: Meta, parts: list[Any]) -> syntax.Experiment:
        return syntax.Experiment(span=self._span(meta), name=self._word(parts[0]), lines=without_forks(parts[1]))

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
