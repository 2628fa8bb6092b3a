"""Where the store lives. A copy of it elsewhere must not send: its queue is the queue of the original.

A SQLite store is at home on a machine, at a path (symbolic links followed) or as a file (its inode): it may be moved on
its disk, and a backup may be put back in its place. A PostgreSQL store is at home in a cluster (its system identifier),
as a database (its oid, or its name), at the address by which we reach the server: a snapshot of a server that is
started elsewhere has all the rest in common with the original. What is no sign of a copy: another process, user or
working folder, a restart, a container made anew on the same volume.

What cannot be told: a machine cloned with its disk, identifier and all.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.exc import DBAPIError

from store.engine import read, write
from store.errors import StoreError, place_of
from store.schema import facts
from store.upsert import insert_missing

FACT = "home"
_MACHINE = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))

Home = Mapping[str, str]
"""Names and values that are kept in the store, and told to people."""


def settle_in(engine: Engine) -> None:
    """A store that has no home is at home here from now on."""
    with read(engine) as connection:
        if kept(connection) is not None or (here := whereabouts(connection)) is None:
            return
    with write(engine) as connection:
        insert_missing(connection, facts, [{"name": FACT, "value": dict(here)}])


def refuse_copies(connection: Connection) -> None:
    """Raises StoreError where the store is not at home. Needs a transaction that writes.

    A rehearsal sends nothing and may be held on a copy. Small moves are followed: a new path of the same file.
    """
    here, original = whereabouts(connection), kept(connection)
    if here in (None, original) or connection.get_execution_options().get("rehearsing"):
        return
    assert here is not None
    if original is not None and not is_same(original, here):
        raise StoreError(
            place=place_of(connection.engine),
            reason=f"This is a copy of another store, and does not send. The original is {told(original)}; "
            f"this one is {told(here)}.",
            way_out="Run where the original is. If it has moved here for good and nothing runs there any more, say "
            "`winback adopt`. `winback plan` and `winback profile show` work on a copy, too.",
        )
    _keep(connection, here)


def adopt(connection: Connection) -> None:
    """The store is at home here from now on."""
    if (here := whereabouts(connection)) is not None:
        _keep(connection, here)


def is_same(original: Home, here: Home) -> bool:
    """Whether a store that is at home at `original` is no copy when it is found at `here`."""
    if original.get("kind") != here.get("kind"):
        return False
    if here["kind"] == "postgresql":
        one_cluster = not original["cluster"] or not here["cluster"] or original["cluster"] == here["cluster"]
        one_database = original["oid"] == here["oid"] or original["database"] == here["database"]
        return one_cluster and one_database and original["address"] == here["address"]
    if original["machine"] != here["machine"]:
        # Without an identifier of the machine there is the host's name, which containers change at will.
        named = original["machine"].startswith("host ") and here["machine"].startswith("host ")
        return named and (original["path"], original["file"]) == (here["path"], here["file"])
    return original["path"] == here["path"] or original["file"] == here["file"]


def told(home: Home) -> str:
    """A home in words: `/srv/shop/winback.db on machine 4f1d…`."""
    if home["kind"] == "postgresql":
        return f"database {home['database']} at {home['address']}, cluster {home['cluster'] or 'unknown'}"
    return f"{home['path']} on {home['machine']}"


def whereabouts(connection: Connection) -> Home | None:
    """Where this store is. None: in memory, where nobody can copy it."""
    if connection.dialect.name == "postgresql":
        return _in_cluster(connection)
    path = connection.engine.url.database
    if path in (None, "", ":memory:") or "mode=memory" in str(connection.engine.url):
        return None
    # As SQLite itself knows it: the URL may be relative, or one of `file:`.
    found = next((row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), "")
    if not found:
        return None
    real = Path(found).resolve()
    return {"kind": "sqlite", "machine": _machine(), "path": str(real), "file": str(real.stat().st_ino)}


def _in_cluster(connection: Connection) -> Home:
    cluster = ""
    with contextlib.suppress(DBAPIError), connection.begin_nested():  # not every server lets everybody ask
        cluster = str(connection.scalar(text("SELECT system_identifier FROM pg_control_system()")))
    row = connection.execute(text("SELECT oid, datname FROM pg_database WHERE datname = current_database()")).one()
    url = connection.engine.url
    host = str(url.host or url.query.get("host") or "localhost")
    address = f"{host}:{url.port or url.query.get('port') or 5432}"
    return {"kind": "postgresql", "cluster": cluster, "oid": str(row.oid), "database": row.datname, "address": address}


def _machine() -> str:
    for path in _MACHINE:
        with contextlib.suppress(OSError):
            if known := path.read_text().strip():
                # Not the identifier itself, which is the machine's own business (machine-id(5)).
                return f"machine {hashlib.sha256(b'winback ' + known.encode()).hexdigest()[:12]}"
    return f"host {socket.gethostname()}"


def kept(connection: Connection) -> Home | None:
    """Where the store is at home. None: nobody has said so yet."""
    found: Home | None = connection.scalar(select(facts.c.value).where(facts.c.name == FACT))
    return found


def _keep(connection: Connection, home: Home) -> None:
    connection.execute(delete(facts).where(facts.c.name == FACT))
    insert_missing(connection, facts, [{"name": FACT, "value": dict(home)}])
