"""A rehearsal: a connection on which the ledger may be written while nobody else is held up, and nothing of it stays.

The tables that a tick writes are copied into temporary tables of the same names, which SQLite and PostgreSQL find
before the real ones; people and events, by far the most, are read where they are. All is seen as it was at one moment
(a read transaction), and the database itself refuses to write anything but the copies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Select, Table, func, insert, literal, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from store import schema

READ_ONLY: tuple[Table, ...] = (
    schema.profiles,
    schema.identities,
    schema.traits,
    schema.events,
    schema.orders,
    schema.order_items,
    schema.products,
    schema.consents,
    schema.suppressions,
    schema.imports,
)
"""What ingestion writes and ticks only read. Every other table is copied."""
HISTORY: tuple[Table, ...] = (schema.journal, schema.ticks)
"""What ticks only add to and never ask: its copies begin empty."""
OF_ONE_PLAYBOOK: tuple[Table, ...] = (schema.matches, schema.starts)
"""What a tick asks of its own playbook only."""
CACHE_KIB = 65_536
"""How much of the copies SQLite keeps in memory at most; the rest is in a temporary file."""

_WRITES = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)


@contextmanager
def rehearse(
    engine: Engine, *, playbooks: Collection[str] | None = None, written: Collection[Table] = ()
) -> Iterator[Connection]:
    """A connection on which the ledger may be written: nobody waits for it, and nothing of it stays.

    `playbooks` are those that will be played (default: all); `written` are tables of READ_ONLY that are written all the
    same, so that they are copied too.
    """
    asked = {"rehearsing": True}
    if engine.dialect.name == "postgresql":
        asked["isolation_level"] = "REPEATABLE READ"  # type: ignore[assignment]
    with engine.connect().execution_options(**asked) as connection:
        transaction = connection.begin()
        try:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql(f"PRAGMA temp.cache_size = -{CACHE_KIB}")
            for table in schema.metadata.sorted_tables:
                if table not in READ_ONLY or table in written:
                    _copy(connection, table, playbooks)
            with _only_copies_are_written(connection):
                yield connection
        finally:
            # Takes the copies with it: both databases undo the making of tables, too.
            transaction.rollback()


def _copy(connection: Connection, table: Table, playbooks: Collection[str] | None) -> None:
    postgresql = connection.dialect.name == "postgresql"
    real = connection.scalar(text("SELECT current_schema()")) if postgresql else "main"
    source = table.to_metadata(MetaData(), schema=real)
    copy = table.to_metadata(MetaData(), schema="pg_temp" if postgresql else "temp")
    # Without foreign keys: those of a temporary table cannot lead to a real one.
    connection.execute(CreateTable(copy, include_foreign_key_constraints=[]))
    if table not in HISTORY:
        connection.execute(insert(copy).from_select(list(copy.c.keys()), _rows(source, table, playbooks)))
    for index in copy.indexes:
        connection.execute(CreateIndex(index))
    if postgresql:
        connection.execute(text(f"ANALYZE pg_temp.{table.name}"))
        _count_on(connection, copy)


def _rows(source: Table, table: Table, playbooks: Collection[str] | None) -> Select[Any]:
    rows = select(source)
    if playbooks is not None and table in OF_ONE_PLAYBOOK:
        return rows.where(source.c.playbook.in_(playbooks))
    return rows


def _count_on(connection: Connection, copy: Table) -> None:
    """New rows get numbers above those that were copied. SQLite does so by itself."""
    counted = copy.autoincrement_column
    if counted is not None:
        sequence = func.pg_get_serial_sequence(f"pg_temp.{copy.name}", counted.name)
        newest = select(func.coalesce(func.max(counted), literal(0)) + 1).scalar_subquery()
        connection.execute(select(func.setval(sequence, newest, text("false"))))


@contextmanager
def _only_copies_are_written(connection: Connection) -> Iterator[None]:
    """Let the database itself refuse anything else: what is promised is not left to the care of who writes a step."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))  # temporary tables are written all the same
        yield
        return
    driver: Any = connection.connection.driver_connection

    def judge(action: int, _one: str | None, _two: str | None, database: str | None, _trigger: str | None) -> int:
        return sqlite3.SQLITE_DENY if action in _WRITES and database == "main" else sqlite3.SQLITE_OK

    driver.set_authorizer(judge)
    try:
        yield
    finally:
        driver.set_authorizer(None)
