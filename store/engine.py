"""Opening a store, and the one way to write to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from store import addresses, json

BUSY_SECONDS = 30
IDLE_SECONDS = 300
"""Longer than any work between two statements of one transaction."""


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS, idle_seconds: float = IDLE_SECONDS) -> Engine:
    """An engine for a SQLAlchemy URL: `sqlite:///winback.db`, `sqlite://` (in memory), `postgresql+psycopg://…`.

    `busy_seconds` is how long a SQLite writer waits for another one; `idle_seconds`, after which PostgreSQL ends the
    transaction of a process that stands still in the middle of it, so that its locks hold up nobody for ever. Raises
    sqlalchemy.exc.ArgumentError for a URL that cannot be read.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ArgumentError("a store is SQLite or PostgreSQL")
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, idle_seconds)
    memory = parsed.database in (None, "", ":memory:")
    engine = create_engine(
        parsed,
        connect_args={"timeout": busy_seconds, "check_same_thread": False, "isolation_level": None},
        **({"poolclass": StaticPool} if memory else {}),
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        if not memory:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
        json.register(connection)
        addresses.register(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock before it reads, or two of them could decide on the same state; readers never take it.
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(url: URL, idle_seconds: float) -> Engine:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def _patience(connection: Any, _record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = {round(idle_seconds * 1000)}")
        connection.commit()

    return engine


Store = Engine | Connection
"""What a tick works on: an engine, or one connection on which a rehearsal runs that is rolled back at its end."""


@contextmanager
def write(store: Store) -> Iterator[Connection]:
    """A transaction that writes. It commits at the end of the block and rolls back on an exception.

    In a rehearsal it is a savepoint.
    """
    if isinstance(store, Connection):
        with store.begin_nested():
            yield store
        return
    with store.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


@contextmanager
def read(store: Store) -> Iterator[Connection]:
    """A connection to read from."""
    if isinstance(store, Connection):
        yield store
        return
    with store.connect() as connection:
        yield connection
