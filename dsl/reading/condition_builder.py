"""From Lark's tree to nodes: values, names and conditions."""

from __future__ import annotations

from typing import Any, Literal

from lark import Token, Transformer, v_args
from lark.tree import Meta

from dsl import syntax
from dsl.diagnostics import Span
from dsl.reading import literals


@v_args(meta=True)
class ConditionBuilder(Transformer[Token, Any]):
    """Methods are named after the grammar's rules, and take the place and the parts of what was read."""

    def __init__(self, path: str) -> None:
        super().__init__(visit_tokens=False)
        self._path = path

    def _span(self, place: Meta | Token) -> Span:
        assert place.line and place.column and place.end_line and place.end_column
        return Span(
            file=self._path,
            line=place.line,
            column=place.column,
            end_line=place.end_line,
            end_column=place.end_column,
        )

    def _word(self, token: Token) -> syntax.Word:
        return syntax.Word(span=self._span(token), text=str(token))

    def _duration(self, token: Token) -> syntax.Duration:
        return literals.duration(token, self._span(token))

    def _clock(self, token: Token) -> syntax.Clock:
        return literals.clock(token, self._span(token))

    # ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────
    def literal(self, meta: Meta, parts: list[Any]) -> syntax.Value:
        return literals.value(parts[0], self._span(meta))

    def field(self, meta: Meta, parts: list[Any]) -> syntax.Word:
        return syntax.Word(span=self._span(meta), text=".".join(parts))

    # ── And, or, not ──────────────────────────────────────────────────────────────────────────────────────────────────
    def any_of(self, meta: Meta, parts: list[Any]) -> syntax.Condition:
        return parts[0] if len(parts) == 1 else syntax.AnyOf(span=self._span(meta), conditions=tuple(parts))

    def all_of(self, meta: Meta, parts: list[Any]) -> syntax.Condition:
        return parts[0] if len(parts) == 1 else syntax.AllOf(span=self._span(meta), conditions=tuple(parts))

    def negate(self, meta: Meta, parts: list[Any]) -> syntax.Not:
        return syntax.Not(span=self._span(meta), condition=parts[0])

    # ── Fields ────────────────────────────────────────────────────────────────────────────────────────────────────────
    def compare(self, meta: Meta, parts: list[Any]) -> syntax.Compare:
        operators: dict[str, syntax.Operator] = {">": ">", ">=": ">=", "<": "<", "<=": "<="}
        field, operator, value = parts
        return syntax.Compare(span=self._span(meta), field=field, operator=operators[operator], value=value)

    def equals(self, meta: Meta, parts: list[Any]) -> syntax.Equals:
        return syntax.Equals(span=self._span(meta), field=parts[0], value=parts[1])

    def differs(self, meta: Meta, parts: list[Any]) -> syntax.Equals:
        return syntax.Equals(span=self._span(meta), field=parts[0], value=parts[1], negated=True)

    def one_of(self, meta: Meta, parts: list[Any]) -> syntax.OneOf:
        return syntax.OneOf(span=self._span(meta), field=parts[0], values=tuple(parts[1:]))

    def known(self, meta: Meta, parts: list[Any]) -> syntax.Known:
        return syntax.Known(span=self._span(meta), field=parts[0])

    def unknown(self, meta: Meta, parts: list[Any]) -> syntax.Known:
        return syntax.Known(span=self._span(meta), field=parts[0], negated=True)

    def _recency(self, meta: Meta, parts: list[Any], kind: Literal["ago", "last", "next"]) -> syntax.Recency:
        return syntax.Recency(span=self._span(meta), field=parts[0], kind=kind, duration=self._duration(parts[1]))

    def more_than_ago(self, meta: Meta, parts: list[Any]) -> syntax.Recency:
        return self._recency(meta, parts, "ago")

    def is_in_the_last(self, meta: Meta, parts: list[Any]) -> syntax.Recency:
        return self._recency(meta, parts, "last")

    def is_in_the_next(self, meta: Meta, parts: list[Any]) -> syntax.Recency:
        return self._recency(meta, parts, "next")

    def _calendar(self, meta: Meta, parts: list[Any], kind: Literal["before", "after"]) -> syntax.Calendar:
        return syntax.Calendar(span=self._span(meta), field=parts[0], kind=kind, day=self._day(parts[1]))

    def _day(self, token: Token) -> syntax.Day:
        return literals.day(token, self._span(token))

    def is_before(self, meta: Meta, parts: list[Any]) -> syntax.Calendar:
        return self._calendar(meta, parts, "before")

    def is_after(self, meta: Meta, parts: list[Any]) -> syntax.Calendar:
        return self._calendar(meta, parts, "after")

    def _contains(self, meta: Meta, parts: list[Any], kind: Literal["starts_with", "contains"]) -> syntax.Contains:
        text = literals.text(parts[1], self._span(parts[1]))
        return syntax.Contains(span=self._span(meta), field=parts[0], kind=kind, text=text)

    def starts_with(self, meta: Meta, parts: list[Any]) -> syntax.Contains:
        return self._contains(meta, parts, "starts_with")

    def contains(self, meta: Meta, parts: list[Any]) -> syntax.Contains:
        return self._contains(meta, parts, "contains")

    def is_in_the_top(self, meta: Meta, parts: list[Any]) -> syntax.Top:
        share = literals.percent(parts[1], self._span(parts[1]))
        return syntax.Top(span=self._span(meta), field=parts[0], share=share)

    def includes(self, meta: Meta, parts: list[Any]) -> syntax.Includes:
        return syntax.Includes(span=self._span(meta), field=parts[0], value=parts[1])

    def has_been(self, meta: Meta, parts: list[Any]) -> syntax.HasBeen:
        field, value, duration = parts
        return syntax.HasBeen(span=self._span(meta), field=field, value=value, duration=self._duration(duration))

    # ── Events, consent, segments ─────────────────────────────────────────────────────────────────────────────────────
    def _has(self, meta: Meta, parts: list[Any], negated: bool) -> syntax.HasEvent:
        event, *more = parts
        return syntax.HasEvent(
            span=self._span(meta),
            event=self._word(event),
            negated=negated,
            times=next((part for part in more if isinstance(part, syntax.Times)), None),
            window=next((part for part in more if isinstance(part, syntax.Window)), None),
            where=next((part for part in more if not isinstance(part, syntax.Times | syntax.Window)), None),
        )

    def has_event(self, meta: Meta, parts: list[Any]) -> syntax.HasEvent:
        return self._has(meta, parts, negated=False)

    def has_no_event(self, meta: Meta, parts: list[Any]) -> syntax.HasEvent:
        return self._has(meta, parts, negated=True)

    def _times(self, meta: Meta, parts: list[Any], kind: Literal["at_least", "at_most", "exactly"]) -> syntax.Times:
        return syntax.Times(span=self._span(meta), kind=kind, count=literals.count(parts[0]))

    def at_least(self, meta: Meta, parts: list[Any]) -> syntax.Times:
        return self._times(meta, parts, "at_least")

    def at_most(self, meta: Meta, parts: list[Any]) -> syntax.Times:
        return self._times(meta, parts, "at_most")

    def exactly(self, meta: Meta, parts: list[Any]) -> syntax.Times:
        return self._times(meta, parts, "exactly")

    def in_the_last(self, meta: Meta, parts: list[Any]) -> syntax.Window:
        return syntax.Window(span=self._span(meta), kind="last", duration=self._duration(parts[0]))

    def since_entry(self, meta: Meta, _: list[Any]) -> syntax.Window:
        return syntax.Window(span=self._span(meta), kind="entry")

    def before_ago(self, meta: Meta, parts: list[Any]) -> syntax.Window:
        return syntax.Window(span=self._span(meta), kind="before", duration=self._duration(parts[0]))

    def between(self, meta: Meta, parts: list[Any]) -> syntax.Window:
        start, end = map(self._day, parts)
        return syntax.Window(span=self._span(meta), kind="between", start=start, end=end)

    def where(self, _: Meta, parts: list[Any]) -> syntax.Condition:
        condition: syntax.Condition = parts[0]
        return condition

    def can_receive(self, meta: Meta, parts: list[Any]) -> syntax.CanReceive:
        channel, *topic = map(self._word, parts)
        return syntax.CanReceive(span=self._span(meta), channel=channel, topic=topic[0] if topic else None)

    def in_segment(self, meta: Meta, parts: list[Any]) -> syntax.InSegment:
        return syntax.InSegment(span=self._span(meta), segment=self._word(parts[0]))

    def in_audience(self, meta: Meta, parts: list[Any]) -> syntax.InAudience:
        return syntax.InAudience(span=self._span(meta), audience=self._word(parts[0]))

    def last_event(self, meta: Meta, parts: list[Any]) -> syntax.LastEvent:
        event, *where, condition = parts
        return syntax.LastEvent(
            span=self._span(meta), event=self._word(event), condition=condition, where=where[0] if where else None
        )

    def message(self, meta: Meta, parts: list[Any]) -> syntax.Message:
        kinds: dict[str, Literal["received", "opened", "clicked"]] = {
            "received": "received", "opened": "opened", "clicked": "clicked"
        }  # fmt: skip
        kind, template, *window = parts
        return syntax.Message(
            span=self._span(meta), kind=kinds[kind], template=self._word(template), window=window[0] if window else None
        )
