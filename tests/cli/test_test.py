"""`winback test`, and pytest in a project: what is printed, what is counted, and what is left alone."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.cli.conftest import Winback

pytest_plugins = ["pytester"]

PLAYBOOK = """playbook mine:
  run every 15 minutes
  start on signed_up
  enter once
  send email hello
  wait 1 day
  if orders.count is 0:
    send email hello
  otherwise:
    stop
"""
GOOD = """
scenario "hello twice" for mine:
  given signed_up 5 minutes ago
  expect send email hello 2 times
"""
BAD = """
scenario "no second hello" for mine:
  given signed_up 5 minutes ago
  after 2 hours set email_consent = no
  expect send email hello after 1 day
"""

INSTALLED = any(each.value == "cli.collecting" for each in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "cli.collecting")
"""Where winback is installed, pytest finds the plugin by itself."""


@pytest.fixture
def mine(project: Path) -> Path:
    for path in (project / "playbooks").glob("*.playbook"):
        path.unlink()
    path = project / "playbooks" / "mine.playbook"
    path.write_text(PLAYBOOK + GOOD + BAD)
    return path


@pytest.mark.usefixtures("mine")
def test_what_a_person_reads(winback: Winback) -> None:
    said = winback("test")
    assert said.code == 1
    assert "✓ hello twice  mine" in said.out
    assert "✗ no second hello  mine" in said.out
    assert "playbooks/mine.playbook:19  expect send email hello after 1 day" in said.out
    assert "It was sent 5 minutes after entry (" in said.out
    assert "send email hello: not sent, no consent" in said.out
    assert "set email_consent = no" in said.out
    assert "playbooks/mine.playbook:9  otherwise" in said.out
    assert "✗ 1 scenario passed, 1 failed, 67% of the branches and steps covered" in said.out
    assert said.err == ""


@pytest.mark.usefixtures("mine")
def test_what_a_program_reads(winback: Winback) -> None:
    said = winback("test", "--json").json
    assert (said["passed"], said["failed"], said["coverage"]) == (1, 1, 66.7)
    good, bad = said["scenarios"]
    assert (good["name"], good["playbook"], good["passed"], good["problems"]) == ("hello twice", "mine", True, [])
    (problem,) = bad["problems"]
    assert (problem["file"], problem["line"]) == ("playbooks/mine.playbook", 19)
    assert problem["expected"] == "expect send email hello after 1 day"
    assert bad["timeline"][0]["seconds"] == -300
    (gap,) = said["uncovered"]
    assert (gap["file"], gap["line"], gap["kind"], gap["text"]) == ("playbooks/mine.playbook", 9, "way", "otherwise")


@pytest.mark.usefixtures("mine")
def test_only_some(winback: Winback) -> None:
    said = winback("test", "-k", "TWICE")
    assert said.code == 0
    assert "1 scenario passed (" in said.out
    assert "no second" not in said.out
    assert winback("test", "playbooks/mine.playbook").code == 1


@pytest.mark.usefixtures("mine")
def test_the_timeline_of_those_that_pass(winback: Winback) -> None:
    assert "send email hello" in winback("test", "-k", "twice", "--timeline").out


def test_mistakes_fail_and_are_told(mine: Path, winback: Winback) -> None:
    mine.write_text(PLAYBOOK + GOOD.replace("hello 2", "helo 2"))
    said = winback("test")
    assert said.code == 1
    assert "Nothing in `mine` ever sends email `helo`" in said.out
    mine.write_text(PLAYBOOK.replace("wait 1 day", "wait 1 dya") + GOOD)
    said = winback("test", "--json")
    assert said.code == 1
    assert said.json["scenarios"][0]["problems"][0]["message"].startswith("The playbook `mine` has mistakes")
    assert said.json["mistakes"]


def test_without_scenarios(mine: Path, winback: Winback) -> None:
    mine.write_text(PLAYBOOK)
    said = winback("test")
    assert said.code == 0
    assert "There are no scenarios here" in said.out


def test_the_first_project_passes_and_is_covered(project: Path, winback: Winback) -> None:
    before = sorted(path for path in project.rglob("*") if path.is_file())
    said = winback("test", "--json")
    assert said.code == 0, said.out
    assert (said.json["failed"], said.json["uncovered"], said.json["coverage"]) == (0, [], 100.0)
    assert said.json["passed"] >= 10
    assert sorted(path for path in project.rglob("*") if path.is_file()) == before


def test_pytest_collects_scenarios(mine: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    ran = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider", str(mine.parent), "-q")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(
        ["*mine.playbook:19  expect send email hello after 1 day", "*It was sent 5 minutes after*"]
    )
    outside = pytester.path / "alone.playbook"
    outside.write_text(PLAYBOOK + GOOD)
    pytester.runpytest_subprocess(*PLUGIN, str(outside), "-q").assert_outcomes()
