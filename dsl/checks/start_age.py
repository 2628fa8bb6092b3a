"""`start when` is bounded in age: else the first run would enter everybody of the past years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dsl import conditions as c
from dsl.catalog import YEARLY
from dsl.checks.staged import plain
from dsl.conditions import Condition
from dsl.diagnostics import Diagnostic
from dsl.program import Program
from dsl.wording import duration, say, written

_DAY = 86_400


def start_age(program: Program) -> Iterator[Diagnostic]:
    """Start conditions that grow true with age and never too old."""
    for playbook in program.playbooks:
        start = playbook.start_when
        if start is None or start.meaning is None:
            continue
        asked = plain(start.meaning, program.lifecycle, holds=True)
        if open_ways := [way for way in _ways(asked) if _is_open(way)]:
            growing = [test for test in open_ways[0] if _grows_old(test)]
            bound = _bound(min(growing, key=lambda test: isinstance(test, c.AnyOf)), program.catalog.currency)
            yield Diagnostic(
                code="WB350",
                span=start.span,
                message="This has no upper age: the first run would enter everybody for whom it came true years ago.",
                hint=f"Add a bound, such as `and {bound}`.",
                severity="warning",
            )


def _bound(test: Condition, currency: str) -> str:
    match test:
        case c.Recency(field=field, seconds=seconds) | c.Not(condition=c.Recency(field=field, seconds=seconds)):
            return f"{written(field, currency)} is in the last {_twice(seconds)}"
        case c.HasBeen(seconds=seconds):
            longer = replace(test, seconds=max(7 * _DAY, 2 * seconds // _DAY * _DAY))
            return f"not {say(longer, currency)}"
        case c.HasEvent(event=event, least=least, window=c.Window(kind="before", seconds=int(seconds))) if least:
            return f"has {event} in the last {_twice(seconds)}"
        case c.Compare():
            return "cart.updated_at is in the last 7 days"
        case _:
            return "last_seen_at is in the last 30 days"


def _twice(seconds: int) -> str:
    return duration(max(7 * _DAY, 2 * seconds // _DAY * _DAY))


def _ways(condition: Condition) -> list[list[Condition]]:
    """The alternatives of a condition, each as the tests that hold together; `or` inside `and` is kept as one test."""
    match condition:
        case c.AnyOf(conditions=parts):
            return [way for part in parts for way in _ways(part)]
        case c.AllOf(conditions=parts):
            return [[test for part in parts for test in _together(part)]]
        case _:
            return [[condition]]


def _together(condition: Condition) -> list[Condition]:
    if isinstance(condition, c.AllOf):
        return [test for part in condition.conditions for test in _together(part)]
    return [condition]


def _is_open(tests: list[Condition]) -> bool:
    return any(_grows_old(test) for test in tests) and not any(_is_bounded(test) for test in tests)


def _grows_old(test: Condition) -> bool:
    match test:
        case c.Recency(kind="ago"):
            return True
        case c.HasEvent(least=0, window=c.Window(kind="last")) | c.HasBeen():
            return True
        case c.HasEvent(window=c.Window(kind="before")) | c.Message(window=c.Window(kind="before")):
            return True
        case c.Not(condition=c.Recency(kind="last", field=field)):
            return field.name not in YEARLY
        case c.Not(condition=c.Message(window=c.Window(kind="last"))):
            return True
        case c.Compare(field=c.Field(name="cart.is_abandoned"), operator="is", value=c.Constant(value=True)):
            return True
        case c.AnyOf(conditions=parts):
            return any(_is_open(way) for part in parts for way in _ways(part))
        case _:
            return False


def _is_bounded(test: Condition) -> bool:
    match test:
        case c.Recency(kind="last" | "next") | c.Calendar(kind="after"):
            return True
        case c.HasEvent(least=least, window=c.Window(kind="last" | "between")) if least > 0:
            return True
        case c.Message(window=c.Window(kind="last" | "between")) | c.Not(condition=c.HasBeen()):
            return True
        case c.AnyOf(conditions=parts):
            return all(any(_is_bounded(test) for test in way) for part in parts for way in _ways(part))
        case c.Not(condition=c.Recency(kind="ago")):
            return True
        case _:
            return False
