"""The store as it was: people and events as they were known at an earlier time, rebuilt in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, func, insert, select, true

from dsl.conditions import JSON
from profiles.attributes import COLUMNS, attributes_of, put
from profiles.consent import consents_of
from profiles.ingest import Rules
from profiles.people import save_consents
from profiles.products import note_products
from profiles.seen import event_names
from profiles.trait_rows import fold_into_rows, see
from profiles.traits import FOLDED, Event
from profiles.values import CallError
from store.addresses import address_hash
from store.clock import micros
from store.engine import open_store, read, write
from store.schema import consents, events, facts, identities, metadata, profiles, suppressions

BATCH = 5_000
_NO_VISIT = ("identify", "group", "alias")
_CREATED = "created_at"
Row = dict[str, Any]


def newest_event_at(connection: Connection) -> int | None:
    """The time of the newest event in the store, microseconds; None without events."""
    # One look into the index (name, at) for each name; without it every event would be read.
    names = event_names().subquery()
    newest = select(func.max(events.c.at)).where(events.c.name == names.c.name).scalar_subquery()
    found: int | None = connection.scalar(select(func.max(newest)).select_from(names))
    return found


def rebuild(engine: Engine, as_of: datetime, *, rules: Rules | None = None) -> Engine:
    """A store in memory that knows what was known at `as_of`. The caller disposes of it.

    Events come up to that time; traits, orders and products are folded anew from them. Of attributes and consents a
    store keeps only the newest word: where that was said later, the word before it is looked for in the identify calls,
    and is unknown if it came in another way. People who were joined later are joined already. The ledger is empty.
    `rules`: those of ingestion. Without them an address that was another one then has no hash, and so no suppression.
    """
    until = micros(as_of)
    scratch = open_store("sqlite://")
    metadata.create_all(scratch)
    with read(engine) as source, write(scratch) as target:
        _copy(source, target, facts)
        first = _first_seen(source, until)
        told = _told(source, until, rules)
        _copy(source, target, profiles, lambda row: _person(row, until, first, told, rules))
        known = set(target.scalars(select(profiles.c.id)))
        _copy(source, target, identities, lambda row: row if row["profile_id"] in known else None)
        _copy(source, target, consents, lambda row: row if row["profile_id"] in known else None, consents.c.at <= until)
        _consents(source, target, until)
        _copy(source, target, suppressions, which=suppressions.c.at <= until)
        _events(source, target, until)
        _fold(target)
    return scratch


def _copy(
    source: Connection,
    target: Connection,
    table: Table,
    change: Callable[[Row], Row | None] = lambda row: row,
    which: ColumnElement[bool] | None = None,
) -> None:
    """Rows as they are, or as `change` makes them; None leaves one out."""
    statement = select(table).where(true() if which is None else which)
    for some in source.execution_options(yield_per=BATCH).execute(statement).mappings().partitions():
        rows = [made for row in some if (made := change(dict(row))) is not None]
        if rows:
            target.execute(insert(table), rows)


# ── Attributes and consent ────────────────────────────────────────────────────────────────────────────────────────────
Told = dict[int, tuple[dict[str, JSON], dict[str, int]]]
"""By profile the attributes that identify calls gave it, and when."""


def _first_seen(source: Connection, until: int) -> dict[int, int]:
    first = select(events.c.profile_id, func.min(events.c.at)).where(events.c.at <= until).group_by(events.c.profile_id)
    return {row[0]: row[1] for row in source.execute(first)}


def _identified(source: Connection, until: int) -> Any:
    """(profile, time, traits) of the identify calls up to then."""
    calls = select(events.c.profile_id, events.c.at, events.c.properties).where(
        events.c.name == "identify", events.c.at <= until
    )
    for profile, at, properties in source.execution_options(yield_per=BATCH).execute(calls):
        yield profile, at, properties.get("traits") or {}


def _told(source: Connection, until: int, rules: Rules | None) -> Told:
    told: Told = {}
    for profile, at, traits in _identified(source, until):
        zone = traits.get("time_zone") or traits.get("timezone")
        try:
            given = attributes_of(
                traits,
                time_zone=zone if isinstance(zone, str) else None,
                device=None,
                region=rules.default_region if rules else None,
            )
        except CallError:  # read by other rules than it was taken in by
            continue
        attributes, set_at = told.setdefault(profile, ({}, {}))
        for name, value in given.items():
            put(attributes, set_at, name, value, at)
    return told


def _person(row: Row, until: int, first: Mapping[int, int], told: Told, rules: Rules | None) -> Row | None:
    """A profile without what was only said later; None for one that was not there."""
    id = row["id"]
    if row["merged_into"] is not None or (row[_CREATED] > until and id not in first):
        return None
    said, said_at = told.get(id, ({}, {}))
    later = {name for name, at in row["set_at"].items() if at > until}
    custom = {name: value for name, value in row["custom"].items() if f"custom.{name}" not in later}
    for name in later:
        before = said.get(name)
        if name in COLUMNS:
            row[name] = before
        elif name.startswith("custom.") and before is not None:
            custom[name.removeprefix("custom.")] = before
    for kind in {"email", "phone"} & later:
        address = row[kind]
        row[f"{kind}_hash"] = address_hash(address, rules.hash_key) if address and rules else None
    if _CREATED in later or row[_CREATED] > until:
        row[_CREATED] = said.get(_CREATED) or first.get(id, until)
    set_at = {name: at for name, at in row["set_at"].items() if at <= until}
    return {**row, "custom": custom, "set_at": {**set_at, **{name: said_at[name] for name in later & said_at.keys()}}}


def _consents(source: Connection, target: Connection, until: int) -> None:
    """Consents that were given by then and taken back, or given again, later: those that identify calls told."""
    newest = consents.c.at > until
    changed = {row.profile_id for row in source.execute(select(consents.c.profile_id).where(newest).distinct())}
    if not changed:
        return
    for profile, at, traits in _identified(source, until):
        if profile in changed:
            given = [consent for consent in consents_of(traits, at) if consent.at <= until]
            save_consents(target, [(profile, consent) for consent in given])


# ── Events and what they add up to ────────────────────────────────────────────────────────────────────────────────────
def _events(source: Connection, target: Connection, until: int) -> None:
    statement = select(events).where(events.c.at <= until).order_by(events.c.id)
    for some in source.execution_options(yield_per=BATCH).execute(statement).mappings().partitions():
        rows = [dict(row) for row in some]
        target.execute(insert(events), rows)
        note_products(
            target,
            [
                Event(event_id=row["event_id"], name=row["name"], at=row["at"], properties=row["properties"])
                for row in rows
                if row["name"] not in _NO_VISIT
            ],
        )


def _fold(target: Connection) -> None:
    visits = select(events.c.profile_id, func.max(events.c.at)).where(events.c.name.not_in(_NO_VISIT))
    see(target, ((profile, at) for profile, at in target.execute(visits.group_by(events.c.profile_id))))
    moved = select(events.c.profile_id).where(events.c.name.in_(FOLDED)).distinct()
    fold_into_rows(target, {}, target.scalars(moved).all())
