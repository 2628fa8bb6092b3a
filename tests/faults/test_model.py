"""Stories by chance, held to a model of a hundred lines. More of them: `python -m tests.faults.machine`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from store.engine import open_store
from tests.faults import machine
from tests.faults.machine import Machine, emptied, play, wander


def fresh(schema: Path, folder: Path) -> Callable[[], Engine]:
    """Gives an empty SQLite store, another at each call."""
    made = 0

    def store() -> Engine:
        nonlocal made
        made += 1
        path = folder / f"{made}.db"
        shutil.copy(schema, path)
        engine = open_store(f"sqlite:///{path}")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    return store


@pytest.mark.timeout(900)
def test_ten_thousand_steps_go_as_the_model_says(sqlite_schema: Path, tmp_path: Path) -> None:
    steps = wander(fresh(sqlite_schema, tmp_path), tmp_path, steps=9_000)
    # Nothing of what may happen to a message was left out.
    states = {end.split()[0] for end in Machine.ends}
    assert states >= {"accepted", "skipped", "cancelled", "failed", "unknown", "assumed_sent", "planned", "journey"}
    assert set(steps) == set(machine.WEIGHTS)
    (tmp_path / "more").mkdir()
    assert (
        play(fresh(sqlite_schema, tmp_path / "more"), tmp_path / "more", examples=30).total() + steps.total() > 10_000
    )


@pytest.mark.timeout(600)
def test_stories_go_the_same_on_both_stores(engine: Engine, tmp_path: Path) -> None:
    def again() -> Engine:
        emptied(engine)
        return engine

    assert wander(again, tmp_path, steps=300, seed=5).total() >= 300


def test_the_model_would_notice(sqlite_schema: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with ticks that ask no exits."""
    monkeypatch.setattr("flows.tick.leave", lambda *_, **__: 0)
    with pytest.raises(AssertionError):
        wander(fresh(sqlite_schema, tmp_path), tmp_path, steps=1_500)
