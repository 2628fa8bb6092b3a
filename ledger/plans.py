"""Plans by digest, playbooks, and the beginning of a tick."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from dsl.plan import Plan, from_json
from store.clock import instant, micros
from store.schema import enrollments, outbox, plans, playbooks, ticks
from store.upsert import insert_new


class OlderThanLastTick(Exception):  # noqa: N818 (it says what happened)
    """A tick was asked for at a time before the last one. Traits know only now, so the past cannot be played again."""

    def __init__(self, as_of: datetime, last: datetime) -> None:
        super().__init__(
            f"{as_of.isoformat()} is before the last tick of this playbook, at {last.isoformat()}.\n"
            "Hint: Run it without --as-of, or at a later time; `winback backtest` plays the past."
        )
        self.as_of, self.last = as_of, last


class UnknownPlaybook(LookupError):  # noqa: N818
    """The store has never seen a playbook of this name: `register` comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    id: str
    playbook: str
    as_of: datetime
    first: bool
    """Nobody has entered yet, not even been looked at; or nobody since a pause."""
    last_tick_at: datetime | None
    """When people were last let in."""
    paused_at: datetime | None = None
    """Nobody enters, moves on or is sent anything."""


def register(connection: Connection, plan: Plan, as_of: datetime) -> None:
    """Store the plan, and let people enter on it from now on. Those inside stay on the plan that they entered with."""
    now, digest = micros(as_of), plan.digest
    connection.execute(
        insert_new(connection, plans).values(digest=digest, playbook=plan.name, body=plan.to_json(), created_at=now)
    )
    connection.execute(insert_new(connection, playbooks).values(name=plan.name, digest=digest))
    # Only where it changes: an UPDATE that changes nothing would still make ticks wait for each other.
    connection.execute(
        update(playbooks).where(playbooks.c.name == plan.name, playbooks.c.digest != digest).values(digest=digest)
    )


def known(connection: Connection) -> list[str]:
    """The names of the playbooks that the store has seen, in order."""
    return list(connection.scalars(select(playbooks.c.name).order_by(playbooks.c.name)))


def live_plans(connection: Connection, playbook: str) -> list[Plan]:
    """The current plan, then older ones on which people are inside or messages are queued, oldest first.

    Raises UnknownPlaybook.
    """
    current = connection.scalar(select(playbooks.c.digest).where(playbooks.c.name == playbook))
    if current is None:
        raise UnknownPlaybook(playbook)
    active = select(enrollments.c.digest).where(enrollments.c.playbook == playbook, enrollments.c.state == "active")
    queued = select(outbox.c.digest).where(
        outbox.c.playbook == playbook, outbox.c.state.in_(("planned", "claimed", "sending"))
    )
    rows = connection.execute(
        select(plans.c.body)
        .where(or_(plans.c.digest == current, plans.c.digest.in_(active.union(queued))))
        .order_by((plans.c.digest == current).desc(), plans.c.created_at, plans.c.digest)
    )
    return [from_json(row.body) for row in rows]


def begin_tick(connection: Connection, playbook: str, as_of: datetime) -> Tick:
    """A tick of `playbook` at `as_of`. It may be run again at the same time.

    The time is kept when people have been let in (`enter_when`, `enter_on`), in the same transaction: a tick that dies
    before does not count as one, so nobody's event falls between two ticks. Raises OlderThanLastTick, UnknownPlaybook.
    """
    book = lock_playbook(connection, playbook)
    last = None if book.last_tick_at is None else instant(book.last_tick_at)
    if last is not None and as_of < last:
        raise OlderThanLastTick(as_of, last)
    return Tick(
        id=uuid.uuid4().hex, playbook=playbook, as_of=as_of, first=is_first(book), last_tick_at=last,
        paused_at=None if book.paused_at is None else instant(book.paused_at),
    )  # fmt: skip


def is_first(book: Row[Any]) -> bool:
    """Whether the playbook is to begin: with its first tick, or anew after a pause. The row is of `playbooks`."""
    return book.first_tick_at is None or bool(book.rested)


def end_tick(connection: Connection, tick: Tick, report: dict[str, Any]) -> None:
    """Keep what the tick did. `report` is JSON values."""
    connection.execute(
        insert(ticks).values(id=tick.id, playbook=tick.playbook, as_of=micros(tick.as_of), report=report)
    )


def lock_playbook(connection: Connection, playbook: str) -> Row[Any]:
    """The playbook's row, held until the transaction ends, so that two ticks let people in one after the other.

    Raises UnknownPlaybook.
    """
    row = connection.execute(select(playbooks).where(playbooks.c.name == playbook).with_for_update()).one_or_none()
    if row is None:
        raise UnknownPlaybook(playbook)
    return row


def stamp(connection: Connection, book: Row[Any], as_of: datetime) -> None:
    """Keep that people were let in at `as_of`."""
    now = micros(as_of)
    connection.execute(
        update(playbooks)
        .where(playbooks.c.name == book.name)
        .values(
            first_tick_at=now if book.first_tick_at is None else book.first_tick_at,
            last_tick_at=max(now, book.last_tick_at or now),
            rested=False,
        )
    )
