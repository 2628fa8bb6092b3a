"""Calls and looks into the store, for the tests of profiles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from profiles.calls import BadCall, Call, read_calls
from profiles.ingest import IngestResult, Rules, ingest
from store.clock import micros
from store.engine import write
from store.schema import (
    consents,
    events,
    identities,
    metadata,
    order_items,
    orders,
    products,
    profiles,
    traits,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = Rules(currency="USD", zone="UTC", hash_key=b"key", default_region="US")
_numbers = count()


def at(hours: float) -> str:
    """A time as it stands in a call: hours after the start."""
    return (START + timedelta(hours=hours)).isoformat()


def instant_at(hours: float) -> int:
    """The same as the store keeps it."""
    return micros(START + timedelta(hours=hours))


def track(event: str, hours: float, who: dict[str, Any] | str = "ann", **properties: Any) -> dict[str, Any]:
    """A track call of a user, or with the identifiers given."""
    ids = {"userId": who} if isinstance(who, str) else who
    return {
        "type": "track",
        "event": event,
        "messageId": f"m{next(_numbers)}",
        "timestamp": at(hours),
        "properties": properties,
        **ids,
    }


def identify(hours: float, who: dict[str, Any] | str = "ann", **traits: Any) -> dict[str, Any]:
    """An identify call, as `track`."""
    call = track("", hours, who)
    return {**call, "type": "identify", "traits": traits}


def read(*given: dict[str, Any]) -> list[Call]:
    """The calls, which must be good ones."""
    made = [call for each in given for call in read_calls(each)]
    assert not [call for call in made if isinstance(call, BadCall)], made
    return [call for call in made if isinstance(call, Call)]


def take(engine: Engine, *given: dict[str, Any], rules: Rules = RULES) -> IngestResult:
    """Ingest calls that are well formed, in one batch."""
    return ingest(engine, read(*given), rules=rules, received_at=START + timedelta(days=30))


def profile_of(engine: Engine, kind: str, value: str) -> Row[Any]:
    """The profile of an identifier."""
    with engine.connect() as connection:
        joined = select(profiles).join(identities, identities.c.profile_id == profiles.c.id)
        return connection.execute(joined.where(identities.c.kind == kind, identities.c.value == value)).one()


def traits_of(engine: Engine, user_id: str = "ann") -> Row[Any]:
    """The traits of a user."""
    with engine.connect() as connection:
        statement = select(traits).where(traits.c.profile_id == profile_of(engine, "user_id", user_id).id)
        return connection.execute(statement).one()


def wipe(engine: Engine) -> None:
    """Empty every table."""
    with write(engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


def everything(engine: Engine) -> dict[str, Any]:
    """All that the store knows of people, named by their identifiers instead of by row numbers."""
    with engine.connect() as connection:
        named: dict[int, list[str]] = {}
        for row in connection.execute(select(identities)):
            named.setdefault(row.profile_id, []).append(f"{row.kind}:{row.value}")
        found: dict[str, Any] = {}
        for row in connection.execute(select(profiles).where(profiles.c.merged_into.is_(None))):
            told = {key: value for key, value in row._mapping.items() if key not in ("id", "bucket")}
            told["parts"] = _parts(connection, row.id)
            found[" ".join(sorted(named[row.id]))] = told
        ids = {row.id for row in connection.execute(select(profiles).where(profiles.c.merged_into.is_(None)))}
        assert set(named) == ids, "every identifier belongs to a living profile"
        found["products"] = {row.product_id: dict(row._mapping) for row in connection.execute(select(products))}
        return found


def _parts(connection: Connection, profile: int) -> dict[str, Any]:
    parts = {}
    for table in (events, traits, orders, order_items, consents):
        rows = connection.execute(select(table).where(table.c.profile_id == profile))
        kept = [{key: value for key, value in row._mapping.items() if key not in ("id", "profile_id")} for row in rows]
        parts[table.name] = sorted(kept, key=lambda row: json.dumps(row, sort_keys=True))
    return parts
