"""Whole ticks in this process: entry time, and what reports say."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select, update

from connectors.contract import Connector, Manifest
from dsl.delivery import Message, Outcome
from flows.tick import tick
from flows.world import world
from store.clock import instant
from store.engine import read, write
from store.schema import enrollments
from tests.flows.shop import NOON, event, person, shop

SIGNED_UP = """
playbook welcome:
  start on signed_up
  enter once
  leave on order_completed
  goal order_completed within 7 days
  {first}send email hello
"""


@pytest.mark.parametrize("first", ["", "wait 1 hour\n  "])
def test_since_entry_counts_from_the_starting_event(tmp_path: Path, first: str) -> None:
    made = shop(tmp_path, SIGNED_UP.format(first=first))
    made.calls(
        *(person(user) for user in "abc"), *(event(user, "Signed Up", "2026-03-03T11:45:00Z") for user in "abc"),
        event("a", "Order Completed", "2026-03-03T11:50:00Z", order_id="1", total=10),
        event("b", "Order Completed", "2026-03-03T11:40:00Z", order_id="2", total=10),
    )  # fmt: skip
    expected = made.rehearse("welcome", NOON)
    report = made.run("welcome", NOON)
    assert (report.entered, report.left, report.converted) == (3, 1, 1)
    assert (expected.entered, expected.left, expected.converted) == (3, 1, 1)
    later = made.run("welcome", NOON + timedelta(hours=1))
    assert report.total("sent") + later.total("sent") == 2
    with read(made.project.engine) as connection:
        entered = connection.execute(select(enrollments.c.entered_at).distinct()).scalars().all()
    assert [instant(at) for at in entered] == [NOON - timedelta(minutes=15)]


def test_the_starting_event_is_neither_exit_nor_goal(tmp_path: Path) -> None:
    made = shop(
        tmp_path,
        "playbook thanks:\n  start on order_completed\n  enter every time\n  leave on order_completed\n"
        "  goal order_completed within 7 days\n  wait 1 day\n  send email hello\n",
    )
    made.calls(person("a"), event("a", "Order Completed", "2026-03-03T11:50:00Z", order_id="1", total=10))
    for hours in (0, 1):
        report = made.run("thanks", NOON + timedelta(hours=hours))
        assert (report.left, report.converted, report.inside) == (0, 0, 1)
    made.calls(event("a", "Order Completed", "2026-03-03T12:00:01Z", order_id="2", total=10))
    report = made.run("thanks", NOON + timedelta(hours=2))
    assert (report.left, report.converted) == (1, 1)


def test_a_template_that_is_gone_fails_its_messages_and_the_run_says_so(tmp_path: Path) -> None:
    quiet = "policy:\n  quiet hours 11:00 to 13:00\n\n"
    book = "playbook welcome:\n  start on signed_up\n  enter once\n  send email {}\n"
    made = shop(tmp_path, quiet + book.format("hello"))
    made.calls(person("a"), event("a", "Signed Up", "2026-03-03T11:00:00Z"))
    assert made.run("welcome", NOON).reasons("delayed") == {"quiet_hours": 1}
    (made.folder / "templates/email/hello.html").rename(made.folder / "templates/email/bye.html")
    made.write(quiet + book.format("bye"))
    report = made.run("welcome", NOON + timedelta(hours=2))
    assert report.total("failed") == 1 and made.messages() == {("failed", "render_error"): 1}
    (sentence,) = report.trouble
    assert "email hello: 1 failed" in sentence and "winback outbox list" in sentence


def test_a_limit_says_what_it_leaves_for_the_next_run(tmp_path: Path) -> None:
    made = shop(tmp_path, "playbook welcome:\n  start on signed_up\n  enter once\n  send email hello\n")
    users = [f"u{number}" for number in range(7)]
    made.calls(*map(person, users), *(event(user, "Signed Up", "2026-03-03T11:00:00Z") for user in users))
    expected, report = made.rehearse("welcome", NOON, limit=3), made.run("welcome", NOON, limit=3)
    assert expected.sends == report.sends
    assert (report.total("sent"), report.reasons("delayed")) == (3, {"limit": 4})
    assert made.run("welcome", NOON).total("sent") == 4


@dataclass(slots=True)
class Telling:
    """The file connector, that tells somebody when it is handed the first messages."""

    inner: Connector
    tell: Callable[[], None]
    told: bool = False

    @property
    def manifest(self) -> Manifest:
        return self.inner.manifest

    def accepted(self, keys: Sequence[str]) -> Mapping[str, bool] | None:
        return self.inner.accepted(keys)

    async def send(self, messages: Sequence[Message]) -> AsyncIterator[Outcome]:
        if not self.told:
            self.told = True
            self.tell()
        async for outcome in self.inner.send(messages):
            yield outcome

    async def close(self) -> None:
        await self.inner.close()


def test_who_buys_while_a_live_run_delivers_gets_nothing_more(tmp_path: Path) -> None:
    """Batches are of 200 messages: the second is asked again, at the time on the wall."""
    made = shop(
        tmp_path,
        "playbook p:\n  start when email is known\n  enter once\n  leave on order_completed\n  send email hello\n",
    )
    people = [f"u{number:03}" for number in range(250)]
    made.calls(*(person(user) for user in people))
    begun = datetime.now(UTC)

    def everybody_buys() -> None:
        now = datetime.now(UTC).isoformat()
        made.calls(*(event(user, "Order Completed", now, order_id=user, total=5) for user in people))

    plain = world(made.project, live=True)
    telling = Telling(plain.connectors["email"], everybody_buys)
    report = tick(
        replace(plain, connectors={"email": cast("Connector", telling)}), made.plan("p"), as_of=begun,
    )  # fmt: skip
    assert (report.total("sent"), made.messages()) == (
        200,
        Counter({("accepted", None): 200, ("cancelled", "on order_completed"): 50}),
    )


def test_who_stands_at_a_step_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    made = shop(tmp_path, "playbook p:\n  start when email is known\n  enter once\n  wait 1 hour\n  send email hello\n")
    made.calls(person("a"))
    assert made.run("p", NOON).trouble == ()
    with write(made.project.engine) as connection:
        connection.execute(update(enrollments).values(step="gone"))
    (sentence,) = made.run("p", NOON + timedelta(hours=2)).trouble
    assert "`gone` (1)" in sentence
