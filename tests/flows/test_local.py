"""The project's own server: quiet, quick to say why not, and gone when its command is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from flows.local import Server, ServerError, local_server

pytestmark = pytest.mark.prefect

PROGRAM = """
import sys, time
from pathlib import Path
from flows.local import local_server
from flows.watch import Parameters

class Report:
    headline = "nobody entered"

def tick(parameters, watcher):
    watcher.say("Hello.")
    print("server", server.process.pid, flush=True)
    watcher.run("enter", "enter", lambda: time.sleep(float(sys.argv[2])))
    return Report()

try:
    with local_server(Path(sys.argv[1])) as server:
        assert "prefect" not in sys.modules
        from flows.build import build
        from dsl.plan import Entry, Plan, StartOn
        plan = Plan(name="quiet_one", about="Says nothing.", schedule=None, trigger=StartOn(event="e"), only_if=None,
                    entry=Entry(kind="once"), exits=(), goal=None, holdout=0.0, steps=())
        print(server.run(build(plan, source="", tick=tick), Parameters()).headline)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def environment() -> dict[str, str]:
    """As of a user who has set nothing of Prefect, whatever this process has."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        monkeypatch.delenv(name)


def begin(home: Path, seconds: float, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(home), str(seconds)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def gone(pid: int) -> bool:
    """Whether the process ends within a few seconds."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def in_its_run(process: subprocess.Popen[str]) -> int:
    """The server's process id, when the tick has begun."""
    assert process.stdout is not None
    word, _, pid = process.stdout.readline().partition(" ")
    assert word == "server", process.stderr.read() if process.stderr else ""
    return int(pid)


def newest(server: Server) -> dict[str, str]:
    body = {"flows": {"name": {"any_": ["quiet_one"]}}, "sort": "START_TIME_DESC", "limit": 1}
    found: dict[str, str] = httpx.post(f"{server.url}/flow_runs/filter", json=body).json()[0]
    return found


def test_a_run_prints_nothing_and_leaves_no_server(server: Server, environment: dict[str, str]) -> None:
    process = begin(server.home, 0, environment)
    pid = in_its_run(process)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("nobody entered\n", "", 0)
    assert gone(pid)
    assert newest(server)["state_type"] == "COMPLETED"


def test_ctrl_c_ends_the_server_and_the_run_is_not_left_running(server: Server, environment: dict[str, str]) -> None:
    process = begin(server.home, 60, environment)
    pid = in_its_run(process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (err, process.returncode) == ("", 130)
    assert gone(pid)
    run = newest(server)
    assert run["state_type"] == "CRASHED"
    body = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    steps = httpx.post(f"{server.url}/task_runs/filter", json=body).json()
    assert [step["state_type"] for step in steps] == ["CRASHED"]


def test_a_killed_command_takes_its_server_along(server: Server, environment: dict[str, str]) -> None:
    process = begin(server.home, 60, environment)
    pid = in_its_run(process)
    process.kill()
    process.communicate(timeout=60)
    assert gone(pid)


@pytest.mark.usefixtures("unset")
def test_a_server_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "prefect.db").write_text("this is no database")
    with local_server(tmp_path) as server, pytest.raises(ServerError) as caught:
        server.ready()
    told = str(caught.value)
    assert "Prefect's server did not start: it ended with code 3." in told
    assert "file is not a database" in told
    assert f"Its whole log is {tmp_path / 'server.log'}." in told
    assert f"Hint: Move {tmp_path} away" in told


@pytest.mark.usefixtures("unset")
def test_a_server_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with local_server(tmp_path, patience=0.1) as server:
        with pytest.raises(ServerError, match=r"it did not answer for 0\.1 seconds"):
            server.ready()
        assert server.process is not None
    assert gone(server.process.pid)


@pytest.mark.usefixtures("unset")
def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerError, match=r"cannot keep its files here: Not a directory.\nHint:"):
        local_server(tmp_path / "file" / "prefect").__enter__()


@pytest.mark.usefixtures("unset")
def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ServerError, match=r"Port \d+ cannot be had: another program uses it.\nHint:"),
        local_server(tmp_path, port=taken.getsockname()[1]),
    ):
        pass


def test_a_chosen_server_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with local_server(tmp_path / "home") as server, pytest.raises(ServerError) as caught:
        server.ready()
    assert "The Prefect server at http://127.0.0.1:9/api does not answer.\nHint: Start it" in str(caught.value)
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("unset")
def test_a_server_with_pages_is_shared(server: Server) -> None:
    with local_server(server.home, pages=True) as first:
        first.ready()
        assert "<title>Prefect Server</title>" in httpx.get(first.pages).text
        with local_server(server.home) as second:
            assert (second.url, second.process) == (first.url, None)
        first.ready()
    with local_server(server.home) as third:
        assert third.url != first.url


@pytest.mark.usefixtures("unset")
def test_an_address_of_a_dead_server_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9/api"}))
    with local_server(tmp_path) as server:
        assert server.process is not None


def test_the_environment_is_put_back(tmp_path: Path, server: Server) -> None:  # noqa: ARG001  it has set some
    before = dict(os.environ)
    with local_server(tmp_path):
        pass
    assert dict(os.environ) == before
