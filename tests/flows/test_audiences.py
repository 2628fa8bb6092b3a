"""Audiences kept in sync: who belongs to one, and what the service is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest import MonkeyPatch
from sqlalchemy import select, update

from flows import audiences
from flows.audiences import Synced, sync
from flows.local import Server
from flows.playbooks import flow_of_audience
from flows.rehearsal import rehearsal
from flows.watch import Parameters
from flows.world import world
from store.clock import instant
from store.engine import read, write
from store.schema import consents, memberships, stages
from tests.flows.shop import NOON, Shop, event, person, shop

BOOK = """
lifecycle:
  buyer when orders.count >= 1
  visitor otherwise

audience buyers on facebook:
  about "Whoever bought."
  run every day at 09:00
  include when stage is buyer
  exclude when country is "NO"

playbook settled:
  start when stage has been buyer for 2 days
  enter once
  send email hello
"""


def lines(made: Shop) -> list[dict[str, str]]:
    path = made.folder / "outbox/audiences/buyers.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def hashed(user: str) -> str:
    return hashlib.sha256(f"{user}@example.com".encode()).hexdigest()


def buyers(tmp_path: Path) -> Shop:
    made = shop(tmp_path, BOOK)
    made.calls(
        person("a", ads_consent=True), person("b"), person("c", ads_consent=True), person("n", country="NO"),
        *(event(user, "Order Completed", "2026-03-01T10:00:00Z", order_id=user, total=10) for user in "abn"),
    )  # fmt: skip
    return made


def synced(made: Shop, days: int = 0) -> Synced:
    project = made.project
    return sync(world(project), project.compiled.audiences["buyers"], NOON + timedelta(days=days))


def test_an_audience_follows_its_rules(tmp_path: Path) -> None:
    made = buyers(tmp_path)
    with rehearsal(made.project, NOON) as stage:
        expected = sync(stage.world, made.project.compiled.audiences["buyers"], NOON)
    assert (expected.added, expected.members, lines(made)) == (2, 2, [])
    done = synced(made)
    assert (done.added, done.removed, done.members, done.without_consent) == (2, 0, 2, 1)
    assert lines(made) == [{"op": "add", "email_sha256": hashed("a")}]
    assert synced(made).headline == "0 added · 0 removed · 2 members" and len(lines(made)) == 1
    made.calls(
        event("c", "Order Completed", "2026-03-03T10:00:00Z", order_id="c", total=10),
        event("a", "Order Cancelled", "2026-03-03T10:00:00Z", order_id="a"),
    )
    done = synced(made, 1)
    assert (done.added, done.removed, done.members) == (1, 1, 2)
    assert (done.told.added, done.told.removed) == (1, 1)
    assert sorted((line["op"], line["email_sha256"]) for line in lines(made)[1:]) == [
        ("add", hashed("c")), ("remove", hashed("a")),
    ]  # fmt: skip


class Refusing:
    """A service that takes the first `take` calls and then dies, or answers that it cannot."""

    def __init__(self, take: int, *, dies: bool = False) -> None:
        self.take, self.dies = take, dies
        self.members: set[str] = set()

    async def change(self, audience: str, *, add: Sequence[str], remove: Sequence[str]) -> str | None:  # noqa: ARG002
        if self.take == 0:
            return "The service does not answer."
        self.take -= 1
        self.members = (self.members | set(add)) - set(remove)
        if self.dies:
            raise KeyboardInterrupt
        return None


def test_telling_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    made = buyers(tmp_path)
    project = made.project
    audience = project.compiled.audiences["buyers"]
    down = sync(replace(world(project), ads=Refusing(0)), audience, NOON)
    assert (down.told.added, down.told.trouble, down.members) == (0, "The service does not answer.", 2)
    killed = Refusing(1, dies=True)
    with pytest.raises(KeyboardInterrupt):
        sync(replace(world(project), ads=killed), audience, NOON)
    up = Refusing(9)
    up.members = killed.members
    assert sync(replace(world(project), ads=up), audience, NOON).told.added == 1
    assert up.members == {hashed("a")}
    with read(project.engine) as connection:
        assert connection.scalars(select(memberships.c.told_as).where(memberships.c.told_as.is_not(None))).all() == [
            hashed("a")
        ]


def test_nobody_stays_with_a_service_that_was_told_by_a_run_that_died(tmp_path: Path) -> None:
    """It knew them already when the run died, and they left before the next one."""
    made = buyers(tmp_path)
    project = made.project
    audience = project.compiled.audiences["buyers"]
    service = Refusing(1, dies=True)
    with pytest.raises(KeyboardInterrupt):
        sync(replace(world(project), ads=service), audience, NOON)
    assert service.members == {hashed("a")}
    with write(project.engine) as connection:
        connection.execute(update(consents).where(consents.c.channel == "ads").values(granted=False))
    service.take, service.dies = 9, False
    assert sync(replace(world(project), ads=service), audience, NOON).told.removed == 1
    assert service.members == set()


def test_an_address_that_another_member_has_stays_with_the_service(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    made = shop(tmp_path, BOOK)
    made.calls(
        *(person(user, email="a@example.com", ads_consent=True) for user in "ab"),
        *(event(user, "Order Completed", "2026-03-01T10:00:00Z", order_id=user, total=10) for user in "ab"),
    )
    assert synced(made).members == 2
    # One by one, so that who leaves is told of after who stays.
    monkeypatch.setattr(audiences, "BATCH", 1)
    made.calls(event("b", "Order Cancelled", "2026-03-03T10:00:00Z", order_id="b"))
    done = synced(made, 1)
    assert (done.removed, done.members, done.told.removed) == (1, 1, 0)
    assert {line["op"] for line in lines(made)} == {"add"}
    made.calls(event("a", "Order Cancelled", "2026-03-04T10:00:00Z", order_id="a"))
    assert synced(made, 2).told.removed == 1
    assert lines(made)[-1] == {"op": "remove", "email_sha256": hashed("a")}


def test_a_tick_notes_stages_when_somebody_asks_for_how_long(tmp_path: Path) -> None:
    made = buyers(tmp_path)
    assert made.rehearse("settled", NOON).entered == 0
    assert made.run("settled", NOON).entered == 0
    with read(made.project.engine) as connection:
        noted = {(row.stage, instant(row.since)) for row in connection.execute(select(stages))}
    assert noted == {("buyer", NOON), ("visitor", NOON)}
    assert made.run("settled", NOON + timedelta(days=1)).entered == 0
    assert made.run("settled", NOON + timedelta(days=2)).entered == 3


def test_stages_are_noted_for_people_on_an_older_version(tmp_path: Path) -> None:
    book = """
lifecycle:
  buyer when orders.count >= 1
  visitor otherwise

playbook settling:
  start when email is known
  enter once
  wait until stage has been buyer for 2 days up to 9 days
  if stage has been buyer for 2 days:
    send email hello
"""
    made = shop(tmp_path, book)
    made.calls(person("a"))
    made.run("settling", NOON)
    made.write(book.replace("has been buyer for 2 days", "is buyer"))
    made.calls(event("a", "Order Completed", "2026-03-04T10:00:00Z", order_id="a", total=10))
    sent = [made.run("settling", NOON + timedelta(days=day)).total("sent") for day in range(1, 5)]
    assert sent == [0, 0, 1, 0]


@pytest.mark.prefect
def test_an_audience_is_a_flow(tmp_path: Path, server: Server) -> None:
    made = buyers(tmp_path)
    project = made.project
    flow = flow_of_audience(project, project.compiled.audiences["buyers"])
    assert flow.name == "buyers" and "Whoever bought." in str(flow.description)
    assert server.run(flow, Parameters(dry_run=True, as_of=NOON)).members == 2
    assert lines(made) == []
    assert server.run(flow, Parameters(as_of=NOON)).told.added == 1
    assert len(lines(made)) == 1
