"""Scenarios for tests: a project in a folder, its playbooks, and what becomes of the scenarios in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows.project import open_project
from flows.scenario.play import Result, play
from flows.scenario.world import bench
from tests.acceptance.project import EMAIL, project

NOW = datetime(2026, 11, 22, 3, 33, tzinfo=UTC)
"""A night."""
READS_ITEMS = """---
subject: Yours
---
<html><body><p>{{ items[0].name }}, {{ shop.address }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>
"""


def stories(folder: Path, text: str, *, now: datetime = NOW, timeline: bool = False) -> dict[str, Result]:
    """Play the scenarios of a playbook file; the results by the scenarios' names."""
    made = project(folder, text)
    for name in ("bye", "offer", "reminder"):
        made.write(f"templates/email/{name}.html", EMAIL)
    made.write("templates/email/named.html", READS_ITEMS)
    made.write("templates/sms/text.txt", "Hello from {{ shop.name }}. Stop: STOP\n")
    made.write("templates/push/nudge.txt", "---\ntitle: Hello\n---\nHow was it?\n")
    opened = open_project(folder)
    assert opened.compiled.ok, opened.compiled.problems
    stage = bench(opened, opened.compiled)
    try:
        return {
            scenario.name: play(stage, scenario, now=now, timeline=timeline) for scenario in opened.compiled.scenarios
        }
    finally:
        stage.close()


def told(result: Result) -> list[str]:
    """The sentences of what went wrong."""
    return [problem.told for problem in result.problems]
