"""A look into a store that leaves no trace: nothing is made, brought up to date or locked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from store import json
from store.engine import open_store

_PATIENCE = 2
"""Seconds to wait for a server."""


@contextmanager
def glance(url: str) -> Iterator[Connection]:
    """A connection to read from, for as long as the block. Raises sqlalchemy.exc.SQLAlchemyError, or sqlite3.Error,
    when the store is not there, is of another version, or changes right now."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = open_store(parsed.update_query_dict({"connect_timeout": str(_PATIENCE)}).render_as_string(False))
    else:
        engine = create_engine("sqlite://", creator=lambda: _opened(parsed.database or ""), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _opened(path: str) -> sqlite3.Connection:
    # SQLite would make the files of a write-ahead log even to read one; `immutable` takes the file as it lies there.
    # Where somebody writes those files are there, and reading beside a writer holds nobody up.
    how = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(path)}?{how}", uri=True, timeout=_PATIENCE, check_same_thread=False)
    json.register(connection)
    return connection
