"""`winback pause` and `resume`, `winback adopt`, `winback outbox show` and `replay`, as a person calls them."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from flows.project import open_project
from flows.tick import tick
from flows.world import world
from store.schema import outbox
from tests.cli.conftest import NOON, Winback

WHEN = datetime.fromisoformat(NOON)
PLAYBOOK = """playbook carts:
  start when cart.total > $0
  enter once
  send email hello
  wait 1 day
  send email hello
"""


@pytest.fixture
def running(stocked: Path) -> Path:
    """A project whose one playbook has run once: one message went out, one was refused."""
    for path in (stocked / "playbooks").glob("*.playbook"):
        path.unlink()
    (stocked / "playbooks" / "carts.playbook").write_text(PLAYBOOK)
    run(stocked)
    return stocked


def run(folder: Path, as_of: datetime = WHEN):
    opened = open_project(folder)
    assert opened.compiled.ok, opened.compiled.problems
    return tick(world(opened), opened.compiled.plans["carts"], as_of=as_of)


def mark(folder: Path, id: int, **values: object) -> None:
    with create_engine(f"sqlite:///{folder / 'winback.db'}").begin() as connection:
        connection.execute(update(outbox).where(outbox.c.id == id).values(**values))


# ── pause, resume ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_pause_and_its_end(running: Path, winback: Winback) -> None:
    said = winback("pause", "carts", "--as-of", NOON)
    assert said.code == 0 and "carts is paused: 2 people inside and 0 messages queued" in said.out
    assert "was paused already" in winback("pause", "carts").out
    report = run(running, WHEN + timedelta(days=5))
    assert report.as_run()["paused_at"] == "2026-11-20T17:00:00+00:00" and report.headline.startswith("paused")
    assert (report.entered, report.total("sent"), report.inside) == (0, 0, 2)
    assert "It is paused since 2026-11-20 17:00 UTC" in winback("plan", "carts", "--as-of", "2026-11-26T17:00Z").out
    said = winback("resume", "carts", "--as-of", "2026-12-20T17:00Z")
    assert "runs again; it was paused since 2026-11-20 17:00 UTC" in said.out
    assert "2 people go on at the next run, 2 of them more than a day late" in said.out
    report = run(running, WHEN + timedelta(days=30))
    assert report.reasons("skipped") == {"late": 2} and report.total("sent") == 0
    assert winback("resume", "carts").out == "carts was not paused.\n"


def test_pauses_for_programs(running: Path, winback: Winback) -> None:
    (told,) = winback("pause", "carts", "--as-of", NOON, "--json").json["playbooks"]
    assert told == {"name": "carts", "paused_at": "2026-11-20T17:00:00+00:00", "was_paused": False, "inside": 2,
                    "queued": 0}  # fmt: skip
    (told,) = winback("resume", "carts", "--as-of", NOON, "--json").json["playbooks"]
    assert told == {"name": "carts", "paused_at": "2026-11-20T17:00:00+00:00", "due": 0, "overdue": 0, "late": 0}


def test_a_playbook_with_mistakes_can_be_paused(running: Path, winback: Winback) -> None:
    (running / "playbooks" / "carts.playbook").write_text("playbook carts:\n  start when\n")
    assert winback("pause", "carts").code == 0


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_name_that_nobody_knows(running: Path, winback: Winback, command: str) -> None:
    said = winback(command, "cart")
    assert said.code == 1
    assert "cart: No playbook of this name has run yet." in said.err and "Did you mean `carts`?" in said.err
    assert winback(command).code == 2
    assert "is not a time" in winback(command, "carts", "--as-of", "soon").err


# ── adopt ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def copied(running: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project, which is the working folder."""
    shutil.copytree(running, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def test_a_copied_project_plans_and_shows_and_does_not_send(copied: Path, winback: Winback) -> None:
    later = "2026-11-21T18:00Z"
    assert winback("plan", "carts", "--as-of", later).code == 0
    assert winback("profile", "show", "ada").code == 0
    said = winback("run", "carts", "--as-of", later)
    assert said.code == 1
    assert "This is a copy of another store, and does not send." in said.err and "winback adopt" in said.err
    assert winback("run", "carts", "--as-of", later, "--dry-run").code == 0
    said = winback("adopt", "--json")
    assert said.code == 2 and "Add --yes" in said.err
    told = winback("adopt", "--yes", "--json").json
    assert told["adopted"] and told["is"]["path"] == str(copied / "winback.db") and told["queued"] == 0
    assert run(copied, datetime.fromisoformat(later)).total("sent") == 1


def test_adopt_asks(copied: Path, winback: Winback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.confirm", lambda _question: False)
    said = winback("adopt")
    assert said.code == 1 and "people get them twice" in said.out and "Nothing was changed." in said.err
    monkeypatch.setattr("typer.confirm", lambda _question: True)
    assert "This store sends from now on" in winback("adopt").out
    assert "is the original already" in winback("adopt").out


def test_adopting_the_original_changes_nothing(running: Path, winback: Winback) -> None:
    assert winback("adopt", "--json", "--yes").json["adopted"] is False


# ── outbox ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_message_is_shown_with_its_way_out(running: Path, winback: Winback) -> None:
    ways = {
        "failed": "`winback outbox replay 1` queues it again",
        "unknown": "`winback outbox resolve 1 --sent`",
        "accepted": "never sent again",
        "skipped": "`winback profile show 1`",
    }
    for state, way in ways.items():
        mark(running, 1, state=state, reason="render_error" if state == "failed" else None)
        said = winback("outbox", "show", "1")
        assert said.code == 0 and way in said.out and "email hello" in said.out and "@" not in said.out
    told = winback("outbox", "show", "1", "--json").json
    assert (told["id"], told["state"], len(told["key"])) == (1, "skipped", 32)


def test_every_state_has_a_way_out() -> None:
    from cli.outbox import STATES, WAYS_OUT

    assert set(STATES) == set(WAYS_OUT)


def test_a_message_that_is_not_there(running: Path, winback: Winback) -> None:
    said = winback("outbox", "show", "77")
    assert said.code == 1 and "There is no message with this id." in said.err
    assert winback("outbox", "show", "one").code == 2
    said = winback("outbox", "replay", "77")
    assert said.code == 1 and "77: there is no such message" in said.err


def test_failed_messages_go_out_by_the_next_run(running: Path, winback: Winback) -> None:
    mark(running, 1, state="failed", reason="render_error")
    assert "1 message queued again: the next run sends it." in winback("outbox", "replay", "1").out
    mark(running, 1, due_at=0)
    assert run(running, WHEN + timedelta(hours=1)).total("sent") == 1
    said = winback("outbox", "replay", "1")
    assert said.code == 1 and "1: accepted" in said.err


def test_all_that_failed_for_a_reason(running: Path, winback: Winback) -> None:
    mark(running, 1, state="failed", reason="render_error")
    assert winback("outbox", "replay", "--reason", "mailbox_full").out == "There is no such message that failed.\n"
    assert winback("outbox", "replay", "--playbook", "carts", "--json").json == {"queued": [1], "refused": {}}
    assert "Which messages?" in winback("outbox", "replay").err
    assert winback("outbox", "replay", "1", "--playbook", "carts").code == 2


def test_what_is_unknown_is_not_replayed(running: Path, winback: Winback) -> None:
    mark(running, 1, state="unknown")
    said = winback("outbox", "replay", "1", "--json")
    assert said.code == 1 and said.json == {"queued": [], "refused": {"1": "unknown"}}
    assert "winback outbox resolve" in said.err
