"""A project of a few people in this process: calls come in, ticks run, nothing of Prefect."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from dsl.plan import Plan
from flows.project import Project, open_project
from flows.rehearsal import rehearsal
from flows.report import Report
from flows.tick import tick
from flows.world import world
from profiles.files import import_file
from store.engine import read
from store.schema import outbox
from tests.acceptance.project import project

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Shop:
    folder: Path
    files: int = field(default=0)

    @property
    def project(self) -> Project:
        return open_project(self.folder)

    def write(self, playbook: str) -> None:
        """Another text of the playbooks."""
        (self.folder / "playbooks/all.playbook").write_text(playbook, "utf-8")

    def calls(self, *calls: dict[str, Any]) -> None:
        """Take in Segment calls."""
        self.files += 1
        path = self.folder / f"calls{self.files}.jsonl"
        path.write_text("".join(json.dumps(call) + "\n" for call in calls))
        opened = self.project
        done = import_file(
            opened.engine, path, rules=opened.rules, received_at=NOON, mapping=None,
            reject_to=self.folder / "rejects.jsonl", progress=lambda *_: None,
        )  # fmt: skip
        assert done.counts.rejected == 0

    def plan(self, name: str) -> Plan:
        compiled = self.project.compiled
        assert compiled.ok, compiled.problems
        return compiled.plans[name]

    def run(self, name: str, as_of: datetime, **asked: Any) -> Report:
        return tick(world(self.project), self.plan(name), as_of=as_of, **asked)

    def rehearse(self, name: str, as_of: datetime, **asked: Any) -> Report:
        with rehearsal(self.project, as_of) as stage:
            return stage.play(self.plan(name), **asked)

    def messages(self) -> Counter[tuple[str, str | None]]:
        with read(self.project.engine) as connection:
            return Counter(
                (row.state, row.reason) for row in connection.execute(select(outbox.c.state, outbox.c.reason))
            )


def shop(folder: Path, playbook: str) -> Shop:
    """A project with these playbooks."""
    project(folder, playbook)
    return Shop(folder=folder)


def person(user: str, **traits: Any) -> dict[str, Any]:
    """Somebody with consent to e-mail."""
    known = {"email": f"{user}@example.com", "email_consent": True} | traits
    return {
        "type": "identify",
        "userId": user,
        "messageId": f"i-{user}",
        "timestamp": "2026-02-01T10:00:00Z",
        "traits": known,
    }


def event(user: str, name: str, at: str, **properties: Any) -> dict[str, Any]:
    """An event at `at`, ISO 8601."""
    return {"type": "track", "userId": user, "messageId": f"{user}-{name}-{at}", "timestamp": at, "event": name,
            "properties": properties}  # fmt: skip
