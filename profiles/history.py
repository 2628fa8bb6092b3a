"""The store as it was: people and events as they were known at an earlier time, rebuilt in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, func, insert, select, true

from profiles.attributes import COLUMNS
from profiles.seen import event_names
from profiles.trait_rows import fold_into_rows, see
from store.clock import micros
from store.engine import open_store, read, write
from store.schema import consents, events, facts, identities, metadata, products, profiles, suppressions

BATCH = 5_000

_ATTRIBUTES = ("user_id", *COLUMNS)


def newest_event_at(connection: Connection) -> int | None:
    """The time of the newest event in the store, microseconds; None without events."""
    # One look into the index (name, at) for each name; without it every event would be read.
    names = event_names().subquery()
    newest = select(func.max(events.c.at)).where(events.c.name == names.c.name).scalar_subquery()
    found: int | None = connection.scalar(select(func.max(newest)).select_from(names))
    return found


def rebuild(engine: Engine, as_of: datetime) -> Engine:
    """A store in memory that knows what was known at `as_of`. The caller disposes of it.

    Events come up to that time, traits and orders are folded anew from them. Of attributes and consents only the newest
    word is kept in a store: one that was said later is unknown here. People keep their identities. The ledger is empty.
    """
    until = micros(as_of)
    scratch = open_store("sqlite://")
    metadata.create_all(scratch)
    with read(engine) as source, write(scratch) as target:
        _copy(source, target, facts, true())
        _copy(source, target, profiles, profiles.c.created_at <= until, lambda row: _then(row, until))
        known = set(target.scalars(select(profiles.c.id)))
        for table, at in ((identities, None), (consents, consents.c.at), (events, events.c.at)):
            past = true() if at is None else at <= until
            _copy(source, target, table, past, lambda row: row if row["profile_id"] in known else None)
        _copy(source, target, suppressions, suppressions.c.at <= until)
        _copy(source, target, products, true())
        last = select(events.c.profile_id, func.max(events.c.at)).group_by(events.c.profile_id)
        seen = {row[0]: row[1] for row in target.execute(last)}
        see(target, seen.items())
        fold_into_rows(target, {}, seen)
    return scratch


def _copy(
    source: Connection,
    target: Connection,
    table: Table,
    which: ColumnElement[bool],
    change: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda row: row,
) -> None:
    found = source.execution_options(yield_per=BATCH).execute(select(table).where(and_(true(), which)))
    for some in found.mappings().partitions():
        rows = [made for row in some if (made := change(dict(row))) is not None]
        if rows:
            target.execute(insert(table), rows)


def _then(row: dict[str, Any], until: int) -> dict[str, Any]:
    """A profile's row without what was only said later."""
    set_at = row["set_at"]
    later = {name for name, at in set_at.items() if at > until}
    for name in _ATTRIBUTES:
        if name in later:
            row[name] = None
            if name in ("email", "phone"):
                row[f"{name}_hash"] = None
    row["custom"] = {name: value for name, value in row["custom"].items() if name not in later}
    return row
