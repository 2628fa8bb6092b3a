"""One playbook as written to the playbook as meant. Of a setting that stands twice the first counts; `checks` tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from dsl import plan, program, syntax
from dsl.catalog import Event
from dsl.resolve import names
from dsl.resolve.conditions import ask, hear
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.steps import body
from dsl.resolve.values import clock, seconds, weekday
from dsl.types import Type

_S = TypeVar("_S", bound=syntax.Node)
_KEYS = frozenset({Type.TEXT, Type.NUMBER, Type.DATE, Type.TIMESTAMP, Type.YES_NO, Type.MONEY, Type.ANY})


def playbook(node: syntax.Playbook, scope: Scope, unread: frozenset[str]) -> program.Playbook:
    """The playbook; what is wrong with it is told to `scope`, once."""
    about, run = _first(node, syntax.About), _first(node, syntax.RunEvery)
    start, only_if, enter = _first(node, syntax.Start), _first(node, syntax.OnlyIf), _first(node, syntax.Enter)
    goal, holdout = _first(node, syntax.Goal), _first(node, syntax.Holdout)
    entered, start_on, start_when = scope, None, None
    match start.moment if start else None:
        case syntax.OnEvent(event=event, where=where):
            start_on = hear(event, where, replace(scope, start=Absent.OWN, place="in `start on`"))
            known = scope.catalog.events.get(event.text)
            entered = replace(scope, start=known or Absent.BROKEN)
        case syntax.WhenCondition(condition=condition):
            start_when = ask(condition, replace(scope, place="in `start when`"))
        case None:
            entered = replace(scope, start=Absent.BROKEN)
    inside = replace(entered, entry=True)
    exits = tuple(
        hear(line.moment.event, line.moment.where, inside)
        if isinstance(line.moment, syntax.OnEvent)
        else ask(line.moment.condition, inside)
        for line in node.lines
        if isinstance(line, syntax.Leave)
    )
    return program.Playbook(
        source=node,
        name=node.name.text,
        about=about.text.value if about else "",
        schedule=schedule(run) if run else None,
        start_on=start_on,
        start_when=start_when,
        only_if=ask(only_if.condition, replace(entered, place="in `only if`")) if only_if else None,
        entry=_entry(enter, entered) if enter else None,
        exits=exits,
        goal=hear(goal.event, goal.where, replace(entered, place="in `goal`"), goal.within) if goal else None,
        holdout=float(holdout.share.amount) if holdout else 0.0,
        body=body(tuple(line for line in node.lines if isinstance(line, syntax.Step)), inside),
        unread=unread,
    )


def schedule(run: syntax.RunEvery) -> plan.Schedule | None:
    """When a playbook runs, or an audience is refreshed."""
    match run:
        case syntax.RunEvery(duration=syntax.Duration() as duration):
            return plan.Schedule(seconds=seconds(duration))
        case syntax.RunEvery(clock=syntax.Clock(value=at), day=day):
            is_daily = day is None or day.text == "day"
            return plan.Schedule(time=clock(at), weekday=None if day is None or is_daily else weekday(day))
        case _:
            return None


def _entry(enter: syntax.Enter, scope: Scope) -> plan.Entry | None:
    match enter:
        case syntax.Enter(kind="again", after=syntax.Duration() as after):
            return plan.Entry(kind="again", seconds=seconds(after))
        case syntax.Enter(kind="per", per=syntax.Word() as word):
            return _keyed(word, scope)
        case syntax.Enter(kind=kind):
            return plan.Entry(kind=kind)


def _keyed(word: syntax.Word, scope: Scope) -> plan.Entry | None:
    if not word.text.startswith("event."):
        event = scope.start.name if isinstance(scope.start, Event) else ""
        is_property = scope.catalog.property(event, word.text) is not None
        scope.tell(
            "WB229",
            word.span,
            f"`enter once per` counts the events that start the playbook, and `{word.text}` is not one's property.",
            f"Write `event.{word.text}`." if is_property else "Write it like `event.order_id`.",
        )
        return None
    key = names.starting_property(word, scope)
    if key is None:
        return None
    if key.type not in _KEYS:
        scope.tell(
            "WB229",
            word.span,
            f"`{word.text}` holds a list, so that no two events are told apart by it.",
            "Take a property such as `event.order_id`.",
        )
        return None
    return plan.Entry(kind="per", per=key.name)


def _first(node: syntax.Playbook, kind: type[_S]) -> _S | None:
    lines: Sequence[syntax.Node] = node.lines
    return next((line for line in lines if isinstance(line, kind)), None)
