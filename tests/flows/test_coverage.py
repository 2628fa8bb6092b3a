"""What no scenario comes by."""

from __future__ import annotations

from pathlib import Path

from flows.project import open_project
from flows.scenario.coverage import coverage
from flows.scenario.play import play
from flows.scenario.world import bench
from tests.flows.stories import NOW, stories
from tests.flows.test_scenarios import CART, SIGN_UP, scenario


def covered(folder: Path, text: str) -> tuple[int, list[tuple[str, str, str]]]:
    """Percent, and the gaps: kind, the line as it stands in the file, and the text that is told."""
    stories(folder, text)
    opened = open_project(folder)
    stage = bench(opened, opened.compiled)
    results = [play(stage, each, now=NOW) for each in opened.compiled.scenarios]
    stage.close()
    found = coverage(opened.compiled, results)
    lines = text.splitlines()
    return round(found.percent), [(g.kind, lines[g.span.line - 1].strip(), g.text) for g in found.uncovered]


def test_ways_and_variants_and_their_places(tmp_path: Path) -> None:
    text = CART + scenario("one", "cart", "given product_added 25 hours ago", "given cart.total = $80", "expect enter")
    percent, gaps = covered(tmp_path, text)
    assert gaps == [
        ("way", 'otherwise if tier is "gold":', 'otherwise if tier is "gold"'),
        ("way", "otherwise:", "otherwise"),
        ("variant", "variant late 40%:", "variant late 40%"),
        ("variant", "holdout 20%", "holdout 20%"),
    ]
    assert percent == 47


def test_steps_after_which_nobody_comes(tmp_path: Path) -> None:
    lines = (
        "given product_added 25 hours ago",
        "given cart.total = $80",
        "after 2 hours order_completed",
        "expect enter",
    )
    _, gaps = covered(tmp_path, CART + scenario("one", "cart", *lines))
    assert [text for _, _, text in gaps[2:]] == [
        "variant plain 40%", "variant late 40%", "holdout 20%", "if can receive push",
    ]  # fmt: skip


def test_a_playbook_without_scenarios_is_one_gap(tmp_path: Path) -> None:
    one = scenario("one", "welcome", "given signed_up 1 hour ago", "expect enter")
    two = scenario("two", "welcome", "given signed_up 1 hour ago", "after 1 day product_viewed", "expect enter")
    other = "\nplaybook other:\n  start on signed_up\n  enter once\n  send email hello\n"
    percent, gaps = covered(tmp_path, SIGN_UP + other + one + two)
    assert gaps == [("playbook", "playbook other:", "playbook other")]
    assert percent == 86
