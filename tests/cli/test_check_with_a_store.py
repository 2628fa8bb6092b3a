"""`winback check` where there is a store: how many people a warning is about."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from flows.advice import advice
from flows.project import open_project
from tests.cli.conftest import HELLO, Winback, lines

CARTS = """playbook carts:
  start when cart.updated_at is more than 1 hour ago
  enter once
  if can receive email:
    send email hello
"""
TEST = """playbook greeting:
  start on signed_up
  enter once
  experiment words:
    measure order_completed within 7 days
    variant plain 50%:
      send email hello
    variant bold 50%:
      send email hello
"""


def test_the_first_run_is_counted(stocked: Path, winback: Winback) -> None:
    for file in (stocked / "playbooks").iterdir():
        file.unlink()
    (stocked / "playbooks" / "carts.playbook").write_text(CARTS)
    (problem,) = winback("check", "--json").json["problems"]
    assert problem["code"] == "WB350" and problem["message"].endswith("In this store that is 2 people now.")
    assert winback("run", "carts", "--as-of", "2026-11-30T17:00Z", "--only-new").code == 0
    (problem,) = winback("check", "--json").json["problems"]
    assert "In this store" not in problem["message"]  # it has run


def test_without_people_there_is_nothing_to_count(project: Path, winback: Winback) -> None:
    (project / "playbooks" / "carts.playbook").write_text(CARTS)
    problems = winback("check", "--json").json["problems"]
    assert [p["code"] for p in problems] == ["WB350"] and "In this store" not in problems[0]["message"]


def test_an_experiment_that_is_too_small_is_noted(project: Path, winback: Winback) -> None:
    for file in (project / "playbooks").iterdir():
        file.unlink()
    (project / "playbooks" / "greeting.playbook").write_text(TEST)
    (project / "templates" / "email" / "hello.html").write_text(HELLO)
    lines(
        project / "signups.jsonl",
        *(
            {"type": "track", "event": "Signed Up", "userId": f"u{n}", "messageId": f"s{n}",
             "timestamp": f"2026-11-{1 + n:02}T10:00:00Z"}
            for n in range(18)
        ),
    )  # fmt: skip
    assert winback("import", "signups.jsonl").code == 0
    opened = open_project(project)
    problems, (note,) = advice(opened, opened.compiled, datetime(2026, 11, 20, tzinfo=UTC))
    assert problems == ()
    assert note.startswith("greeting: The experiment `words` is too small for the expected traffic:")
    assert "5.0% are assumed to convert by themselves" in note
