"""Scenarios after checking: what is given, what happens, and what is expected, with names resolved and values typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dsl import syntax
from dsl.conditions import Constant, Field
from dsl.diagnostics import Span

Outcome = Literal["enter", "leave", "goal", "send", "create", "update", "add", "remove", "wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, with its place and its words, for messages."""

    span: Span = field(compare=False)
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenClock(Line):
    """When the scenario starts, in the person's zone."""

    day: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenField(Line):
    """A field of the person, from the start on: `stage`, consents (`sms_consent`) and fields of the shop's own too.

    The value is of the field's type; of a list one text, of a point in time a day, `2026-12-24`
    (type date), or one with its time, `2026-12-24 09:00`, where the person lives."""

    field: Field
    value: Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvent(Line):
    event: str
    seconds_ago: int
    properties: tuple[tuple[str, Constant], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenArm(Line):
    experiment: str
    arm: str
    """A variant, or `plan.HOLDOUT_ARM`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEvent(Line):
    seconds: int
    event: str
    properties: tuple[tuple[str, Constant], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSet(Line):
    seconds: int
    field: Field
    value: Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterMessage(Line):
    seconds: int
    kind: Literal["opened", "clicked"]
    template: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(Line):
    """`expect OUTCOME [N times] [after D]`, or with `never` `expect no OUTCOME [before D]`."""

    outcome: Outcome
    name: str | None = None
    """The template, the noun or the audience; of a wait its words, `2 days`."""
    channel: str | None = None
    times: int | None = None
    """None: at least once."""
    after: int | None = None
    """Seconds since entry, give or take the playbook's schedule."""
    never: bool = False
    before: int | None = None
    """Seconds since the scenario's start; with `never`."""


ScenarioLine = GivenClock | GivenField | GivenEvent | GivenArm | AfterEvent | AfterSet | AfterMessage | Expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`lines` in the order written."""

    source: syntax.Scenario = field(compare=False)
    name: str
    playbook: str
    span: Span = field(compare=False)
    """The place of the name."""
    lines: tuple[ScenarioLine, ...]
