import subprocess
import sys
from pathlib import Path

import pytest

from flows.quiet import chosen_server, settings, surroundings

HOME = Path("/somewhere/.winback/prefect")


def test_prefect_is_silent_and_at_home() -> None:
    added = settings(HOME, {})
    assert added["PREFECT_HOME"] == str(HOME)
    assert added["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert added["DO_NOT_TRACK"] == "1"
    assert int(added["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"]) >= 180


def test_what_the_user_has_set_stays() -> None:
    assert "PREFECT_LOGGING_LEVEL" not in settings(HOME, {"PREFECT_LOGGING_LEVEL": "DEBUG"})
    assert "PREFECT_HOME" not in settings(HOME, {"PREFECT_HOME": "/elsewhere"})
    assert "PREFECT_HOME" not in settings(HOME, {"PREFECT_API_URL": "http://127.0.0.1:4200/api"})


def test_the_server_is_the_one_that_the_user_chose(tmp_path: Path) -> None:
    (tmp_path / "profiles.toml").write_text(
        'active = "shop"\n[profiles.shop]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n[profiles.other]\n'
    )
    assert chosen_server({}) is None
    assert chosen_server({"PREFECT_API_URL": "http://127.0.0.1:2/api"}) == "http://127.0.0.1:2/api"
    assert chosen_server({"PREFECT_HOME": str(tmp_path)}) == "http://127.0.0.1:1/api"
    assert chosen_server({"PREFECT_HOME": str(tmp_path), "PREFECT_PROFILE": "other"}) is None
    (tmp_path / "profiles.toml").write_text("active = ")
    assert chosen_server({"PREFECT_HOME": str(tmp_path)}) is None


def test_surroundings_are_put_back() -> None:
    environment = {"a": "1"}
    with surroundings({"a": "2", "b": "3"}, environment):
        assert environment == {"a": "2", "b": "3"}
    assert environment == {"a": "1"}


@pytest.mark.parametrize(
    "module", ["flows", "flows.watch", "flows.quiet", "flows.tick", "flows.local", "flows.failure"]
)
def test_prefect_is_not_loaded(module: str) -> None:
    code = f"import sys, {module}; sys.exit('prefect' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
