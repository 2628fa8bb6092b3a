from sqlalchemy import Engine, insert, select

from store.engine import read, rehearse, write
from store.schema import facts


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


def test_two_writers_take_turns(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with write(engine), engine.connect() as reader:
            assert reader.execute(select(facts.c.value)).first() is None
        assert engine.connect().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert engine.connect().exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_rehearsal_leaves_nothing(engine: Engine) -> None:
    with rehearse(engine) as connection:
        with write(connection) as inner:
            inner.execute(insert(facts).values(name="currency", value="USD"))
        with read(connection) as inner:
            assert inner.execute(select(facts.c.value)).scalar_one() == "USD"
    with read(engine) as connection:
        assert connection.execute(select(facts.c.value)).first() is None
