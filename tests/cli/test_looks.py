"""What commands print for people: whole on a terminal of 80 columns, with nothing that says nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.run import tell
from flows.report import AudienceChange, Recorded, Report, Sends
from tests.cli.conftest import Winback, lines


def report(name: str, **told: Any) -> Report:
    zero = {"entered": 0, "held_out": 0, "left": 0, "converted": 0, "inside_before": 0, "inside": 0, "in_doubt": 0}
    known: dict[str, Any] = {"steps": {}, "ways": {}, "sends": (), "seconds": 0.1, "first": False}
    return Report(name=name, version="1", as_of=datetime(2026, 3, 3, tzinfo=UTC), **{**zero, **known, **told})


def printed(capsys: pytest.CaptureFixture[str], *reports: Report) -> list[str]:
    tell(reports, dry_run=False)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_a_run_names_its_playbooks_in_whole(capsys: pytest.CaptureFixture[str]) -> None:
    sends = (Sends(step="send:hello", channel="email", template="hello", sent=12_345, skipped={"no_consent": 1_000}),)
    book = report("browse_abandonment", entered=20_000, held_out=1_000, left=12, inside=99_999, sends=sends)
    head, first, *rest = printed(capsys, book, report("welcome"))
    words = ["playbook", "entered", "held", "out", "left", "sent", "not", "sent", "later", "waiting"]
    assert (head.split(), len(head) <= 80) == (words, True)
    assert first.split() == ["browse_abandonment", "20,000", "1,000", "12", "12,345", "1,000", "·", "99,999"]
    assert [line.split() for line in rest] == [
        ["welcome", *"·······"], ["browse_abandonment,", "not", "sent:", "1,000", "—", "no", "consent"],
    ]  # fmt: skip


def test_a_run_shows_what_went_wrong_only_when_something_did(capsys: pytest.CaptureFixture[str]) -> None:
    sends = (Sends(step="send:hello", channel="email", template="hello", failed=2),)
    head, first = printed(capsys, report("welcome", sends=sends))
    assert "failed" in head and "in doubt" not in head
    assert first.split() == ["welcome", "·", "·", "·", "·", "2", "·", "·", "·"]


def test_a_run_tells_of_records_and_audiences_that_changed(capsys: pytest.CaptureFixture[str]) -> None:
    task = Recorded(step="create:task", verb="create", noun="task", team="sales", made=3)
    lapsed = AudienceChange(name="lapsed", members=7, added=1, removed=0)
    assert printed(capsys, report("win_back", records=(task,), audiences=(lapsed,)))[2:] == [
        "win_back: 3 — create task for sales",
        "win_back: 1 added to audience lapsed, 0 removed, 7 members",
    ]
    none = report("win_back", records=(replace(task, made=0),), audiences=(replace(lapsed, added=0),))
    assert printed(capsys, none)[2:] == []


def test_a_person_has_amounts_of_money(stocked: Path, winback: Winback) -> None:
    def order(number: int, total: float) -> dict[str, Any]:
        told = {"order_id": str(number), "total": total}
        return {"type": "track", "event": "Order Completed", "userId": "ada", "messageId": f"o{number}",
                "timestamp": "2026-11-19T10:00:00Z", "properties": told}  # fmt: skip

    assert winback("import", lines(stocked / "orders.jsonl", order(1, 80), order(2, 25.5))).code == 0
    said = winback("profile", "show", "ada")
    told = dict(line.split(maxsplit=1) for line in said.out.splitlines() if line.startswith("  orders."))
    assert (told["orders.value"], told["orders.average"]) == ("$105.50", "$52.75")


@pytest.mark.usefixtures("project")
def test_steps_that_are_too_long_go_on_further_in(winback: Winback) -> None:
    said = winback("explain", "abandoned_cart")
    steps = said.out.partition("\n\n")[0].splitlines()
    assert max(map(len, steps)) <= 80
    start = next(n for n, line in enumerate(steps) if line.startswith("  start when"))
    assert steps[start + 1].startswith(" " * 6)


def test_editors_may_add_stdio() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cli", "lsp", "--stdio"], stdin=subprocess.DEVNULL, capture_output=True,
        cwd=Path(__file__).parents[2], check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, b"")


def test_the_first_rejected_row_is_told(stocked: Path, winback: Winback) -> None:
    said = winback("import", lines(stocked / "bad.jsonl", {"type": "track", "event": "Product Viewed", "userId": "u"}))
    assert said.code == 1
    assert "The first, line 1: The call has no `timestamp`." in said.err
