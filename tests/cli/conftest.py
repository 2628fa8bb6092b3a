"""The command line, called as a shell calls it: arguments in, exit code and both streams out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli import main
from cli.init import make

EVENTS = (
    {"type": "identify", "userId": "ada", "messageId": "m1", "timestamp": "2026-11-01T10:00:00Z",
     "traits": {"email": "ada@example.com", "first_name": "Ada", "email_consent": True, "plan": "gold"}},
    {"type": "track", "event": "Product Added", "userId": "ada", "messageId": "m2", "timestamp": "2026-11-18T10:00:00Z",
     "properties": {"product_id": "p1", "name": "Lamp", "price": 80, "quantity": 1, "url": "https://shop.example/p1"}},
    {"type": "track", "event": "Product Added", "userId": "bob", "messageId": "m3", "timestamp": "2026-11-18T11:00:00Z",
     "properties": {"product_id": "p1", "name": "Lamp", "price": 80, "quantity": 1, "url": "https://shop.example/p1"}},
)  # fmt: skip
"""Two people with a cart of a day ago; only one may be written to."""
HELLO = """---
subject: Hello
---
<p>Hello. {{ shop.address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
"""
"""A template that needs nothing."""
NOON = "2026-11-20T17:00Z"
"""Business time of the tests, noon in the project's zone: no quiet hours."""


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Winback = Callable[..., Said]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("WINBACK_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def winback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Winback:
    """Call the program: `winback("check", "--json")`."""

    def call(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["winback", *map(str, arguments)])
        capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return Said(code if isinstance(code, int) else int(code is not None), out, err)

    return call


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new project, which is the working folder."""
    folder = tmp_path / "shop"
    make(folder)
    (folder / "templates" / "email" / "hello.html").write_text(HELLO)
    monkeypatch.chdir(folder)
    yield folder


@pytest.fixture
def stocked(project: Path, winback: Winback) -> Path:
    """A project with two people in its store."""
    lines(project / "events.jsonl", *EVENTS)
    assert winback("import", "events.jsonl").code == 0
    return project


def lines(path: Path, *calls: object) -> Path:
    """A file with a line a call: dicts as JSON, bytes as they are."""
    path.write_bytes(b"".join((c if isinstance(c, bytes) else json.dumps(c).encode()) + b"\n" for c in calls))
    return path
