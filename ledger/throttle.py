"""Channels whose provider asked for a pause. A row that all processes share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from store.clock import instant, micros
from store.schema import facts
from store.upsert import insert_new


def closed_until(connection: Connection, channel: str) -> datetime | None:
    """Until when nothing may be sent on a channel. It may be over already."""
    until = connection.scalar(select(facts.c.value).where(facts.c.name == _name(channel)))
    return None if until is None else instant(int(until))


def close(connection: Connection, channel: str, until: datetime) -> None:
    """Send nothing on a channel before `until`. The last word counts: it is the provider's newest."""
    connection.execute(insert_new(connection, facts).values(name=_name(channel), value=micros(until)))
    connection.execute(update(facts).where(facts.c.name == _name(channel)).values(value=micros(until)))


def _name(channel: str) -> str:
    return f"closed:{channel}"
