"""A playbook that is switched off keeps still, and does not burst when it is switched on again."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, false, true

from dsl.plan import Entry, Plan, Schedule, StartOn, Wait
from ledger.enroll import enter_on
from ledger.leave import leave
from ledger.pause import Paused, Resumed, pause, resume
from ledger.plans import UnknownPlaybook, begin_tick, register
from store.engine import write
from tests.ledger.shop import (
    DAY,
    HOUR,
    NOON,
    ONE,
    Provider,
    deliver_now,
    enter,
    go_on,
    happens,
    inside,
    mail,
    messages,
    people,
    plan,
    queue,
)

SERIES = plan(
    mail("first", "wait"), Wait(id="wait", seconds=86400, next="second"), mail("second", "on"),
    Wait(id="on", seconds=86400, next="third"), mail("third"), entry=Entry(kind="once"),
)  # fmt: skip


def off(engine: Engine, as_of=NOON, name: str = "carts") -> Paused:
    with write(engine) as connection:
        return pause(connection, name, as_of)


def on(engine: Engine, as_of, name: str = "carts") -> Resumed:
    with write(engine) as connection:
        return resume(connection, name, as_of)


def tick(engine: Engine, made: Plan, as_of, provider: Provider | None = None, **arguments):
    entered = enter(engine, made, as_of, **arguments)
    go_on(engine, made, as_of)
    return entered, deliver_now(engine, provider or Provider(), as_of)


def test_nobody_moves_and_nothing_is_sent(engine: Engine) -> None:
    queue(engine, 3)
    told = off(engine)
    assert (told.already, told.inside, told.queued) == (False, 0, 3)
    with write(engine) as connection:
        people(connection, 2)
    assert enter(engine, SERIES, NOON + HOUR).entered == 0
    assert not go_on(engine, SERIES, NOON + HOUR).counts
    provider = Provider()
    assert deliver_now(engine, provider, NOON + HOUR).stopped == "paused"
    assert provider.calls == [] and messages(engine)["planned", None] == 3
    assert off(engine, NOON + HOUR) == Paused(since=NOON, already=True, inside=0, queued=3)


def test_exits_hold_during_a_pause(engine: Engine) -> None:
    queue(engine, 3)
    off(engine)
    with write(engine) as connection:
        assert leave(connection, playbook="carts", digest=ONE.digest, exits=[("when", true())], as_of=NOON + HOUR) == 3
    assert messages(engine) == {("cancelled", "when"): 3}


def test_a_run_that_is_under_way_stops(engine: Engine) -> None:
    queue(engine, 425)
    provider = Provider()

    def paused_in_the_middle(message):
        if len(provider.taken) == 5:
            off(engine)
        return Provider().answers(message)

    provider.answers = paused_in_the_middle
    done = deliver_now(engine, provider)
    assert (done.stopped, done.sent) == ("paused", 200), "the batch that was claimed goes out"
    assert messages(engine)["planned", None] == 225
    on(engine, NOON + HOUR)
    assert deliver_now(engine, Provider(), NOON + HOUR).sent == 225


@pytest.mark.parametrize("schedule", [None, Schedule(seconds=900)])
def test_what_is_overdue_is_skipped_and_people_go_on_from_where_they_are(
    engine: Engine, schedule: Schedule | None
) -> None:
    series = plan(*SERIES.steps, entry=SERIES.entry, schedule=schedule)
    with write(engine) as connection:
        people(connection, 10)
    tick(engine, series, NOON)
    off(engine, NOON + HOUR)
    back = NOON + 21 * DAY
    assert on(engine, back) == Resumed(since=NOON + HOUR, due=10, overdue=10, late=0)
    _, done = tick(engine, series, back)
    assert (done.sent, done.skipped) == (0, {"late": 10})
    (((state, step, _), many),) = inside(engine).items()
    assert (state, many) == ("active", 10) and step != "wait", "they have gone on"
    _, done = tick(engine, series, back + DAY)
    assert (done.sent, done.skipped) == (10, {})


@pytest.mark.parametrize("schedule", [None, Schedule(seconds=900)])
def test_a_short_pause_makes_nobody_late(engine: Engine, schedule: Schedule | None) -> None:
    series = plan(*SERIES.steps, entry=SERIES.entry, schedule=schedule)
    with write(engine) as connection:
        people(connection, 10)
    tick(engine, series, NOON)
    off(engine, NOON + DAY - HOUR)
    assert on(engine, NOON + DAY + 2 * HOUR).overdue == 0
    assert tick(engine, series, NOON + DAY + 2 * HOUR)[1].sent == 10


def test_messages_that_were_queued_before_a_long_pause_are_late(engine: Engine) -> None:
    queue(engine, 4)
    off(engine)
    assert on(engine, NOON + 5 * DAY).late == 4
    assert deliver_now(engine, Provider(), NOON + 5 * DAY).skipped == {"late": 4}


def test_who_comes_to_match_in_the_pause_enters_after_it_or_is_taken_as_seen(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 1)
    tick(engine, SERIES, NOON)
    for only_new, entering in ((False, 3), (True, 0)):
        off(engine, NOON + DAY)
        with write(engine) as connection:
            people(connection, 3)
        on(engine, NOON + 2 * DAY)
        assert tick(engine, SERIES, NOON + 2 * DAY, only_new=only_new)[0].entered == entering
    with write(engine) as connection:
        people(connection, 2)
    assert tick(engine, SERIES, NOON + 3 * DAY, only_new=True)[0].entered == 2, "the second tick is no first one"


@pytest.mark.parametrize(("only_new", "entering"), [(False, 1), (True, 0)])
def test_old_events_start_nothing_after_a_pause(engine: Engine, only_new: bool, entering: int) -> None:
    welcome = plan(mail("hello"), trigger=StartOn(event="signed_up"))
    with write(engine) as connection:
        ids = people(connection, 4)
        register(connection, welcome, NOON)

    def look(as_of, only_new: bool = False) -> int:
        with write(engine) as connection:
            return enter_on(
                connection, plan=welcome, tick=begin_tick(connection, "carts", as_of), event="signed_up", where=None,
                admits=None, held_out=false(), as_of=as_of, only_new=only_new,
            ).entered  # fmt: skip

    assert look(NOON) == 0
    off(engine, NOON + HOUR)
    with write(engine) as connection:
        for id, day in zip(ids[:3], (1, 9, 19.5), strict=True):
            happens(connection, id, "signed_up", NOON + timedelta(days=day))
    on(engine, NOON + 20 * DAY)
    assert look(NOON + 20 * DAY, only_new) == entering
    with write(engine) as connection:
        happens(connection, ids[3], "signed_up", NOON + 20 * DAY + HOUR)
    assert look(NOON + 21 * DAY) == 1, "and what has been looked at starts nothing later"


def test_resuming_what_is_not_paused_changes_nothing(engine: Engine) -> None:
    queue(engine, 1)
    assert on(engine, NOON + 9 * DAY) == Resumed(since=None, due=0, overdue=0, late=0)
    with write(engine) as connection:
        assert begin_tick(connection, "carts", NOON).first is False


def test_a_playbook_that_nobody_knows(engine: Engine) -> None:
    for ask in (off, lambda engine: on(engine, NOON)):
        with pytest.raises(UnknownPlaybook):
            ask(engine)
