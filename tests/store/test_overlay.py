"""Rehearsals: what is written on them stays nowhere, and holds up nobody."""

import pytest
from sqlalchemy import Engine, func, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from store.engine import open_store, read, write
from store.overlay import HISTORY, OF_ONE_PLAYBOOK, READ_ONLY, rehearse
from store.schema import enrollments, facts, matches, metadata, plans, playbooks, profiles


def one_inside(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(insert(plans).values(digest="d", playbook="p", body={}, created_at=0))
        connection.execute(insert(playbooks).values(name="p", digest="d"))
        connection.execute(insert(enrollments).values(id=7, **enrollment(1)))


def enrollment(person: int) -> dict[str, object]:
    return {"playbook": "p", "digest": "d", "profile_id": person, "holdout": False, "state": "active", "entered_at": 0}


def test_a_rehearsal_leaves_nothing(engine: Engine) -> None:
    with rehearse(engine) as connection:
        with write(connection) as inner:
            inner.execute(insert(facts).values(name="currency", value="USD"))
        with read(connection) as inner:
            assert inner.execute(select(facts.c.value)).scalar_one() == "USD"
    with read(engine) as connection:
        assert connection.execute(select(facts.c.value)).first() is None
        names = inspect(connection).get_temp_table_names()
    assert names == []


def test_it_goes_on_from_what_is_there(engine: Engine) -> None:
    one_inside(engine)
    with rehearse(engine) as connection:
        made = connection.execute(insert(enrollments).values(**enrollment(2)).returning(enrollments.c.id)).scalar_one()
        assert made > 7
        assert connection.scalar(select(func.count()).select_from(enrollments)) == 2
        with pytest.raises(DBAPIError), write(connection) as inner:
            inner.execute(insert(enrollments).values(**enrollment(1)))  # one live enrollment a person, here too
        assert connection.scalar(select(func.count()).select_from(enrollments)) == 2


def test_a_writer_is_not_held_up_and_not_seen(engine: Engine) -> None:
    one_inside(engine)
    if engine.dialect.name == "sqlite":  # the same file, by somebody who does not wait
        other = open_store(str(engine.url), busy_seconds=0)
    else:
        other = open_store(engine.url.render_as_string(hide_password=False))
    with rehearse(engine) as connection:
        connection.execute(update(playbooks).values(last_tick_at=1))
        connection.execute(update(enrollments).values(state="done"))
        connection.execute(insert(plans).values(digest="e", playbook="p", body={}, created_at=0))
        with write(other) as writer:
            if engine.dialect.name == "postgresql":
                writer.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            writer.execute(select(playbooks).with_for_update()).all()
            writer.execute(update(playbooks).values(last_tick_at=2))
            writer.execute(update(enrollments).values(state="left"))
            writer.execute(insert(plans).values(digest="e", playbook="p", body={}, created_at=0))
            writer.execute(insert(matches).values(playbook="p", profile_id=1, tick="t"))
        assert connection.scalar(select(enrollments.c.state)) == "done"
        assert connection.scalar(select(func.count()).select_from(matches)) == 0
    with read(engine) as connection:
        assert connection.scalar(select(enrollments.c.state)) == "left"
    other.dispose()


def test_what_is_no_copy_cannot_be_written(engine: Engine) -> None:
    row = {"bucket": 1, "created_at": 0, "custom": {}, "set_at": {}}
    with rehearse(engine) as connection, pytest.raises(DBAPIError), write(connection) as inner:
        inner.execute(insert(profiles).values(row))
    with rehearse(engine, written=[profiles]) as connection:
        connection.execute(insert(profiles).values(row))
    with write(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(profiles)) == 0
        connection.execute(insert(profiles).values(row))  # and afterwards everything can, as before


def test_only_the_playbooks_that_are_played_are_looked_at(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(insert(matches), [{"playbook": p, "profile_id": 1, "tick": "t"} for p in "ab"])
    with rehearse(engine, playbooks=["a"]) as connection:
        assert connection.scalars(select(matches.c.playbook)).all() == ["a"]
    with rehearse(engine) as connection:
        assert connection.scalars(select(matches.c.playbook).order_by(matches.c.playbook)).all() == ["a", "b"]


def test_the_lists_name_tables_of_the_schema() -> None:
    for table in (*READ_ONLY, *HISTORY, *OF_ONE_PLAYBOOK):
        assert metadata.tables[table.name] is table
    assert all("playbook" in table.c for table in OF_ONE_PLAYBOOK)
