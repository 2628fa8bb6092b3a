"""Nobody twice, nobody forgotten, whatever is killed and whenever. The long run: `python -m tests.faults.kill_loop`."""

import random
from pathlib import Path

from sqlalchemy import Engine

from store.engine import open_store
from store.schema import metadata
from tests.faults.kill_loop import run


def test_killed_workers_neither_repeat_nor_lose(engine: Engine, tmp_path: Path) -> None:
    kills = 16 if engine.dialect.name == "sqlite" else 8
    figures = run(engine, tmp_path, kills=kills, count=1000, chance=random.Random(7), longest=0.6)
    assert figures.kills == kills
    assert (figures.duplicates, figures.lost) == (0, 0), figures
    # A kill leaves at most one chunk in doubt.
    assert figures.unknown <= kills * 10, figures
    assert figures.sent >= figures.expected - figures.unknown


def test_the_count_would_show_duplicates(tmp_path: Path) -> None:
    """The same with workers that send again what is unknown, as most tools do."""
    engine = open_store(f"sqlite:///{tmp_path / 'winback.db'}")
    metadata.create_all(engine)
    figures = run(engine, tmp_path, kills=5, count=1000, chance=random.Random(7), longest=0.6, careless=True)
    assert figures.duplicates > 0 and figures.lost == 0, figures
