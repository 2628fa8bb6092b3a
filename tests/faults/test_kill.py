"""Nobody twice, nobody forgotten, whatever is killed and whenever. The long run: `python -m tests.faults.kill_loop`."""

import random
from pathlib import Path

from sqlalchemy import Engine

from tests.faults.kill_loop import run


def test_killed_workers_neither_repeat_nor_lose(engine: Engine, tmp_path: Path) -> None:
    kills = 16 if engine.dialect.name == "sqlite" else 8
    figures = run(engine, tmp_path, kills=kills, count=1000, chance=random.Random(7), longest=0.6)
    assert figures.kills == kills
    assert (figures.duplicates, figures.lost) == (0, 0), figures
    # A kill leaves at most one chunk in doubt.
    assert figures.unknown <= kills * 10, figures
    assert figures.sent >= figures.expected - figures.unknown
