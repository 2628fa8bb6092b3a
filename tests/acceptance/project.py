"""Projects for acceptance tests: a folder, and the command line run in it as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
"""Real data that is no part of the project; tests that need it skip without it."""

TOML = """
store = "sqlite:///winback.db"
email = "file"
email_from = "Shop <hello@shop.example>"

[shop]
name = "Shop"
address = "12 Sample Street, Portland, ME 04101, USA"
url = "https://shop.example"
currency = "USD"
time_zone = "UTC"
"""
EMAIL = """---
subject: Hello
---
<html><body><p>Hello {{ profile.first_name | default("there") }}, {{ shop.address }}</p>
<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What was printed. Raises json.JSONDecodeError, with what was said on the error stream."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError as error:
            raise AssertionError(f"no JSON: {error}\n{self.out}\n{self.err}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cli", *words]

    @property
    def surroundings(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WINBACK_", "PREFECT_"))}
        return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "140", **self.environment}

    def winback(self, *words: str, seconds: float = 240) -> Done:
        """Run the command line in the project's folder."""
        done = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.surroundings, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def calls(self, name: str, calls: list[dict[str, Any]]) -> Path:
        """Write Segment calls as a JSONL file."""
        return self.write(name, "".join(json.dumps(call) + "\n" for call in calls))


def project(folder: Path, playbook: str, **environment: str) -> Project:
    """A project with one file of playbooks and the e-mail template `hello`."""
    made = Project(folder=folder, environment=environment)
    made.write("winback.toml", TOML)
    made.write("playbooks/all.playbook", playbook)
    made.write("templates/email/hello.html", EMAIL)
    return made
