"""`winback backtest` as people and programs see it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.bars import axis, bars
from tests.cli.conftest import Winback, lines

CARTS = """
playbook carts:
  about "Carts of a day ago."
  run every 1 hour
  start when cart.updated_at is more than 24 hours ago
    and cart.total > $0
  enter once
  leave on order_completed
  goal order_completed within 3 days
  send email hello
"""


@pytest.fixture
def shop(stocked: Path, winback: Winback) -> Path:
    """Ada and Bob put a lamp into their carts on 18 November; Ada, who may be written to, buys on the 20th."""
    for file in (stocked / "playbooks").glob("*.playbook"):
        file.unlink()
    (stocked / "playbooks" / "carts.playbook").write_text(CARTS + CARTS.replace("playbook carts", "playbook other"))
    order = {"type": "track", "event": "Order Completed", "userId": "ada", "messageId": "m4",
             "timestamp": "2026-11-20T15:00:00Z", "properties": {"order_id": "1", "total": 80}}  # fmt: skip
    assert winback("import", lines(stocked / "more.jsonl", order)).code == 0
    return stocked


ASKED = ("backtest", "carts", "--from", "2026-11-18", "--to", "2026-11-21")


def test_people_see_a_table_bars_and_what_history_cannot_tell(shop: Path, winback: Winback) -> None:
    said = winback(*ASKED, "--chart", "chart.svg")
    assert (said.code, said.err) == (0, "")
    table = [line.split() for line in said.out.splitlines()]
    assert ["day", "entered", "sent", "not", "sent", "left", "goal"] in table
    assert ["2026-11-19", "Thu", "2", "1", "1", "·", "·"] in table
    assert ["2026-11-20", "Fri", "·", "·", "·", "·", "1"] in table
    assert ["total", "2", "1", "1", "0", "1"] in table
    for piece in (
        "The store's events end at 2026-11-20 15:00 UTC, and so does this.",
        "Matched at the start and taken as seen: 0 people; --first-run lets them in.",
        "--with all plays them too",
        "Not sent: 1 no consent.",
        "Goal order_completed within 3 days: 1 of 2 (50.0%).",
        "1 may still reach the goal.",
        "Nobody got these messages",
        "only where identify calls told them",
        "Nobody was inside at the start",
        "The chart is in chart.svg.",
        "Nothing was sent, and nothing was kept.",
        "█",
    ):
        assert piece in " ".join(said.out.split()), piece
    assert max(map(len, said.out.splitlines())) <= 80
    assert ElementTree.parse(shop / "chart.svg").getroot().tag.endswith("svg")
    assert not (shop / "outbox").exists()


@pytest.mark.usefixtures("shop")
def test_programs_get_every_day(winback: Winback) -> None:
    told = winback(*ASKED, "--with", "all", "--json").json
    assert [one["name"] for one in told["playbooks"]] == ["carts", "other"]
    one = told["playbooks"][0]
    assert [(day["day"][-2:], day["entered"], day["sent"], day["converted"]) for day in one["days"]] == [
        ("18", 0, 0, 0), ("19", 2, 1, 0), ("20", 0, 0, 1),
    ]  # fmt: skip
    assert one["total"]["sends"] == [{"channel": "email", "template": "hello", "sent": 1}]
    assert one["total"]["not_sent"] == {"no_consent": 1}
    assert (one["every"], one["runs"], told["first_run"], told["chart"]) == ("1 hour", 58, False, None)
    assert len(told["limits"]) == 3 and told["asked_to"].startswith("2026-11-21")


@pytest.mark.usefixtures("shop")
def test_with_all_nobody_is_said_to_be_missing(winback: Winback) -> None:
    said = winback(*ASKED, "--with", "other", "--first-run", "--every", "2h").out
    assert "played beside it" in said and "--with all" not in said
    assert "every 2 hours (its schedule says every 1 hour)" in said
    assert "Those who matched at the start were let in" in said


@pytest.mark.parametrize(
    ("words", "place", "reason"),
    [
        (["nothing"], "nothing", "There is no playbook of this name."),
        (["carts", "--with", "nothing"], "nothing", "There is no playbook of this name."),
        (["carts", "--from", "soon"], "--from", "`soon` is not a time."),
        (["carts", "--to", "soon"], "--to", "`soon` is not a time."),
        (["carts", "--from", "2026-11-20", "--to", "2026-11-19"], "--from", "is not before --to"),
        (["carts", "--from", "2016-11-20", "--to", "2026-11-19"], "--from", "is before the first event."),
        (["carts", "--from", "2026-12-01"], "--from", "is after the newest event."),
        (["carts", "--every", "soon"], "--every", "`soon` is not a length of time."),
        (["carts", "--every", "0 hours"], "--every", "`0 hours` is not a length of time."),
        (["carts", "--every", "2 days"], "--every", "2 days is too long between two runs"),
        (["carts", "--chart", "x.png"], "--chart", "does not end in .svg."),
        (["carts", "--chart", "nowhere/x.svg"], "nowhere", "There is no such folder."),
    ],
)
@pytest.mark.usefixtures("shop")
def test_mistakes_have_a_place_a_reason_and_a_way_out(
    winback: Winback, words: list[str], place: str, reason: str
) -> None:
    said = winback("backtest", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"Error: {place}: ") and reason in said.err and "\n  Hint: " in said.err


def test_without_a_store_there_is_no_history(project: Path, winback: Winback) -> None:
    said = winback("backtest", "abandoned_cart")
    assert said.code == 2
    assert "The store: There is none yet, so there is no history." in said.err
    assert not (project / "winback.db").exists()


def test_bars_are_as_high_as_their_numbers() -> None:
    assert bars([0, 1, 8, 16], wide=1, height=2, margin=3) == [" 16 ┤   █", "  0 ┤ ▁██"]
    assert bars([1000, 1], wide=3, height=1, margin=5) == ["1,000 ┤██ ▁▁"]
    assert bars([0, 0], wide=2, height=2, margin=1) == ["  ┤", "0 ┤"]


def test_labels_stand_under_their_bars_and_apart() -> None:
    assert axis(["Mar 1", "Mar 2", "Mar 3", "Mar 4"], wide=4, margin=1) == "   Mar 1   Mar 3"
