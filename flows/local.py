"""Running flows on this machine, on a Prefect server of the project's own that lives as long as the command.

Nothing here imports Prefect before the server process is on its way: both take seconds, and so they take them together.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from flows import quiet
from flows.server import PORT_REFUSED
from flows.watch import Parameters, Report

if TYPE_CHECKING:
    from flows.build import PlaybookFlow

R = TypeVar("R", bound=Report)

LOG = "server.log"
LOG_BYTES = 1_000_000
"""A longer log is begun anew."""
ADDRESS = "server.json"


class ServerError(Exception):
    """Prefect's server cannot be had: the reason and the way out, as one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Prefect server that is starting or running."""

    url: str
    """Of the API: `http://127.0.0.1:4200/api`."""
    home: Path
    patience: float
    """Seconds that it may take to start."""
    process: subprocess.Popen[str] | None = None
    """None for a server that somebody else has started."""

    @property
    def pages(self) -> str:
        """The address for a browser."""
        return self.url.removesuffix("/api")

    def ready(self) -> None:
        """Wait until it answers. Raises ServerError."""
        end = time.monotonic() + self.patience
        while not _answers(self.url):
            if self.process is None:
                raise ServerError(
                    f"The Prefect server at {self.url} does not answer.\n"
                    "Hint: Start it, or unset PREFECT_API_URL: then winback starts a server of its own."
                )
            if self.process.poll() is not None:
                raise _not_started(self.home, f"it ended with code {self.process.returncode}")
            if time.monotonic() > end:
                raise _not_started(self.home, f"it did not answer for {self.patience:g} seconds")
            time.sleep(0.05)

    def run(self, flow: PlaybookFlow[R], parameters: Parameters) -> R:
        """Run the flow to its end and give what its tick gave back. Raises ServerError, and what the tick raised."""
        self.ready()
        from flows.runs import run

        return run(flow, parameters, url=self.url)


@contextlib.contextmanager
def local_server(
    home: Path, *, pages: bool = False, port: int = 0, patience: float = quiet.STARTUP_SECONDS
) -> Iterator[Server]:
    """A server to run flows on, for the length of the block. It is there at once; `ready` and `run` wait for it.

    It is the server that the user has chosen (PREFECT_API_URL, or a profile in their PREFECT_HOME); else one with pages
    that another command has running on the same home; else a new one with its database in `home`, gone when the block
    ends. `pages`: with pages for a browser and the services that schedules need. `port` 0: any free one.

    os.environ is changed for the length of the block, so that Prefect, when it is imported, is silent. Raises
    ServerError.
    """
    with quiet.surroundings(quiet.settings(home, os.environ), os.environ):
        chosen = quiet.chosen_server(os.environ)
        home = Path(os.environ.get("PREFECT_HOME") or home).expanduser().absolute()
        known = chosen or _running(home)
        server = Server(url=known, home=home, patience=patience) if known else _start(home, pages, port, patience)
        try:
            with quiet.surroundings({"PREFECT_API_URL": server.url}, os.environ):
                yield server
        finally:
            _stop(server)


def _start(home: Path, pages: bool, port: int, patience: float) -> Server:
    try:
        home.mkdir(parents=True, exist_ok=True)
        path = home / LOG
        # Appended to, because another command's server may be writing to it too.
        log = path.open("w" if path.exists() and path.stat().st_size > LOG_BYTES else "a")
    except OSError as error:
        raise ServerError(
            f"{home}: Prefect cannot keep its files here: {error.strerror}.\n"
            "Hint: Make the folder writable, or name another in PREFECT_HOME."
        ) from None
    program = Path(__file__).with_name("server.py")
    with log:
        process = subprocess.Popen(
            # -P: what lies in the project's folder must not stand in for a package of ours.
            [sys.executable, "-P", str(program), "--port", str(port), *(["--pages"] if pages else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "WARNING"},
            # Ctrl-C is for the command, which still has to tell the server how its run ended.
            start_new_session=True,
        )
    assert process.stdout is not None
    taken = process.stdout.readline().strip()
    if not taken:
        if process.wait() == PORT_REFUSED:
            raise ServerError(
                f"Port {port} cannot be had: another program uses it.\nHint: Name another; 0 is any free one."
            )
        raise _not_started(home, f"it ended with code {process.returncode}")
    server = Server(url=f"http://127.0.0.1:{taken}/api", home=home, patience=patience, process=process)
    if pages:
        (home / ADDRESS).write_text(json.dumps({"url": server.url}))
    return server


def _stop(server: Server) -> None:
    """End the server if it is ours. Closing its input is enough, also when this is interrupted."""
    process = server.process
    if process is None:
        return
    address = server.home / ADDRESS
    with contextlib.suppress(OSError, ValueError):
        if json.loads(address.read_text())["url"] == server.url:
            address.unlink()
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


def _running(home: Path) -> str | None:
    """The API of a server with pages that another command has running on this home."""
    try:
        url = json.loads((home / ADDRESS).read_text())["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) and _answers(url) else None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # it wants to know who asks: Prefect's client will tell it
    except (OSError, ValueError):
        return False


def _not_started(home: Path, why: str) -> ServerError:
    log = home / LOG
    try:
        told = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()][-5:]
    except OSError:
        told = []
    return ServerError(
        "\n".join(
            [
                f"Prefect's server did not start: {why}.",
                *(f"  {line}" for line in told),
                f"Its whole log is {log}.",
                f"Hint: Move {home} away and try again: it holds only the pages of earlier runs. Or start a server of "
                "your own with `prefect server start` and name it in PREFECT_API_URL.",
            ]
        )
    )
