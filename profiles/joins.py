"""Moving everything of one profile to another, when both turn out to be the same person. Nothing is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, null, select, text, update

from profiles.attributes import COLUMNS
from profiles.consent import Consent
from profiles.people import save_consents
from profiles.trait_rows import see
from store.schema import (
    assignments,
    consents,
    enrollments,
    events,
    identities,
    matches,
    memberships,
    order_items,
    orders,
    outbox,
    plans,
    playbooks,
    profiles,
    stages,
    traits,
)
from store.upsert import chunks, insert_missing, upsert

_MOVED = (identities, events, enrollments, outbox)
"""Tables whose rows move by writing another profile id."""
_FOLDED = (order_items, orders, traits)
"""Tables that are made from events, and so are made anew."""
_QUEUED = ("planned", "claimed")
_OUT = ("sending", "accepted", "unknown", "assumed_sent")
"""States of what went out, or may have."""
_PERSONAL = ("user_id", "email_hash", "phone_hash", *COLUMNS)


def join_profiles(connection: Connection, into: Mapping[int, int], at: int) -> None:
    """Move what belongs to the keys of `into` to its values. `at`: microseconds, when enrollments that end by it end.

    Attributes are not touched here: the caller has put them together and writes them. The traits and orders of those
    that take over must be folded anew.
    """
    if not into:
        return
    _hold_the_ledger(connection, into)
    _end_double_enrollments(connection, into, at)
    _move_consents(connection, into)
    _move_assignments(connection, into)
    _move_missing(connection, matches, into)
    _move_missing(connection, stages, into)
    _move_memberships(connection, into, at)
    seen = [(into[row.profile_id], row.last_seen_at) for row in _rows_of(connection, traits, into) if row.last_seen_at]
    see(connection, seen)
    moves = [{"loser": loser, "winner": winner} for loser, winner in into.items()]
    for table in _MOVED:
        moved = update(table).where(table.c.profile_id == bindparam("loser")).values(profile_id=bindparam("winner"))
        connection.execute(moved, moves)
    for table in _FOLDED:
        _forget(connection, table, into)
    connection.execute(
        update(profiles)
        .where(profiles.c.id == bindparam("loser"))
        .values(merged_into=bindparam("winner"), custom={}, set_at={}, **{name: null() for name in _PERSONAL}),
        moves,
    )


def _rows_of(connection: Connection, table: Table, ids: Iterable[int]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for chunk in chunks(sorted(set(ids))):
        found += connection.execute(select(table).where(table.c.profile_id.in_(chunk)))
    return found


def _forget(connection: Connection, table: Table, ids: Iterable[int]) -> None:
    for chunk in chunks(ids):
        connection.execute(delete(table).where(table.c.profile_id.in_(chunk)))


def _hold_the_ledger(connection: Connection, into: Mapping[int, int]) -> None:
    """On PostgreSQL, wait for ticks that are letting people in or moving these just now, and hold up the next ones.

    Else one could write a row for a profile that is being taken over, and nobody would read it again. Playbooks, then
    enrollments, then messages: the order in which ticks lock, too. SQLite's writers take turns anyway.
    """
    if connection.dialect.name == "postgresql":
        # All of the table: a playbook that runs for the first time just now has no row yet that could be locked.
        connection.execute(text(f"LOCK TABLE {playbooks.name} IN EXCLUSIVE MODE"))
    for chunk in chunks(sorted({*into, *into.values()})):
        theirs = select(enrollments.c.id).where(enrollments.c.profile_id.in_(chunk)).order_by(enrollments.c.id)
        connection.execute(theirs.with_for_update()).all()


def _end_double_enrollments(connection: Connection, into: Mapping[int, int], at: int) -> None:
    """One live enrollment per person, playbook and key: the one that has sent most, for the other would send it again;
    else the one of the profile that stays, or else the oldest. Where people enter once, none goes on beside one that is
    over and has sent all the same."""
    same: dict[tuple[int, str, str], list[Row[Any]]] = {}
    for chunk in chunks(sorted({*into, *into.values()})):
        for row in connection.execute(select(enrollments).where(enrollments.c.profile_id.in_(chunk))):
            same.setdefault((into.get(row.profile_id, row.profile_id), row.playbook, row.key), []).append(row)
    several = [rows for rows in same.values() if len(rows) > 1]
    once = _entering_once(connection, {row.digest for rows in several for row in rows})
    ids = [row.id for rows in several for row in rows]
    sent, queued = _steps(connection, ids, _OUT), _steps(connection, ids, _QUEUED)
    ended: list[int] = []
    for rows in several:
        only = any(row.digest in once for row in rows) and len({row.profile_id for row in rows}) > 1
        live = [row for row in rows if row.state == "active" or (only and queued[row.id])]
        # Queued comes next: what the other has nothing of may have been refused to it, as to a visitor without consent.
        live.sort(key=lambda r: (-len(sent[r.id]), -len(queued[r.id]), r.profile_id in into, r.entered_at, r.id))
        over = [sent[row.id] for row in rows if only and row not in live and sent[row.id]]
        had = bool(live) and any(steps >= sent[live[0].id] | queued[live[0].id] for steps in over)
        ended += [row.id for row in live[0 if had else 1 :]]
    for chunk in chunks(ended):
        connection.execute(
            update(enrollments)
            .where(enrollments.c.id.in_(chunk), enrollments.c.state == "active")
            .values(state="left", reason="merged", step=None, due_at=None, ended_at=at)
        )
        # A claimed one loses its token: the worker that holds it then changes nothing, and sends nothing.
        connection.execute(
            update(outbox)
            .where(outbox.c.enrollment_id.in_(chunk), outbox.c.state.in_(_QUEUED))
            .values(state="cancelled", reason="merged", settled_at=at, owner=None, token=None, lease_until=None)
        )


def _entering_once(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Those of these plans that people enter once, or once for each key."""
    kind = plans.c.body["entry"]["kind"].as_string()
    found: set[str] = set()
    for chunk in chunks(sorted(digests)):
        found.update(
            connection.scalars(select(plans.c.digest).where(plans.c.digest.in_(chunk), kind.in_(("once", "per"))))
        )
    return found


def _steps(connection: Connection, ids: Sequence[int], states: Sequence[str]) -> defaultdict[int, set[str]]:
    """The steps whose messages and records are in one of these states, by enrollment."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for chunk in chunks(ids):
        rows = select(outbox.c.enrollment_id, outbox.c.step).where(outbox.c.enrollment_id.in_(chunk))
        for row in connection.execute(rows.where(outbox.c.state.in_(states))):
            found[row.enrollment_id].add(row.step)
    return found


def _move_consents(connection: Connection, into: Mapping[int, int]) -> None:
    rows = _rows_of(connection, consents, into)
    for row in rows:
        consent = Consent(channel=row.channel, topic=row.topic, granted=row.granted, source=row.source, at=row.at)
        save_consents(connection, [(into[row.profile_id], consent)])
    _forget(connection, consents, into)


def _move_assignments(connection: Connection, into: Mapping[int, int]) -> None:
    """The variant shown first is the one that the person stays with."""
    found = _rows_of(connection, assignments, {*into, *into.values()})
    found.sort(key=lambda row: (row.at, row.profile_id in into))
    kept: dict[tuple[str, int], dict[str, Any]] = {}
    for row in found:
        owner = into.get(row.profile_id, row.profile_id)
        kept.setdefault((row.experiment, owner), {**row._mapping, "profile_id": owner})
    _rewrite(connection, assignments, {*into, *into.values()}, list(kept.values()))


def _move_missing(connection: Connection, table: Table, into: Mapping[int, int]) -> None:
    """What the profile that stays has itself, it keeps: in which stage the two are together, the next look will say."""
    moved = [{**row._mapping, "profile_id": into[row.profile_id]} for row in _rows_of(connection, table, into)]
    insert_missing(connection, table, moved)
    _forget(connection, table, into)


def _move_memberships(connection: Connection, into: Mapping[int, int], at: int) -> None:
    """Whoever of the two is a member, the person is one. What services know of the one who goes is taken back there."""
    found = _rows_of(connection, memberships, {*into, *into.values()})
    found.sort(key=lambda row: (not row.member, row.profile_id in into, row.changed_at))
    kept: dict[tuple[str, int], Row[Any]] = {}
    for row in found:
        kept.setdefault((row.audience, into.get(row.profile_id, row.profile_id)), row)
    moved = [
        {"audience": audience, "profile_id": person, "member": row.member, "changed_at": at, "told_at": None}
        for (audience, person), row in kept.items()
        if row.profile_id in into
    ]
    upsert(connection, memberships, moved)
    for chunk in chunks(into):
        gone = memberships.c.profile_id.in_(chunk)
        connection.execute(delete(memberships).where(gone, memberships.c.told_as.is_(None)))
        connection.execute(update(memberships).where(gone).values(member=False, changed_at=at, told_at=None))


def _rewrite(connection: Connection, table: Table, ids: Iterable[int], rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        _forget(connection, table, ids)
        insert_missing(connection, table, rows)
