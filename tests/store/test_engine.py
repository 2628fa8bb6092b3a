from pathlib import Path

from sqlalchemy import Engine, insert, select

from store.engine import open_store, read, write
from store.schema import facts

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_what_is_written_is_read(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(insert(facts).values(name="currency", value="USD"))
    with engine.connect() as connection:
        assert connection.execute(select(facts.c.value)).scalar_one() == "USD"


def test_an_exception_rolls_back(engine: Engine) -> None:
    try:
        with write(engine) as connection:
            connection.execute(insert(facts).values(name="currency", value="USD"))
            raise RuntimeError
    except RuntimeError:
        pass
    with engine.connect() as connection:
        assert connection.execute(select(facts.c.value)).first() is None


def test_a_writer_holds_up_no_reader(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(insert(facts).values(name="currency", value="USD"))
        with engine.connect() as reader:
            assert reader.execute(select(facts.c.value)).first() is None


def test_sqlite_is_opened_to_keep_what_it_was_told(tmp_path: Path) -> None:
    with read(open_store(f"sqlite:///{tmp_path / 'winback.db'}")) as connection:
        told = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert told == PRAGMAS
