"""The store as it was: people and events as they were known at an earlier time, rebuilt in memory and played on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, func, insert, select, true, update

from dsl.conditions import JSON
from profiles.consent import Consent, consents_of
from profiles.ingest import Rules
from profiles.people import save_consents
from profiles.products import note_products
from profiles.said import Row, Said, hear, keep_newer, moments, person_then
from profiles.seen import event_names
from profiles.trait_rows import fold_into_rows, see
from profiles.traits import FOLDED, Event
from profiles.values import CallError
from store.clock import micros
from store.engine import open_store, read, write
from store.schema import consents, events, facts, identities, metadata, profiles, suppressions
from store.upsert import chunks, insert_missing, upsert

BATCH = 5_000
OURS = "winback:"
"""Events whose ids begin so are the store's own word: of a field that a playbook has set."""
_OF_OTHERS = 2**40
"""Ids from here on belong to events that others wrote into a replay's store: history has none as high."""
_NO_VISIT = ("identify", "group", "alias")


def newest_event_at(connection: Connection) -> int | None:
    """The time of the newest event in the store, microseconds; None without events."""
    return _event_at(connection, func.max)


def oldest_event_at(connection: Connection) -> int | None:
    """The time of the oldest event in the store, microseconds; None without events."""
    return _event_at(connection, func.min)


def _event_at(connection: Connection, end: Any) -> int | None:
    # One look into the index (name, at) for each name; without it every event would be read.
    names = event_names().subquery()
    of_name = select(end(events.c.at)).where(events.c.name == names.c.name).scalar_subquery()
    found: int | None = connection.scalar(select(end(of_name)).select_from(names))
    return found


def rebuild(engine: Engine, as_of: datetime, *, rules: Rules | None = None) -> Engine:
    """A store in memory that knows what was known at `as_of`. The caller disposes of it.

    Events come up to that time; traits, orders and products are folded anew from them. Of attributes and consents a
    store keeps only the newest word: where that was said later, the word before it is looked for in the identify calls,
    and is unknown if it came in another way. People who were joined later are joined already. The ledger is empty.
    `rules`: those of ingestion. Without them an address that was another one then has no hash, and so no suppression.
    """
    with replay(engine, end=as_of, rules=rules) as played:
        played.until(as_of)
        return played.store


@contextmanager
def replay(engine: Engine, *, end: datetime, rules: Rules | None = None) -> Iterator[Replay]:
    """History to be played from any time up to `end`, on one look at the store that nothing newer gets into.

    Nothing is written to `engine`. The caller disposes of the replay's store.
    """
    store = open_store("sqlite://")
    metadata.create_all(store)
    with read(engine) as source:
        yield Replay(source=source, store=store, end=micros(end), rules=rules)


@dataclass(slots=True, kw_only=True)
class Replay:
    """A store in memory that is as the source was, further and further.

    What a tick writes into it stays: the ledger, the fields that it sets until a call of a later time says otherwise,
    and the events that tell of them.
    """

    source: Connection
    store: Engine
    """As `rebuild` says it."""
    end: int
    rules: Rules | None
    highest: int = 0
    """The highest id of an event that has come."""
    reached: int | None = None
    """How far it has come, microseconds; None: it is empty."""
    stream: _Stream = field(init=False)
    first: dict[int, int] = field(default_factory=dict)
    """By profile the time of its first event."""
    said: Said = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """The profiles that are there."""
    coming: list[tuple[int, int]] = field(default_factory=list)
    """Times at which what is known of a profile changes, and the profile; the nearest last."""
    revised: set[int] = field(default_factory=set)
    """Profiles whose newest consent is later than the beginning: older ones are in identify calls."""
    dated_ahead: list[tuple[int, Consent]] = field(default_factory=list)
    """Consents that identify calls gave for a time that has not come."""

    def __post_init__(self) -> None:
        self.stream = _Stream(self.source, self.end)

    def until(self, as_of: datetime) -> None:
        """Play what happened up to `as_of`, which is not before the last such time and not after the end."""
        until = micros(as_of)
        if until > self.end or (self.reached is not None and until < self.reached):
            raise ValueError(f"{as_of.isoformat()} cannot be reached from {self.reached} before {self.end}")
        with write(self.store) as target:
            # People are written after their events, from which it is known who was there.
            target.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            heard = _Heard()
            self._make_room(target)
            for rows in self.stream.until(until):
                self._take(target, rows, heard)
            self._people(target, until, heard)
            self._suppressions(target, until)
            see(target, heard.seen.items())
            fold_into_rows(target, heard.fresh, heard.moved)
        self.reached = until

    def _make_room(self, target: Connection) -> None:
        """Give events that others wrote ids that no event of history has: those after the highest were next for both.

        What is written after the first of them gets such ids by itself.
        """
        others = events.c.id.between(self.highest + 1, _OF_OTHERS - 1)
        target.execute(update(events).where(others).values(id=events.c.id + _OF_OTHERS))

    def _take(self, target: Connection, rows: list[Row], heard: _Heard) -> None:
        for row in rows:
            if row["event_id"].startswith(OURS):
                # A playbook that is played anew says the same of an enrollment with the same number.
                row["event_id"] = f"then:{row['event_id']}"
        target.execute(insert(events), rows)
        self.highest = max(self.highest, *(row["id"] for row in rows))
        visits: list[Event] = []
        for row in rows:
            profile, name, at = row["profile_id"], row["name"], row["at"]
            if profile not in self.first:
                self.first[profile] = at
                heard.changed.add(profile)
            if name == "identify":
                traits = row["properties"].get("traits") or {}
                hear(self.said, profile, at, traits, self.rules)
                heard.consents += [(profile, consent) for consent in _consents(traits, at)]
                heard.changed.add(profile)
            if name in _NO_VISIT:
                continue
            heard.seen[profile] = at  # they come in the order of their times
            visits.append(Event(event_id=row["event_id"], name=name, at=at, properties=row["properties"]))
            if name in FOLDED and self.reached is None:
                heard.moved.add(profile)
            elif name in FOLDED:
                heard.fresh.setdefault(profile, []).append(visits[-1])
        note_products(target, visits)

    # ── People, their identifiers and consents ────────────────────────────────────────────────────────────────────────
    def _people(self, target: Connection, until: int, heard: _Heard) -> None:
        if self.reached is None:
            _copy(self.source, target, facts)
            newer = consents.c.at > until
            self.revised = set(self.source.scalars(select(consents.c.profile_id).where(newer).distinct()))
            later = select(consents.c.at, consents.c.profile_id).where(newer, consents.c.at <= self.end)
            coming = {(row.at, row.profile_id) for row in self.source.execute(later)}
            for some in _rows(self.source, select(profiles)):
                for row in some:
                    coming.update((at, row["id"]) for at in moments(row) if until < at <= self.end)
                self._write(target, until, some)
            self.coming = sorted(coming, reverse=True)
        else:
            while self.coming and self.coming[-1][0] <= until:
                heard.changed.add(self.coming.pop()[1])
            for ids in chunks(sorted(heard.changed)):
                for some in _rows(self.source, select(profiles).where(profiles.c.id.in_(ids))):
                    self._write(target, until, some)
        told = [*self.dated_ahead, *((who, consent) for who, consent in heard.consents if who in self.revised)]
        save_consents(target, [each for each in told if each[1].at <= until and each[0] in self.known])
        self.dated_ahead = [each for each in told if each[1].at > until or each[0] not in self.known]

    def _write(self, target: Connection, until: int, rows: list[Row]) -> None:
        """Profiles as they are now, with the identifiers of those who are new, and consents."""
        made = [row for each in rows if (row := person_then(each, until, self.first, self.said, self.rules))]
        mine = {row["id"]: row for row in made if row["id"] in self.known}
        for some in chunks(mine):
            for there in target.execute(select(profiles).where(profiles.c.id.in_(some))).mappings():
                keep_newer(mine[there["id"]], dict(there))
        upsert(target, profiles, made)
        ids = {row["id"] for row in made}
        for new in chunks(sorted(ids - self.known)):
            found = self.source.execute(select(identities).where(identities.c.profile_id.in_(new))).mappings()
            insert_missing(target, identities, [dict(row) for row in found])
        for some in chunks(sorted(ids)):
            given = select(consents).where(consents.c.profile_id.in_(some), consents.c.at <= until)
            save_consents(target, [_consent(row) for row in self.source.execute(given).mappings()])
        self.known |= ids

    def _suppressions(self, target: Connection, until: int) -> None:
        # They are few, and have no index on their times.
        after = true() if self.reached is None else suppressions.c.at > self.reached
        for some in _rows(self.source, select(suppressions).where(after, suppressions.c.at <= until)):
            target.execute(insert(suppressions), some)


@dataclass(slots=True, kw_only=True)
class _Heard:
    """What the events of one stretch of time tell."""

    changed: set[int] = field(default_factory=set)
    """Profiles that are new, or were told of."""
    seen: dict[int, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    """Whose traits are to be folded from all events: at the beginning, when those are too many to be held."""
    fresh: dict[int, list[Event]] = field(default_factory=dict)
    consents: list[tuple[int, Consent]] = field(default_factory=list)


class _Stream:
    """The events in the order of their times, read as they are asked for."""

    def __init__(self, source: Connection, end: int) -> None:
        statement = select(events).where(events.c.at <= end).order_by(events.c.at, events.c.id)
        self._rows = (row for some in _rows(source, statement) for row in some)
        self._next: Row | None = None

    def until(self, until: int) -> Iterator[list[Row]]:
        """Those that come up to then, in batches."""
        batch: list[Row] = []
        while (row := self._next or next(self._rows, None)) is not None:
            self._next = row
            if row["at"] > until:
                break
            self._next = None
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def _rows(source: Connection, statement: Any) -> Iterator[list[Row]]:
    for some in source.execute(statement, execution_options={"yield_per": BATCH}).mappings().partitions():
        yield [dict(row) for row in some]


def _copy(source: Connection, target: Connection, table: Table) -> None:
    for some in _rows(source, select(table)):
        target.execute(insert(table), some)


def _consents(traits: dict[str, JSON], at: int) -> Iterable[Consent]:
    try:
        return consents_of(traits, at)
    except CallError:  # taken in by other rules
        return ()


def _consent(row: RowMapping) -> tuple[int, Consent]:
    return row["profile_id"], Consent(**{name: row[name] for name in ("channel", "topic", "granted", "source", "at")})
