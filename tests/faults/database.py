"""Connections that tell of each statement and each commit, and that can be made to fail like real ones.

What fails is the driver's own connection, below SQLAlchemy: on SQLite with an error of the disk, on PostgreSQL with a
connection that is gone. A commit may fail before it is done, or after, when only its confirmation is lost.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from tests.faults.points import AFTER_COMMIT, BEFORE_COMMIT, STATEMENT, Fault, Points


def watch(engine: Engine, points: Points) -> None:
    """From now on each new connection of `engine` passes `points`; those that were open are closed."""
    engine.dispose()
    make = _sqlite if engine.dialect.name == "sqlite" else _postgresql

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        return make(points, arguments, named)


def _sqlite(points: Points, arguments: list[Any], named: dict[str, Any]) -> sqlite3.Connection:
    def passing(point: str) -> None:
        try:
            points.passing(point)
        except Fault:
            raise sqlite3.OperationalError("disk I/O error") from None

    class Cursor(sqlite3.Cursor):
        def execute(self, *given: Any) -> Any:
            passing(STATEMENT)
            return super().execute(*given)

        def executemany(self, *given: Any) -> Any:
            passing(STATEMENT)
            return super().executemany(*given)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            passing(BEFORE_COMMIT)
            super().commit()
            passing(AFTER_COMMIT)

    return sqlite3.connect(*arguments, **named, factory=Connection)


def _postgresql(points: Points, arguments: list[Any], named: dict[str, Any]) -> Any:
    def passing(connection: Any, point: str) -> None:
        try:
            points.passing(point)
        except Fault:
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly") from None

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *given: Any, **more: Any) -> Any:
            passing(self.connection, STATEMENT)
            return super().execute(*given, **more)

        def executemany(self, *given: Any, **more: Any) -> Any:
            passing(self.connection, STATEMENT)
            return super().executemany(*given, **more)

    class Connection(psycopg.Connection[Any]):
        def commit(self) -> None:
            passing(self, BEFORE_COMMIT)
            super().commit()
            passing(self, AFTER_COMMIT)

    return Connection.connect(*arguments, **named, cursor_factory=Cursor)
