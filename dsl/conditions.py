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

    A field of type date counts as the start of that day in UTC. `more than D ago` and `in the last D` are each other's
    complement for a known time that is not in the future. Days of each year (`catalog.YEARLY`: birthdays) are `next`
    and `last` when a day of that month and number begins within the time, in the project's zone and whatever the year;
    29 February is 28 February in years without one. `ago` asks for the day itself, year and all.
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
    """The value is at least as high as that of the last who is in the share: of everybody who has one (of sums: one
    above 0), the highest `percent`, rounded up to whole people; whoever equals the last of them belongs too. People
    without a value (of sums: with 0) are not in it and do not count. Over everybody in the store, whomever it is asked
    of. `percent`: above 0 and below 100, to the millionth."""

    field: Field
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Includes:
    """A list of texts holds the value, in the same spelling; whole numbers in it count as their digits. Does not hold
    when there is no list, or the value is a field that is unknown."""

    field: Field
    value: Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class HasBeen:
    """The field `is` the value now, and has been since `now − seconds` or longer: counted from the first of equal
    assignments in a row, by the identify calls of the person up to now (of all profiles that were joined into one).

    A call that gives the field another value, or null, ends the row; of several calls at one instant, that one of them
    gives this value is enough. What was said in another way (traits in the context of a visit) left no word of itself:
    the condition holds only once an identify call has said it. A value that is a field is compared as it is now.

    `stage` counts from the run that first saw it (table `stages`), and does not hold before a run has.
    """

    field: Field
    value: Operand
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent:
    """Of the events up to now that meet `where`, the most recent meets `condition`; of two at one time the one with the
    larger id is the more recent. Does not hold without one, whatever the `condition`."""

    event: str
    condition: Condition
    where: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InAudience:
    """A member, now, of an audience that playbooks keep (one with rules is resolved to its rules)."""

    audience: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """received: a message of this template, on any channel, went out in the window: its provider accepted it, or no
    answer came and it counts as sent (`accepted`, `assumed_sent`, by the time when that was settled; records in the CRM
    are no messages) · opened, clicked: an event in the window tells so (`MESSAGE_EVENTS`, property `template`)."""

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
