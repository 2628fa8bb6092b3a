"""Who gets in, how often, and never twice."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, false, func, select, text, true, update

from dsl.plan import Entry, StartOn, Wait
from dsl.regions import START
from ledger.enroll import Entered, enter_on, enter_when
from ledger.leave import leave
from ledger.plans import OlderThanLastTick, UnknownPlaybook, begin_tick, live_plans, register
from ledger.rows import started
from profiles.joins import join_profiles
from store.clock import micros
from store.engine import write
from store.schema import enrollments, events, matches, outbox, profiles, traits
from tests.ledger.shop import DAY, HOUR, NOON, enter, go_on, happens, inside, mail, messages, people, plan

ORDERS = StartOn(event="order_completed")


def cart(engine: Engine, profile_id: int, total: int) -> None:
    with write(engine) as connection:
        connection.execute(update(traits).where(traits.c.profile_id == profile_id).values(cart_total=total))


def enter_orders(engine: Engine, kind: Any, as_of: Any, **arguments: Any) -> Entered:
    reviews = plan(mail("review"), trigger=ORDERS, entry=kind)
    with write(engine) as connection:
        register(connection, reviews, as_of)
        tick = begin_tick(connection, "carts", as_of)
        given: dict[str, Any] = {"where": None, "admits": None, "held_out": false()} | arguments
        return enter_on(connection, plan=reviews, tick=tick, event="order_completed", as_of=as_of, **given)


# ── start when ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_people_enter_when_the_condition_turns_true(engine: Engine) -> None:
    once_more = plan(mail("first"))
    with write(engine) as connection:
        ids = people(connection, 3)
    assert enter(engine, once_more, NOON).entered == 3
    go_on(engine, once_more, NOON)
    assert enter(engine, once_more, NOON + HOUR).entered == 0
    cart(engine, ids[0], 0)
    assert enter(engine, once_more, NOON + 2 * HOUR).entered == 0
    cart(engine, ids[0], 500)
    assert enter(engine, once_more, NOON + 3 * HOUR).entered == 1
    assert enter(engine, once_more, NOON + 4 * HOUR).entered == 0


def test_only_new_takes_those_who_match_already_as_seen(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 3)
    assert enter(engine, plan(), NOON, only_new=True).entered == 0
    assert enter(engine, plan(), NOON + HOUR, only_new=True).entered == 0
    with write(engine) as connection:
        people(connection, 1)
    assert enter(engine, plan(), NOON + HOUR, only_new=True).entered == 1


def test_only_if_is_asked_once(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 3)
    assert enter(engine, plan(), NOON, admits=profiles.c.id == ids[0]).entered == 1
    assert enter(engine, plan(), NOON + HOUR, admits=true()).entered == 0


@pytest.mark.parametrize(
    ("entry", "after", "again"),
    [
        (Entry(kind="once"), 400 * DAY, 0),
        (Entry(kind="every"), HOUR, 1),
        (Entry(kind="again", seconds=86400), DAY - timedelta(microseconds=1), 0),
        (Entry(kind="again", seconds=86400), DAY, 1),
    ],
)
def test_how_often_somebody_enters(engine: Engine, entry: Entry, after: timedelta, again: int) -> None:
    with write(engine) as connection:
        (person,) = people(connection, 1)
    ends = plan(entry=entry)
    assert enter(engine, ends, NOON).entered == 1
    go_on(engine, ends, NOON)
    cart(engine, person, 0)
    enter(engine, ends, NOON + timedelta(minutes=1))
    cart(engine, person, 500)
    assert enter(engine, ends, NOON + after).entered == again


def test_nobody_is_inside_twice(engine: Engine) -> None:
    with write(engine) as connection:
        (person,) = people(connection, 1)
    enter(engine, plan(mail("first")), NOON)
    for hour, total in enumerate((0, 500), start=1):
        cart(engine, person, total)
        enter(engine, plan(mail("first")), NOON + hour * HOUR)
    assert inside(engine).total() == 1


# ── start on ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_each_event_counts_once(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 2)
        for person in ids:
            happens(connection, person, "order_completed", NOON - HOUR)
            happens(connection, person, "product_viewed", NOON - HOUR)
    every = Entry(kind="every")
    assert enter_orders(engine, every, NOON).entered == 2
    go_on(engine, plan(mail("review"), trigger=ORDERS), NOON)
    assert enter_orders(engine, every, NOON + HOUR).entered == 0


def test_an_event_that_comes_late_still_starts(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 2)
    enter_orders(engine, Entry(kind="every"), NOON)
    with write(engine) as connection:
        happens(connection, ids[0], "order_completed", NOON - 23 * HOUR)
        happens(connection, ids[1], "order_completed", NOON - 25 * HOUR)
        happens(connection, ids[1], "order_completed", NOON + 2 * HOUR)
    assert enter_orders(engine, Entry(kind="every"), NOON + HOUR).entered == 1
    assert enter_orders(engine, Entry(kind="every"), NOON + 2 * HOUR).entered == 1


def test_a_pause_of_a_week_forgets_nobody(engine: Engine) -> None:
    enter_orders(engine, Entry(kind="every"), NOON)
    with write(engine) as connection:
        for day, person in enumerate(people(connection, 7), start=1):
            happens(connection, person, "order_completed", NOON + day * DAY)
        # A tick that died after it began: it let nobody in, and must not count.
        begin_tick(connection, "carts", NOON + 6 * DAY)
    assert enter_orders(engine, Entry(kind="every"), NOON + 7 * DAY).entered == 7


def test_the_first_tick_takes_older_events_as_seen(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 3)
        for person, hours in zip(ids, (1, 3, 30), strict=True):
            happens(connection, person, "order_completed", NOON - hours * HOUR)
    every = Entry(kind="every")
    assert enter_orders(engine, every, NOON, look_back=2 * HOUR).entered == 1
    assert enter_orders(engine, every, NOON + HOUR).entered == 0


@pytest.mark.parametrize(("kind", "entered"), [("every", 1), ("once", 1), ("per", 2)])
def test_several_events_in_one_tick(engine: Engine, kind: Any, entered: int) -> None:
    with write(engine) as connection:
        (person,) = people(connection, 1)
        for hours, order in ((3, "a"), (2, "b"), (1, "a")):
            happens(connection, person, "order_completed", NOON - hours * HOUR, order_id=order)
    entry = Entry(kind=kind, per="order_id" if kind == "per" else None)
    assert enter_orders(engine, entry, NOON).entered == entered
    assert enter_orders(engine, entry, NOON + HOUR).entered == 0
    with engine.connect() as connection:
        at = connection.scalars(
            select(events.c.at).join(enrollments, enrollments.c.event == events.c.id).order_by(events.c.at)
        ).all()
    assert len(at) == entered and at[0] == min(at)
    if kind == "per":
        with write(engine) as connection:
            happens(connection, person, "order_completed", NOON + HOUR, order_id=7)
            happens(connection, person, "order_completed", NOON + HOUR, order_id="a")
        assert enter_orders(engine, entry, NOON + 2 * HOUR).entered == 1


def test_where_and_only_if_read_the_event(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 3)
        for person, total in zip(ids, (10, 20, 30), strict=True):
            happens(connection, person, "order_completed", NOON, total=total)
    entered = enter_orders(
        engine, Entry(kind="every"), NOON,
        where=events.c.properties["total"].as_float() >= 20,
        admits=started.c.properties["total"].as_float() < 30,
    )  # fmt: skip
    assert entered.entered == 1
    with engine.connect() as connection:
        rows = connection.execute(
            select(enrollments.c.profile_id, started.c.properties).join(started, started.c.id == enrollments.c.event)
        ).all()
    assert [tuple(row) for row in rows] == [(ids[1], {"total": 20})]


# ── ticks ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_past_is_not_ticked_again(engine: Engine) -> None:
    enter(engine, plan(), NOON)
    with write(engine) as connection:
        begin_tick(connection, "carts", NOON)
        with pytest.raises(OlderThanLastTick, match="is before the last tick"):
            begin_tick(connection, "carts", NOON - timedelta(seconds=1))
        with pytest.raises(UnknownPlaybook):
            begin_tick(connection, "cards", NOON)


@pytest.mark.parametrize("start", ["when", "on"])
def test_ticks_at_once_let_everybody_in_once(engine: Engine, start: str) -> None:
    with write(engine) as connection:
        for person in people(connection, 200):
            happens(connection, person, "order_completed", NOON)
        register(connection, plan(mail("first"), trigger=ORDERS if start == "on" else None), NOON)
    entered: list[int] = []
    gate = threading.Barrier(4)

    def tick() -> None:
        gate.wait()
        if start == "on":
            entered.append(enter_orders(engine, Entry(kind="every"), NOON).entered)
        else:
            entered.append(enter(engine, plan(mail("first")), NOON).entered)
        go_on(engine, plan(mail("review"), trigger=ORDERS) if start == "on" else plan(mail("first")), NOON, limit=30)

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered) == [0, 0, 0, 200]
    assert inside(engine) == {("done", None, "end"): 200}
    assert messages(engine) == {("planned", None): 200}


def test_older_plans_live_as_long_as_people_are_inside(engine: Engine) -> None:
    old, new = plan(mail("first")), plan(mail("other"))
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, old, NOON)
    with write(engine) as connection:
        register(connection, new, NOON)
        assert live_plans(connection, "carts") == [new, old]
    go_on(engine, old, NOON)
    with write(engine) as connection:
        assert live_plans(connection, "carts") == [new, old], "its message is still queued"
        leave(connection, playbook="carts", digest=old.digest, exits=[("bought", true())], as_of=NOON)
        assert live_plans(connection, "carts") == [new]


# ── merges ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_visitor_who_turns_out_to_be_a_customer_neither_enters_again_nor_is_forgotten(engine: Engine) -> None:
    with write(engine) as connection:
        customer, visitor, other, twin = people(connection, 4)
        connection.execute(update(traits).where(traits.c.profile_id.in_([customer, other])).values(cart_total=0))
    waiting = plan(mail("first"), entry=Entry(kind="once"))
    assert enter(engine, waiting, NOON).entered == 2
    with write(engine) as connection:
        join_profiles(connection, {visitor: customer, twin: customer}, micros(NOON + HOUR))
        connection.execute(update(traits).where(traits.c.profile_id == customer).values(cart_total=500))
    assert enter(engine, waiting, NOON + HOUR).entered == 0
    assert inside(engine) == {("active", START, None): 1, ("left", None, "merged"): 1}
    with engine.connect() as connection:
        assert set(connection.scalars(select(enrollments.c.profile_id))) == {customer}
        assert connection.scalar(select(func.count()).select_from(matches)) == 1


def test_a_tick_beside_a_merge_waits_for_it(engine: Engine) -> None:
    """Else it would let in the profile that is being taken over, and nobody would ever look at it again."""
    with write(engine) as connection:
        customer, visitor = people(connection, 2)
        register(connection, plan(mail("first")), NOON)
    beside = threading.Thread(target=lambda: enter(engine, plan(mail("first")), NOON))
    with write(engine) as connection:
        join_profiles(connection, {visitor: customer}, micros(NOON))
        beside.start()
        beside.join(1)
        assert beside.is_alive()
    beside.join()
    with engine.connect() as connection:
        assert list(connection.scalars(select(enrollments.c.profile_id))) == [customer]


def test_of_two_joined_in_the_middle_the_one_that_has_sent_goes_on(engine: Engine) -> None:
    with write(engine) as connection:
        customer, visitor = people(connection, 2)
    cart(engine, customer, 0)
    series = plan(mail("first", "wait"), Wait(id="wait", seconds=86400, next="last"), mail("last"))
    enter(engine, series, NOON)
    go_on(engine, series, NOON)
    with write(engine) as connection:
        connection.execute(update(outbox).values(state="accepted"))
    cart(engine, customer, 500)
    assert enter(engine, series, NOON + HOUR).entered == 1
    with write(engine) as connection:
        join_profiles(connection, {visitor: customer}, micros(NOON + HOUR))
    go_on(engine, series, NOON + DAY)
    with engine.connect() as connection:
        queued = connection.execute(select(*outbox.c["profile_id", "step"]).order_by(outbox.c.id)).all()
    assert [tuple(row) for row in queued] == [(customer, "first"), (customer, "last")]


@pytest.mark.parametrize(("kind", "again"), [("once", 0), ("every", 1)])
def test_who_was_through_as_a_visitor_gets_nothing_again_as_a_customer(engine: Engine, kind: Any, again: int) -> None:
    with write(engine) as connection:
        customer, visitor = people(connection, 2)
    cart(engine, customer, 0)
    mails = plan(mail("first"), entry=Entry(kind=kind))
    enter(engine, mails, NOON)
    go_on(engine, mails, NOON)
    with write(engine) as connection:
        connection.execute(update(outbox).values(state="accepted"))
    cart(engine, customer, 500)
    assert enter(engine, mails, NOON + HOUR).entered == 1
    with write(engine) as connection:
        join_profiles(connection, {visitor: customer}, micros(NOON + HOUR))
    go_on(engine, mails, NOON + HOUR)
    with engine.connect() as connection:
        queued = connection.scalar(select(func.count()).select_from(outbox).where(outbox.c.state == "planned"))
    assert queued == again


def test_people_join_while_a_playbook_runs_for_the_first_time(engine: Engine) -> None:
    """Its row, by which ticks are held up, is not there yet."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite's writers take turns anyway")
    with write(engine) as connection:
        customer, visitor = people(connection, 2)
    first = plan(mail("first"))
    entering = threading.Thread(target=enter, args=(engine, first, NOON))
    with write(engine) as connection:
        join_profiles(connection, {visitor: customer}, micros(NOON))
        entering.start()
        entering.join(timeout=0.5)
        assert entering.is_alive(), "it waits until they are one"
    entering.join()
    assert inside(engine) == {("active", START, None): 1}


@pytest.mark.parametrize("entry", [Entry(kind="once"), Entry(kind="again", seconds=60)])
def test_letting_many_in_reads_their_enrollments_a_few_times_and_not_once_for_each(
    engine: Engine, entry: Entry
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no count of what it reads")
    with write(engine) as connection:
        people(connection, 1000)
    many = plan(mail("first"), entry=entry)
    with write(engine) as connection:
        register(connection, many, NOON)
        begun = begin_tick(connection, many.name, NOON)
        assert enter_when(
            connection, plan=many, tick=begun, matches=true(), admits=None, held_out=false(), as_of=NOON
        ).entered == 1000  # fmt: skip
        counted = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'enrollments'"
        assert connection.scalar(text(counted)) < 20_000
