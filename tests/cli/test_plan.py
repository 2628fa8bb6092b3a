"""`winback plan` as reviewers see it: the tree, an edit, messages a day, at the widths of terminals; and its JSON."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

import cli.console
import cli.reviewing
import cli.reviewing_mail
from cli.reviewing import experiment, tell
from cli.reviewing_tree import rows, share
from flows.rehearsal import rehearsal
from flows.report import AudienceChange, Recorded
from flows.review.expectations import Trial
from flows.review.report import Review, review
from tests.cli.conftest import EVENTS, NOON, Winback, lines
from tests.flows.shop import Shop, event, person, shop

BOOK = """
policy:
  limit email to 2 per 7 days

playbook welcome:
  about "Say hello."
  run every 15 minutes
  start on signed_up
  enter once
  leave on order_completed
  send email hello
  if city is "Rome":
    send email hello
    if country is "IT":
      wait 1 hour
  if country is one of "DE", "AT", "CH" and city is "A city with a very long name that no line holds":
    send email hello
  otherwise:
    wait 1 day
  experiment greeting:
    measure order_completed within 7 days
    variant plain 50%:
      send email hello
    variant warm 50%:
      stop
"""
AT = datetime.fromisoformat("2026-03-03T12:00:00+00:00")


@pytest.fixture
def people(tmp_path: Path) -> Shop:
    made = shop(tmp_path, BOOK)
    made.calls(*(person(user, city="Rome" if user in "ab" else "Oslo") for user in "abcdef"))
    made.calls(*(event(user, "Signed Up", "2026-03-03T11:45:00Z") for user in "abcdef"))
    return made


def seen(made: Shop, as_of: datetime = AT) -> Review:
    with rehearsal(made.project, as_of) as stage:
        return review(stage, list(made.project.compiled.plans.values()), days=3)


def told(made: Review, monkeypatch: pytest.MonkeyPatch, width: int = 80) -> list[str]:
    out = io.StringIO()
    for module in (cli.reviewing, cli.reviewing_mail):
        monkeypatch.setattr(module, "OUT", Console(file=out, width=width, highlight=False))
    tell(made)
    return out.getvalue().splitlines()


def test_the_tree_has_every_way_with_its_people(people: Shop) -> None:
    (each,) = seen(people).playbooks
    found = [(row.line.text, row.now, row.ahead, row.share) for row in rows(each)]
    assert found[:7] == [
        ("send email hello", 6, 0, ""),
        ('if city is "Rome"', 2, 0, "33%"),
        ("send email hello", 2, 0, ""),
        ('if country is "IT"', 0, 0, ""),
        ("wait 1 hour", 0, 0, ""),
        ("(none of these)", 2, 0, "100%"),
        ("(none of these)", 4, 0, "67%"),
    ]
    assert [row[0] for row in found].count("(none of these)") == 2
    arms = [row for row in found if row[0].startswith("variant")]
    assert [arm[1] for arm in arms] == [0, 0] and sum(arm[2] for arm in arms) == 6


def test_few_are_not_none_and_nearly_all_are_not_all() -> None:
    assert [share(n, 1000) for n in (0, 1, 330, 999, 1000)] == ["", "<1%", "33%", ">99%", "100%"]


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_off(people: Shop, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    people.run("welcome", AT)
    people.write(BOOK.replace("wait 1 day", "wait 2 days"))
    made = seen(people)
    assert [day.at_limit for day in made.mail[0].days] == [2, 2, 0, 0], "people, not messages"
    lines = told(made, monkeypatch, width)
    assert max(map(len, lines)) <= width
    cut = [line for line in lines if "…" in line and line.strip() != "…"]
    assert cut == []
    text = " ".join(" ".join(lines).split())
    for piece in (
        "Say hello.",
        "Would enter: 0 people. Would leave: 0. Inside now: 6.",
        "experiment greeting: about 0 people an arm of those who would enter now",
        "- wait 1 day + wait 2 days",
        "6 people are inside on older versions and stay on it.",
        "wait 1 day, then",
        "the same in the new text",
        "email at most 2 per 7 days a person",
        "Nothing was sent, and nothing was kept.",
    ):
        assert piece in text


def test_records_and_audiences_have_their_place(people: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made = seen(people)
    task = Recorded(step="create:task", verb="create", noun="task", team="sales", made=3, skipped={"left": 2})
    audiences = (AudienceChange(name="buyers", added=1200, removed=30, members=4000),)
    (each,) = made.playbooks
    each = replace(each, report=replace(each.report, records=(task,), audiences=audiences))
    lines = told(replace(made, playbooks=(each,)), monkeypatch)
    assert "crm       create task for sales: 3  not now: 2 left the playbook" in lines
    assert "audience  buyers: +1,200 -30, then 4,000 members" in lines
    json = each.as_json()
    assert [(r["verb"], r["noun"], r["team"], r["people"]) for r in json["crm"]] == [("create", "task", "sales", 3)]
    assert json["audiences"] == [{"name": "buyers", "add": 1200, "remove": 30, "members": 4000}]


def test_an_empty_store_is_told(project: Path, winback: Winback) -> None:
    said = winback("plan", "welcome")
    assert said.code == 0
    assert "The store holds no events yet" in said.out
    assert "`winback import` takes them in" in " ".join(said.out.split())
    lines(project / "events.jsonl", *EVENTS)
    assert winback("import", "events.jsonl").code == 0
    assert "no events" not in winback("plan", "welcome").out
    assert "no events" not in winback("plan", "welcome", "--json").out


def test_json_for_scripts(stocked: Path, winback: Winback) -> None:
    assert stocked.is_dir()
    said = winback("plan", "abandoned_cart", "--as-of", NOON, "--days", "2", "--json").json
    (book,) = said["playbooks"]
    assert {"name", "version", "enters", "holdout", "leaves", "inside", "sends", "crm", "audiences"} <= set(book)
    assert book["ways"] == {"if/1": 1}
    assert book["experiments"][0]["name"] == "reminder_subject" and book["edit"]["since"] is None
    assert said["mail"]["days"] == 2
    email = next(each for each in said["mail"]["channels"] if each["channel"] == "email")
    assert [day["date"] for day in email["days"]] == ["2026-11-20", "2026-11-21", "2026-11-22"]
    assert email["limits"] == [{"count": 3, "seconds": 604_800}]


def test_days_are_bounded(project: Path, winback: Winback) -> None:
    assert project.is_dir()
    assert winback("plan", "--days", "0").code == 2


TRIAL = Trial(
    step="subject", name="subject", arms=(("plain", 3412), ("warm", 3398)), only_now=False, days=14, reach=1.0,
    reach_known=True, measure="order_completed", baseline=0.05, baseline_people=12_300, difference=0.0158, needed=8158,
)  # fmt: skip


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (
            TRIAL,
            "experiment subject: about 3,400 people an arm in 14 days: sees differences of 1.6 points or more from "
            "5.0% order_completed (5.0%: of 12,300 people in the past).",
        ),
        (
            replace(
                TRIAL, arms=(("plain", 900), ("holdout_group", 101)), baseline_people=0, reach=0.5, difference=0.09
            ),
            "experiment subject: about 900 plain, 100 held out in 14 days: sees differences of 9.0 points or more from "
            "5.0% order_completed (5% is assumed: the store cannot tell; 50% of those who enter come to it).\n"
            "⚠ Too small for the expected traffic: it would miss even a doubling. To see a fifth more it needs 8,158 "
            "people an arm.",
        ),
        (
            replace(TRIAL, arms=(("a", 2), ("b", 1)), only_now=True, difference=None, reach_known=False),
            "experiment subject: about 1 person an arm of those who would enter now: too few to see any difference "
            "from 5.0% order_completed (5.0%: of 12,300 people in the past; as if everybody who enters came to it).",
        ),
        (
            replace(TRIAL, measure=None),
            "experiment subject: about 3,400 people an arm in 14 days. It measures nothing: a line `measure EVENT "
            "within D` says what counts.",
        ),
        (replace(TRIAL, reach=0.0), "experiment subject: nobody who enters comes to it in 14 days."),
    ],
)
def test_an_experiment_in_words(trial: Trial, expected: str) -> None:
    assert experiment(trial).plain == expected
