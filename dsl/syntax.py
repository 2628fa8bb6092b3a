"""What was written: the nodes of a playbook file, each with its place. Names are not resolved, values not typed.

A line that could not be read stands as `Broken`, so that everything around it is still checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal

from dsl.diagnostics import Span

Operator = Literal[">", ">=", "<", "<="]
Unit = Literal["minute", "hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Node):
    """A name, dotted or not: `abandoned_cart`, `cart.total`, `event.order_id`."""

    text: str


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Money(Node):
    amount: Decimal
    currency: str
    """The sign or code as written: `$`, `€`, `£`, `PLN`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent(Node):
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Node):
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Node):
    count: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Node):
    value: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Node):
    value: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo(Node):
    value: bool


Constant = Money | Percent | Number | Duration | Clock | Day | Text | YesNo
Value = Constant | Word


# ── Conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────
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
class Not(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf(Node):
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf(Node):
    conditions: tuple[Condition, ...]


Test = Compare | Equals | OneOf | Known | Recency | Calendar | Contains | HasEvent | CanReceive | InSegment
Condition = Test | Not | AllOf | AnyOf


# ── Declarations ──────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Node):
    """A line that could not be read. What hangs below it stands in `body`."""

    body: tuple[Node, ...] = ()
    word: str = ""
    """The first word of the line, as a hint which statement it was meant to be; empty when it is none."""
    declares: str | None = None
    """The name that the line would declare, so that nobody calls it unknown: `let x …`, `segment x …`, `event x`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Let(Node):
    name: Word
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDeclaration(Node):
    name: Word
    type: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDeclaration(Node):
    name: Word
    properties: tuple[FieldDeclaration | Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours(Node):
    start: Clock
    end: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietDays(Node):
    days: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Node):
    """`limit email to 3 per 7 days`"""

    channel: Word
    count: int
    per: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Node):
    lines: tuple[QuietHours | QuietDays | Limit | Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Node):
    name: Word
    condition: Condition


# ── Playbook settings ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class About(Node):
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvery(Node):
    """`run every 15 minutes` (duration) · `run every day at 09:00` · `run every monday at 09:00` (day, clock)"""

    duration: Duration | None = None
    day: Word | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEvent(Node):
    event: Word
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhenCondition(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Node):
    moment: OnEvent | WhenCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyIf(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter(Node):
    """`enter once` · `enter once per event.x` (per) · `enter again after D` (again) · `enter every time` (every)"""

    kind: Literal["once", "per", "again", "every"]
    per: Word | None = None
    after: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Node):
    moment: OnEvent | WhenCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal(Node):
    event: Word
    within: Duration
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout(Node):
    share: Percent


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Argument(Node):
    name: Word
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Node):
    channel: Word
    template: Word
    arguments: tuple[Argument | Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Node):
    """`wait 2 days` (duration) · `wait until 09:00` (clock) · `wait until thursday 10:00` (weekday, clock) ·
    `wait 1 day until 09:00` (duration, clock)"""

    duration: Duration | None = None
    weekday: Word | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch(Node):
    """One `if C:` or `otherwise if C:` with its block."""

    condition: Condition | Broken
    body: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Node):
    branches: tuple[Branch, ...]
    otherwise: tuple[Step, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Node):
    event: Word
    within: Duration
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Node):
    name: Word
    share: Percent
    body: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment(Node):
    name: Word
    lines: tuple[Measure | Variant | Holdout | Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Node):
    pass


Step = Send | Wait | If | Experiment | Stop | Broken
Setting = About | RunEvery | Start | OnlyIf | Enter | Leave | Goal | Holdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook(Node):
    name: Word
    lines: tuple[Setting | Step, ...]
    """Settings and steps in the order written."""


Declaration = Let | FieldDeclaration | EventDeclaration | Policy | Segment | Playbook | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    path: str
    source: str
    declarations: tuple[Declaration, ...]
