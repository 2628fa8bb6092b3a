"""Conditions after checking: names resolved, segments and constants put in, values typed. Plans carry these.

The meaning of missing values: `is not`, `is unknown` and `has no …` hold when nothing is known; every other
comparison does not hold. `not` turns the answer round, so it holds where its inside fails for lack of knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dsl.types import Type

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]
Scope = Literal["profile", "property", "event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that is read. `profile`: a field of the person; `property`: a property of the event that a `where` is
    about; `event`: a property of the event that started the enrollment (`event.x`, stored here as `x`)."""

    scope: Scope
    name: str
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    type: Type
    value: JSON
    """In the JSON form that `Type` gives."""


Operand = Field | Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    field: Field
    operator: Literal[">", ">=", "<", "<=", "is", "is not"]
    value: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    field: Field
    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recency:
    """ago: field < now − seconds · last: now − seconds <= field <= now · next: now <= field < now + seconds.

    A field of type date counts as the start of that day in UTC. Days of each year (`catalog.YEARLY`: birthdays) are
    `next` and `last` by their next and last return, in the project's zone. `more than D ago` and `in the last D` are
    each other's complement for a known time that is not in the future.
    """

    field: Field
    kind: Literal["ago", "last", "next"]
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """before: field < start of the day · after: field >= start of the next day (days in the project's zone)."""

    field: Field
    kind: Literal["before", "after"]
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    field: Field
    kind: Literal["starts_with", "contains"]
    text: str
    """Compared without regard to case, in ASCII letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """last: [now − seconds, now] · entry: (entered_at, now] · before: (−∞, now − seconds) ·
    between: [start day, day after end) in the project's zone. Without a window: (−∞, now]."""

    kind: Literal["last", "entry", "before", "between"]
    seconds: int | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HasEvent:
    """The number of such events in the window is between `least` and `most` (None: no upper bound)."""

    event: str
    least: int
    most: int | None
    window: Window | None = None
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanReceive:
    """Consent for channel and topic is given, the address is known, and it is not suppressed."""

    channel: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The value is among the highest `percent` of those of all people who have one (for sums: above 0), rounded up to
    whole people; whoever equals the last of them belongs too. Does not hold for people without one."""

    field: Field
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Includes:
    """A list of texts holds the value, in the same spelling."""

    field: Field
    value: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class HasBeen:
    """The field is `value`, and has been since `now − seconds` or longer: counted from the first of equal assignments
    in a row, by the identify calls of the person. `stage` counts from when a run first saw it."""

    field: Field
    value: Operand
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent:
    """Of the events up to now that meet `where`, the most recent meets `condition`. Does not hold without one."""

    event: str
    condition: Condition
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InAudience:
    """A member of an audience that playbooks keep (one with rules is resolved to its rules)."""

    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """received: a message of this template was accepted by its provider, in the window · opened, clicked: an event
    tells so (`MESSAGE_EVENTS`)."""

    kind: Literal["received", "opened", "clicked"]
    template: str
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    conditions: tuple[Condition, ...]


Condition = (
    Compare
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
    | InAudience
    | Message
    | Not
    | AllOf
    | AnyOf
)

MESSAGE_EVENTS = {
    "opened": ("email_opened", "push_notification_tapped"),
    "clicked": ("email_link_clicked", "push_notification_tapped"),
}
"""The events of Segment's specifications that tell a message's fate; their property `template` names it."""
