"""Conditions as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.syntax.values import Day, Duration, Node, Percent, Text, Value, Word

Operator = Literal[">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare(Node):
    """`cart.total > $50`"""

    field: Word
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Equals(Node):
    """`city is "Oslo"`, `city is not "Oslo"`"""

    field: Word
    value: Value
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf(Node):
    field: Word
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Node):
    """`phone is known`, `phone is unknown`"""

    field: Word
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recency(Node):
    """`field is more than D ago` (ago), `is in the last D` (last), `is in the next D` (next)"""

    field: Word
    kind: Literal["ago", "last", "next"]
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Node):
    """`field is before 2026-12-24`, `field is after 2026-12-24`"""

    field: Word
    kind: Literal["before", "after"]
    day: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains(Node):
    """`city starts with "New"`, `city contains "York"`"""

    field: Word
    kind: Literal["starts_with", "contains"]
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Top(Node):
    """`orders.value is in the top 10%`"""

    field: Word
    share: Percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Includes(Node):
    """`tags includes "vip"`"""

    field: Word
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class HasBeen(Node):
    """`plan has been "trial" for 7 days`"""

    field: Word
    value: Value
    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Times(Node):
    kind: Literal["at_least", "at_most", "exactly"]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Node):
    """`in the last D` (last) · `since entry` (entry) · `before D ago` (before) · `between DATE and DATE` (between)"""

    kind: Literal["last", "entry", "before", "between"]
    duration: Duration | None = None
    start: Day | None = None
    end: Day | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HasEvent(Node):
    """`has E`, `has E at least 3 times in the last 7 days where …`, `has no E …` (negated)"""

    event: Word
    negated: bool = False
    times: Times | None = None
    window: Window | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanReceive(Node):
    channel: Word
    topic: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InSegment(Node):
    segment: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent(Node):
    """`last order_completed where … was total > $100`: the most recent of those, and what is asked about it."""

    event: Word
    condition: Condition
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InAudience(Node):
    audience: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Node):
    """`received welcome in the last 30 days`, `opened …`, `clicked …`"""

    kind: Literal["received", "opened", "clicked"]
    template: Word
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Not(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(Node):
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(Node):
    conditions: tuple[Condition, ...]


Test = (
    Compare
    | Equals
    | OneOf
    | Known
    | Recency
    | Calendar
    | Contains
    | Top
    | Includes
    | HasBeen
    | HasEvent
    | LastEvent
    | CanReceive
    | InSegment
    | InAudience
    | Message
)
Condition = Test | Not | AllOf | AnyOf
