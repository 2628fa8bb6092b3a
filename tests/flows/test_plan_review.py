"""A plan for reviewers on a small shop: experiments, edits with people inside, messages a day, and nobody held up."""

import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from flows.rehearsal import rehearsal
from flows.review.report import Review, review
from flows.tick import tick
from flows.world import world
from store.engine import open_store, write
from store.migrations import upgrade
from tests.flows.shop import NOON, Shop, event, person, shop

SERIES = """
policy:
  limit email to 2 per 7 days

playbook welcome:
  run every 15 minutes
  start on signed_up
  enter once
  leave on order_completed
  send email hello
  wait 1 day
  if city is "Rome":
    send email hello
  wait 2 days
  send email hello
"""
TEST = """
playbook welcome:
  run every 15 minutes
  start on signed_up
  enter once
  experiment greeting:
    measure order_completed within 7 days
    variant plain 50%:
      send email hello
    variant warm 25%:
      send email hello
    holdout 25%
"""
DAY = timedelta(days=1)


def look(made: Shop, as_of=NOON, **asked: object) -> Review:  # type: ignore[no-untyped-def]
    with rehearsal(made.project, as_of) as stage:
        return review(stage, [made.project.compiled.plans["welcome"]], **asked)  # type: ignore[arg-type]


def stocked(folder: Path, playbook: str = SERIES, people: str = "abcd", rome: str = "ab") -> Shop:
    made = shop(folder, playbook)
    made.calls(*(person(user, city="Rome" if user in rome else "Oslo") for user in people))
    made.calls(*(event(user, "Signed Up", "2026-03-03T11:45:00Z") for user in people))
    return made


def test_records_of_the_days_ahead_are_counted_without_consent_to_messages(tmp_path: Path) -> None:
    made = stocked(tmp_path, SERIES.replace("wait 1 day", "wait 1 day\n  create task for sales"))
    made.calls(person("d", email_consent=False) | {"messageId": "no", "timestamp": "2026-03-03T10:00:00Z"})
    seen = look(made, days=3)
    assert seen.playbooks[0].sends_ahead["create:task"] == 4
    (crm,) = (mail for mail in seen.mail if mail.channel == "crm")
    assert [day.messages for day in crm.days] == [0, 4, 0, 0]


# ── The days ahead ────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_days_ahead_are_what_runs_then_do(tmp_path: Path) -> None:
    made = stocked(tmp_path)
    seen = look(made, days=5)
    (each,), (mail,) = seen.playbooks, seen.mail
    assert each.report.ways == {} and each.ahead.ways == {"if/1": 2, "if/otherwise": 2}
    assert each.sends_ahead == {"if/1/send:hello": 2, "send:hello.2": 4}
    told = {day.day: (day.messages, day.held_back, day.at_limit) for day in mail.days}
    third = date(2026, 3, 3)
    expected = {third + n * DAY: numbers for n, numbers in {0: (4, 0, 0), 1: (2, 0, 2), 3: (2, 2, 2)}.items()}
    assert told == {third + n * DAY: (0, 0, 0) for n in range(6)} | expected
    reports = [made.run("welcome", NOON + n * DAY) for n in range(4)]
    sent = [(report.total("sent"), report.reasons("skipped").get("frequency_cap", 0)) for report in reports]
    assert sent == [(4, 0), (2, 0), (0, 0), (2, 2)]


def test_people_who_may_not_be_written_to_are_in_no_day(tmp_path: Path) -> None:
    made = stocked(tmp_path)
    made.calls(person("d", email_consent=False) | {"messageId": "no", "timestamp": "2026-03-03T10:00:00Z"})
    (mail,) = look(made, days=3).mail
    assert [day.messages for day in mail.days] == [3, 2, 0, 1]
    assert sum(day.held_back for day in mail.days) == 2, "those two in Rome, who have had theirs"


def test_quiet_hours_move_messages_to_the_next_day(tmp_path: Path) -> None:
    late = SERIES.replace("policy:\n", "policy:\n  quiet hours 11:00 to 08:00\n")
    (mail,) = look(stocked(tmp_path, late), days=2).mail
    assert [day.messages for day in mail.days] == [0, 4, 2]


def test_a_schedule_moves_people_when_it_runs(tmp_path: Path) -> None:
    daily = SERIES.replace("run every 15 minutes", "run every day at 09:00").replace("wait 2 days", "wait 1 hour")
    (mail,) = look(stocked(tmp_path, daily), days=4).mail
    assert [day.messages + day.held_back for day in mail.days] == [4, 0, 2, 4, 0], "due at noon, found at nine"


def test_who_leaves_by_the_passing_of_time_gets_nothing_more(tmp_path: Path) -> None:
    book = SERIES.replace("leave on order_completed", "leave when last_seen_at is more than 2 days ago")
    (mail,) = look(stocked(tmp_path, book), days=4).mail
    assert [day.messages for day in mail.days] == [4, 2, 0, 0, 0]


AFTERWARDS = """playbook afterwards:
  start on order_completed
  enter once
  wait 1 day
  send email hello

"""


def test_who_is_enrolled_in_another_playbook_is_walked_on_there(tmp_path: Path) -> None:
    leading = SERIES.replace("send email hello\n  wait 1 day", "wait 1 day\n  enroll in afterwards")
    made = stocked(tmp_path, AFTERWARDS + leading)
    with rehearsal(made.project, NOON) as stage:
        seen = review(stage, [made.plan("afterwards"), made.plan("welcome")], days=4)
    assert seen.playbooks[0].sends_ahead == {"send:hello": 4}, "though it comes before the one that enrolls them"


def test_newcomers_are_expected_from_the_events_of_the_past(tmp_path: Path) -> None:
    made = shop(tmp_path, SERIES)
    old = [f"o{n}" for n in range(56)]
    new = [f"n{n}" for n in range(20)]
    made.calls(*(person(user) for user in (*old, *new)))
    start = NOON - 28 * DAY
    moments = [(start + (n + 0.5) * DAY / 2).isoformat() for n in range(56)]
    made.calls(*(event(user, "Signed Up", at) for user, at in zip(old, moments, strict=True)))
    made.calls(*(event(user, "Signed Up", "2026-03-03T11:45:00Z") for user in new))
    seen = look(made, days=4)
    coming = seen.playbooks[0].traffic
    assert coming.source == "events" and coming.per_day == pytest.approx(76 / 28, rel=0.02)
    assert seen.unknown == () and seen.playbooks[0].report.entered == 22
    (mail,) = seen.mail
    assert [day.newcomers for day in mail.days] == [0, 3, 3, 3, 5], "a hello at once, another three days later"


def test_a_condition_has_no_traffic_before_it_has_run_for_a_day(tmp_path: Path) -> None:
    made = stocked(tmp_path, SERIES.replace("start on signed_up", 'start when city is "Rome"'))
    assert look(made).unknown == ("welcome",)
    assert look(made).mail[0].days[1].newcomers is None
    made.run("welcome", NOON)
    made.calls(*(person(user, city="Rome") for user in "xyz"))
    made.run("welcome", NOON + DAY)
    coming = look(made, NOON + 2 * DAY).playbooks[0].traffic
    assert (coming.source, coming.per_day) == ("ledger", 1.5), "without those of the first run"


# ── Experiments ───────────────────────────────────────────────────────────────────────────────────────────────────────
def crowd(made: Shop, people: int, buyers: int) -> None:
    """People who signed up over 28 days, some weeks ago; the first of them bought."""
    users = [f"u{n}" for n in range(people)]
    at = NOON - 30 * DAY
    made.calls(*(person(user) for user in users))
    made.calls(*(event(u, "Signed Up", (at + n * 28 * DAY / people).isoformat()) for n, u in enumerate(users)))
    made.calls(*(event(u, "Order Completed", (at + n * 28 * DAY / people + DAY).isoformat(), order_id=u, total=9)
                 for n, u in enumerate(users[:buyers])))  # fmt: skip


def test_an_experiment_says_what_it_could_see(tmp_path: Path) -> None:
    made = shop(tmp_path, TEST)
    crowd(made, 400, 40)
    (trial,) = look(made).playbooks[0].trials
    assert trial.baseline_people == pytest.approx(328, abs=3), "whose seven days are over"
    assert trial.baseline == pytest.approx(40 / 328, rel=0.02)
    per_day = 371 / 28
    sizes = dict(trial.arms)
    assert sizes["plain"] == pytest.approx(14 * per_day / 2, abs=2)
    assert sizes["warm"] == sizes["holdout_group"] == pytest.approx(14 * per_day / 4, abs=2)
    assert trial.difference is not None and 0.1 < trial.difference < 0.3
    assert trial.warning is not None and "too small for the expected traffic" in trial.warning
    (longer,) = look(made, days=60).playbooks[0].trials
    assert longer.difference is not None and longer.difference < trial.difference / 1.9 and longer.warning is None


def test_where_nothing_is_known_it_says_so(tmp_path: Path) -> None:
    book = TEST.replace("start on signed_up", 'start when city is "Rome"')
    (trial,) = look(stocked(tmp_path, book)).playbooks[0].trials
    assert trial.only_now and trial.arms == (("plain", 1), ("warm", 0), ("holdout_group", 0))
    assert (trial.baseline, trial.baseline_people, trial.reach_known) == (0.05, 0, False)
    assert trial.difference is None and trial.warning is None


# ── Edits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_an_edit_says_what_it_does_to_people_inside(tmp_path: Path) -> None:
    made = stocked(tmp_path)
    assert look(made).playbooks[0].edit.since is None
    made.run("welcome", NOON)
    before = made.plan("welcome").digest
    made.write(SERIES.replace('if city is "Rome":\n    send email hello', 'if city is "Rome":\n    wait 1 hour'))
    edit = look(made).playbooks[0].edit
    assert edit.since == before != edit.version
    (group,) = edit.older
    assert (group.people, group.step, group.fate) == (4, "wait:1-day", "move")
    assert group.text == 'wait 1 day, then if city is "Rome"'
    assert "-   send email hello" in edit.as_json()["diff"] and "+   wait 1 hour" in edit.as_json()["diff"]
    made.write(SERIES.replace('  if city is "Rome":\n    send email hello\n', ""))
    assert [group.fate for group in look(made).playbooks[0].edit.older] == ["gone"]
    made.write(SERIES)
    same = look(made).playbooks[0].edit
    assert same.changes == () and same.older == () and sum(group.people for group in same.waiting) == 4


def test_of_a_rebuilt_past_it_says_what_was_known(tmp_path: Path) -> None:
    made = stocked(tmp_path)
    made.run("welcome", NOON)
    made.calls(event("a", "Page Viewed", "2026-03-05T00:00:00Z"))
    seen = look(made, NOON + timedelta(minutes=1))
    assert seen.rebuilt and seen.playbooks[0].report.entered == 4 and seen.playbooks[0].edit.since is None


# ── Reading only ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_plan_holds_up_nobody_and_changes_nothing(tmp_path: Path) -> None:
    made = stocked(tmp_path, SERIES + 'playbook rome:\n  start when city is "Rome"\n  enter once\n  send email hello\n')
    made.run("welcome", NOON)
    opened = made.project
    impatient = open_store(opened.store_url, busy_seconds=0)
    before = sqlite_rows(made)
    with rehearsal(opened, NOON + DAY) as stage:
        seen = review(stage, list(opened.compiled.plans.values()), days=3)
        assert {each.plan.name: each.report.total("sent") for each in seen.playbooks} == {"welcome": 2, "rome": 0}
        assert sqlite_rows(made) == before
        # The rehearsal stands still, with everything written on it; a whole run beside it does not even wait.
        real = tick(replace(world(opened), store=impatient), made.plan("welcome"), as_of=NOON + DAY)
    impatient.dispose()
    assert real.total("sent") == 2 and made.messages() == {("accepted", None): 6}


def sqlite_rows(made: Shop) -> list[str]:
    """All that is in the store's file."""
    with sqlite3.connect(made.folder / "winback.db") as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_on_postgresql_too(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with write(engine) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    upgrade(engine)
    monkeypatch.setenv("WINBACK_STORE", engine.url.render_as_string(hide_password=False))
    made = stocked(tmp_path, SERIES + TEST.replace("welcome", "hello"))
    made.run("welcome", NOON)
    other, plans = made.project, [made.plan(name) for name in ("welcome", "hello")]
    with rehearsal(made.project, NOON + DAY) as stage:
        seen = review(stage, plans, days=3)
        told = {plan.name: tick(world(other), plan, as_of=NOON + DAY).total("sent") for plan in plans}
    assert {each.plan.name: each.report.total("sent") for each in seen.playbooks} == told
    assert told["welcome"] == 2 and seen.mail[0].days[0].messages == sum(told.values())
    assert seen.playbooks[1].trials[0].baseline == 0.05
    look(made, NOON + 3 * DAY)


def test_people_in_a_renamed_playbook_are_told_of(tmp_path: Path) -> None:
    made = stocked(tmp_path)
    made.run("welcome", NOON)
    assert look(made, NOON + DAY).left_behind == ()
    made.write(SERIES.replace("playbook welcome", "playbook greeting"))
    with rehearsal(made.project, NOON + DAY) as stage:
        seen = review(stage, [made.plan("greeting")])
    assert [(each.playbook, each.inside, each.queued) for each in seen.left_behind] == [("welcome", 4, 0)]
    assert seen.as_json()["left_behind"] == [{"name": "welcome", "inside": 4, "queued": 0}]
