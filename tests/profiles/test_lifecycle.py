"""Who is in which stage since when, and what becomes of stages and memberships when two people turn out to be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from dsl.conditions import Compare, Constant, Field, HasBeen
from dsl.plan import Stage
from dsl.types import Type
from profiles.lifecycle import note
from profiles.person import values
from profiles.select import Moment, holds, people, stage
from store import schema
from store.clock import micros
from store.engine import write
from tests.profiles.shop import START, identify, instant_at, profile_of, take, track

ORDERS = Field(scope="profile", name="orders.count", type=Type.NUMBER)
BUYER = Stage(name="buyer", condition=Compare(field=ORDERS, operator=">", value=Constant(type=Type.NUMBER, value=0)))
LIFECYCLE = (BUYER, Stage(name="visitor", condition=None))
MOMENT = Moment(as_of=START, zone="UTC")


def look(engine: Engine, hours: float, lifecycle: tuple[Stage, ...] = LIFECYCLE) -> int:
    with write(engine) as connection:
        return note(connection, lifecycle, replace(MOMENT, as_of=START + timedelta(hours=hours)))


def noted(engine: Engine) -> dict[int, tuple[str, int]]:
    with engine.connect() as connection:
        return {row.profile_id: (row.stage, row.since) for row in connection.execute(select(schema.stages))}


def test_a_look_notes_whose_stage_has_changed(engine: Engine) -> None:
    take(engine, identify(0, "ann"), track("Order Completed", 0, "bo", order_id="1", total=9), identify(0, "eve"))
    ann, bo, eve = (profile_of(engine, "user_id", user).id for user in ("ann", "bo", "eve"))
    assert look(engine, 1) == 3
    assert look(engine, 1) == 0, "a look that is repeated finds nobody"
    take(engine, track("Order Completed", 2, "ann", order_id="2", total=9))
    assert look(engine, 3) == 1
    since = {ann: ("buyer", instant_at(3)), bo: ("buyer", instant_at(1)), eve: ("visitor", instant_at(1))}
    assert noted(engine) == since
    assert look(engine, 4, ()) == 0
    assert noted(engine) == since


def test_another_lifecycle_counts_at_once(engine: Engine) -> None:
    take(engine, identify(0, "ann"))
    look(engine, 1)
    assert look(engine, 2, (BUYER, Stage(name="stranger", condition=None))) == 1
    assert noted(engine) == {profile_of(engine, "user_id", "ann").id: ("stranger", instant_at(2))}


def test_has_been_for_counts_from_the_look(engine: Engine) -> None:
    take(engine, identify(0, "ann"))
    look(engine, 1)
    stage_field = Field(scope="profile", name="stage", type=Type.TEXT)
    asked = HasBeen(field=stage_field, value=Constant(type=Type.TEXT, value="visitor"), seconds=3600)
    for hours, expected in ((1.99, False), (2, True)):
        moment = replace(MOMENT, as_of=START + timedelta(hours=hours), lifecycle=LIFECYCLE)
        with engine.connect() as connection:
            assert connection.scalar(select(holds(asked, moment)).select_from(people())) is expected


def test_the_stage_is_a_value_of_the_person(engine: Engine) -> None:
    take(engine, identify(0, "ann", stage="of the shop's own"))
    id = profile_of(engine, "user_id", "ann").id
    moment = replace(MOMENT, lifecycle=LIFECYCLE)
    with engine.connect() as connection:
        told = values(connection, [id], ["stage"], as_of=START, moment=moment)[id]
        assert (told["stage"], told["profile"]["stage"]) == ("visitor", "visitor")
        without = values(connection, [id], ["stage"], as_of=START, moment=MOMENT)[id]
        assert without["stage"] == "of the shop's own"
        assert connection.scalar(select(stage(moment)).select_from(people())) == "visitor"


def test_there_is_no_stage_without_a_lifecycle() -> None:
    with pytest.raises(ValueError, match="there is no lifecycle"):
        stage(MOMENT)


# ── Two people who are one ────────────────────────────────────────────────────────────────────────────────────────────
def two(engine: Engine) -> tuple[int, int]:
    """Ann, and a visitor on her laptop."""
    take(engine, identify(0, "ann"), track("Lamp Lit", 0, {"anonymousId": "laptop"}))
    return profile_of(engine, "user_id", "ann").id, profile_of(engine, "anonymous_id", "laptop").id


def join(engine: Engine) -> None:
    take(engine, identify(1, {"userId": "ann", "anonymousId": "laptop"}))


def test_a_join_keeps_the_stage_of_the_one_who_stays(engine: Engine) -> None:
    ann, visitor = two(engine)
    look(engine, 1)
    with write(engine) as connection:
        connection.execute(update(schema.stages).where(schema.stages.c.profile_id == visitor).values(stage="buyer"))
    join(engine)
    assert noted(engine) == {ann: ("visitor", instant_at(1))}
    assert look(engine, 2) == 0


def test_a_join_hands_over_the_stage_to_one_without(engine: Engine) -> None:
    ann, visitor = two(engine)
    with write(engine) as connection:
        connection.execute(insert(schema.stages), {"profile_id": visitor, "stage": "visitor", "since": 5})
    join(engine)
    assert noted(engine) == {ann: ("visitor", 5)}


@pytest.mark.parametrize(
    ("hers", "the_visitors", "kept"),
    [
        (True, False, "hers"),
        (True, True, "hers"),
        (False, True, "anew"),
        (None, True, "anew"),
        (False, False, "hers"),
        (None, False, "anew"),
        (True, None, "hers"),
        (False, None, "hers"),
    ],
)
def test_a_membership_of_either_stays(engine: Engine, hers: bool | None, the_visitors: bool | None, kept: str) -> None:
    """What was the visitor's alone is told to the service anew: it knew him by another address, if at all."""
    ann, visitor = two(engine)
    rows = [
        {"audience": "lapsed", "profile_id": id, "member": member, "changed_at": at, "told_at": at}
        for id, member, at in ((ann, hers, 10), (visitor, the_visitors, 20))
        if member is not None
    ]
    with write(engine) as connection:
        connection.execute(insert(schema.memberships), rows)
        connection.execute(
            insert(schema.memberships), {"audience": "vips", "profile_id": ann, "member": True, "changed_at": 1}
        )
    join(engine)
    times: Mapping[str, tuple[int, int | None]] = {
        "hers": (10, 10), "anew": (micros(START + timedelta(days=30)), None)
    }  # fmt: skip
    table = schema.memberships.c
    with engine.connect() as connection:
        found = connection.execute(
            select(table.audience, table.profile_id, table.member, table.changed_at, table.told_at)
        )
        assert sorted(map(tuple, found)) == [
            ("lapsed", ann, bool(hers or the_visitors), *times[kept]),
            ("vips", ann, True, 1, None),
        ]
