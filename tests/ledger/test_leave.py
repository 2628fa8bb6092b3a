"""Exits, and goals within their window."""

from datetime import timedelta

from sqlalchemy import Engine, and_, exists, select

from dsl.plan import Wait
from ledger.leave import convert, leave
from ledger.plans import Tick, begin_tick
from store.clock import micros
from store.engine import write
from store.schema import enrollments, events, profiles
from tests.ledger.shop import DAY, HOUR, NOON, enter, go_on, happens, inside, mail, messages, people, plan

SERIES = plan(mail("first", "wait"), Wait(id="wait", seconds=86400, next="second"), mail("second"))
BOUGHT = exists().where(
    and_(
        events.c.profile_id == profiles.c.id,
        events.c.name == "order_completed",
        events.c.at >= enrollments.c.entered_at,
    )
)


def test_an_exit_since_entry_interrupts_the_wait(engine: Engine) -> None:
    with write(engine) as connection:
        before, after, never = people(connection, 3)
        happens(connection, before, "order_completed", NOON - HOUR)
    enter(engine, SERIES, NOON)
    go_on(engine, SERIES, NOON)
    exits = [("on order_completed", BOUGHT), ("when gone", profiles.c.id == 999)]
    with write(engine) as connection:
        happens(connection, after, "order_completed", NOON + HOUR)
        assert leave(connection, playbook="carts", digest=SERIES.digest, exits=exits, as_of=NOON + HOUR) == 1
        assert leave(connection, playbook="carts", digest=SERIES.digest, exits=exits, as_of=NOON + HOUR) == 0
    assert inside(engine) == {("left", None, "on order_completed"): 1, ("active", "wait", None): 2}
    assert messages(engine) == {("cancelled", "on order_completed"): 1, ("planned", None): 2}
    assert go_on(engine, SERIES, NOON + DAY).planned == {"second": 2}
    assert never > before


def test_the_first_exit_is_the_reason(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, SERIES, NOON)
    with write(engine) as connection:
        exits = [("a", profiles.c.id == 999), ("b", profiles.c.id > 0), ("c", profiles.c.id > 0)]
        leave(connection, playbook="carts", digest=SERIES.digest, exits=exits, as_of=NOON)
    assert inside(engine) == {("left", None, "b"): 1}


def test_a_goal_counts_within_its_window(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 5)
        happens(connection, ids[0], "order_completed", NOON - HOUR)
    enter(engine, SERIES, NOON)
    late = timedelta(microseconds=1)
    with write(engine) as connection:
        happens(connection, ids[1], "order_completed", NOON + 7 * DAY)
        happens(connection, ids[2], "order_completed", NOON + 7 * DAY - late)
        happens(connection, ids[3], "order_completed", NOON + 2 * DAY, total=10)
        happens(connection, ids[3], "order_completed", NOON + 1 * DAY, total=10)
        happens(connection, ids[4], "order_completed", NOON + 1 * DAY, total=5)

        def converted(as_of_days: int, tick: Tick | None = None) -> int:
            return convert(
                connection, playbook="carts", digest=SERIES.digest, event="order_completed",
                where=events.c.properties["total"].as_float().is_distinct_from(5), seconds=7 * 86400,
                as_of=NOON + as_of_days * DAY, tick=tick,
            )  # fmt: skip

        assert converted(1) == 1
        assert converted(30, begin_tick(connection, "carts", NOON + 30 * DAY)) == 1
        assert converted(30) == 0
        rows = connection.execute(
            select(enrollments.c.profile_id, enrollments.c.converted_at).where(enrollments.c.converted_at.is_not(None))
        )
        assert {tuple(row) for row in rows} == {(ids[2], micros(NOON + 7 * DAY - late)), (ids[3], micros(NOON + DAY))}
