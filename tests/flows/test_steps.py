"""Every step of the language in whole ticks: from a playbook's text to what is in the store and in the outbox."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from flows.timeline import biography
from store.clock import instant
from store.engine import read
from store.schema import enrollments, events, profiles
from tests.flows.shop import NOON, Shop, event, person, shop

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

EVERYTHING = """
field vip.tier is text
field vip.ceiling is money
field renews is date

audience lapsed on facebook:
  about "Whom playbooks add."

playbook every_step:
  start on signed_up
  enter once
  create task for sales:
    cart = cart.total
    note = "Call them"
    first_seen = created_at
    plan = event.plan
  update contact:
    tier = "gold"
  set vip.tier = "gold"
  set vip.ceiling = $250
  add to audience lapsed
  enroll in other
  if vip.tier is "gold":
    send email hello
  wait for order_completed up to 2 days
  if has order_completed since entry:
    remove from audience lapsed
    stop
  wait until 1 day before birthday
  send email hello

playbook other:
  start on order_completed
  only if vip.tier is "gold"
  enter once
  wait until renews
  send email hello
"""

LATER = """
audience lapsed on facebook:
  about "Whom playbooks add."

playbook adding:
  start on signed_up
  enter once
  wait 1 day
  add to audience lapsed
"""


def records(made: Shop) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((made.folder / "outbox/crm").glob("*/*.json"))]


def told(made: Shop, audience: str) -> list[dict[str, str]]:
    path = made.folder / f"outbox/audiences/{audience}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def everybody(tmp_path: Path) -> Shop:
    made = shop(tmp_path, EVERYTHING)
    made.calls(
        person("a", birthday="1990-03-10", renews="2026-03-20", ads_consent=True, first_name="Ann"),
        person("b"),
        *(event(user, "Signed Up", "2026-03-03T11:00:00Z", plan="pro") for user in "ab"),
        event("a", "Product Added", "2026-03-03T10:00:00Z", product_id="1", price=19.99, quantity=2),
    )
    return made


def test_every_step_of_the_language(tmp_path: Path) -> None:
    made = everybody(tmp_path)
    expected = made.rehearse("every_step", NOON)
    report = made.run("every_step", NOON)
    for each in (expected, report):
        assert [(r.verb, r.noun, r.team, r.made) for r in each.records] == [
            ("create", "task", "sales", 2),
            ("update", "contact", None, 2),
        ]
        assert [a.as_json() for a in each.audiences] == [{"name": "lapsed", "add": 2, "remove": 0, "members": 2}]
        assert (each.enrolled, each.total("sent"), each.inside) == ({"enroll:other": 2}, 2, 2)
    crm = expected.as_plan()["crm"][0]
    assert (crm["noun"], crm["team"], crm["people"], crm["step"]) == ("task", "sales", 2, "create:task")
    task = next(r for r in records(made) if r["record"] == "task" and r["person"]["user_id"] == "a")
    assert task["fields"] == {
        "cart": {"amount": "39.98", "currency": "USD"}, "note": "Call them", "first_seen": task["fields"]["first_seen"],
        "plan": "pro",
    }  # fmt: skip
    assert (task["team"], task["playbook"], task["step"]) == ("sales", "every_step", "create:task")
    assert task["person"]["email"] == "a@example.com"
    assert len({record["key"] for record in records(made)}) == 4
    assert [line["op"] for line in told(made, "lapsed")] == ["add"], "only who agreed to advertising"
    with read(made.project.engine) as connection:
        assert {str(c) for c in connection.scalars(select(profiles.c.custom["vip.tier"].as_string()))} == {"gold"}
        assert {float(c) for c in connection.scalars(select(profiles.c.custom["vip.ceiling"].as_float()))} == {250.0}


def test_what_follows_a_wait_and_what_is_not_known(tmp_path: Path) -> None:
    made = everybody(tmp_path)
    made.run("every_step", NOON)
    again = made.run("every_step", NOON)
    assert (again.entered, again.steps, records(made)[4:]) == (0, {}, [])
    made.calls(event("a", "Order Completed", "2026-03-03T13:00:00Z", order_id="1", total=10))
    later = made.run("every_step", NOON + 2 * HOUR)
    assert later.steps["if.2/1/remove:lapsed"] == 1 and later.ended == {"stop": 1}
    assert [line["op"] for line in told(made, "lapsed")] == ["add", "remove"]
    over = made.run("every_step", NOON + 2 * DAY)
    assert (over.left, over.ended, over.inside) == (1, {"unknown birthday": 1}, 0)


def test_the_other_playbook_goes_on_by_its_own_ticks(tmp_path: Path) -> None:
    made = everybody(tmp_path)
    made.run("every_step", NOON)
    report = made.run("other", NOON)
    assert (report.entered, report.ended, report.inside) == (0, {"unknown renews": 1}, 1)
    with read(made.project.engine) as connection:
        due = connection.scalar(
            select(enrollments.c.due_at).where(enrollments.c.playbook == "other", enrollments.c.state == "active")
        )
    assert due is not None and instant(due).isoformat() == "2026-03-20T00:00:00+00:00"
    # Who is inside already is passed over, and a first tick of its own still enters those whose event is new.
    made.calls(event("b", "Order Completed", "2026-03-03T12:30:00Z", order_id="9", total=10))
    assert made.run("other", NOON + HOUR).entered == 0, "enter once: b was there"


def test_nobody_is_added_to_an_audience_that_is_not_there_any_more(tmp_path: Path) -> None:
    made = shop(tmp_path, LATER)
    made.calls(person("a", ads_consent=True), event("a", "Signed Up", "2026-03-03T11:00:00Z"))
    made.run("adding", NOON)
    made.write(LATER.replace("lapsed", "lost"))
    report = made.run("adding", NOON + DAY)
    assert report.trouble == ("Nobody is added to audience `lapsed`: there is no such audience any more.",)
    assert (report.ended, [(each.name, each.added) for each in report.audiences], told(made, "lapsed")) == (
        {"end": 1}, [("lapsed", 0), ("lost", 0)], [],
    )  # fmt: skip


def test_a_timeline_tells_of_every_step(tmp_path: Path) -> None:
    made = everybody(tmp_path)
    made.run("every_step", NOON)
    made.run("every_step", NOON + 2 * DAY)
    with read(made.project.engine) as connection:
        id = connection.scalar(select(profiles.c.id).where(profiles.c.user_id == "b"))
        assert id is not None
        journey = biography(connection, id, currency="USD").journeys[0]
        kinds = set(connection.scalars(select(events.c.name)))
    assert [(each.what, each.text) for each in journey.happened] == [
        ("entered", "entered"),
        ("record", "create task for sales: made"),
        ("record", "update contact: made"),
        ("field", 'set vip.tier = "gold"'),
        ("field", "set vip.ceiling = $250"),
        ("audience", "add to audience lapsed"),
        ("enroll", "enroll in other"),
        ("branch", 'if vip.tier is "gold"'),
        ("message", "email hello: sent"),
        ("wait", "wait for order_completed up to 2 days"),
        ("branch", "otherwise (not: has order_completed since entry)"),
        ("wait", "wait until 1 day before birthday"),
        ("left", "left: `birthday` is not known"),
    ]
    assert "identify" in kinds
