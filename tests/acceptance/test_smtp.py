"""A thousand people and a real SMTP server: everybody once, also when the run is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.project import ROOT, Project, project

PEOPLE = 1000
PLAYBOOK = """
playbook hello:
  about "Say hello to everybody with a cart."
  start when cart.updated_at is more than 24 hours ago
    and cart.updated_at is in the last 7 days
  enter once
  send email hello
"""
AS_OF = "2026-03-03T12:00:00+00:00"

pytestmark = pytest.mark.prefect


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    port: int
    log: Path

    def recipients(self) -> Counter[str]:
        return Counter(line.split()[0] for line in self.log.read_text().splitlines())


def serve(folder: Path, seconds: float) -> Iterator[Server]:
    log = folder / "accepted.log"
    log.touch()
    command = [sys.executable, "-m", "tests.acceptance.smtp_log", str(log), str(seconds)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(port=int(process.stdout.readline()), log=log)
        process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield from serve(tmp_path, 0.0)


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[Server]:
    yield from serve(tmp_path, 0.01)


def calls() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number in range(PEOPLE):
        user = f"u{number:04}"
        made.append(
            {"type": "identify", "userId": user, "messageId": f"i{user}", "timestamp": "2026-03-01T10:00:00Z",
             "traits": {"email": f"{user}@example.com", "email_consent": True, "first_name": f"N{number}"}}
        )  # fmt: skip
        made.append(
            {"type": "track", "userId": user, "messageId": f"t{user}", "timestamp": "2026-03-01T11:00:00Z",
             "event": "Product Added", "properties": {"product_id": "p1", "price": 20.5, "quantity": 2}}
        )  # fmt: skip
    return made


def shop(folder: Path, server: Server) -> Project:
    made = project(
        folder / "shop", PLAYBOOK, WINBACK_EMAIL="smtp", WINBACK_SMTP_URL=f"smtp://127.0.0.1:{server.port}?starttls=no"
    )
    done = made.winback("import", str(made.calls("calls.jsonl", calls())), "--json").json
    assert done["imported"] == 2 * PEOPLE
    return made


def test_everybody_gets_one_message_and_a_second_run_sends_none(tmp_path: Path, server: Server) -> None:
    made = shop(tmp_path, server)
    first = made.winback("run", "hello", "--as-of", AS_OF, "--json")
    assert first.code == 0, first.err
    report = first.json["playbooks"][0]
    assert (report["entered"], report["sent"], report["failed"]) == (PEOPLE, PEOPLE, 0)
    again = made.winback("run", "hello", "--as-of", AS_OF, "--json").json["playbooks"][0]
    assert (again["entered"], again["sent"]) == (0, 0)
    got = server.recipients()
    assert len(got) == PEOPLE and set(got.values()) == {1}


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, slow_server: Server) -> None:
    made = shop(tmp_path, slow_server)
    running = subprocess.Popen(
        made.command("run", "hello", "--as-of", AS_OF), cwd=made.folder, env=made.surroundings,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 200
    while len(slow_server.recipients()) < PEOPLE // 3 and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = slow_server.recipients()
    assert PEOPLE // 3 <= len(before) < PEOPLE, "the kill must come in the middle"
    again = made.winback("run", "hello", "--as-of", AS_OF, "--json")
    report = again.json["playbooks"][0]
    got = slow_server.recipients()
    assert set(got.values()) == {1}, "nobody twice"
    doubtful = made.winback("outbox", "list", "--state", "unknown", "--limit", "1000", "--json").json["messages"]
    assert len(doubtful) == report["unknown"]
    # Who is missing is reported, and what is in doubt is little.
    assert PEOPLE - len(got) <= len(doubtful) <= 25
    assert again.code == (1 if doubtful else 0)
