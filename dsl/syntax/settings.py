"""Settings of a playbook as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.syntax.conditions import Condition
from dsl.syntax.values import Clock, Duration, Node, Percent, Text, Word


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


Setting = About | RunEvery | Start | OnlyIf | Enter | Leave | Goal | Holdout
