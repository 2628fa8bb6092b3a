"""Steps of a playbook as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.syntax.conditions import Condition
from dsl.syntax.settings import Holdout
from dsl.syntax.values import Broken, Clock, Duration, Node, Percent, Value, Word


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
class Create(Node):
    """`create task for sales:`"""

    noun: Word
    team: Word
    arguments: tuple[Argument | Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Node):
    """`update contact:`"""

    noun: Word
    arguments: tuple[Argument | Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Node):
    """`set referral.invited = yes`"""

    field: Word
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAudience(Node):
    """`add to audience lapsed`, `remove from audience lapsed`"""

    kind: Literal["add", "remove"]
    audience: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll(Node):
    """`enroll in apologise`"""

    playbook: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitSpan(Node):
    """`2 days`"""

    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitClock(Node):
    """`until 09:00` · `until thursday 10:00` (weekday) · `1 day until 09:00` (duration)"""

    clock: Clock
    weekday: Word | None = None
    duration: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitField(Node):
    """`until event.starts_at` · `until 3 days before birthday` (offset, side)"""

    field: Word
    offset: Duration | None = None
    side: Literal["before", "after"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEvent(Node):
    """`for product_reviewed where rating >= 4 up to 7 days`"""

    event: Word
    up_to: Duration
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCondition(Node):
    """`until stage is hero up to 3 days`"""

    condition: Condition
    up_to: Duration


Waiting = WaitSpan | WaitClock | WaitField | WaitEvent | WaitCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Node):
    what: Waiting


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


Step = Send | Create | Update | Set | ChangeAudience | Enroll | Wait | If | Experiment | Stop | Broken
