"""Letting people in: `start when` and `start on`.

Who holds a condition, who was looked at and who entered is written in one transaction, so a tick that dies has done
nothing, and one that is repeated finds nobody new.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    delete,
    false,
    func,
    literal,
    null,
    select,
    true,
)

from dsl.plan import Entry, Plan
from dsl.regions import START
from ledger.plans import Tick, is_first, lock_playbook, stamp
from ledger.rows import people_of, started
from store.clock import SECOND, micros
from store.schema import enrollments, events, profiles, starts, traits
from store.schema import matches as matched
from store.upsert import insert_new

LATE_EVENTS = timedelta(hours=24)
"""Events that arrive later than this after they happened start nothing."""

_COLUMNS = ("playbook", "digest", "profile_id", "key", "event", "holdout", "state", "step", "due_at", "entered_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    entered: int
    """The held-out included."""
    held_out: int
    after: int = 0
    """The new enrollments are those of the playbook with an id above this."""


def enter_when(
    connection: Connection,
    *,
    plan: Plan,
    tick: Tick,
    matches: ColumnElement[bool],
    admits: ColumnElement[bool] | None,
    held_out: ColumnElement[bool],
    as_of: datetime,
    only_new: bool = False,
) -> Entered:
    """Let in those for whom `matches` has turned true since the last tick.

    The conditions are over profiles and traits. `admits` is `only if`: whoever it refuses now is asked again only after
    the condition has been false in between. They entered at `as_of`. The first tick of a playbook, and the first after
    a pause, lets in those who match already, or with `only_new` takes them as seen. Nobody enters what is paused.
    """
    book = lock_playbook(connection, plan.name)
    if book.paused_at is not None:
        return Entered(entered=0, held_out=0)
    alive = profiles.c.merged_into.is_(None)
    people = profiles.outerjoin(traits, traits.c.profile_id == profiles.c.id)
    still = select(profiles.c.id).select_from(people).where(profiles.c.id == matched.c.profile_id, alive, matches)
    connection.execute(delete(matched).where(matched.c.playbook == plan.name, ~still.exists()))
    # No "where not yet there": PostgreSQL may look for it in the very rows that it is inserting, again for each.
    turned = select(literal(plan.name), profiles.c.id, literal(tick.id)).select_from(people).where(alive, matches)
    connection.execute(insert_new(connection, matched).from_select(["playbook", "profile_id", "tick"], turned))
    stamp(connection, book, as_of)
    if only_new and is_first(book):
        return Entered(entered=0, held_out=0)
    new = (
        select(*_row(plan, null(), literal(""), held_out, literal(micros(as_of), BigInteger), as_of))
        .select_from(people_of(matched, matched.c.profile_id))
        .where(
            matched.c.playbook == plan.name,
            matched.c.tick == tick.id,
            true() if admits is None else admits,
            _may_enter(plan.name, plan.entry, literal(""), literal(micros(as_of), BigInteger)),
        )
    )
    return _enroll(connection, plan, new)


def enter_on(
    connection: Connection,
    *,
    plan: Plan,
    tick: Tick,
    event: str,
    where: ColumnElement[bool] | None,
    admits: ColumnElement[bool] | None,
    held_out: ColumnElement[bool],
    as_of: datetime,
    look_back: timedelta = LATE_EVENTS,
    only_new: bool = False,
) -> Entered:
    """Let in those to whom `event` happened, at each event of this name that no tick has looked at.

    `where` is over schema.events; `admits` over profiles, traits and the event (`ledger.rows.started`). Who enters has
    entered when the event happened, so that what came between event and tick is "since entry"; waits begin at the tick
    all the same. `look_back` is how old an event may be at the first tick, and at the first after a pause. Of several
    events of one person and key in one tick the earliest counts. Nobody enters what is paused.
    """
    book = lock_playbook(connection, plan.name)
    if book.paused_at is not None:
        return Entered(entered=0, held_out=0)
    now = micros(as_of)
    since = min(now, book.last_tick_at or now) - LATE_EVENTS // timedelta(microseconds=1)
    counts: ColumnElement[bool] = true()
    if is_first(book):
        oldest = now - look_back // timedelta(microseconds=1)
        since = min(since, oldest)
        # Older ones are taken as seen, or the next tick would let them in.
        counts = false() if only_new else started.c.at > oldest
    _look_at(connection, plan.name, tick, event, since, now)
    stamp(connection, book, as_of)
    new = _first_events(plan, tick, where, admits, held_out, as_of).where(counts).subquery()
    earliest = select(*(new.c[name] for name in _COLUMNS)).where(new.c.place == 1)
    return _enroll(connection, plan, earliest)


def enroll_others(
    connection: Connection,
    *,
    plan: Plan,
    rows: ColumnElement[bool],
    admits: ColumnElement[bool] | None,
    held_out: ColumnElement[bool],
    as_of: datetime,
) -> Entered:
    """Let in the people of the enrollments for which `rows` holds, as a step of another playbook asks for it.

    `plan` is registered, and the caller holds its playbook (`lock_playbook`). They enter at `as_of`, without an event:
    what `admits` or a step reads of it is unknown. Whoever is inside, or may not enter again, is passed over. Into a
    playbook that is paused they come too, and wait at its beginning: they are sent here only once.
    """
    entered_at = literal(micros(as_of), BigInteger)
    nobody_started = people_of(enrollments, enrollments.c.profile_id).outerjoin(started, false())
    new = (
        select(*_row(plan, null(), literal(""), held_out, entered_at, as_of))
        .distinct()
        .select_from(nobody_started)
        .where(
            rows,
            profiles.c.id.is_not(None),
            profiles.c.merged_into.is_(None),
            true() if admits is None else admits,
            _may_enter(plan.name, plan.entry, literal(""), entered_at),
        )
    )
    return _enroll(connection, plan, new)


def _look_at(connection: Connection, playbook: str, tick: Tick, event: str, since: int, now: int) -> None:
    """Remember the events in (since, now] that this tick is the first to look at.

    Each is remembered by its id. A watermark would be less to store, but there is none that is right: times come late
    and out of order, and ids are given out before they are committed, so that a smaller one may appear after a larger.
    """
    connection.execute(delete(starts).where(starts.c.playbook == playbook, starts.c.at <= since))
    looked_at = select(literal(playbook), events.c.id, literal(tick.id), events.c.at).where(
        events.c.name == event, events.c.at > since, events.c.at <= now
    )
    connection.execute(insert_new(connection, starts).from_select(["playbook", "event", "tick", "at"], looked_at))


def _first_events(
    plan: Plan,
    tick: Tick,
    where: ColumnElement[bool] | None,
    admits: ColumnElement[bool] | None,
    held_out: ColumnElement[bool],
    as_of: datetime,
) -> Select[Any]:
    """Rows for enrollments, one for each event, with their `place` among those of the same person and key."""
    fitting = (
        select(events.c.id)
        .join(starts, and_(starts.c.playbook == plan.name, starts.c.event == events.c.id))
        .where(starts.c.tick == tick.id, true() if where is None else where)
    )
    key: ColumnElement[str] = literal("")
    if plan.entry.per is not None:
        key = func.coalesce(cast(started.c.properties[plan.entry.per].as_string(), Text), "")
    place = func.row_number().over(partition_by=(profiles.c.id, key), order_by=(started.c.at, started.c.id))
    return (
        select(*_row(plan, started.c.id, key, held_out, started.c.at, as_of), place.label("place"))
        .select_from(people_of(started, started.c.profile_id))
        .where(
            started.c.id.in_(fitting),
            profiles.c.merged_into.is_(None),
            profiles.c.id.is_not(None),
            true() if admits is None else admits,
            _may_enter(plan.name, plan.entry, key, started.c.at),
        )
    )


def _row(
    plan: Plan,
    event: ColumnElement[Any],
    key: ColumnElement[str],
    held_out: ColumnElement[bool],
    entered_at: ColumnElement[int],
    as_of: datetime,
) -> list[ColumnElement[Any]]:
    """The columns of a new enrollment, in the order of _COLUMNS."""
    now = literal(micros(as_of), BigInteger)
    values: tuple[ColumnElement[Any], ...] = (
        literal(plan.name), literal(plan.digest), profiles.c.id, key, cast(event, BigInteger), held_out,
        literal("active"), literal(START), now, entered_at,
    )  # fmt: skip
    return [value.label(name) for name, value in zip(_COLUMNS, values, strict=True)]


def _may_enter(
    playbook: str, entry: Entry, key: ColumnElement[str], entering_at: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether earlier enrollments let the person in. A live one does not, which is the unique index's to say."""
    past = enrollments.alias("past")
    earlier = select(past.c.id).where(past.c.playbook == playbook, past.c.profile_id == profiles.c.id)
    match entry.kind:
        case "every":
            return true()
        case "once":
            return ~earlier.exists()
        case "per":
            return ~earlier.where(past.c.key == key).exists()
        case "again":
            return ~earlier.where(past.c.entered_at > entering_at - (entry.seconds or 0) * SECOND).exists()


def _enroll(connection: Connection, plan: Plan, rows: Select[Any]) -> Entered:
    # Nobody else lets people into this playbook while its row is locked, so what is above this id is ours.
    before = connection.scalar(select(func.coalesce(func.max(enrollments.c.id), 0)))
    connection.execute(insert_new(connection, enrollments).from_select(list(_COLUMNS), rows))
    counted: dict[bool, int] = {
        row.holdout: row.people
        for row in connection.execute(
            select(enrollments.c.holdout, func.count().label("people"))
            .where(enrollments.c.id > before, enrollments.c.playbook == plan.name)
            .group_by(enrollments.c.holdout)
        )
    }
    return Entered(entered=sum(counted.values()), held_out=counted.get(True, 0), after=before or 0)
