"""Steps that act, all of them in one journey: repeated, for many people, for people who become one, rehearsed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import (
    Engine,
    bindparam,
    event,
    func,
    insert,
    select,
    true,
    update,
)

from dsl.conditions import Field
from dsl.plan import ChangeAudience, Enroll, Record, SetField, Wait
from dsl.types import Type
from ledger.actions import Given
from ledger.advance import advance
from ledger.memberships import untold
from ledger.plans import register
from ledger.standing import Until
from profiles.joins import join_profiles
from store.addresses import advertising_hash
from store.engine import open_store, write
from store.overlay import rehearse
from store.schema import (
    assignments,
    consents,
    memberships,
    metadata,
    profiles,
)
from tests.ledger.shop import (
    ANYTHING,
    NOON,
    enter,
    go_on,
    inside,
    mail,
    messages,
    people,
    plan,
)
from tests.ledger.test_actions import GOLD, VIP, custom, gold, joining, members, members_in, setting, told_events


def test_everything_at_once_twice(engine: Engine) -> None:
    """A tick that is repeated, at each of its times, changes nothing more."""
    other = plan(mail("m"), name="other")
    made = plan(
        Record(id="task", verb="create", noun="task", team=None, arguments=(), next="set"),
        SetField(id="set", field=VIP, value=GOLD, next="add"),
        ChangeAudience(id="add", kind="add", audience="a", next="enroll:other"),
        Enroll(id="enroll:other", playbook="other", next="wait"),
        Wait(id="wait", seconds=86400, condition=ANYTHING, next="remove"),
        ChangeAudience(id="remove", kind="remove", audience="a", next="mail"), mail("mail"),
    )  # fmt: skip
    with write(engine) as connection:
        people(connection, 7)
        register(connection, other, NOON)
    given = Given(values=gold().values, joins=joining(other).joins)
    woken = {"wait": profiles.c.id <= 3}
    for at in (NOON, NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1)):
        enter(engine, made, at)
        go_on(engine, made, at, given=given, wakes=woken, limit=2)
    assert inside(engine)["active", "wait", None] == 4
    assert inside(engine)["done", None, "end"] == 3
    assert inside(engine)["active", "(start)", None] == 7
    assert len(told_events(engine)) == 7
    assert sum(member for member, _ in members(engine).values()) == 4
    assert messages(engine) == {("planned", None): 7 + 3}
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(assignments)) == 0


def test_memberships_follow_a_person_who_turns_out_to_be_another(engine: Engine) -> None:
    """What a service knows of the one who goes is taken back."""
    with write(engine) as connection:
        winner, loser, other, twin = people(connection, 4)
        agree = {"channel": "ads", "topic": "marketing", "source": "test", "at": 0, "granted": True}
        connection.execute(insert(consents), [{"profile_id": id} | agree for id in (winner, loser, other, twin)])
        for id, member, at in ((winner, False, 1), (loser, True, 2), (other, True, 4), (twin, False, 3)):
            row = {"audience": "a", "profile_id": id, "member": member, "changed_at": at, "told_as": f"hash{id}"}
            connection.execute(insert(memberships).values(row | {"told_at": at}))
        join_profiles(connection, {loser: winner, twin: other}, 9)
        assert {id: member for id, (member, _) in members_in(connection).items()} == {
            winner: True, loser: False, other: True, twin: False,
        }  # fmt: skip
        changes = {each.profile_id: (each.told_as, each.wanted_as) for each in untold(connection, "a", 0, 10)}
        assert changes == {
            winner: ("hash1", advertising_hash("p1@example.com")), loser: ("hash2", None),
            other: ("hash3", advertising_hash("p3@example.com")), twin: ("hash4", None),
        }  # fmt: skip


def test_statements_are_counted_by_steps_and_not_by_people(tmp_path: Path) -> None:
    """Birthdays fill a table of at most a year's days for each zone; nothing else depends on who is there."""
    other = plan(mail("m"), name="other")
    birthday = Field(scope="profile", name="birthday", type=Type.DATE)
    made = plan(
        SetField(id="set", field=VIP, value=GOLD, next="add"),
        ChangeAudience(id="add", kind="add", audience="a", next="enroll:other"),
        Enroll(id="enroll:other", playbook="other", next="wait"),
        Wait(id="wait", seconds=86400, condition=ANYTHING, next="until"),
        Wait(id="until", field=birthday, next="mail"), mail("mail"),
    )  # fmt: skip
    counted = []
    for count in (3, 3000):
        engine = open_store(f"sqlite:///{tmp_path / str(count)}.db")
        metadata.create_all(engine)
        with write(engine) as connection:
            ids = people(connection, count)
            days = [{"person": id, "day": f"1990-{id % 12 + 1:02}-{id % 28 + 1:02}"} for id in ids]
            born = update(profiles).where(profiles.c.id == bindparam("person")).values(birthday=bindparam("day"))
            connection.execute(born, days)
            register(connection, other, NOON)
        enter(engine, made, NOON)
        statements: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *told, seen=statements: seen.append(told[2]))
        given = Given(values=gold().values, joins=joining(other).joins)
        until = {"until": Until(day=profiles.c.birthday, yearly=True)}
        done = go_on(engine, made, NOON, given=given, wakes={"wait": true()}, until=until)
        assert done.waiting["until"] == count
        counted.append(len(statements))
    assert counted[0] == counted[1] < 40


def test_a_rehearsal_of_everything_leaves_nothing(engine: Engine) -> None:
    made = setting()
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, made, NOON)
    with rehearse(engine, written=(profiles,)) as connection:
        done = advance(connection, plan=made, decisions={}, arms={}, as_of=NOON, zone="UTC", given=gold())
        assert done.ended == {"end": 2}
        assert connection.scalar(select(profiles.c.custom["vip.tier"].as_string()).limit(1)) == "gold"
    assert custom(engine) == {1: {}, 2: {}} and told_events(engine) == []
