"""Waits as written to waits as meant."""

from __future__ import annotations

from dataclasses import replace

from dsl import conditions as c
from dsl import program, syntax
from dsl.diagnostics import Span
from dsl.resolve import names
from dsl.resolve.conditions import ask
from dsl.resolve.scope import Scope
from dsl.resolve.types import TIMES
from dsl.resolve.values import clock, seconds, weekday
from dsl.types import Type
from dsl.wording import plural, where


def wait(what: syntax.Waiting, span: Span, scope: Scope) -> program.Wait:
    """A wait, or what an outcome of a scenario says of one."""
    match what:
        case syntax.WaitSpan(duration=length):
            return program.Wait(span=span, words=_length(length), seconds=seconds(length), whole=bool(seconds(length)))
        case syntax.WaitClock():
            return _until_clock(what, span, scope)
        case syntax.WaitField():
            return _until_field(what, span, scope)
        case syntax.WaitEvent():
            return _for_event(what, span, scope)
        case syntax.WaitCondition(condition=condition, up_to=up_to):
            asked, most = ask(condition, scope), seconds(up_to)
            words = f"until {asked.text} up to {_length(up_to)}"
            return program.Wait(
                span=span, words=words, seconds=most, asked=asked, whole=asked.meaning is not None and bool(most)
            )


def _length(length: syntax.Duration) -> str:
    return f"{length.count} {plural(length.unit, length.count)}"


def _until_clock(what: syntax.WaitClock, span: Span, scope: Scope) -> program.Wait:
    at, length = clock(what.clock.value), what.duration
    count = _length(length) if length else ""
    day = weekday(what.weekday) if what.weekday else None
    words = f"{count} until {f'{day} ' if day else ''}{at}".strip()
    lasts = seconds(length) if length else None
    days = None if lasts is None else lasts // 86_400
    if length and length.unit in ("minute", "hour"):
        scope.tell(
            "WB304",
            length.span,
            f"`wait … until {at}` counts calendar days, and this counts {length.unit}s.",
            f"Write `wait 1 day until {at}`, or two lines: `wait {count}`, then `wait until {at}`.",
        )
        days = None
    return program.Wait(span=span, words=words, days=days, time=at, weekday=day)


def _until_field(what: syntax.WaitField, span: Span, scope: Scope) -> program.Wait:
    field, offset = names.field(what.field, scope, TIMES), what.offset
    words = f"until {f'{_length(offset)} {what.side} ' if offset else ''}{what.field.text}"
    if field is not None and field.type not in (*TIMES, Type.ANY):
        scope.tell(
            "WB235",
            what.field.span,
            f"`{what.field.text}` is {field.type.value.replace('_', ' ')} and no time, so nothing can wait until then.",
            "Take a field of type date or timestamp.",
        )
        field = None
    if field is not None and field.type is Type.ANY:
        field = replace(field, type=Type.TIMESTAMP)
    length = (seconds(offset) or 0) if offset else 0
    return program.Wait(
        span=span,
        words=words,
        field=field,
        offset=-length if what.side == "before" else length,
        whole=field is not None,
    )


def _for_event(what: syntax.WaitEvent, span: Span, scope: Scope) -> program.Wait:
    asked = ask(
        syntax.HasEvent(
            span=what.span,
            event=what.event,
            window=syntax.Window(span=what.event.span, kind="entry"),
            where=what.where,
        ),
        replace(scope, entry=True),
    )
    most, currency = seconds(what.up_to), scope.catalog.currency
    told = ""
    match asked.meaning:
        case c.HasEvent(where=condition) if condition is not None:
            told = f" {where(condition, currency)}"
    return program.Wait(
        span=span,
        words=f"for {what.event.text}{told} up to {_length(what.up_to)}",
        seconds=most,
        asked=asked,
        event=what.event.text,
        whole=asked.meaning is not None and bool(most),
    )
