"""Taking calls into the store: whole batches, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import OperationalError

from dsl.conditions import JSON
from profiles.amounts import is_standard
from profiles.attributes import COLUMNS, attributes_of, put
from profiles.calls import Call
from profiles.consent import Consent, consents_of
from profiles.identity import Identifier, Person, Roster, give, identifiers_of
from profiles.joins import join_profiles
from profiles.people import add, add_identities, load, save, save_consents
from profiles.products import note_products
from profiles.trait_rows import fold_into_rows, see
from profiles.traits import FOLDED, Event
from profiles.values import CallError, shown
from store.clock import micros
from store.engine import write
from store.errors import explained
from store.locks import hold_profiles
from store.schema import events
from store.upsert import chunks

_TRIES = 3
_DEADLOCK = "40P01"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a project lays down for its data."""

    currency: str
    """ISO 4217, like `USD`: the only one of the store."""
    zone: str
    """The shop's IANA time zone."""
    hash_key: bytes
    """Of the address hashes."""
    default_region: str | None = None
    """Like `US`: how phone numbers without a country are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    read: int = 0
    imported: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            read=self.read + other.read,
            imported=self.imported + other.imported,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one call."""

    kind: Literal["imported", "duplicate", "rejected"]
    reason: str | None = None
    """Why it was rejected, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestResult:
    outcomes: tuple[Outcome, ...]
    """One for each call, in their order."""

    @property
    def counts(self) -> Counts:
        kinds = [outcome.kind for outcome in self.outcomes]
        return Counts(
            read=len(kinds),
            imported=kinds.count("imported"),
            duplicates=kinds.count("duplicate"),
            rejected=kinds.count("rejected"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Accepted:
    call: Call
    at: int
    attributes: Mapping[str, JSON]
    identifiers: tuple[Identifier, ...]
    consents: tuple[Consent, ...]


_IMPORTED = Outcome(kind="imported")
_DUPLICATE = Outcome(kind="duplicate")


def ingest(engine: Engine, calls: Sequence[Call], *, rules: Rules, received_at: datetime) -> IngestResult:
    """Take the calls in, in one transaction. A call that cannot be used is rejected and the others are kept.

    The order of calls, of batches, and their repetition do not matter. Raises StoreError.
    """
    with explained(engine):
        return in_transaction(
            engine, lambda connection: ingest_batch(connection, calls, rules=rules, received_at=received_at)
        )


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do the work in one transaction, and again when it and a tick waited for each other (PostgreSQL)."""
    for _ in range(_TRIES - 1):
        try:
            with write(engine) as connection:
                return work(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
    with write(engine) as connection:
        return work(connection)


def ingest_batch(connection: Connection, calls: Sequence[Call], *, rules: Rules, received_at: datetime) -> IngestResult:
    """`ingest` inside the caller's transaction, which must be one of `store.engine.write`."""
    received = micros(received_at)
    hold_profiles(connection)
    known = _known_events(connection, {call.event_id for call in calls})
    outcomes: list[Outcome] = []
    accepted: list[_Accepted] = []
    for call in calls:
        before = known.get(call.event_id)
        if before is not None:
            outcomes.append(_DUPLICATE if before == call.body_hash else _conflict(call))
            continue
        try:
            accepted.append(_accept(call, rules, received))
        except CallError as error:
            outcomes.append(Outcome(kind="rejected", reason=str(error)))
            continue
        known[call.event_id] = call.body_hash
        outcomes.append(_IMPORTED)
    if accepted:
        _store(connection, accepted, rules, received)
    return IngestResult(outcomes=tuple(outcomes))


def _known_events(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in chunks(ids):
        rows = connection.execute(select(events.c.event_id, events.c.body_hash).where(events.c.event_id.in_(some)))
        found.update({row.event_id: row.body_hash for row in rows})
    return found


def _conflict(call: Call) -> Outcome:
    reason = (
        f"The id {shown(call.event_id)} was used before for a call that says something else. "
        "Give each call a `messageId` of its own."
    )
    return Outcome(kind="rejected", reason=reason)


def _accept(call: Call, rules: Rules, received: int) -> _Accepted:
    at = received if call.at is None else call.at
    currency = call.properties.get("currency") if is_standard(call.name) else None
    if currency and currency.upper() != rules.currency.upper():
        raise CallError(
            f"`currency` is {shown(currency)}, but this store counts in {rules.currency}. Convert the amounts before "
            "the import, or use a store of its own for each currency."
        )
    attributes = attributes_of(call.traits, time_zone=call.time_zone, device=call.device, region=rules.default_region)
    identifiers = identifiers_of(call, attributes)
    if not identifiers:
        raise CallError("The call names nobody. Give it `userId`, `anonymousId`, or an e-mail address in its traits.")
    return _Accepted(
        call=call,
        at=at,
        attributes=attributes,
        identifiers=identifiers,
        consents=consents_of(call.traits, at),
    )


def _store(connection: Connection, accepted: Sequence[_Accepted], rules: Rules, received: int) -> None:
    roster = Roster(load(connection, _all_identifiers(accepted)))
    people = [_meet(roster, each) for each in accepted]
    roots = list(dict.fromkeys(person.root() for person in people))
    new = [person for person in roots if person.id is None]
    add(connection, new, rules.hash_key)
    new_ones = set(new)
    into = {loser: _id(root) for root in roots for loser in root.absorbed}
    join_profiles(connection, into, received)
    save(connection, [root for root in roots if root.changed and root not in new_ones], rules.hash_key)
    add_identities(connection, roster.identities)
    save_consents(connection, [(_id(root), consent) for root in roots for consent in root.consents.values()])
    _insert_events(connection, people, accepted, received)
    _fold(connection, people, accepted, set(into.values()))


def _all_identifiers(accepted: Sequence[_Accepted]) -> set[Identifier]:
    found = {identifier for each in accepted for identifier in each.identifiers}
    for each in accepted:
        if each.call.previous_id:
            found |= {("user_id", each.call.previous_id), ("anonymous_id", each.call.previous_id)}
    return found


def _meet(roster: Roster, each: _Accepted) -> Person:
    """The person of a call, with what the call says of them put down."""
    call = each.call
    if call.previous_id and call.user_id:
        person = roster.alias(call.previous_id, call.user_id, each.at)
    else:
        person = roster.person_for(each.identifiers, each.at)
    for name, value in each.attributes.items():
        person.changed |= put(person.attributes, person.set_at, name, value, each.at)
    if each.at < person.created_at:
        person.created_at = each.at
        person.changed = True
    for consent in each.consents:
        give(person, (consent.channel, consent.topic), consent)
    return person


def _insert_events(
    connection: Connection, people: Sequence[Person], accepted: Sequence[_Accepted], received: int
) -> None:
    rows = [
        {
            "event_id": each.call.event_id,
            "body_hash": each.call.body_hash,
            "profile_id": person.root().id,
            "name": each.call.name,
            "at": each.at,
            "received_at": received,
            "properties": _kept(each),
        }
        for person, each in zip(people, accepted, strict=True)
    ]
    connection.execute(insert(events), rows)


def _kept(each: _Accepted) -> Mapping[str, JSON]:
    """What an event row keeps of the call, so that the past can be told from events alone."""
    match each.call.kind:
        case "identify":
            columns = {name: value for name, value in each.attributes.items() if name in COLUMNS}
            return {"traits": dict(each.call.traits), "columns": columns}
        case "alias":
            return {"previous_id": each.call.previous_id, "user_id": each.call.user_id}
    return each.call.properties


def _fold(connection: Connection, people: Sequence[Person], accepted: Sequence[_Accepted], joined: set[int]) -> None:
    seen: dict[int, int] = {}
    fresh: dict[int, list[Event]] = {}
    batch: list[Event] = []
    for person, each in zip(people, accepted, strict=True):
        if each.call.kind not in ("track", "page", "screen"):
            continue  # a copy of the customer file is no visit
        profile = _id(person.root())
        seen[profile] = max(seen.get(profile, each.at), each.at)
        event = Event(event_id=each.call.event_id, name=each.call.name, at=each.at, properties=each.call.properties)
        batch.append(event)
        if event.name in FOLDED:
            fresh.setdefault(profile, []).append(event)
    see(connection, seen.items())
    fold_into_rows(connection, fresh, joined)
    note_products(connection, batch)


def _id(person: Person) -> int:
    assert person.id is not None, "people get their ids before anything refers to them"
    return person.id
