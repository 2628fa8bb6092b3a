"""Declarations as written, and the file that holds them."""

from __future__ import annotations

from dataclasses import dataclass

from dsl.syntax.conditions import Condition
from dsl.syntax.scenarios import Scenario
from dsl.syntax.settings import About, RunEvery, Setting
from dsl.syntax.steps import Argument, Step
from dsl.syntax.values import Broken, Clock, Duration, Node, Value, Word


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Node):
    """A line of `lifecycle`: `hero when …`, or the last one, `prospect otherwise` (no condition)."""

    name: Word
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle(Node):
    stages: tuple[Stage | Broken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Include(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclude(Node):
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience(Node):
    name: Word
    connector: Word
    lines: tuple[About | RunEvery | Include | Exclude | Argument | Broken, ...]
    """In the order written. `Argument` is a value rule of the connector's, `bid = $6.00`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook(Node):
    name: Word
    lines: tuple[Setting | Step, ...]
    """Settings and steps in the order written."""


Declaration = (
    Let | FieldDeclaration | EventDeclaration | Policy | Segment | Lifecycle | Audience | Playbook | Scenario | Broken
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    path: str
    source: str
    declarations: tuple[Declaration, ...]
