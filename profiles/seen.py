"""Which events of a shop's own the store has seen, and with which properties. Asks the index: never a scan."""

from __future__ import annotations

from sqlalchemy import Connection, Select, func, select

from dsl.types import Type
from profiles.calls import KINDS
from store.schema import events

SAMPLE = 200
"""Of each name that many of the newest events are looked at for their properties."""


def seen_events(conn: Connection) -> dict[str, dict[str, Type]]:
    """Names of track, page and screen events in the store, with the properties that the newest of them came with.

    Standard events are among them: `Catalog.with_events` lets what it knows of them win.
    """
    return {name: _properties(conn, name) for name in conn.scalars(event_names()) if name not in KINDS}


def event_names() -> Select[str]:
    """The distinct names in their order, hopping from one to the next through the index on (name, at)."""
    names = select(func.min(events.c.name).label("name")).cte("names", recursive=True)
    later = select(func.min(events.c.name)).where(events.c.name > names.c.name).scalar_subquery()
    hops = names.union_all(select(later).where(names.c.name.is_not(None)))
    return select(hops.c.name).where(hops.c.name.is_not(None)).order_by(hops.c.name)


def _properties(conn: Connection, name: str) -> dict[str, Type]:
    newest = select(events.c.properties).where(events.c.name == name).order_by(events.c.at.desc()).limit(SAMPLE)
    return dict.fromkeys(sorted({key for properties in conn.scalars(newest) for key in properties}), Type.ANY)
