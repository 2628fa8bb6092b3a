"""Migrations make the schema, quickly, and refuse stores that are not theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from store import migrations
from store.engine import open_store, write
from store.errors import StoreError
from store.schema import metadata


@pytest.fixture
def empty(engine: Engine) -> Engine:
    metadata.drop_all(engine)
    return engine


def test_the_migrated_schema_is_the_schema(empty: Engine) -> None:
    assert migrations.upgrade(empty) is True
    with empty.connect() as connection:
        # On SQLite Alembic takes the default '' for a change of itself.
        defaults = connection.dialect.name == "postgresql"
        context = MigrationContext.configure(connection, opts={"compare_server_default": defaults})
        assert compare_metadata(context, metadata) == [], 'run `python -m store.migrations "what changed"`'
        assert migrations.revision(connection) == migrations.HEAD


def test_the_newest_script_is_the_one_the_program_knows(empty: Engine) -> None:
    with empty.connect() as connection:
        assert ScriptDirectory.from_config(migrations._config(connection)).get_current_head() == migrations.HEAD


def test_a_second_upgrade_changes_nothing(empty: Engine) -> None:
    migrations.upgrade(empty)
    assert migrations.upgrade(empty) is False


def test_a_store_up_to_date_does_not_load_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'winback.db'}"
    migrations.upgrade(open_store(url))
    program = (
        "import sys\nfrom store.engine import open_store\nfrom store.migrations import upgrade\n"
        f"assert upgrade(open_store({url!r})) is False\nassert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_a_store_in_memory_is_made_too() -> None:
    engine = open_store("sqlite://")
    assert (migrations.upgrade(engine), migrations.upgrade(engine)) == (True, False)


def test_a_newer_store_is_refused(empty: Engine) -> None:
    migrations.upgrade(empty)
    with write(empty) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError) as told:
        migrations.upgrade(empty)
    assert "made by a newer winback" in told.value.reason
    assert "9999" in told.value.reason
    assert "Install the newer winback" in told.value.way_out


def test_somebody_elses_database_is_refused(empty: Engine) -> None:
    with write(empty) as connection:
        connection.execute(text("CREATE TABLE ledger_of_the_bakery (id integer)"))
    with pytest.raises(StoreError, match="ledger_of_the_bakery"):
        migrations.upgrade(empty)


def test_a_failing_revision_leaves_nothing(empty: Engine) -> None:
    """The schema changes in one transaction, also on SQLite: half a schema would be refused as somebody else's."""
    with pytest.raises(ZeroDivisionError), write(empty) as connection:
        from alembic import command

        command.upgrade(migrations._config(connection), "head")
        raise ZeroDivisionError
    assert migrations.upgrade(empty) is True
