"""The key of the store's hashes: with another one no suppression would be found, and who said no would get mail."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import Connection, Engine, delete, exists, or_, select

from store.engine import read, write
from store.errors import StoreError, place_of
from store.schema import facts, outbox, profiles, suppressions
from store.upsert import insert_missing

FACT = "hash_key_check"


def check_key(engine: Engine, key: bytes) -> None:
    """Hold the store to one key: it keeps a hash that only its key gives. Raises StoreError for another key.

    A store without hashes takes any key.
    """
    mine = hmac.new(key, b"winback: is this the key of the store?", hashlib.sha256).hexdigest()
    with read(engine) as connection:
        if _kept(connection) == mine:
            return
    with write(engine) as connection:
        if _kept(connection) not in (None, mine):
            if _hashed(connection):
                raise StoreError(
                    place=place_of(engine),
                    reason="This store was made with another WINBACK_SECRET: with this one, people who are suppressed "
                    "would not be recognised, and unsubscribe links in messages that went out would not work.",
                    way_out="Set WINBACK_SECRET to the key that the store was made with, or put its file "
                    ".winback/secret back into the project. Nothing was changed.",
                )
            connection.execute(delete(facts).where(facts.c.name == FACT))
        insert_missing(connection, facts, [{"name": FACT, "value": mine}])


def _kept(connection: Connection) -> str | None:
    found: str | None = connection.scalar(select(facts.c.value).where(facts.c.name == FACT))
    return found


def _hashed(connection: Connection) -> bool:
    """Whether the store holds any hash of an address."""
    people = select(profiles.c.id).where(or_(profiles.c.email_hash.is_not(None), profiles.c.phone_hash.is_not(None)))
    sent = select(outbox.c.id).where(outbox.c.address_hash.is_not(None))
    rows = (people, select(suppressions.c.channel), sent)
    return any(connection.scalar(select(exists(each.limit(1)))) for each in rows)
