"""Counts and rows for people: what is inside, what is queued, what went wrong; and their word on what is unknown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from ledger import outbox as states
from ledger.instance import send_key
from store.clock import instant
from store.schema import enrollments, facts, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """One playbook, over all its versions."""

    inside: dict[str, int]
    """People by the step at which they go on; the held-out included."""
    ended: dict[tuple[str, str], int]
    """Enrollments by state (done, left) and reason."""
    entered: int
    held_out: int
    converted: int
    """Of those who entered and were not held out."""
    converted_held_out: int
    messages: dict[tuple[str, str, str], int]
    """By step, state and reason (empty: none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """A playbook that the project no longer has, and what it still holds: no tick of it comes any more."""

    playbook: str
    inside: int
    """People, with those held out."""
    queued: int
    """Messages and records that wait to go out."""


def left_behind(connection: Connection, playbooks: Collection[str]) -> list[LeftBehind]:
    """Who waits in playbooks other than these, by name."""
    active = (
        select(enrollments.c.playbook, func.count().label("n"))
        .where(enrollments.c.state == "active", enrollments.c.playbook.not_in(playbooks))
        .group_by(enrollments.c.playbook)
    )
    planned = (
        select(outbox.c.playbook, func.count().label("n"))
        .where(outbox.c.state == "planned", outbox.c.playbook.not_in(playbooks))
        .group_by(outbox.c.playbook)
    )
    inside = {row.playbook: row.n for row in connection.execute(active)}
    queued = {row.playbook: row.n for row in connection.execute(planned)}
    return [
        LeftBehind(playbook=name, inside=inside.get(name, 0), queued=queued.get(name, 0))
        for name in sorted(inside.keys() | queued.keys())
    ]


def counts(connection: Connection, playbook: str) -> Counts:
    """What the ledger says of a playbook just now."""
    inside: dict[str, int] = {}
    ended: dict[tuple[str, str], int] = {}
    people: dict[tuple[bool, bool], int] = {}
    converted = enrollments.c.converted_at.is_not(None)
    for row in connection.execute(
        select(
            *enrollments.c["state", "step", "reason", "holdout"],
            converted.label("converted"),
            func.count().label("people"),
        )
        .where(enrollments.c.playbook == playbook)
        .group_by(*enrollments.c["state", "step", "reason", "holdout"], converted)
    ):
        if row.state == "active":
            inside[row.step] = inside.get(row.step, 0) + row.people
        else:
            ended[row.state, row.reason or ""] = ended.get((row.state, row.reason or ""), 0) + row.people
        arm = bool(row.holdout), bool(row.converted)
        people[arm] = people.get(arm, 0) + row.people
    kinds = outbox.c["step", "state", "reason"]
    messages = connection.execute(
        select(*kinds, func.count().label("messages")).where(outbox.c.playbook == playbook).group_by(*kinds)
    )
    held_out = people.get((True, False), 0) + people.get((True, True), 0)
    return Counts(
        inside=inside,
        ended=ended,
        entered=sum(people.values()),
        held_out=held_out,
        converted=people.get((False, True), 0),
        converted_held_out=people.get((True, True), 0),
        messages={(row.step, row.state, row.reason or ""): row.messages for row in messages},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message of the outbox. Holds no address."""

    id: int
    playbook: str
    step: str
    profile_id: int
    channel: str
    template: str
    state: str
    reason: str | None
    detail: str | None
    attempts: int
    due_at: datetime
    settled_at: datetime | None
    provider_id: str | None


def waiting(connection: Connection) -> int:
    """Messages and records that wait to go out."""
    return connection.scalar(select(func.count()).where(outbox.c.state.in_(("planned", "claimed")))) or 0


def outbox_rows(
    connection: Connection,
    *,
    states: Sequence[str] = ("failed", "unknown", "assumed_sent"),
    reason: str | None = None,
    playbook: str | None = None,
    limit: int = 100,
) -> list[Entry]:
    """Messages in one of `states`, the newest first, at most `limit`."""
    rows = connection.execute(
        select(*outbox.c[*_NAMES, "due_at", "settled_at", "provider_id"])
        .where(
            outbox.c.state.in_(states),
            *([] if reason is None else [outbox.c.reason == reason]),
            *([] if playbook is None else [outbox.c.playbook == playbook]),
        )
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    return [_entry(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All that the ledger knows of one message. Holds no address."""

    entry: Entry
    key: str
    """The send key: what the provider was given as the message's own id."""
    enrollment_id: int
    occurrence: int
    version: str
    planned_at: datetime
    expires_at: datetime
    owner: str | None
    """The process that holds it."""
    lease_until: datetime | None
    counts_from: datetime | None
    """From when on it counts against frequency caps."""


def outbox_row(connection: Connection, id: int) -> Whole | None:
    """One message. None: there is none with this id."""
    row = connection.execute(select(outbox).where(outbox.c.id == id)).one_or_none()
    if row is None:
        return None
    instance = connection.scalar(select(facts.c.value).where(facts.c.name == "instance"))
    return Whole(
        entry=_entry(row),
        key=send_key(str(instance or ""), row.playbook, row.enrollment_id, row.step, row.occurrence),
        enrollment_id=row.enrollment_id,
        occurrence=row.occurrence,
        version=row.digest,
        planned_at=instant(row.planned_at),
        expires_at=instant(row.expires_at),
        owner=row.owner,
        lease_until=None if row.lease_until is None else instant(row.lease_until),
        counts_from=None if row.slot_at is None else instant(row.slot_at),
    )


_NAMES = "id", "playbook", "step", "profile_id", "channel", "template", "state", "reason", "detail", "attempts"


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        **{name: row._mapping[name] for name in _NAMES},
        due_at=instant(row.due_at),
        settled_at=None if row.settled_at is None else instant(row.settled_at),
        provider_id=row.provider_id,
    )


def resolve(connection: Connection, id: int, *, sent: bool, as_of: datetime) -> bool:
    """A person's word on a message that is unknown or was assumed sent: it went out, or it did not and is queued again.

    False: there is no such message, or it is in another state, and nothing was changed.
    """
    settle = states.found_sent if sent else states.found_unsent
    return settle(connection, [id], "resolved", as_of) == 1
