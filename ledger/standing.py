"""Where people come to stand, until when, and who goes on before that.

A wait for a time has one statement, or one for each local time that there is; a wait for a condition has one that finds
those for whom it holds. None of them counts people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    column,
    func,
    literal,
    select,
    update,
    values,
)

from dsl.plan import Plan, Wait
from ledger import waits
from ledger.rows import UNKNOWN, chosen, inside
from store.clock import SECOND, micros
from store.schema import enrollments, profiles
from store.upsert import chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """What `wait until FIELD` waits for, over `ledger.rows.inside()`. Both NULL: it is not known."""

    instant: ColumnElement[int] | None = None
    """Microseconds."""
    day: ColumnElement[str] | None = None
    """`YYYY-MM-DD`: its start where the person lives. It counts before `instant`."""
    yearly: bool = False
    """The next return of the day is meant."""


def wake(connection: Connection, *, plan: Plan, wait: str, holds: ColumnElement[bool], as_of: datetime) -> int:
    """Make those due who stand at a wait and for whom its condition `holds`, over `ledger.rows.inside()`."""
    rows = (
        select(enrollments.c.id)
        .select_from(inside())
        .where(_standing(plan, wait), enrollments.c.due_at > micros(as_of), profiles.c.id.is_not(None), holds)
        .order_by(enrollments.c.id)
        .with_for_update(of=enrollments, skip_locked=True)
    )
    woken = chosen(connection, rows, "woken")
    done = update(enrollments).where(enrollments.c.id == woken.c.id).values(due_at=micros(as_of))
    return connection.execute(done).rowcount


def clock_due(
    connection: Connection, wait: Wait, rows: ColumnElement[bool], as_of: datetime, zone: str
) -> ColumnElement[int]:
    """When a wait that begins now is over for the enrollments `rows`, over enrollments. `zone` is the project's."""
    project = waits.zone_of(None, zone)
    otherwise = literal(micros(waits.over_at(wait, as_of, project)), BigInteger)
    if wait.time is None and wait.weekday is None:
        return otherwise
    zones = connection.scalars(
        select(profiles.c.time_zone)
        .distinct()
        .join(enrollments, enrollments.c.profile_id == profiles.c.id)
        .where(rows, profiles.c.time_zone.is_not(None))
    )
    # What is no zone is left to the project's, so this holds no more than there are zones in the world.
    same: dict[int, list[str]] = {}
    for name in zones:
        if (theirs := waits.zone_of(name, zone)).key == name:
            same.setdefault(micros(waits.over_at(wait, as_of, theirs)), []).append(name)
    if not same:
        return otherwise
    local = case(
        *((profiles.c.time_zone.in_(names), literal(at, BigInteger)) for at, names in same.items()), else_=otherwise
    )
    return select(local).where(profiles.c.id == enrollments.c.profile_id).scalar_subquery()


def arrive(
    connection: Connection, *, plan: Plan, wait: Wait, until: Until, as_of: datetime, zone: str
) -> tuple[str, int]:
    """Say until when those stand who have just come to a `wait until FIELD`: their `due_at` is null as yet.

    For whom it is not known, the journey ends. Returns that reason, and how many they were.
    """
    arrived = and_(_standing(plan, wait.id), enrollments.c.due_at.is_(None))
    if until.day is not None:
        day = func.substr(until.day, 6) if until.yearly else until.day
        for some in chunks(_days(connection, arrived, day, wait, until.yearly, as_of, zone), 5000):
            _stand_until_days(connection, arrived, day, some)
    if until.instant is not None:
        now = literal(micros(as_of), BigInteger)
        at = until.instant + literal(wait.offset * SECOND, BigInteger)
        rows = select(enrollments.c.id, case((at > now, at), else_=now).label("at")).select_from(inside())
        due = chosen(connection, rows.where(arrived, until.instant.is_not(None)), "due")
        connection.execute(update(enrollments).where(enrollments.c.id == due.c.id).values(due_at=due.c.at))
    reason = UNKNOWN + _name(wait)
    left = connection.execute(
        update(enrollments).where(arrived).values(state="left", reason=reason, step=None, ended_at=micros(as_of))
    )
    return reason, left.rowcount


def _name(wait: Wait) -> str:
    assert wait.field is not None
    return f"event.{wait.field.name}" if wait.field.scope == "event" else wait.field.name


def _standing(plan: Plan, wait: str) -> ColumnElement[bool]:
    return and_(
        enrollments.c.playbook == plan.name,
        enrollments.c.state == "active",
        enrollments.c.step == wait,
        enrollments.c.digest == plan.digest,
    )


_ZONE = func.coalesce(profiles.c.time_zone, "")


def _days(
    connection: Connection,
    arrived: ColumnElement[bool],
    day: ColumnElement[Any],
    wait: Wait,
    yearly: bool,
    as_of: datetime,
    zone: str,
) -> list[tuple[str, str, int]]:
    """Zone, day, and when the wait for it is over, for each that there is among those who have arrived."""
    pairs = connection.execute(select(_ZONE, day).distinct().select_from(inside()).where(arrived, day.is_not(None)))
    return [
        (name, text, micros(waits.day_at(text, wait.offset, as_of, waits.zone_of(name, zone), yearly=yearly)))
        for name, text in pairs
    ]


def _stand_until_days(
    connection: Connection,
    arrived: ColumnElement[bool],
    day: ColumnElement[Any],
    known: Sequence[tuple[str, str, int]],
) -> None:
    columns = (column("zone", Text), column("day", Text), column("at", BigInteger))
    days = values(*columns, name="days").data(list(known)).cte("known_days")
    rows = (
        select(enrollments.c.id, days.c.at)
        .select_from(inside().join(days, and_(days.c.zone == _ZONE, days.c.day == day)))
        .where(arrived)
    )
    due = rows.subquery("due")
    connection.execute(update(enrollments).where(enrollments.c.id == due.c.id).values(due_at=due.c.at))
