"""Following merges: when two profiles turn out to be one person, the ledger's rows go along.

Else the person would be forgotten (nobody reads the profile that was taken over) and might enter twice (the profile
that stays looks as if it had never been inside).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, delete, func, or_, select, update

from ledger.leave import cancel
from store.clock import micros
from store.schema import assignments, enrollments, matches, outbox, profiles

_LONGEST_CHAIN = 10

_STALE = select(profiles.c.id).where(profiles.c.merged_into.is_not(None))

_Same = Callable[[FromClause], ColumnElement[bool]]


def follow_merges(connection: Connection, playbook: str, as_of: datetime) -> int:
    """Move the playbook's rows to the profiles that took others over. Returns how many enrollments moved.

    Of two live enrollments of one key the one that began first goes on.
    """
    moved = 0
    for _ in range(_LONGEST_CHAIN):
        if not (now := _follow(connection, playbook, as_of)):
            break
        moved += now
    return moved


def _follow(connection: Connection, playbook: str, as_of: datetime) -> int:
    inside = select(enrollments.c.id).where(enrollments.c.playbook == playbook, enrollments.c.profile_id.in_(_STALE))
    seen = select(matches.c.profile_id).where(matches.c.playbook == playbook, matches.c.profile_id.in_(_STALE))
    if connection.execute(inside.limit(1)).first() is None and connection.execute(seen.limit(1)).first() is None:
        return 0
    _end_doubles(connection, playbook, as_of)
    for table, same in (
        (matches, lambda twin: twin.c.playbook == matches.c.playbook),
        (assignments, lambda twin: twin.c.experiment == assignments.c.experiment),
    ):
        _drop_doubles(connection, table, playbook, same)
        _move(connection, table, playbook)
    _move(connection, outbox, playbook)
    return _move(connection, enrollments, playbook)


def _end_doubles(connection: Connection, playbook: str, as_of: datetime) -> None:
    """Leave all but the first of the live enrollments that will be one person's with one key."""
    person = func.coalesce(profiles.c.merged_into, profiles.c.id)
    place = func.row_number().over(
        partition_by=(person, enrollments.c.key), order_by=(enrollments.c.entered_at, enrollments.c.id)
    )
    ranked = (
        select(enrollments.c.id, place.label("place"))
        .join(profiles, profiles.c.id == enrollments.c.profile_id)
        .where(enrollments.c.playbook == playbook, enrollments.c.state == "active")
        .subquery()
    )
    doubles = select(ranked.c.id).where(ranked.c.place > 1).subquery("doubles")
    connection.execute(
        update(enrollments)
        .where(enrollments.c.id == doubles.c.id)
        .values(state="left", reason="merged", step=None, due_at=None, ended_at=micros(as_of))
    )
    cancel(connection, playbook, as_of)


def _drop_doubles(connection: Connection, table: Table, playbook: str, same: _Same) -> None:
    """Remove the rows whose person is there already under the profile that stays, or under another that goes there."""
    twin, other, gone = table.alias("twin"), profiles.alias("other"), profiles.alias("gone")
    there = or_(
        other.c.id == gone.c.merged_into,
        and_(other.c.merged_into == gone.c.merged_into, other.c.id < gone.c.id),
    )
    elsewhere = (
        select(twin.c.profile_id)
        .select_from(twin.join(other, other.c.id == twin.c.profile_id).join(gone, there))
        .where(gone.c.id == table.c.profile_id, same(twin))
    )
    connection.execute(
        delete(table).where(table.c.playbook == playbook, table.c.profile_id.in_(_STALE), elsewhere.exists())
    )


def _move(connection: Connection, table: Table, playbook: str) -> int:
    target = select(profiles.c.merged_into).where(profiles.c.id == table.c.profile_id).scalar_subquery()
    done = connection.execute(
        update(table).where(table.c.playbook == playbook, table.c.profile_id.in_(_STALE)).values(profile_id=target)
    )
    return done.rowcount
