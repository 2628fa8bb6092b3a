"""The plan: what a playbook does, as flat steps with stable ids and next-step edges.

Only the plan crosses into the runtime.

A step's id is made of names, never of line numbers: `welcome_offer/ten_percent/send:reminder`. A second step with the
same name in the same block gets `.2`. Waits are named by what they wait for (`wait:1-day`), branches by their position
among the branches of the block (`if`, `if.2`; their arms `if/1`, `if/2`, `if/otherwise`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal, cast, get_args

from dsl import codec, conditions
from dsl.conditions import JSON, Condition, Constant, Field, Operand

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
HOLDOUT_ARM = "holdout_group"
"""The name of the arm of an experiment's holdout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`seconds` between runs, or at `time` each day, or on `weekday`, in the project's zone."""

    seconds: int | None = None
    time: str | None = None
    weekday: Weekday | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWhen:
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOn:
    event: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """once: never again · per: once for each value of the starting event's property `per` · again: `seconds` after the
    last entry · every: whenever none is live. Always at most one live enrollment per person and key."""

    kind: Literal["once", "per", "again", "every"]
    per: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOn:
    event: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveWhen:
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    event: str
    seconds: int
    where: Condition | None = None


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    id: str
    channel: str
    template: str
    arguments: tuple[tuple[str, Operand], ...]
    next: str | None
    """The id of the following step; None: the journey ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record in the CRM: `create task for sales` makes one, `update contact` changes the person's own."""

    id: str
    verb: Literal["create", "update"]
    noun: str
    team: str | None
    arguments: tuple[tuple[str, Operand], ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetField:
    """Writes a field of the shop's own."""

    id: str
    field: Field
    value: Operand
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAudience:
    id: str
    kind: Literal["add", "remove"]
    audience: str
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll:
    """Starts another playbook, as it is at that moment, for whoever its `only if` and `enter` let in."""

    id: str
    playbook: str
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One of these:

    - `seconds` alone: exactly so long;
    - `time` (with `weekday`): the next such local time of the person; with `days` so many calendar days later;
    - `field` (with `offset` seconds, negative before): until then; a date is the start of that day where the person
      lives; past already: on at once; unknown: the journey ends with the reason `unknown`;
    - `condition` and `seconds`: until it holds, at most so long. `event` says that it stands for `wait for EVENT`.
    """

    id: str
    next: str | None
    label: str = ""
    """As the marketer wrote it, for people: `2 days`, `until thursday 10:00`."""
    seconds: int | None = None
    days: int | None = None
    time: str | None = None
    weekday: Weekday | None = None
    field: Field | None = None
    offset: int = 0
    condition: Condition | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    condition: Condition
    label: str
    """As the marketer wrote it, for people: `if cart.total >= $50`."""
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    id: str
    arms: tuple[Arm, ...]
    """The first whose condition holds is taken."""
    next: str | None
    """Where those go for whom none holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    name: str
    share: float
    """Percent of those who reach the experiment."""
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Shares of variants and of the holdout add up to 100. The holdout's arm is named `holdout_group`."""

    id: str
    name: str
    variants: tuple[Variant, ...]
    measure: Goal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    id: str


Step = Send | Record | SetField | ChangeAudience | Enroll | Wait | Branch | Experiment | Stop
Acting = Send | Record | SetField | ChangeAudience | Enroll
"""Steps that do something for a person and go on at once. For the held-out they do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    name: str
    about: str
    schedule: Schedule | None
    trigger: StartWhen | StartOn
    only_if: Condition | None
    entry: Entry
    exits: tuple[LeaveOn | LeaveWhen, ...]
    goal: Goal | None
    holdout: float
    """Percent of those who enter that are measured and sent nothing."""
    steps: tuple[Step, ...]
    """The journey begins at the first. Empty: it ends at once."""

    def step(self, id: str) -> Step:
        """The step with this id. Raises KeyError."""
        for step in self.steps:
            if step.id == id:
                return step
        raise KeyError(id)

    @property
    def first(self) -> str | None:
        return self.steps[0].id if self.steps else None

    def to_json(self) -> dict[str, JSON]:
        """The plan as JSON values; `from_json` gives it back."""
        return cast("dict[str, JSON]", codec.encode(self))

    @property
    def digest(self) -> str:
        """The playbook's version: 16 hexadecimal digits of SHA-256 over the canonical JSON."""
        known = _DIGESTS.get(id(self))
        if known is not None and known[0] is self:
            return known[1]
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        found = hashlib.sha256(canonical.encode()).hexdigest()[:16]
        if len(_DIGESTS) >= 256:
            _DIGESTS.clear()
        _DIGESTS[id(self)] = self, found
        return found


_DIGESTS: dict[int, tuple[Plan, str]] = {}
"""Digests of plans by identity: a tick asks for the same one dozens of times. A plan in here lives, so that no other
can have its identity."""


def from_json(value: JSON) -> Plan:
    """The plan that `to_json` wrote. Raises ValueError on anything else."""
    plan = codec.decode(value, _KINDS)
    if not isinstance(plan, Plan):
        raise ValueError("this JSON is not a plan")
    return plan


# ── Policy ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    channel: str
    count: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for all playbooks. It is no part of a plan: a change of it counts at once for everybody."""

    quiet_hours: tuple[str, str] | None = None
    """Local times of the person, [start, end), may wrap midnight."""
    quiet_days: tuple[Weekday, ...] = ()
    limits: tuple[Limit, ...] = ()


# ── Stages and audiences ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of the lifecycle. Everybody is in the first whose condition holds; the last has none. Like the policy it
    is no part of a plan: a change of it counts at once for everybody."""

    name: str
    condition: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """People who are kept in sync outside. Without `include` only playbooks add and remove members."""

    name: str
    connector: str
    about: str
    schedule: Schedule | None
    include: Condition | None = None
    exclude: Condition | None = None
    arguments: tuple[tuple[str, Constant], ...] = ()
    """What the service is told with it, `bid = $6.00`."""

    @property
    def members(self) -> Condition | None:
        """Who belongs to it; None: whom playbooks add."""
        if self.include is None or self.exclude is None:
            return self.include
        return conditions.AllOf(conditions=(self.include, conditions.Not(condition=self.exclude)))


_KINDS = codec.kinds(globals(), vars(conditions))
