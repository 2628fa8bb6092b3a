"""Switching a playbook off and on again.

While it is off nobody enters, moves on or is sent anything; who leaves by an exit leaves, and goals count. Afterwards
people go on from where they are, and the past does not come down on them in one day: a message that was due in the
pause and is more than a day late is skipped as late, and an event of more than a day ago starts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select, update

from ledger.plans import lock_playbook
from store.clock import instant, micros
from store.schema import enrollments, outbox, playbooks

LATE = timedelta(hours=24)
"""A message that a pause has held up for longer is not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    since: datetime
    already: bool
    """It was off before: nothing has changed."""
    inside: int
    """People who are inside, the held-out included."""
    queued: int
    """Messages and records that are on the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    since: datetime | None
    """When it was paused. None: it was not, and nothing has changed."""
    due: int
    """People who have come to the end of a wait in the meantime, and go on at the next run."""
    overdue: int
    """Those of them whom the pause has held up for more than a day: what was due to be sent to them is skipped."""
    late: int
    """Messages that were queued and are too late by now."""


def is_paused(connection: Connection, playbook: str) -> bool:
    """Whether the playbook is off. False for one that the store has never seen."""
    return connection.scalar(select(playbooks.c.paused_at).where(playbooks.c.name == playbook)) is not None


def pause(connection: Connection, playbook: str, as_of: datetime) -> Paused:
    """Switch a playbook off. A tick that is under way sends what it has claimed, and stops. Raises UnknownPlaybook."""
    book = lock_playbook(connection, playbook)
    if book.paused_at is None:
        connection.execute(update(playbooks).where(playbooks.c.name == playbook).values(paused_at=micros(as_of)))
    inside = select(func.count()).where(enrollments.c.playbook == playbook, enrollments.c.state == "active")
    queued = select(func.count()).where(outbox.c.playbook == playbook, outbox.c.state.in_(("planned", "claimed")))
    return Paused(
        since=as_of if book.paused_at is None else instant(book.paused_at),
        already=book.paused_at is not None,
        inside=connection.scalar(inside) or 0,
        queued=connection.scalar(queued) or 0,
    )


def resume(connection: Connection, playbook: str, as_of: datetime) -> Resumed:
    """Switch a playbook on again. Nothing is sent before its next tick. Raises UnknownPlaybook."""
    book = lock_playbook(connection, playbook)
    if book.paused_at is None:
        return Resumed(since=None, due=0, overdue=0, late=0)
    now, since, day = micros(as_of), book.paused_at, LATE // timedelta(microseconds=1)
    # A shorter pause has made nobody late who was not late before.
    before = now - day if now - since > day else None
    connection.execute(
        update(playbooks)
        .where(playbooks.c.name == playbook)
        .values(
            paused_at=None,
            rested=book.first_tick_at is not None,
            overdue_before=book.overdue_before if before is None else before,
        )
    )
    waiting = select(func.count()).where(
        enrollments.c.playbook == playbook, enrollments.c.state == "active", enrollments.c.due_at <= now
    )
    due: int = connection.scalar(waiting) or 0
    if before is None:
        return Resumed(since=instant(since), due=due, overdue=0, late=0)
    overdue: int = connection.scalar(waiting.where(enrollments.c.due_at < before)) or 0
    end = outbox.c.due_at + day
    late = connection.execute(
        update(outbox)
        .where(outbox.c.playbook == playbook, outbox.c.state == "planned", outbox.c.due_at < before)
        .values(expires_at=case((outbox.c.expires_at < end, outbox.c.expires_at), else_=end))
    )
    return Resumed(since=instant(since), due=due, overdue=overdue, late=late.rowcount)


def overdue_before(connection: Connection, playbook: str) -> int | None:
    """Who was due before this, in microseconds, was held up by a pause for more than a day."""
    found: int | None = connection.scalar(select(playbooks.c.overdue_before).where(playbooks.c.name == playbook))
    return found
