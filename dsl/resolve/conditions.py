"""Conditions as written to conditions as meant: names resolved, segments put in, types compared.

`has E` means at least one, `has no E` exactly none. A length of time counts a day as 24 hours and a month as 30 days.
"""

from __future__ import annotations

from dataclasses import replace

from dsl import conditions as c
from dsl import syntax
from dsl.catalog import MARKETING
from dsl.conditions import Condition, Field
from dsl.program import Asked, Heard
from dsl.resolve import names, tests
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.types import TIMES, calendar, compared, contained, recent
from dsl.resolve.values import seconds
from dsl.suggest import did_you_mean, listed
from dsl.wording import say

MOST_TESTS = 400
"""Tests in one condition, with those of its segments: databases refuse what is much longer."""
DEEPEST = 60
"""Conditions within each other, with those of segments: databases refuse what is much deeper."""


def ask(node: syntax.Condition, scope: Scope) -> Asked:
    """A condition of a playbook."""
    meaning = condition(node, scope)
    if meaning is not None and (size(meaning) > MOST_TESTS or depth(meaning) > DEEPEST):
        scope.tell(
            "WB225",
            node.span,
            f"With its segments this condition holds {size(meaning)} tests, {depth(meaning)} deep; more than "
            f"{MOST_TESTS}, or {DEEPEST} deep, is too much.",
            "Use `is one of` for lists of values, or keep a field of its own for what is asked.",
        )
        meaning = None
    return Asked(
        span=node.span, meaning=meaning, text=say(meaning, scope.catalog.currency, scope.named) if meaning else ""
    )


def hear(
    word: syntax.Word, where: syntax.Condition | None, scope: Scope, within: syntax.Duration | None = None
) -> Heard:
    """An event with its `where`, and with its window if there is one."""
    event = names.event(word, scope)
    asked = ask(where, scope.about(event)) if where is not None else None
    length = seconds(within) if within else None
    return Heard(span=word.span, event=None if isinstance(event, Absent) else event.name, where=asked, seconds=length)


def condition(node: syntax.Condition, scope: Scope) -> Condition | None:
    """What is meant, or None with a problem told."""
    match node:
        case syntax.AllOf(conditions=parts):
            inner = _each(parts, scope)
            return c.AllOf(conditions=inner) if inner else None
        case syntax.AnyOf(conditions=parts):
            inner = _each(parts, scope)
            return c.AnyOf(conditions=inner) if inner else None
        case syntax.Not(condition=part):
            meant = condition(part, scope)
            return c.Not(condition=meant) if meant else None
        case (
            syntax.HasEvent()
            | syntax.LastEvent()
            | syntax.CanReceive()
            | syntax.InSegment()
            | syntax.InAudience()
            | syntax.Message()
        ) if scope.where is not None:
            scope.tell(
                "WB223",
                node.span,
                "A `where` asks about the event itself, and this asks about the person.",
                "Move it out: write it before, joined with `and`.",
            )
            return None
        case syntax.HasEvent():
            return _has_event(node, scope)
        case syntax.CanReceive():
            return _can_receive(node, scope)
        case syntax.InSegment():
            return _in_segment(node, scope)
        case syntax.LastEvent():
            return _last_event(node, scope)
        case syntax.InAudience():
            return tests.in_audience(node, scope)
        case syntax.Message():
            window = _window(node.window, scope) if node.window else None
            return tests.message(node, window, scope) if (window is None) == (node.window is None) else None
        case syntax.Top():
            return tests.top(node, scope)
        case syntax.Includes():
            return tests.includes(node, scope)
        case syntax.HasBeen():
            return tests.has_been(node, scope)
        case _:
            return _test(node, scope)


def size(meaning: Condition) -> int:
    """The number of tests in a condition."""
    match meaning:
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            return sum(size(part) for part in parts)
        case c.Not(condition=part):
            return size(part)
        case c.HasEvent(where=where) if where is not None:
            return 1 + size(where)
        case c.LastEvent(condition=asked, where=where):
            return 1 + size(asked) + (size(where) if where else 0)
        case c.OneOf(values=values):
            return len(values)
        case _:
            return 1


def depth(meaning: Condition) -> int:
    """How many conditions stand within each other."""
    match meaning:
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            return 1 + max(depth(part) for part in parts)
        case c.Not(condition=part):
            return 1 + depth(part)
        case _:
            return 1


def asks_entry(meaning: Condition) -> bool:
    """Whether some part of it counts `since entry`."""
    match meaning:
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            return any(asks_entry(part) for part in parts)
        case c.Not(condition=part):
            return asks_entry(part)
        case c.HasEvent(window=c.Window(kind="entry")) | c.Message(window=c.Window(kind="entry")):
            return True
        case _:
            return False


def _each(parts: tuple[syntax.Condition, ...], scope: Scope) -> tuple[Condition, ...] | None:
    meant = list[Condition | None]()
    for part in parts:
        meant.append(condition(part, scope))
        if isinstance(part, syntax.HasEvent):
            asked = scope.catalog.events.get(part.event.text) if part.where is not None else None
            scope = replace(scope, beside=asked)
    return tuple(part for part in meant if part is not None) if None not in meant else None


def _test(
    node: syntax.Compare
    | syntax.Equals
    | syntax.OneOf
    | syntax.Known
    | syntax.Recency
    | syntax.Calendar
    | syntax.Contains,
    scope: Scope,
) -> Condition | None:
    match node:
        case syntax.Compare(value=value) | syntax.Equals(value=value):
            left = names.field(node.field, scope, names.types_beside((value,), scope))
            operator = node.operator if isinstance(node, syntax.Compare) else "is not" if node.negated else "is"
            pair = _pair(left, value, operator, node, scope)
            return c.Compare(field=pair[0], operator=operator, value=pair[1]) if pair else None
        case syntax.OneOf(values=values):
            left = names.field(node.field, scope, names.types_beside(values, scope))
            meant: list[c.Operand] = []
            for value in values:
                if pair := _pair(left, value, "is", node, scope):
                    left = pair[0]  # a field of no declared type takes the first value's
                    meant.append(pair[1])
            return c.OneOf(field=left, values=tuple(meant)) if left and len(meant) == len(values) else None
        case syntax.Known(negated=negated):
            left = names.field(node.field, scope)
            known = c.Known(field=left) if left else None
            return c.Not(condition=known) if known and negated else known
        case syntax.Recency():
            return recent(node, names.field(node.field, scope, TIMES), scope)
        case syntax.Calendar():
            return calendar(node, names.field(node.field, scope, TIMES), scope)
        case syntax.Contains():
            return contained(node, names.field(node.field, scope), scope)


def _pair(
    left: Field | None, value: syntax.Value, operator: str, node: syntax.Node, scope: Scope
) -> tuple[Field, c.Operand] | None:
    right = names.against(value, left, scope)
    return compared(left, right, operator, value, node, scope) if left and right else None


def _has_event(node: syntax.HasEvent, scope: Scope) -> Condition | None:
    event = names.event(node.event, scope)
    where = condition(node.where, scope.about(event)) if node.where is not None else None
    window = _window(node.window, scope) if node.window else None
    bounds = (0, 0) if node.negated else _bounds(node.times, scope) if node.times else (1, None)
    if isinstance(event, Absent) or bounds is None:
        return None
    if (where is None) != (node.where is None) or (window is None) != (node.window is None):
        return None
    return c.HasEvent(event=event.name, least=bounds[0], most=bounds[1], window=window, where=where)


def _last_event(node: syntax.LastEvent, scope: Scope) -> Condition | None:
    event = names.event(node.event, scope)
    where = condition(node.where, scope.about(event)) if node.where is not None else None
    asked = condition(node.condition, scope.about(event))
    if isinstance(event, Absent) or asked is None or (where is None) != (node.where is None):
        return None
    return c.LastEvent(event=event.name, condition=asked, where=where)


def _bounds(times: syntax.Times, scope: Scope) -> tuple[int, int | None] | None:
    match times.kind:
        case "at_least":
            if times.count > 0:
                return times.count, None
            scope.tell("WB301", times.span, "Everybody did it at least 0 times.", "Write `at least 1 times`, or more.")
            return None
        case "at_most":
            return 0, times.count
        case "exactly":
            return times.count, times.count


def _window(window: syntax.Window, scope: Scope) -> c.Window | None:
    match window.kind:
        case "entry":
            if scope.entry:
                return c.Window(kind="entry")
            scope.tell(
                "WB302",
                window.span,
                f"`since entry` counts from the moment somebody entered, and {scope.place} nobody has yet.",
                "Write a length of time: `in the last 30 days`.",
            )
            return None
        case "between" if window.start and window.end:
            start, end = window.start.value.isoformat(), window.end.value.isoformat()
            if start <= end:
                return c.Window(kind="between", start=start, end=end)
            scope.tell(
                "WB303",
                window.span,
                f"These days run backwards: {start} is after {end}.",
                f"Write `between {end} and {start}`.",
            )
            return None
        case kind:
            return c.Window(kind=kind, seconds=seconds(window.duration)) if window.duration else None


def _can_receive(node: syntax.CanReceive, scope: Scope) -> Condition | None:
    channel = names.channel(node.channel, scope)
    topic = node.topic.text if node.topic else MARKETING
    topics = scope.catalog.topics()
    if node.topic and scope.catalog.templates and topic not in topics:
        hint = did_you_mean(topic, topics) or f"The topics of your templates are {listed(sorted(topics))}."
        scope.tell("WB226", node.topic.span, f"No template is about `{topic}`.", hint)
        return None
    return c.CanReceive(channel=channel, topic=topic) if channel else None


def _in_segment(node: syntax.InSegment, scope: Scope) -> Condition | None:
    name = node.segment.text
    segment = scope.segments.get(name)
    if segment is None:
        if name not in scope.suspects:
            hint = did_you_mean(name, scope.segments) or f"Declare it: `segment {name} when …`."
            if scope.catalog.field(name):
                hint = f"`{name}` is a field: write it like `{name} is known`, without `in segment`."
            elif name in scope.catalog.events:
                hint = f"`{name}` is an event: write it like `has {name} in the last 30 days`."
            scope.tell("WB205", node.segment.span, f"There is no segment called `{name}`.", hint)
        return None
    if segment.meaning is not None and not scope.entry and asks_entry(segment.meaning):
        scope.tell(
            "WB302",
            node.span,
            f"The segment `{name}` asks `since entry`, and {scope.place} nobody has entered yet.",
            "Use it in the steps, or write a length of time in the segment.",
        )
        return None
    return segment.meaning
