"""Words and values: the leaves of the tree, and what stands for a line that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal

from dsl.diagnostics import Span

Unit = Literal["minute", "hour", "day", "week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Node):
    """A name, dotted or not: `abandoned_cart`, `cart.total`, `event.order_id`."""

    text: str


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
class Instant(Node):
    """`2026-12-24 09:00`, where the person of a scenario lives."""

    day: Day
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Node):
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo(Node):
    value: bool


Constant = Money | Percent | Number | Duration | Clock | Day | Text | YesNo
Value = Constant | Word
Fact = Value | Instant
"""What a scenario can give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Node):
    """A line that could not be read. What hangs below it stands in `body`."""

    body: tuple[Node, ...] = ()
    word: str = ""
    """The first word of the line, as a hint which statement it was meant to be; empty when it is none."""
    declares: str | None = None
    """The name that the line would declare, so that nobody calls it unknown: `let x …`, `segment x …`, `event x`."""
