"""Stories by chance, held to a model of a hundred lines. More of them: `python -m tests.faults.machine`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from store.engine import open_store
from tests.faults.machine import Machine, play


def fresh(schema: Path, folder: Path) -> Callable[[], Engine]:
    """Gives an empty SQLite store, another at each call."""
    made = 0

    def store() -> Engine:
        nonlocal made
        made += 1
        path = folder / f"{made}.db"
        shutil.copy(schema, path)
        (folder / f"{made - 1}.db").unlink(missing_ok=True)
        engine = open_store(f"sqlite:///{path}")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    return store


@pytest.mark.timeout(600)
def test_stories_by_chance_go_as_the_model_says(sqlite_schema: Path, tmp_path: Path) -> None:
    steps = play(fresh(sqlite_schema, tmp_path), tmp_path, examples=40)
    print(steps.total(), steps)
    print(Machine.ends)
    assert steps.total() >= 1
