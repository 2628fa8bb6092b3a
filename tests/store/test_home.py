"""A copied store is known as a copy, and nothing else is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from store import home
from store.engine import open_store, read, write
from store.errors import StoreError
from store.migrations import upgrade


def ready(engine: Engine) -> None:
    home.settle_in(engine)
    with write(engine) as connection:
        home.refuse_copies(connection)


def at(path: Path) -> Engine:
    made = open_store(f"sqlite:///{path}")
    upgrade(made)
    return made


def refused(engine: Engine) -> StoreError:
    home.settle_in(engine)
    with pytest.raises(StoreError) as told, write(engine) as connection:
        home.refuse_copies(connection)
    return told.value


def test_the_same_store_is_at_home_again_and_again(engine: Engine) -> None:
    for _ in range(3):
        ready(engine)
    with read(engine) as connection:
        assert home.kept(connection) == home.whereabouts(connection)


def test_a_store_in_memory_is_nowhere() -> None:
    engine = open_store("sqlite://")
    upgrade(engine)
    ready(engine)
    with read(engine) as connection:
        assert home.whereabouts(connection) is None and home.kept(connection) is None


def test_a_copied_file_is_refused_until_it_is_adopted(tmp_path: Path) -> None:
    engine = at(tmp_path / "winback.db")
    ready(engine)
    engine.dispose()
    copied = tmp_path / "laptop" / "winback.db"
    copied.parent.mkdir()
    shutil.copy(tmp_path / "winback.db", copied)
    copy = at(copied)
    error = refused(copy)
    assert error.place == str(copied) and "copy" in error.reason and str(tmp_path / "winback.db") in error.reason
    assert "winback adopt" in error.way_out
    with write(copy) as connection:
        home.adopt(connection)
    ready(copy)
    ready(at(tmp_path / "winback.db"))


def test_a_rehearsal_may_be_held_on_a_copy(tmp_path: Path) -> None:
    original = at(tmp_path / "a.db")
    ready(original)
    original.dispose()
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    copy = at(tmp_path / "b.db")
    refused(copy)
    with copy.connect().execution_options(rehearsing=True) as connection:
        home.refuse_copies(connection)


def test_no_move_of_the_file_itself_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tmp_path / "one" / "winback.db"
    first.parent.mkdir()
    engine = at(first)
    ready(engine)
    engine.dispose()
    # By a symbolic link, and by a relative path.
    (tmp_path / "link").symlink_to(first.parent)
    ready(at(tmp_path / "link" / "winback.db"))
    monkeypatch.chdir(first.parent)
    ready(open_store("sqlite:///winback.db"))
    # The folder is renamed, and renamed again: each time the path is followed.
    for name in ("two", "three"):
        first.parent.rename(tmp_path / name)
        first = tmp_path / name / "winback.db"
        ready(at(first))
    # A backup is put back in its place: another file at the same path.
    shutil.copy(first, tmp_path / "backup.db")
    first.unlink()
    shutil.copy(tmp_path / "backup.db", first)
    ready(at(first))


FILE = {"kind": "sqlite", "machine": "machine aa", "path": "/data/winback.db", "file": "7"}
HOST = FILE | {"machine": "host aa"}
SERVER = {"kind": "postgresql", "cluster": "71", "oid": "16", "database": "shop", "address": "db.example:5432"}


@pytest.mark.parametrize(
    ("kept", "changed", "same"),
    [
        (FILE, {"machine": "machine bb"}, False),
        (FILE, {"path": "/x", "file": "8"}, False),
        (FILE, {"path": "/x"}, True),
        (FILE, {"file": "8"}, True),
        (HOST, {"machine": "host bb"}, True),  # a container made anew on the same volume
        (HOST, {"machine": "host bb", "file": "8"}, False),
        (HOST, {"file": "8"}, True),
        (FILE, SERVER, False),
        (SERVER, {"cluster": "72"}, False),
        (SERVER, {"cluster": ""}, True),  # not every server says
        (SERVER, {"oid": "17", "database": "staging"}, False),
        (SERVER, {"oid": "17"}, True),  # a dump put back in its place
        (SERVER, {"database": "renamed"}, True),
        (SERVER, {"address": "staging.example:5432"}, False),  # a snapshot started elsewhere
    ],
)
def test_what_is_a_copy(kept: dict[str, str], changed: dict[str, str], same: bool) -> None:
    assert home.is_same(kept, kept | changed) is same


def test_a_copied_database_is_refused(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("copies of files have tests of their own")
    ready(engine)
    name = f"{engine.url.database}_copy"
    engine.dispose()
    admin = create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {engine.url.database}"))
    copy = open_store(engine.url.set(database=name).render_as_string(hide_password=False))
    try:
        assert f"database {name} at " in refused(copy).reason
        with write(copy) as connection:
            home.adopt(connection)
        ready(copy)
    finally:
        copy.dispose()
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name}"))
    ready(engine)


def test_what_is_kept_holds_no_password(engine: Engine) -> None:
    with read(engine) as connection:
        here = home.whereabouts(connection)
    assert here is not None
    assert set(here) <= {"kind", "machine", "path", "file", "cluster", "oid", "database", "address"}
