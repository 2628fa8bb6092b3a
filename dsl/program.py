"""The program: playbooks with names resolved, constants and segments put in, values typed. Places are kept for checks.

`None` in place of a meaning marks something broken that has been told about already: no rule tells it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dsl import conditions, plan, syntax
from dsl.catalog import Catalog, Template
from dsl.diagnostics import Span
from dsl.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A condition, and where and how it was written."""

    span: Span = field(compare=False)
    meaning: conditions.Condition | None
    text: str
    """As the marketer wrote it, on one line: segments by their names, constants by their values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An event with its `where`: of `start on`, `leave on`, `goal` and `measure`."""

    span: Span = field(compare=False)
    event: str | None
    where: Asked | None = None
    seconds: int | None = None
    """`within`; None where there is none, or where it was wrong."""


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    span: Span = field(compare=False)
    name: str
    value: conditions.Operand | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    span: Span = field(compare=False)
    at: Span = field(compare=False)
    """The place of the template's name."""
    channel: str | None
    template: str
    arguments: tuple[Argument, ...]
    page: Template | None
    """The template itself. None where it, or the channel, is unknown, or where no templates are given."""
    whole: bool
    """No line of the arguments is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    span: Span = field(compare=False)
    verb: Literal["create", "update"]
    noun: str | None
    team: str | None
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField:
    span: Span = field(compare=False)
    field: conditions.Field | None
    value: conditions.Operand | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAudience:
    span: Span = field(compare=False)
    kind: Literal["add", "remove"]
    audience: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll:
    span: Span = field(compare=False)
    playbook: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    span: Span = field(compare=False)
    words: str
    """As written, `2 days` or `until thursday 10:00`."""
    seconds: int | None = None
    days: int | None = None
    time: str | None = None
    weekday: plan.Weekday | None = None
    field: conditions.Field | None = None
    offset: int = 0
    asked: Asked | None = None
    event: str | None = None
    whole: bool = True
    """False: a part of it has no meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    span: Span = field(compare=False)
    asked: Asked | None
    """None: the line could not be read."""
    body: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    span: Span = field(compare=False)
    arms: tuple[Arm, ...]
    otherwise: tuple[Step, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    span: Span = field(compare=False)
    name: str
    share: float
    body: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    span: Span = field(compare=False)
    name: str
    variants: tuple[Variant, ...]
    holdout: float | None
    measure: Heard | None
    source: syntax.Experiment = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A step that could not be read; `body` is what hangs below it."""

    span: Span = field(compare=False)
    body: tuple[Step, ...] = ()


Step = Send | Record | SetField | ChangeAudience | Enroll | Wait | If | Experiment | Stop | Broken


# ── Playbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    source: syntax.Playbook = field(compare=False)
    name: str
    about: str
    schedule: plan.Schedule | None
    start_on: Heard | None
    start_when: Asked | None
    only_if: Asked | None
    entry: plan.Entry | None
    exits: tuple[Heard | Asked, ...]
    """Both kinds in the order written."""
    goal: Heard | None
    holdout: float
    body: tuple[Step, ...]
    unread: frozenset[str]
    """The first words of settings and steps that could not be read."""

    @property
    def span(self) -> Span:
        """The place of the name."""
        return self.source.name.span


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    name: str
    span: Span = field(compare=False)
    meaning: conditions.Condition | None
    """None: it is broken, or it contains itself."""
    asked: Asked | None = None
    """The meaning with its place."""
    size: int = 1
    """How many tests it holds, with the segments in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    name: str
    span: Span = field(compare=False)
    asked: Asked | None
    """None: `otherwise`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    source: syntax.Audience = field(compare=False)
    name: str
    connector: str | None
    about: str
    schedule: plan.Schedule | None
    include: Asked | None
    exclude: Asked | None
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    playbooks: tuple[Playbook, ...]
    segments: Mapping[str, Segment]
    policy: plan.Policy
    audiences: Mapping[str, Audience]
    lifecycle: tuple[Stage, ...]
    scenarios: tuple[Scenario, ...]
    policies: tuple[syntax.Policy, ...]
    """As written, for the rules about them."""
    lifecycles: tuple[syntax.Lifecycle, ...]
    """As written, for the rules about them."""
    catalog: Catalog
    """With the fields and events that the files declare."""


def every_step(body: tuple[Step, ...]) -> Iterator[Step]:
    """All steps of a block and of the blocks in it, in the order written."""
    for step in body:
        yield step
        for inner in blocks(step):
            yield from every_step(inner)


def blocks(step: Step) -> tuple[tuple[Step, ...], ...]:
    """The blocks that hang below a step."""
    match step:
        case If(arms=arms, otherwise=otherwise):
            return (*(arm.body for arm in arms), *(() if otherwise is None else (otherwise,)))
        case Experiment(variants=variants):
            return tuple(variant.body for variant in variants)
        case Broken(body=body):
            return (body,)
        case _:
            return ()


def takes_all(step: Step) -> bool:
    """Whether everybody goes through one of the step's blocks, so that nobody passes it by."""
    match step:
        case If(otherwise=otherwise):
            return otherwise is not None
        case Experiment(holdout=holdout):
            return holdout is None
        case _:
            return False
