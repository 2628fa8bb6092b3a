"""Each trouble with a database comes out as place, reason and way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from store.engine import open_store, write
from store.errors import StoreError, explained, place_of, translate
from store.schema import facts


def told_by(url: str) -> StoreError:
    with pytest.raises(StoreError) as told, explained(url):
        engine = open_store(url, busy_seconds=0.05)
        with engine.connect() as connection:
            connection.execute(select(facts.c.name)).all()
    return told.value


def test_a_locked_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'winback.db'}"
    holder, other = open_store(url), open_store(url, busy_seconds=0.05)
    facts.create(holder)
    with write(holder), pytest.raises(StoreError) as told, explained(other), write(other) as connection:
        connection.execute(insert(facts).values(name="currency", value="USD"))
    assert told.value.place == str(tmp_path / "winback.db")
    assert told.value.reason == "Another program is writing to the store and did not finish in time."
    assert "try again" in told.value.way_out
    assert str(told.value).startswith(f"{tmp_path / 'winback.db'}: Another program")


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    told = told_by(f"sqlite:///{tmp_path / 'nowhere' / 'winback.db'}")
    assert told.reason == "The file cannot be opened."
    assert "WINBACK_STORE" in told.way_out


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "winback.db").write_text("Dear diary, today I sold a lamp. " * 200)
    assert told_by(f"sqlite:///{tmp_path / 'winback.db'}").reason == "The file is not a SQLite database."


def test_a_store_without_tables(tmp_path: Path) -> None:
    assert "no tables" in told_by(f"sqlite:///{tmp_path / 'winback.db'}").reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert told_by(f"sqlite:///{tmp_path / 'winback.db'}").reason == "The file cannot be opened."


def test_a_read_only_file_is_told_as_such(tmp_path: Path) -> None:
    facts.create(open_store(f"sqlite:///{tmp_path / 'winback.db'}"))
    url = f"sqlite:///file:{tmp_path / 'winback.db'}?mode=ro&uri=true"
    engine = open_store(url)
    with pytest.raises(StoreError) as told, explained(engine), engine.connect() as connection, connection.begin():
        connection.execute(insert(facts).values(name="currency", value="USD"))
    assert told.value.reason == "The file or its folder may only be read."


def test_a_server_that_is_not_there() -> None:
    told = told_by("postgresql://shop:secret@127.0.0.1:9/winback")
    assert told.reason.startswith("The store does not answer:")
    assert "secret" not in str(told)
    assert told.place == "postgresql://shop:***@127.0.0.1:9/winback"


def test_a_database_that_is_not_on_the_server(postgresql: str) -> None:
    url = postgresql.replace("/postgres", "/nobodys_shop")
    assert told_by(url).reason == "The server has no such database."


def test_a_url_that_is_none() -> None:
    assert told_by("winback.db").reason == "This is not the URL of a store."
    assert told_by("dbase3://winback").reason == "This is not the URL of a store."


def test_mistakes_of_the_program_stay_what_they_are(engine: Engine) -> None:
    assert translate(KeyError("x"), engine) is None
    with pytest.raises(KeyError), explained(engine):
        raise KeyError("x")


def test_memory_has_a_name() -> None:
    assert place_of("sqlite://") == "the store in memory"
