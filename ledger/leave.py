"""Exits and goals: who leaves early, and who did what the playbook is for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, true, update

from ledger.plans import Tick
from ledger.rows import chosen, inside, wants_messages
from store.clock import SECOND, micros
from store.schema import enrollments, events, outbox

QUEUED = ("planned", "claimed")

Exit = tuple[str, ColumnElement[bool]]
"""The recorded reason, and the condition over `ledger.rows.inside()`: `since entry` reads enrollments.entered_at."""


def leave(
    connection: Connection,
    *,
    playbook: str,
    digest: str,
    exits: Sequence[Exit],
    as_of: datetime,
    among: Sequence[int] | None = None,
    after: int | None = None,
) -> int:
    """Take out everybody for whom one of `exits` holds (the first is the reason) and cancel what they have queued.

    Also those whose journey is over while a message of it still waits. `among` limits it to some enrollments (what is
    about to be sent is asked for again just before), `after` to those with a larger id. Returns how many left.
    """
    left = 0
    if exits:
        waiting = select(outbox.c.enrollment_id).where(outbox.c.playbook == playbook, outbox.c.state.in_(QUEUED))
        for mine in (
            enrollments.c.state == "active",
            and_(enrollments.c.state != "active", wants_messages(), enrollments.c.id.in_(waiting)),
        ):
            limited = and_(
                true() if among is None else enrollments.c.id.in_(among),
                true() if after is None else enrollments.c.id > after,
            )
            mine = and_(enrollments.c.playbook == playbook, enrollments.c.digest == digest, mine, limited)
            left += _take_out(connection, mine, exits, as_of)
    if left or among is None:
        _cancel(connection, playbook, as_of)
    return left


def _take_out(connection: Connection, mine: ColumnElement[bool], exits: Sequence[Exit], as_of: datetime) -> int:
    conditions = [condition for _, condition in exits]
    reason = case(*((condition, reason) for reason, condition in exits))
    rows = (
        select(enrollments.c.id, reason.label("reason"))
        .select_from(inside())
        .where(mine, or_(*conditions))
        # In one order, so that two who take out the same people do not wait for each other in a circle.
        .order_by(enrollments.c.id)
        .with_for_update(of=enrollments)
    )
    leaving = chosen(connection, rows, "leaving")
    done = connection.execute(
        update(enrollments)
        .where(enrollments.c.id == leaving.c.id, wants_messages())
        .values(state="left", reason=leaving.c.reason, step=None, due_at=None, ended_at=micros(as_of))
    )
    return done.rowcount


def _cancel(connection: Connection, playbook: str, as_of: datetime) -> None:
    """Cancel what is queued for those who left. What somebody has claimed is refused when he marks it as sending."""
    gone = select(enrollments.c.reason).where(enrollments.c.id == outbox.c.enrollment_id, ~wants_messages())
    connection.execute(
        update(outbox)
        .where(outbox.c.playbook == playbook, outbox.c.state == "planned", gone.exists())
        .values(state="cancelled", reason=gone.scalar_subquery(), settled_at=micros(as_of))
    )


def convert(
    connection: Connection,
    *,
    playbook: str,
    digest: str,
    event: str,
    where: ColumnElement[bool] | None,
    seconds: int,
    as_of: datetime,
    tick: Tick | None = None,
    late: timedelta = timedelta(days=7),
    after: int | None = None,
) -> int:
    """Record for each enrollment the first `event` in (entry, entry + seconds) for which `where` (over schema.events,
    `ledger.rows.inside()`) holds. Returns how many converted.

    With a `tick`, enrollments are left out whose window was over `late` before the last tick; events that arrive later
    than that are not seen. Without one all are asked. `after` limits it to enrollments with a larger id.
    """
    if (now := micros(as_of)) and tick is not None and tick.last_tick_at is not None:
        oldest = min(now, micros(tick.last_tick_at)) - late // timedelta(microseconds=1) - seconds * SECOND
        open_still = enrollments.c.entered_at >= oldest
    else:
        open_still = true()
    happened = and_(
        events.c.profile_id == enrollments.c.profile_id,
        events.c.name == event,
        events.c.at > enrollments.c.entered_at,
        events.c.at < enrollments.c.entered_at + seconds * SECOND,
        events.c.at <= now,
    )
    rows = (
        select(enrollments.c.id, func.min(events.c.at).label("at"))
        .select_from(inside().join(events, happened))
        .where(
            enrollments.c.playbook == playbook,
            enrollments.c.digest == digest,
            enrollments.c.converted_at.is_(None),
            open_still,
            true() if after is None else enrollments.c.id > after,
            true() if where is None else where,
        )
        .group_by(enrollments.c.id)
    )
    first = chosen(connection, rows, "first")
    done = connection.execute(
        update(enrollments)
        .where(enrollments.c.id == first.c.id, enrollments.c.converted_at.is_(None))
        .values(converted_at=first.c.at)
    )
    return done.rowcount
