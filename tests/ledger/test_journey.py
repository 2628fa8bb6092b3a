"""From entering to the last message, tick by tick."""

import asyncio
from datetime import timedelta

from sqlalchemy import Engine, func, select, update

from dsl.plan import Arm, Branch, Experiment, Schedule, Stop, Variant, Wait
from store.engine import write
from store.schema import assignments, enrollments, journal, outbox, profiles, traits
from tests.ledger.shop import (
    ANYTHING,
    DAY,
    HOUR,
    NOON,
    Provider,
    enter,
    go_on,
    inside,
    mail,
    messages,
    people,
    plan,
    send_due,
)

SERIES = plan(mail("first", "wait"), Wait(id="wait", seconds=86400, next="second"), mail("second"))


def test_two_mails_a_day_apart(engine: Engine) -> None:
    provider = Provider()
    with write(engine) as connection:
        people(connection, 3)
    assert enter(engine, SERIES, NOON).entered == 3
    done = go_on(engine, SERIES, NOON)
    assert (done.counts, done.planned, done.waiting) == ({"first": 3, "wait": 3}, {"first": 3}, {"wait": 3})
    assert asyncio.run(send_due(engine, provider, NOON)).sent == 3
    early = NOON + DAY - timedelta(microseconds=1)
    assert not go_on(engine, SERIES, early).counts
    done = go_on(engine, SERIES, NOON + DAY)
    assert (done.counts, done.ended) == ({"second": 3}, {"end": 3})
    assert asyncio.run(send_due(engine, provider, NOON + DAY)).sent == 3
    assert asyncio.run(send_due(engine, provider, NOON + DAY)).sent == 0
    assert set(provider.addresses.values()) == {2}
    assert len({message.key for message in provider.taken}) == 6
    assert inside(engine) == {("done", None, "end"): 3}


def test_a_tick_may_be_repeated(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 3)
    for _ in range(2):
        enter(engine, SERIES, NOON)
        go_on(engine, SERIES, NOON)
    assert messages(engine) == {("planned", None): 3}


def test_branches_choose_by_person_and_join(engine: Engine) -> None:
    branching = plan(
        Branch(id="if", arms=(Arm(condition=ANYTHING, label="big", next="big"),), next="small"),
        mail("big", "all"), mail("small", "all"), mail("all", "if.2"),
        Branch(id="if.2", arms=(Arm(condition=ANYTHING, label="x", next="stop"),), next=None),
        Stop(id="stop"),
    )  # fmt: skip
    with write(engine) as connection:
        ids = people(connection, 4)
        connection.execute(update(traits).where(traits.c.profile_id == ids[0]).values(cart_total=9000))
    enter(engine, branching, NOON)
    conditions = {"if": [traits.c.cart_total > 5000], "if.2": [profiles.c.id == ids[1]]}
    done = go_on(engine, branching, NOON, decisions=conditions)
    assert done.planned == {"big": 1, "small": 3, "all": 4}
    assert done.ended == {"end": 3, "stop": 1}
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(journal)) == 4


def test_held_out_people_walk_but_are_sent_nothing(engine: Engine) -> None:
    split = plan(
        Experiment(id="offer", name="offer", variants=(
            Variant(name="a", share=50.0, next="first"), Variant(name="holdout_group", share=50.0, next=None))),
        mail("first", "wait"), Wait(id="wait", seconds=86400, next="second"), mail("second"),
    )  # fmt: skip
    with write(engine) as connection:
        ids = people(connection, 10)
    entered = enter(engine, split, NOON, held_out=profiles.c.id <= ids[3])
    assert (entered.entered, entered.held_out) == (10, 4)
    arms = {"offer": 1 + profiles.c.id % 2}
    done = go_on(engine, split, NOON, arms=arms)
    assert done.counts["offer"] == 10
    go_on(engine, split, NOON + DAY, arms=arms)
    with engine.connect() as connection:
        held_out = select(enrollments.c.id).where(enrollments.c.holdout)
        assert not connection.scalars(select(outbox.c.id).where(outbox.c.enrollment_id.in_(held_out))).all()
        rows = connection.execute(select(assignments.c.profile_id, assignments.c.variant)).all()
    assert {(id, "holdout_group" if id % 2 else "a") for id in ids[4:]} == {tuple(row) for row in rows}
    assert messages(engine).total() == 2 * len([id for id in ids[4:] if id % 2 == 0])


def test_a_wait_at_the_end_keeps_the_person_inside(engine: Engine) -> None:
    resting = plan(mail("first", "wait"), Wait(id="wait", seconds=3600, next=None))
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, resting, NOON)
    go_on(engine, resting, NOON)
    assert inside(engine) == {("active", "wait", None): 1}
    assert go_on(engine, resting, NOON + HOUR).ended == {"end": 1}


def test_an_empty_playbook_ends_at_once(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, plan(), NOON)
    assert go_on(engine, plan(), NOON).ended == {"end": 2}


def test_waits_until_a_local_time(engine: Engine) -> None:
    morning = plan(Wait(id="wait", time="09:00", next="first"), mail("first"))
    with write(engine) as connection:
        people(connection, 1, time_zone="America/New_York")
        people(connection, 1, time_zone="Asia/Tokyo")
        people(connection, 1, time_zone="Nowhere/At all")
        people(connection, 1)
    enter(engine, morning, NOON)
    go_on(engine, morning, NOON, zone="Europe/Berlin")
    with engine.connect() as connection:
        due = connection.scalars(select(enrollments.c.due_at).order_by(enrollments.c.id)).all()
    hours = [(at - int(NOON.timestamp()) * 1_000_000) / 3_600_000_000 for at in due]
    assert hours == [2.0, 12.0, 20.0, 20.0]  # 14:00, 24:00 and 08:00 UTC


def test_more_people_than_one_transaction_takes(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 25)
    enter(engine, SERIES, NOON)
    assert go_on(engine, SERIES, NOON, limit=10).planned == {"first": 25}


def test_more_decisions_than_one_pass_holds(engine: Engine) -> None:
    """A region that is cut is gone through in several passes, and still at once."""
    count = 25
    steps = []
    for i in range(count):
        after = f"if.{i + 1}" if i + 1 < count else None
        steps += [
            Branch(id=f"if.{i}", arms=(Arm(condition=ANYTHING, label="", next=f"m{i}"),), next=after),
            mail(f"m{i}", after),
        ]
    long = plan(*steps)
    with write(engine) as connection:
        people(connection, 8)
    enter(engine, long, NOON)
    conditions = {f"if.{i}": [profiles.c.id % (i % 3 + 2) == 0] for i in range(count)}
    done = go_on(engine, long, NOON, decisions=conditions)
    assert done.planned == {f"m{i}": sum(id % (i % 3 + 2) == 0 for id in range(1, 9)) for i in range(count)}
    assert done.ended == {"end": 8}


def test_somebody_who_is_not_in_the_store_any_more_is_taken_out(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 2)
    enter(engine, SERIES, NOON)
    with write(engine) as connection:
        connection.execute(update(enrollments).where(enrollments.c.profile_id == ids[0]).values(profile_id=999))
    go_on(engine, SERIES, NOON)
    assert inside(engine) == {("left", None, "nobody"): 1, ("active", "wait", None): 1}


def test_people_stay_on_the_plan_that_they_entered_with(engine: Engine) -> None:
    edited = plan(mail("other"))
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, SERIES, NOON)
    enter(engine, edited, NOON + HOUR)
    assert not go_on(engine, edited, NOON + HOUR).counts
    assert go_on(engine, SERIES, NOON + HOUR).planned == {"first": 1}


def test_messages_of_a_pause_are_late(engine: Engine) -> None:
    """Switched on again after a week, a playbook does not send the mail of that week."""
    hourly = plan(*SERIES.steps, schedule=Schedule(seconds=3600))
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, hourly, NOON)
    go_on(engine, hourly, NOON)
    asyncio.run(send_due(engine, Provider(), NOON))
    go_on(engine, hourly, NOON + 8 * DAY)
    assert asyncio.run(send_due(engine, Provider(), NOON + 8 * DAY)).skipped == {"late": 1}


def test_people_at_a_step_that_is_not_in_the_plan_are_reported(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, SERIES, NOON)
    with write(engine) as connection:
        connection.execute(update(enrollments).values(step="gone"))
    assert go_on(engine, SERIES, NOON).stuck == {"gone": 2}
