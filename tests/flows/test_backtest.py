"""A backtest tells what the playbook would have done: the same as a shop in which it ran at that time."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from flows.backtest import Backtest, NoBacktest, Span, backtest, span
from flows.chart import svg
from flows.played import Period, Played, by_day, merged, still_open
from flows.tick import tick
from flows.world import world
from profiles.ingest import ingest
from store.clock import micros
from store.engine import read, write
from store.schema import outbox
from tests.flows.shop import Shop, event, person, shop
from tests.profiles.shop import read as calls_of

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 3, 1, tzinfo=UTC)
CARTS = """
policy:
  quiet hours 21:00 to 08:00
  limit email to 2 per 3 days

playbook carts:
  run every 1 hour
  start when cart.updated_at is more than 5 hours ago
    and cart.updated_at is in the last 2 days
    and cart.total > $0
  enter again after 1 day
  leave on order_completed
  goal order_completed within 2 days
  holdout 20%
  send email hello
  wait 8 hours
  send email hello
"""
WELCOME = """
playbook welcome:
  run every 1 hour
  start on signed_up
  enter every time
  leave on order_completed
  goal order_completed within 3 days
  send email hello
"""


def at(hours: float) -> str:
    return (START + timedelta(hours=hours)).isoformat()


def cart(user: str, hours: float, **more: Any) -> dict[str, Any]:
    return event(user, "Product Added", at(hours), product_id="p", price=10, **more)


def order(user: str, hours: float) -> dict[str, Any]:
    return event(user, "Order Completed", at(hours), order_id=f"{user}{hours}", total=10)


def days(hours: float, **more: Any) -> Span:
    return Span(start=START, end=START + timedelta(hours=hours), **more)


def play(made: Shop, hours: float, *names: str, **asked: Any) -> Backtest:
    return backtest(made.project, [made.plan(name) for name in names], days(hours), **asked)


def total(played: Backtest) -> Period:
    return played.played[0].total


def history(r: Random) -> list[dict[str, Any]]:
    """What some people did in five days, consents given and taken back among it."""
    calls = [
        person(f"u{n}", email_consent=n % 5 > 0, time_zone=r.choice(["UTC", "Asia/Tokyo", "America/Lima"]))
        for n in range(40)
    ]
    for number in range(400):
        user, hours = f"u{r.randrange(40)}", r.randrange(-24 * 4, 120 * 4) / 4
        calls.append(
            r.choice(
                [
                    cart(user, hours),
                    cart(user, hours),
                    order(user, hours),
                    event(user, "Signed Up", at(hours)),
                    {**person(user, email_consent=r.random() < 0.8), "timestamp": at(hours)},
                ]
            )
            | {"messageId": str(number)}
        )
    return calls


def lived(made: Shop, calls: list[dict[str, Any]], hours: int) -> None:
    """The same as in production: events come in as they happen, and the playbooks run for real."""
    project, known = made.project, 0
    ordered = sorted(calls_of(*calls), key=lambda call: call.at or 0)
    for hour in range(hours + 1):
        now = START + timedelta(hours=hour)
        new = [call for call in ordered[known:] if (call.at or 0) <= micros(now)]
        known += len(new)
        ingest(project.engine, new, rules=project.rules, received_at=now)
        for name in ("carts", "welcome"):
            tick(world(project), made.plan(name), as_of=now, only_new=True)


@pytest.mark.parametrize("seed", [3])
def test_the_same_as_if_it_had_run_at_that_time(tmp_path: Path, seed: int) -> None:
    calls, hours = history(Random(seed)), 48
    real = shop(tmp_path / "real", CARTS + WELCOME)
    lived(real, calls, hours)
    later = shop(tmp_path / "later", CARTS + WELCOME)
    later.calls(*calls)
    made = play(later, hours + 0.1, "carts", "welcome")
    expected = []
    with read(real.project.engine) as connection:
        for played in made.played:
            end = micros(made.span.end)
            expected.append(by_day(connection, played.plan, micros(START), end, made.zone))
    assert [played.days for played in made.played] == expected
    assert all(played.total.sent.total() > 9 and played.total.converted > 2 for played in made.played), made.played
    assert {"frequency_cap", "no_consent", "on order_completed"} <= total(made).not_sent.keys()


def test_nothing_is_written_and_nothing_leaves(tmp_path: Path) -> None:
    made = shop(tmp_path, CARTS)
    made.calls(*(person(user) for user in "abc"), *(cart(user, 10) for user in "abc"), order("a", 30))
    made.project.engine.dispose()
    before, files = dump(tmp_path), names(tmp_path)
    assert total(play(made, 40, "carts")).sent
    assert dump(tmp_path) == before
    assert names(tmp_path) == files


def dump(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "winback.db") as connection:
        return list(connection.iterdump())


def names(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.name.startswith("winback.db")}


def test_quiet_hours_move_a_message_to_the_day_on_which_it_would_have_come(tmp_path: Path) -> None:
    made = shop(tmp_path, CARTS.replace("  holdout 20%\n", ""))
    made.calls(person("a"), cart("a", 17), order("a", 71.5))
    played = play(made, 72, "carts").played[0]
    assert [day.entered for day in played.days] == [1, 0, 0]
    # Entered at 23:00: the first at 08:00 instead, and the second, for which 07:00 would have been the time, too.
    assert [day.sent.total() for day in played.days] == [0, 2, 0]


def test_those_who_match_at_the_start_are_taken_as_seen_or_let_in(tmp_path: Path) -> None:
    made = shop(tmp_path, CARTS + WELCOME)
    made.calls(*map(person, "ab"), cart("a", -20), cart("b", 10), event("a", "Signed Up", at(-3)))
    seen = play(made, 30, "carts", "welcome")
    assert [(p.seen, p.total.entered) for p in seen.played] == [(1, 1), (0, 0)]
    first = play(made, 30, "carts", "welcome", first_run=True)
    assert [(p.seen, [day.entered for day in p.days]) for p in first.played] == [(0, [2, 0]), (0, [1, 0])]


def test_playbooks_that_are_played_together_compete_for_the_limits(tmp_path: Path) -> None:
    policy = "policy:\n  limit email to 1 per 7 days\n"
    made = shop(tmp_path, policy + WELCOME + WELCOME.replace("playbook welcome", "playbook hello_again"))
    made.calls(person("a"), event("a", "Signed Up", at(10)))
    assert total(play(made, 30, "welcome")).sent.total() == 1
    together = play(made, 30, "hello_again", "welcome")
    assert [dict(p.total.not_sent) for p in together.played] == [{}, {"frequency_cap": 1}]


def test_a_goal_after_the_last_run_counts_on_its_day(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME.replace("run every 1 hour", "run every sunday at 12:00"))
    made.calls(*map(person, "ab"), *(event(user, "Signed Up", at(10)) for user in "ab"), order("a", 50))
    played = play(made, 72, "welcome").played[0]
    assert (played.every, played.runs) == ("sunday at 12:00", 2)
    assert [day.entered for day in played.days] == [2, 0, 0]
    assert [day.converted for day in played.days] == [0, 0, 1]
    assert (played.waiting, played.undecided) == (0, 1)


def test_days_are_those_of_the_shop_also_when_the_clocks_change(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME)
    toml = made.folder / "winback.toml"
    toml.write_text(toml.read_text().replace('"UTC"', '"America/New_York"'))
    # 8 March 2026 has 23 hours there: it begins at 05:00 UTC and ends at 04:00 UTC.
    times = ["2026-03-08T04:59:00Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:00Z", "2026-03-09T04:00:00Z"]
    made.calls(*map(person, "abcd"), *(event(user, "Signed Up", t) for user, t in zip("abcd", times, strict=True)))
    asked = Span(start=datetime(2026, 3, 7, 5, tzinfo=UTC), end=datetime(2026, 3, 10, 4, tzinfo=UTC))
    played = backtest(made.project, [made.plan("welcome")], asked).played[0]
    assert [(day.start.day, day.entered) for day in played.days] == [(7, 1), (8, 2), (9, 1)]


def test_a_schedule_of_too_many_runs_is_run_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop(tmp_path, WELCOME.replace("1 hour", "1 minute"))
    made.calls(person("a"), event("a", "Signed Up", at(1)))
    own = play(made, 2, "welcome").played[0]
    assert (own.every, own.instead_of, own.runs) == ("1 minute", None, 120)
    monkeypatch.setattr("flows.backtest.MOST_RUNS", 12)
    long = play(made, 9, "welcome").played[0]
    assert (long.every, long.instead_of, long.runs) == ("1 hour", "1 minute", 9)
    asked = play(made, 2, "welcome", every=timedelta(minutes=30)).played[0]
    assert (asked.every, asked.instead_of, asked.runs) == ("30 minutes", "1 minute", 4)


@pytest.mark.parametrize(
    ("start", "end", "place", "reason"),
    [
        (30, 10, "--from", "is not before --to"),
        (10, 10, "--from", "is not before --to"),
        (900 * 24, None, "--from", "after the newest event"),
        (-30, None, "--from", "before the first event"),
        (None, -30, "--to", "before the first event"),
        (0, None, "--from", "800 days"),
    ],
)
def test_what_cannot_be_played(tmp_path: Path, start: int | None, end: int | None, place: str, reason: str) -> None:
    made = shop(tmp_path, WELCOME)
    made.calls(*(event("a", "Signed Up", at(hours)) for hours in (0, 800 * 24)))
    bounds = [None if hours is None else START + timedelta(hours=hours) for hours in (start, end)]
    with pytest.raises(NoBacktest) as told:
        span(made.project, *bounds)
    assert told.value.place == place
    assert reason in told.value.reason


def test_without_times_it_is_the_last_thirty_days_from_midnight(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME)
    made.calls(event("a", "Signed Up", at(0)), event("a", "Signed Up", at(40 * 24 + 5)))
    newest = START + timedelta(days=40, hours=5)
    assert span(made.project, None, None) == Span(start=START + timedelta(days=10), end=newest)
    beyond = newest + timedelta(days=3)
    assert span(made.project, None, beyond).cut == beyond


def test_no_store_and_no_events(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME)
    with pytest.raises(NoBacktest, match="There is none yet"):
        span(made.project, None, None)
    made.project.engine.dispose()
    with pytest.raises(NoBacktest, match="holds no events"):
        span(made.project, None, None)


def test_intervals_that_are_too_long_or_too_short(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME)
    made.calls(person("a"), event("a", "Signed Up", at(1)))
    with pytest.raises(NoBacktest, match="1 day is too long"):
        play(made, 48, "welcome", every=timedelta(days=1))
    with pytest.raises(NoBacktest, match="172,800 runs"):
        play(made, 48, "welcome", every=timedelta(seconds=1))


def played_by_chance(r: Random, made: Shop, goal: bool) -> Played:
    """Numbers for a chart."""
    templates = [("email", f"number_{n}<&") for n in range(7)]
    told = tuple(
        Period(
            start=START.date() + timedelta(days=n),
            entered=r.randrange(2, 300),
            held_out=r.randrange(2) if goal else 0,
            converted=r.randrange(40),
            sent=Counter({each: r.randrange(90) for each in templates}),
        )
        for n in range(100)
    )
    plan = made.plan("carts" if goal else "alone")
    return Played(
        plan=plan, every="1 hour", instead_of=None, runs=1, days=told, seen=0, waiting=0, queued=0, undecided=0
    )


@pytest.mark.parametrize(("goal", "size"), [(True, 7), (False, 1)])
def test_the_chart_shows_every_number_in_proportion(tmp_path: Path, goal: bool, size: int) -> None:
    made = shop(tmp_path, CARTS + "playbook alone:\n  start on signed_up\n  enter once\n  send email hello\n")
    played = played_by_chance(Random(1), made, goal)
    drawn = ElementTree.fromstring(svg(played, period_days=size, heading="two & three"))
    bars = [rect for rect in drawn.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None]
    told = Counter[str]()
    for bar in bars:
        day, _, counted = (bar.findtext(f"{SVG}title") or "").rpartition(": ")
        number = int(counted.split()[0].replace(",", ""))
        told[counted.partition(" ")[2] or "all"] += number
        assert any(str(period.start) in day for period in played.periods(size))
    total = played.total
    assert sum(told[name] for name in told if "number" in name or name == "others") == total.sent.total()
    assert "others" in told and len([name for name in told if "number" in name]) == 4
    if goal:
        assert told["not held out"] + told["held out"] == total.entered + total.converted
    else:
        assert told["all"] == total.entered
    texts = [text.text or "" for text in drawn.iter(f"{SVG}text")]
    assert any("goal" in text for text in texts) is goal
    assert "two & three" in texts


def test_days_in_weeks(tmp_path: Path) -> None:
    made = shop(tmp_path, CARTS)
    days = played_by_chance(Random(2), made, True).days
    weeks = merged(days, 7)
    assert [(week.start, week.days) for week in weeks][-2:] == [(days[91].start, 7), (days[98].start, 2)]
    assert sum(week.entered for week in weeks) == sum(day.entered for day in days)
    assert weeks[1].sent == sum((day.sent for day in days[7:14]), Counter())


def test_what_runs_have_to_say_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop(tmp_path, WELCOME)
    made.calls(*map(person, "ab"), event("a", "Signed Up", at(1)), event("b", "Signed Up", at(5)))
    monkeypatch.setattr("flows.backtest.world", lambda *some, **more: replace(world(*some, **more), connectors={}))
    told = play(made, 9, "welcome")
    assert told.trouble == ("email: nothing is set up that sends email. The messages wait for the next run.",)
    assert (total(told).sent.total(), told.played[0].queued) == (0, 2)


def test_records_in_the_crm_are_no_messages(tmp_path: Path) -> None:
    made = shop(tmp_path, WELCOME)
    plan, start = made.plan("welcome"), micros(START)
    known = {"playbook": "welcome", "enrollment_id": 1, "occurrence": 1, "profile_id": 1, "digest": "",
             "planned_at": start, "due_at": start, "expires_at": start}  # fmt: skip
    rows = [
        {"channel": "crm", "template": "task", "state": "accepted", "settled_at": start},
        {"channel": "crm", "template": "task", "state": "cancelled", "settled_at": start},
        {"channel": "crm", "template": "deal", "state": "planned", "settled_at": None},
        {"channel": "sms", "template": "task", "state": "accepted", "settled_at": start},
        {"channel": "sms", "template": "task", "state": "planned", "settled_at": None},
    ]
    with write(made.project.engine) as connection:
        for number, row in enumerate(rows):
            connection.execute(insert(outbox).values(**known, **row, step=str(number)))
        (day,) = by_day(connection, plan, start, start + 1, ZoneInfo("UTC"))
        assert still_open(connection, plan, start + 1) == (0, 1, 0)
    assert (day.records, day.sent, day.not_sent) == ({"task": 1}, {("sms", "task"): 1}, {})


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    made, seen = shop(tmp_path, WELCOME), []
    made.calls(person("a"), event("a", "Signed Up", at(1)))
    play(made, 3, "welcome", progress=lambda done, todo: seen.append((done, todo)))
    assert seen == [(0, 2), (1, 2), (2, 2)]
