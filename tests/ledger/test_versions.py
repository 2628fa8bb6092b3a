"""Taking people along to another version: nobody is stranded, and nobody gets a message twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from dsl.plan import Entry, Plan, Send, Step, Wait
from flows.timeline import biography
from ledger.plans import register
from ledger.versions import Moved, Place, Refused, move
from store.engine import read, write
from store.schema import enrollments
from tests.flows.shop import event, person, shop
from tests.ledger.shop import DAY, HOUR, NOON, Provider, deliver_now, enter, go_on, inside, mail, messages, people, plan

ONCE = Entry(kind="once")


def wait(id: str, next: str | None, days: int = 1) -> Wait:
    return Wait(id=id, seconds=86400 * days, next=next)


def series(*steps: Step) -> Plan:
    return plan(*steps, entry=ONCE)


OLD = series(mail("hello", "wait.1"), wait("wait.1", "offer"), mail("offer", "wait.2"), wait("wait.2", None))


def begin(engine: Engine, made: Plan = OLD, count: int = 6) -> None:
    """So many people who have been sent the first message and wait."""
    with write(engine) as connection:
        people(connection, count)
    enter(engine, made, NOON)
    go_on(engine, made, NOON)
    deliver_now(engine, Provider(), NOON)


def take(engine: Engine, new: Plan, **arguments) -> Moved | Refused:
    with write(engine) as connection:
        return move(connection, new, NOON + HOUR, **arguments)


def test_people_go_on_in_the_new_text_when_their_wait_is_over(engine: Engine) -> None:
    new = series(
        mail("hello", "wait.1"), wait("wait.1", "tip", days=9), mail("tip", "offer"), mail("offer"),
    )  # fmt: skip
    begin(engine)
    assert take(engine, new) == Moved(people=6, stayed=0)
    assert take(engine, new) == Moved(people=0, stayed=0)
    with read(engine) as connection:
        assert set(connection.scalars(select(enrollments.c.digest))) == {new.digest}
    provider = Provider()
    go_on(engine, new, NOON + DAY)  # as long as the wait was when it began
    assert deliver_now(engine, provider, NOON + DAY).sent == 12
    assert {message.content for message in provider.taken} == {b"tip", b"offer"}
    assert {key[0] for key in inside(engine)} == {"done"}


def test_a_message_that_they_have_comes_no_second_time(engine: Engine) -> None:
    new = series(wait("wait.1", "hello"), mail("hello", "offer"), mail("offer"))
    begin(engine)
    assert take(engine, new) == Moved(people=6, stayed=0)
    provider = Provider()
    go_on(engine, new, NOON + DAY)
    deliver_now(engine, provider, NOON + DAY)
    assert {message.content for message in provider.taken} == {b"offer"} and len(provider.taken) == 6


def test_nobody_moves_where_somebody_would_be_stranded(engine: Engine) -> None:
    new = series(mail("hello", "wait.9"), wait("wait.9", "thanks"), mail("thanks"))
    begin(engine)
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, OLD, NOON + HOUR)  # two at the very beginning, who could move
    assert take(engine, new) == Refused(stranded=(Place(version=OLD.digest, step="wait.1", missing="offer", people=6),))
    with read(engine) as connection:
        assert set(connection.scalars(select(enrollments.c.digest))) == {OLD.digest}
    assert take(engine, new, mapping={"wait.1": "wait.9"}) == Moved(people=8, stayed=0)
    go_on(engine, new, NOON + DAY)
    provider = Provider()
    deliver_now(engine, provider, NOON + DAY)
    assert [message.content for message in provider.taken].count(b"thanks") == 6


def test_a_mapping_for_what_would_have_come_next(engine: Engine) -> None:
    new = series(mail("hello", "wait.1"), wait("wait.1", "thanks"), mail("thanks"))
    begin(engine)
    assert isinstance(take(engine, new), Refused)
    assert take(engine, new, mapping={"offer": "thanks"}) == Moved(people=6, stayed=0)
    go_on(engine, new, NOON + DAY)
    assert deliver_now(engine, Provider(), NOON + DAY).sent == 6


def test_who_has_only_the_end_before_them_ends_on_their_version(engine: Engine) -> None:
    begin(engine, series(mail("hello", "last"), wait("last", None)))
    new = series(mail("hello", "wait.1"), wait("wait.1", None))
    assert take(engine, new) == Moved(people=0, stayed=6)


def test_one_version_of_several(engine: Engine) -> None:
    begin(engine)
    middle = series(mail("hello", "wait.1"), wait("wait.1", "offer"), mail("offer"))
    new = series(mail("hello", "wait.1"), wait("wait.1", "offer"), mail("offer", "more"), mail("more"))
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, middle, NOON)
    assert take(engine, new, versions=[middle.digest]) == Moved(people=2, stayed=0)
    assert take(engine, new) == Moved(people=6, stayed=0)


def test_a_mapping_to_a_step_that_is_not_there(engine: Engine) -> None:
    begin(engine)
    with pytest.raises(ValueError, match="has no step nowhere"):
        take(engine, OLD, mapping={"a": "nowhere"})


def test_what_was_queued_goes_out_as_it_was_planned(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 3)
    enter(engine, OLD, NOON)
    go_on(engine, OLD, NOON)
    new = series(wait("wait.1", "offer"), Send(id="offer", channel="email", template="better", arguments=(), next=None))
    assert take(engine, new) == Moved(people=3, stayed=0)
    assert deliver_now(engine, Provider(), NOON + HOUR).sent == 3
    with write(engine) as connection:
        register(connection, new, NOON)
    assert messages(engine) == {("accepted", None): 3}


SHIPPED = """playbook welcome:
  start on signed_up
  enter once
  if cart.total > $10:
    send email hello
  otherwise:
    send email hello
  wait 1 day
  send email hello
"""


def test_the_timeline_reads_each_pass_by_its_own_version(tmp_path: Path) -> None:
    made = shop(tmp_path, SHIPPED)
    made.calls(person("a"), event("a", "Signed Up", "2026-03-03T11:00:00Z"))
    made.run("welcome", NOON)
    made.write(SHIPPED.replace("  if cart.total > $10:\n    send email hello\n  otherwise:\n    send email hello\n", "")
               + "  send email hello\n")  # fmt: skip
    new = made.plan("welcome")
    with write(made.project.engine) as connection:
        assert move(connection, new, NOON + HOUR) == Moved(people=1, stayed=0)
    made.run("welcome", NOON + DAY)
    with read(made.project.engine) as connection:
        (journey,) = biography(connection, 1, currency="USD", newest=0).journeys
    told = [(each.what, each.text.partition(":")[0]) for each in journey.happened]
    assert [what for what, _ in told] == ["entered", "branch", "message", "wait", "moved", "message", "message", "left"]
    assert journey.version == new.digest
