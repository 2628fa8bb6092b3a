"""Waits for a field, for an event and for a condition."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import ColumnElement, Engine, and_, exists, func, literal, select, update

from dsl.conditions import Field, Known
from dsl.plan import Arm, Branch, Plan, Wait
from dsl.types import Type
from ledger.leave import leave
from ledger.standing import Until
from ledger.waits import day_at
from store.clock import instant, micros
from store.engine import write
from store.schema import enrollments, events, profiles, traits
from tests.ledger.shop import (
    ANYTHING,
    DAY,
    HOUR,
    NOON,
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
)

BIRTHDAY = Field(scope="profile", name="birthday", type=Type.DATE)
SEEN = Field(scope="profile", name="last_seen_at", type=Type.TIMESTAMP)


def waiting(field: Field, offset: int = 0, first: str | None = None) -> Plan:
    wait = Wait(id="wait", field=field, offset=offset, next="after")
    return plan(*([mail(first, "wait")] if first else []), wait, mail("after"))


def stand(engine: Engine, made: Plan, until: Until, as_of: datetime = NOON, **arguments: Any) -> Any:
    enter(engine, made, as_of)
    return go_on(engine, made, as_of, until={"wait": until}, **arguments)


def due(engine: Engine) -> dict[int, datetime | None]:
    with engine.connect() as connection:
        rows = connection.execute(select(enrollments.c.profile_id, enrollments.c.due_at))
        return {row.profile_id: None if row.due_at is None else instant(row.due_at) for row in rows}


# ── Until a field ─────────────────────────────────────────────────────────────────────────────────────────────────────
def test_until_a_time_that_the_profile_holds(engine: Engine) -> None:
    with write(engine) as connection:
        coming, past, unknown = people(connection, 3)
        for id, at in ((coming, NOON + 3 * DAY), (past, NOON - DAY)):
            connection.execute(update(traits).where(traits.c.profile_id == id).values(last_seen_at=micros(at)))
    made = waiting(SEEN, offset=-86400)
    done = stand(engine, made, Until(instant=traits.c.last_seen_at))
    assert (done.waiting, done.planned) == ({"wait": 2}, {"after": 1}), "past already: on at once, in the same tick"
    assert done.ended == {"unknown last_seen_at": 1, "end": 1}
    assert due(engine) == {coming: NOON + 2 * DAY, past: None, unknown: None}
    assert inside(engine) == {
        ("active", "wait", None): 1, ("done", None, "end"): 1, ("left", None, "unknown last_seen_at"): 1,
    }  # fmt: skip
    again = go_on(engine, made, NOON, until={"wait": Until(instant=traits.c.last_seen_at)})
    assert not again.counts and not again.ended
    assert go_on(engine, made, NOON + 2 * DAY, until={"wait": Until(instant=traits.c.last_seen_at)}).ended == {"end": 1}


def test_what_was_sent_before_an_unknown_time_goes_out(engine: Engine) -> None:
    made = waiting(BIRTHDAY, first="hello")
    with write(engine) as connection:
        people(connection, 2)
    assert stand(engine, made, Until(day=profiles.c.birthday, yearly=True)).ended == {"unknown birthday": 2}
    with write(engine) as connection:
        leave(connection, playbook="carts", digest=made.digest, exits=[], as_of=NOON)
    provider = Provider()
    assert deliver_now(engine, provider).sent == 2
    assert messages(engine) == {("accepted", None): 2}


def test_whoever_buys_before_that_is_sent_gets_nothing_more(engine: Engine) -> None:
    made = waiting(BIRTHDAY, first="hello")
    with write(engine) as connection:
        buyer, other = people(connection, 2)
    stand(engine, made, Until(day=profiles.c.birthday, yearly=True))
    exits = [("on order_completed", profiles.c.id == buyer)]
    with write(engine) as connection:
        assert leave(connection, playbook="carts", digest=made.digest, exits=exits, as_of=NOON) == 1
    provider = Provider()
    deliver_now(engine, provider)
    assert set(provider.addresses) == {f"p{other}@example.com"}


def test_a_date_is_the_start_of_that_day_where_the_person_lives(engine: Engine) -> None:
    """Clocks go forward in Berlin on 29 March 2026 and have gone forward in New York on the 8th."""
    zones = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "no zone", None)
    with write(engine) as connection:
        ids = [people(connection, 1, time_zone=zone, custom={"renews": "2026-03-30"})[0] for zone in zones]
        people(connection, 1, custom={"renews": "2026-03-03"})
        people(connection, 1, custom={"renews": "9999-12-31"}, time_zone="America/New_York")
        people(connection, 1, custom={"renews": "soon"})
    renews = Field(scope="profile", name="renews", type=Type.DATE)
    day = func.nullif(profiles.c.custom["renews"].as_string(), "soon")
    done = stand(engine, waiting(renews, offset=-86400), Until(day=day), zone="Europe/London")
    assert done.ended == {"unknown renews": 1, "end": 1}
    expected = {
        "Europe/Berlin": datetime(2026, 3, 28, 23, tzinfo=UTC),  # the day before, at its own start
        "America/New_York": datetime(2026, 3, 29, 4, tzinfo=UTC),
        "Asia/Tokyo": datetime(2026, 3, 28, 15, tzinfo=UTC),
        "no zone": datetime(2026, 3, 29, tzinfo=UTC),
        None: datetime(2026, 3, 29, tzinfo=UTC),
    }
    found = due(engine)
    assert {zone: found[id] for zone, id in zip(zones, ids, strict=True)} == expected


def test_a_birthday_is_its_next_return(engine: Engine) -> None:
    born = {"1990-03-04": (2026, 3, 4), "1990-03-02": (2027, 3, 2), "2000-02-29": (2027, 2, 28), "1980-03-03": None}
    with write(engine) as connection:
        ids = {day: people(connection, 1, birthday=day)[0] for day in born}
    done = stand(engine, waiting(BIRTHDAY), Until(day=profiles.c.birthday, yearly=True))
    assert done.planned == {"after": 1}, "whose birthday it is goes on at once"
    found = due(engine)
    assert {day: found[id] for day, id in ids.items()} == {
        day: None if at is None else datetime(*at, tzinfo=UTC) for day, at in born.items()
    }


@pytest.mark.parametrize(
    ("day", "zone", "offset", "expected"),
    [
        # Midnight does not exist: the clocks go from 00:00 to 01:00.
        ("2026-09-06", "America/Santiago", 0, datetime(2026, 9, 6, 4, tzinfo=UTC)),
        # Midnight comes twice: the first one counts.
        ("2026-11-01", "America/Havana", 0, datetime(2026, 11, 1, 4, tzinfo=UTC)),
        # Three days of the calendar before, though one of them has 23 hours.
        ("2026-03-30", "Europe/Berlin", -3 * 86400, datetime(2026, 3, 26, 23, tzinfo=UTC)),
        ("2026-03-30", "Europe/Berlin", -3600, datetime(2026, 3, 29, 21, tzinfo=UTC)),
        ("2026-03-01", "UTC", 86400, NOON),
        ("0001-01-01", "Asia/Tokyo", -86400, NOON),
        ("9999-12-31", "America/New_York", 86400, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_the_start_of_a_day(day: str, zone: str, offset: int, expected: datetime) -> None:
    assert day_at(day, offset, NOON, ZoneInfo(zone)) == expected


def test_the_day_that_is_a_leap_day_in_a_leap_year() -> None:
    assert day_at("02-29", 0, datetime(2028, 2, 1, tzinfo=UTC), ZoneInfo("UTC"), yearly=True).date() == date(
        2028, 2, 29
    )
    assert day_at("02-29", 0, datetime(2027, 3, 1, tzinfo=UTC), ZoneInfo("UTC"), yearly=True).date() == date(
        2028, 2, 29
    )


# ── For an event or a condition ───────────────────────────────────────────────────────────────────────────────────────
FOR_ORDER = plan(
    mail("hello", "wait"),
    Wait(
        id="wait",
        seconds=2 * 86400,
        condition=Known(field=BIRTHDAY),
        event="order_completed",
        next="if",
    ),
    Branch(id="if", arms=(Arm(condition=ANYTHING, label="bought", next="thanks"),), next="reminder"),
    mail("thanks"),
    mail("reminder"),
)
BOUGHT = exists().where(
    and_(
        events.c.profile_id == enrollments.c.profile_id,
        events.c.name == "order_completed",
        events.c.at > enrollments.c.entered_at,
    )
)
ASKED: dict[str, Any] = {"wakes": {"wait": BOUGHT}, "decisions": {"if": [BOUGHT]}}


def test_an_event_ends_the_wait_and_else_time_does(engine: Engine) -> None:
    with write(engine) as connection:
        buyer, _ = people(connection, 2)
    enter(engine, FOR_ORDER, NOON)
    assert go_on(engine, FOR_ORDER, NOON, **ASKED).waiting == {"wait": 2}
    with write(engine) as connection:
        happens(connection, buyer, "order_completed", NOON + HOUR)
    assert due(engine)[buyer] == NOON + 2 * DAY
    done = go_on(engine, FOR_ORDER, NOON + 2 * HOUR, **ASKED)
    assert (done.woken, done.planned) == ({"wait": 1}, {"thanks": 1})
    assert not go_on(engine, FOR_ORDER, NOON + 2 * HOUR, **ASKED).counts
    done = go_on(engine, FOR_ORDER, NOON + 2 * DAY, **ASKED)
    assert (done.woken["wait"], done.planned) == (0, {"reminder": 1})


def test_an_event_that_comes_late_ends_the_wait(engine: Engine) -> None:
    """It happened before ticks that did not know of it."""
    with write(engine) as connection:
        (buyer,) = people(connection, 1)
    enter(engine, FOR_ORDER, NOON)
    for hours in (0, 5):
        assert not go_on(engine, FOR_ORDER, NOON + hours * HOUR, **ASKED).woken["wait"]
    with write(engine) as connection:
        happens(connection, buyer, "order_completed", NOON + HOUR)
    assert go_on(engine, FOR_ORDER, NOON + 6 * HOUR, **ASKED).planned == {"thanks": 1}


def test_true_already_on_arrival_goes_on_in_the_same_tick(engine: Engine) -> None:
    with write(engine) as connection:
        buyer, _ = people(connection, 2)
    enter(engine, FOR_ORDER, NOON)
    with write(engine) as connection:
        happens(connection, buyer, "order_completed", NOON + HOUR)
    done = go_on(engine, FOR_ORDER, NOON + 2 * HOUR, limit=1, **ASKED)
    assert (done.planned, done.waiting) == ({"hello": 2, "thanks": 1}, {"wait": 2})


def test_a_chain_of_waits_that_are_over_is_gone_through_at_once(engine: Engine) -> None:
    chain = [Wait(id=f"w{i}", seconds=86400, condition=ANYTHING, next=f"w{i + 1}") for i in range(5)]
    made = plan(*chain, Wait(id="w5", seconds=86400, condition=ANYTHING, next="m"), mail("m"))
    with write(engine) as connection:
        people(connection, 3)
    enter(engine, made, NOON)
    holds: dict[str, ColumnElement[bool]] = {f"w{i}": literal(1) == 1 for i in range(6)}
    assert go_on(engine, made, NOON, wakes=holds).ended == {"end": 3}


def test_who_leaves_is_not_woken(engine: Engine) -> None:
    with write(engine) as connection:
        (buyer,) = people(connection, 1)
    enter(engine, FOR_ORDER, NOON)
    go_on(engine, FOR_ORDER, NOON, **ASKED)
    with write(engine) as connection:
        happens(connection, buyer, "order_completed", NOON + HOUR)
        exits = [("on order_completed", BOUGHT)]
        assert leave(connection, playbook="carts", digest=FOR_ORDER.digest, exits=exits, as_of=NOON + 2 * HOUR) == 1
    done = go_on(engine, FOR_ORDER, NOON + 2 * HOUR, **ASKED)
    assert not done.woken["wait"] and not done.counts
    assert inside(engine) == {("left", None, "on order_completed"): 1}


def test_two_waits_that_lead_to_one_step_are_told_apart(engine: Engine) -> None:
    joining = plan(
        Branch(id="if", arms=(Arm(condition=ANYTHING, label="", next="short"),), next="long"),
        Wait(id="short", seconds=3600, condition=ANYTHING, next="m"), Wait(id="long", seconds=7200, next="m"),
        mail("m"),
    )  # fmt: skip
    with write(engine) as connection:
        people(connection, 4)
    enter(engine, joining, NOON)
    asked: dict[str, Any] = {"decisions": {"if": [profiles.c.id % 2 == 0]}}
    go_on(engine, joining, NOON, **asked, wakes={"short": literal(1) == 2})
    assert inside(engine) == {("active", "short", None): 2, ("active", "long", None): 2}
    done = go_on(engine, joining, NOON + timedelta(minutes=5), **asked, wakes={"short": literal(1) == 1})
    assert (done.woken, done.planned) == ({"short": 2}, {"m": 2})
    assert go_on(engine, joining, NOON + 2 * HOUR, **asked).planned == {"m": 2}


def test_two_times_the_first_wait_of_a_journey(engine: Engine) -> None:
    made = plan(Wait(id="a", seconds=3600, next="b"), Wait(id="b", seconds=3600, next="m"), mail("m"))
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, made, NOON)
    for hours, planned in ((0, {}), (0, {}), (1, {}), (1, {}), (2, {"m": 1})):
        assert go_on(engine, made, NOON + hours * HOUR).planned == planned
