"""`winback plan` of audiences, and of channels other than e-mail."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import NOON, Winback

AUDIENCES = """audience cart_owners on facebook:
  include when cart.total > $0
  run every 1 hour

audience by_hand on facebook:
  about "Kept by playbooks."
"""
NUDGE = """playbook nudge:
  start when cart.total > $0
    and cart.updated_at is in the last 7 days
  enter once
  if can receive push:
    send push nudge
  wait 1 day
  send whatsapp hello
  send webhook hello
"""


def alone(project: Path, text: str) -> None:
    for file in (project / "playbooks").iterdir():
        file.unlink()
    (project / "playbooks" / "mine.playbook").write_text(text)


def test_a_project_of_audiences_alone(stocked: Path, winback: Winback) -> None:
    alone(stocked, AUDIENCES)
    said = winback("plan", "--as-of", NOON, "--json").json
    assert said["playbooks"] == []
    assert said["audiences"] == [{"name": "cart_owners", "add": 2, "remove": 0, "members": 2, "without_consent": 2}]
    shown = winback("plan", "cart_owners", "--as-of", NOON).out
    assert "audience  cart_owners: +2 -0, then 2 members  2 of them without consent to ads" in shown


def test_a_playbook_of_other_channels(stocked: Path, winback: Winback) -> None:
    alone(stocked, NUDGE)
    for channel, text in (("push", "---\ntitle: Hi\n---\nHi\n"), ("whatsapp", "Hi\n"), ("webhook", "Hi\n")):
        folder = stocked / "templates" / channel
        folder.mkdir(exist_ok=True)
        (folder / ("nudge.txt" if channel == "push" else "hello.txt")).write_text(text)
    assert winback("check").code == 0
    (book,) = winback("plan", "--as-of", NOON, "--json").json["playbooks"]
    assert book["enters"] == 2 and {send["channel"] for send in book["sends"]} <= {"push", "whatsapp", "webhook"}
