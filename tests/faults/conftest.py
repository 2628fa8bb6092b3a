"""Empty databases for the fault tests, which play in several processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.postgres import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'winback.db'}"
    return new_database(request.getfixturevalue("postgresql"))
