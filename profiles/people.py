"""People between the store's rows and the batch: loaded by their identifiers, saved when they changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, or_, select, update

from dsl.conditions import JSON
from profiles.attributes import COLUMNS
from profiles.consent import Consent
from profiles.identity import Identifier, IdentifierKind, Person
from store.addresses import address_hash
from store.schema import consents, identities, profiles
from store.upsert import Excluded, chunks, reserve_ids, upsert


def load(connection: Connection, identifiers: Iterable[Identifier]) -> dict[Identifier, Person]:
    """The people that the store has for these identifiers. On PostgreSQL their rows stay locked till the commit."""
    wanted: dict[IdentifierKind, list[str]] = {}
    for kind, value in identifiers:
        wanted.setdefault(kind, []).append(value)
    owners: dict[Identifier, int] = {}
    for kind, values in wanted.items():
        for chunk in chunks(values):
            found = select(identities.c.value, identities.c.profile_id)
            rows = connection.execute(found.where(identities.c.kind == kind, identities.c.value.in_(chunk)))
            owners.update({(kind, value): owner for value, owner in rows})
    people: dict[int, Person] = {}
    for ids in chunks(sorted(set(owners.values()))):
        statement = select(profiles).where(profiles.c.id.in_(ids)).order_by(profiles.c.id).with_for_update()
        people.update({row.id: _person(row) for row in connection.execute(statement)})
    return {identifier: people[owner] for identifier, owner in owners.items()}


def add(connection: Connection, people: Sequence[Person], key: bytes) -> None:
    """Insert people who are not in the store yet, and give them their ids. `key`: of the address hashes."""
    for person, number in zip(people, reserve_ids(connection, profiles, len(people)), strict=True):
        person.id = number
    if people:
        connection.execute(insert(profiles), [{"id": person.id, **_row(person, key)} for person in people])


def save(connection: Connection, people: Sequence[Person], key: bytes) -> None:
    """Write what changed of people who are in the store."""
    if people:
        rows = [{"the_id": person.id, **_row(person, key)} for person in people]
        connection.execute(update(profiles).where(profiles.c.id == bindparam("the_id")), rows)


def add_identities(connection: Connection, new: Mapping[Identifier, Person]) -> None:
    """Insert identifiers that the store does not have yet."""
    rows = [{"kind": kind, "value": value, "profile_id": who.root().id} for (kind, value), who in new.items()]
    if rows:
        connection.execute(insert(identities), rows)


def save_consents(connection: Connection, given: Iterable[tuple[int, Consent]]) -> None:
    """Write consents by profile id where they are newer than what is known; at the same time a refusal wins."""

    def counts(new: Excluded) -> ColumnElement[bool]:
        old = consents.c
        same_word = (new.at == old.at) & (new.granted == old.granted)
        refusal = (new.at == old.at) & old.granted & ~new.granted
        return or_(new.at > old.at, refusal, same_word & (new.source > old.source))

    rows = [
        {
            "profile_id": profile,
            "channel": consent.channel,
            "topic": consent.topic,
            "granted": consent.granted,
            "source": consent.source,
            "at": consent.at,
        }
        for profile, consent in given
    ]
    upsert(connection, consents, rows, where=counts)


def _person(row: Row[Any]) -> Person:
    attributes: dict[str, JSON] = {name: value for name in COLUMNS if (value := getattr(row, name)) is not None}
    attributes |= {f"custom.{name}": value for name, value in row.custom.items()}
    if row.user_id is not None:
        attributes["user_id"] = row.user_id
    if "created_at" in row.set_at:
        attributes["created_at"] = row.created_at
    return Person(
        id=row.id,
        born=row.id,
        bucket=row.bucket,
        created_at=row.created_at,
        attributes=attributes,
        set_at=dict(row.set_at),
    )


def _row(person: Person, key: bytes) -> dict[str, Any]:
    known = person.attributes
    email, phone = known.get("email"), known.get("phone")
    return {
        **{name: known.get(name) for name in COLUMNS},
        "bucket": person.bucket,
        "user_id": known.get("user_id"),
        "email_hash": address_hash(email, key) if isinstance(email, str) else None,
        "phone_hash": address_hash(phone, key) if isinstance(phone, str) else None,
        "created_at": known.get("created_at", person.created_at),
        "custom": {
            name.removeprefix("custom."): value
            for name, value in known.items()
            if name.startswith("custom.") and value is not None
        },
        "set_at": person.set_at,
    }
