"""Scenarios as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.syntax.steps import Argument, Waiting
from dsl.syntax.values import Broken, Clock, Day, Duration, Fact, Instant, Node, Text, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenClock(Node):
    """`given clock 2026-03-07 12:00`"""

    day: Day
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Node):
    """`starts_at = 2026-05-08 15:00`, a property of an event"""

    name: Word
    value: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenField(Node):
    """`given cart.total = $300`"""

    field: Word
    value: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvent(Node):
    """`given product_added 24 hours ago`, with a block of properties"""

    event: Word
    ago: Duration
    properties: tuple[Argument | Dated | Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenArm(Node):
    """`given experiment welcome_offer picks ten_percent`"""

    experiment: Word
    arm: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterEvent(Node):
    """`after 12 hours order_completed`, with a block of properties"""

    after: Duration
    event: Word
    properties: tuple[Argument | Dated | Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSet(Node):
    """`after 2 days set tier = "gold"`"""

    after: Duration
    field: Word
    value: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterMessage(Node):
    """`after 3 days opened reminder`, `after 3 days clicked reminder`"""

    after: Duration
    kind: Literal["opened", "clicked"]
    template: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Node):
    """`enter` · `leave` · `goal` · `send email welcome` (channel, name) · `create task` · `update contact` ·
    `add to audience lapsed` · `remove from audience lapsed` (name) · `wait 2 days` (wait)"""

    kind: Literal["enter", "leave", "goal", "send", "create", "update", "add", "remove", "wait"]
    channel: Word | None = None
    name: Word | None = None
    wait: Waiting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(Node):
    """`expect OUTCOME [N times] [after D]`"""

    outcome: Outcome
    times: int | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNo(Node):
    """`expect no OUTCOME [before D]`"""

    outcome: Outcome
    before: Duration | None = None


Given = GivenClock | GivenField | GivenEvent | GivenArm
Happening = AfterEvent | AfterSet | AfterMessage
ScenarioLine = Given | Happening | Expect | ExpectNo | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(Node):
    """`scenario "text" for NAME:`"""

    name: Text
    playbook: Word
    lines: tuple[ScenarioLine, ...]
