"""From Lark's tree to nodes: scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lark import v_args
from lark.tree import Meta

from dsl import syntax
from dsl.reading import literals
from dsl.reading.step_builder import StepBuilder, without_forks


@v_args(meta=True)
class ScenarioBuilder(StepBuilder):
    """Adds the lines of scenarios."""

    # ── Scenarios ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def scenario(self, meta: Meta, parts: list[Any]) -> syntax.Scenario:
        name, playbook, lines = parts
        return syntax.Scenario(
            span=self._span(meta),
            name=literals.text(name, self._span(name)),
            playbook=self._word(playbook),
            lines=without_forks(lines),
        )

    def given_clock(self, meta: Meta, parts: list[Any]) -> syntax.GivenClock:
        return syntax.GivenClock(span=self._span(meta), day=self._day(parts[0]), clock=self._clock(parts[1]))

    def given_field(self, meta: Meta, parts: list[Any]) -> syntax.GivenField:
        return syntax.GivenField(span=self._span(meta), field=parts[0], value=parts[1])

    def given_event(self, meta: Meta, parts: list[Any]) -> syntax.GivenEvent:
        event, ago, properties = parts
        return syntax.GivenEvent(
            span=self._span(meta),
            event=self._word(event),
            ago=self._duration(ago),
            properties=without_forks(properties),
        )

    def facts(self, _: Meta, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)  # nothing: a block is built by `block`

    def fact(self, meta: Meta, parts: list[Any]) -> syntax.Dated:
        return syntax.Dated(span=self._span(meta), name=self._word(parts[0]), value=parts[1])

    def instant(self, meta: Meta, parts: list[Any]) -> syntax.Instant:
        return syntax.Instant(span=self._span(meta), day=self._day(parts[0]), clock=self._clock(parts[1]))

    def given_arm(self, meta: Meta, parts: list[Any]) -> syntax.GivenArm:
        experiment, arm = map(self._word, parts)
        return syntax.GivenArm(span=self._span(meta), experiment=experiment, arm=arm)

    def after_event(self, meta: Meta, parts: list[Any]) -> syntax.AfterEvent:
        after, event, properties = parts
        return syntax.AfterEvent(
            span=self._span(meta),
            after=self._duration(after),
            event=self._word(event),
            properties=without_forks(properties),
        )

    def after_set(self, meta: Meta, parts: list[Any]) -> syntax.AfterSet:
        after, field, value = parts
        return syntax.AfterSet(span=self._span(meta), after=self._duration(after), field=field, value=value)

    def after_message(self, meta: Meta, parts: list[Any]) -> syntax.AfterMessage:
        after, kind, template = parts
        return syntax.AfterMessage(
            span=self._span(meta),
            after=self._duration(after),
            kind="opened" if kind.type == "OPENED" else "clicked",
            template=self._word(template),
        )

    def outcome(self, meta: Meta, parts: list[Any]) -> syntax.Outcome:
        kind, *names = parts
        words: list[syntax.Word | None] = [self._word(each) for each in names]
        *channel, name = words or [None]
        return syntax.Outcome(
            span=self._span(meta), kind=_OUTCOMES[kind.type], channel=channel[0] if channel else None, name=name
        )

    def outcome_wait(self, meta: Meta, parts: list[Any]) -> syntax.Outcome:
        return syntax.Outcome(span=self._span(meta), kind="wait", wait=parts[0])

    def expect(self, meta: Meta, parts: list[Any]) -> syntax.Expect:
        outcome, *more = parts
        by_kind = {part.type: part for part in more}
        times, duration = by_kind.get("NUMBER"), by_kind.get("DURATION")
        return syntax.Expect(
            span=self._span(meta),
            outcome=outcome,
            times=literals.count(times) if times else None,
            after=self._duration(duration) if duration else None,
        )

    def expect_no(self, meta: Meta, parts: list[Any]) -> syntax.ExpectNo:
        outcome, *more = parts
        return syntax.ExpectNo(
            span=self._span(meta), outcome=outcome, before=self._duration(more[-1]) if more else None
        )


_OUTCOMES: Mapping[str, Literal["enter", "leave", "goal", "send", "create", "update", "add", "remove"]] = {
    "ENTER": "enter",
    "LEAVE": "leave",
    "GOAL": "goal",
    "SEND": "send",
    "CREATE": "create",
    "UPDATE": "update",
    "ADD": "add",
    "REMOVE": "remove",
}
