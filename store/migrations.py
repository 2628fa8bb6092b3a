"""Bringing a store to the newest schema. Alembic is loaded only when there is something to do.

A new revision, after a change of `store.schema`: `python -m store.migrations "add the column x"`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, inspect, select, text

from store.engine import open_store, write
from store.errors import StoreError, explained, place_of

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"
"""The newest revision that this program knows. A test holds it to the scripts."""
_LOCK = 7_262_174_001
"""Any number, the same in every process: PostgreSQL's lock of whoever changes the schema."""


def upgrade(engine: Engine) -> bool:
    """Bring the store to the newest schema; true when there was something to do.

    Raises StoreError when the store was made by a newer program, is somebody else's, or cannot be written.
    """
    with explained(engine):
        with engine.connect() as connection:
            if revision(connection) == HEAD:
                return False
        with write(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            current = revision(connection)
            if current == HEAD:
                return False
            _refuse(connection, current, place_of(engine))
            from alembic import command

            command.upgrade(_config(connection), HEAD)
    return True


def draft(message: str) -> None:
    """Write a revision that makes the newest scripts' schema into `store.schema`'s, for the author to correct."""
    from alembic import command

    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{Path(folder) / 'draft.db'}")
        with write(engine) as connection:
            command.upgrade(_config(connection), "head")
        with engine.connect() as connection:
            config = _config(connection)
            scripts = len(list((Path(__file__).parent / "alembic" / "versions").glob("0*.py")))
            command.revision(config, message, autogenerate=True, rev_id=f"{scripts + 1:04}")
        engine.dispose()


def revision(connection: Connection) -> str | None:
    """The revision of the store's schema; None for a store without one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _refuse(connection: Connection, current: str | None, place: str) -> None:
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    if current is None:
        if tables := inspect(connection).get_table_names():
            raise StoreError(
                place=place,
                reason=f"This database holds tables that are not winback's, such as `{sorted(tables)[0]}`.",
                way_out="Name an empty database, or a file that does not exist yet, with WINBACK_STORE.",
            )
        return
    try:
        ScriptDirectory.from_config(_config(connection)).get_revision(current)
    except CommandError:
        raise StoreError(
            place=place,
            reason=f"The store was made by a newer winback: its schema is {current}, and this program knows {HEAD}.",
            way_out="Install the newer winback. Nothing was changed.",
        ) from None


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


if __name__ == "__main__":
    draft(sys.argv[1])
