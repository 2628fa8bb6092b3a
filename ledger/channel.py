"""What a delivery works with: jobs that passed the guards, the channel they go out on, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection

from dsl.delivery import Message, Outcome
from ledger.throttle import Rate

CHUNK = 10
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message that passed the guards, to be rendered."""

    id: int
    key: str
    """The send key: `Message.key`."""
    playbook: str
    digest: str
    """Of the plan in which the step's arguments stand."""
    step: str
    enrollment_id: int
    event: int | None
    """events.id of the event that started the enrollment."""
    profile_id: int
    channel: str
    template: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unrenderable:
    """What `render` gives for a message that cannot be made. `detail` is for people and holds no address."""

    detail: str


Render = Callable[[Sequence[Job]], Sequence[Message | Unrenderable]]
"""A message, or why there is none, for each job, in their order. Called outside of any transaction."""
Send = Callable[[Sequence[Message]], AsyncIterator[Outcome]]
"""`Connector.send`: an outcome for each message, as soon as it is known."""
Leaving = Callable[[Connection, Sequence[int]], object]
"""Asks the exits again for some enrollments, just before their messages are claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    name: str
    send: Send
    render: Render
    address_field: str = "email"
    """The profile field with the address: `email` or `phone`."""
    chunk: int = CHUNK
    """How many messages are handed over at once: so many are in doubt after a kill."""
    lease: timedelta = LEASE
    """Longer than a chunk can take."""
    rate: Rate | None = None
    """The most that all processes together may send."""


@dataclass(slots=True, kw_only=True)
class Delivered:
    """What became of the messages, each counted once a call."""

    sent: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    unknown: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    delayed: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None
    """Why no more was tried on this channel: `throttled`, `circuit_open`, `rate`, `time`, `paused`, or the reason of a
    deferral. The messages wait for the next tick."""
    trouble: str = ""
    """What the connector said of that, for people."""
    failure: str = ""
    """What was said of the first message that failed."""
