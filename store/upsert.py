"""INSERT … ON CONFLICT for both databases: the same words, two dialects' constructs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

T = TypeVar("T")
Row = Mapping[str, Any]
Excluded = ReadOnlyColumnCollection[str, Any]


def insert_for(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_new(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves out rows which break a unique constraint.

    On PostgreSQL it waits for another transaction that inserts the same row, and so sees what became of it.
    """
    return insert_for(connection, table).on_conflict_do_nothing()


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose keys are not there yet."""
    if rows:
        connection.execute(insert_new(connection, table), list(rows))


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    only: Sequence[str] | None = None,
    where: Callable[[Excluded], ColumnElement[bool]] | None = None,
) -> None:
    """Insert the rows; a row whose primary key is there is overwritten in the columns given, if `where` allows it.

    All rows have the same columns. `only`: those that are overwritten. `where` gets the row that is to be written.
    """
    if not rows:
        return
    statement = insert_for(connection, table)
    keys = {key.name for key in table.primary_key}
    new = {name: statement.excluded[name] for name in only or rows[0] if name not in keys}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_=new,
            where=where(statement.excluded) if where else None,
        ),
        list(rows),
    )


def reserve_ids(connection: Connection, table: Table, count: int) -> list[int]:
    """`count` unused values of the table's `id`, so that rows can refer to each other before they are inserted.

    On SQLite the caller holds the write lock; on PostgreSQL the ids come from the column's sequence.
    """
    if count == 0:
        return []
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        series = func.generate_series(1, count).table_valued(column("n", BigInteger))
        return list(connection.scalars(select(func.nextval(sequence)).select_from(series)))
    last: int = connection.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
    return list(range(last + 1, last + count + 1))


def chunks(values: Iterable[T], size: int = 1000) -> Iterator[list[T]]:
    """The values in lists short enough for one `IN (…)`: statements bear some 32,000 parameters on both databases."""
    found = list(values)
    for start in range(0, len(found), size):
        yield found[start : start + size]
