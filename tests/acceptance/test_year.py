"""A year, small. The whole one: `python -m tests.acceptance.year`."""

from pathlib import Path

import pytest

from store.engine import open_store
from store.schema import metadata
from tests.acceptance.year import play


@pytest.mark.timeout(600)
def test_a_year_misses_nobody_and_sends_nothing_twice(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'winback.db'}")
    metadata.create_all(engine)
    figures = play(engine, tmp_path, people=300)
    assert figures["messages"] > 1_500 and figures["kept back by the cap"] > 100
    assert (figures["missed"], figures["double"], figures["wrong"]) == (0, 0, 0), figures
