"""The environment in which Prefect keeps silent, sends nothing home and keeps its files in the project.

Prefect reads it when it is imported, so it must stand before. Nothing here imports Prefect.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

STARTUP_SECONDS = 180
"""How long a server may take to start. A first start on a busy machine was seen to take 40."""

SILENCE: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(STARTUP_SECONDS),
    "PREFECT_LOGGING_LEVEL": "INFO",
    # The sentences of a run belong on its page. On the terminal the command itself tells what happened.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}


def settings(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to be added to `environment`. What the user has set is left alone.

    `home` is where Prefect keeps its database, unless the user has named a home (PREFECT_HOME) or a server
    (PREFECT_API_URL) of their own.
    """
    wanted = dict(SILENCE)
    if not environment.get("PREFECT_API_URL"):
        wanted["PREFECT_HOME"] = str(home.absolute())
    return {name: value for name, value in wanted.items() if not environment.get(name)}


def chosen_server(environment: Mapping[str, str]) -> str | None:
    """The API of the server that the user has chosen: PREFECT_API_URL, or the active profile of PREFECT_HOME."""
    if url := environment.get("PREFECT_API_URL"):
        return url
    if not (home := environment.get("PREFECT_HOME")):
        return None
    try:
        profiles = tomllib.loads((Path(home).expanduser() / "profiles.toml").read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None  # there is none, or Prefect itself will complain of it
    active = environment.get("PREFECT_PROFILE") or profiles.get("active")
    url = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return url if isinstance(url, str) else None


@contextlib.contextmanager
def surroundings(added: Mapping[str, str], environment: MutableMapping[str, str]) -> Iterator[None]:
    """`environment` (os.environ) with `added` for the length of the block."""
    before = {name: environment.get(name) for name in added}
    environment.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
