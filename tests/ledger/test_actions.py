"""Steps that do something beside sending: records, fields, audiences, other playbooks."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import (
    Connection,
    Engine,
    delete,
    false,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)

from dsl.conditions import Constant, Field
from dsl.plan import Arm, Branch, ChangeAudience, Enroll, Entry, Plan, Record, SetField
from dsl.types import Type
from ledger.actions import Given, Joining
from ledger.guardrails import Rules
from ledger.memberships import refresh, told, untold, without_consent
from ledger.plans import register
from ledger.rows import started
from store.addresses import advertising_hash
from store.clock import micros
from store.engine import write
from store.schema import (
    consents,
    enrollments,
    events,
    matches,
    memberships,
    outbox,
    profiles,
    traits,
)
from store.writing import Written
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
    mail,
    messages,
    people,
    plan,
)

VIP = Field(scope="profile", name="vip.tier", type=Type.TEXT)
GOLD = Constant(type=Type.TEXT, value="gold")


def custom(engine: Engine) -> dict[int, Any]:
    with engine.connect() as connection:
        return {row.id: row.custom for row in connection.execute(select(profiles.c.id, profiles.c.custom))}


def told_events(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        found = select(events).where(events.c.event_id.like("winback:%")).order_by(events.c.id)
        return list(connection.execute(found))


# ── Records ───────────────────────────────────────────────────────────────────────────────────────────────────────────
TASK = plan(Record(id="create:task", verb="create", noun="task", team="sales", arguments=(), next=None))
CRM = {"name": "crm"}


def test_a_record_goes_through_the_outbox_and_asks_for_no_consent(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 2)
        people(connection, 1, email=None)
        connection.execute(update(consents).values(granted=False))
    enter(engine, TASK, NOON)
    for _ in range(2):
        go_on(engine, TASK, NOON)
    assert messages(engine) == {("planned", None): 3}
    provider = Provider()
    done = deliver_now(engine, provider, rules=Rules(zone="UTC", records=frozenset({"crm"})), **CRM)
    assert done.sent == len(provider.taken) == 3
    with engine.connect() as connection:
        assert set(connection.execute(select(outbox.c.channel, outbox.c.template, outbox.c.slot_at))) == {
            ("crm", "task", None)
        }


def test_a_record_is_refused_when_it_comes_late_or_the_person_left(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, TASK, NOON)
    go_on(engine, TASK, NOON)
    with write(engine) as connection:
        connection.execute(update(enrollments).where(enrollments.c.profile_id == 1).values(state="left"))
    rules = Rules(zone="UTC", records=frozenset({"crm"}))
    assert deliver_now(engine, Provider(), NOON + 30 * DAY, rules=rules, **CRM).skipped == {"late": 2}
    with write(engine) as connection:
        connection.execute(update(outbox).values(state="planned"))
    assert deliver_now(engine, Provider(), rules=rules, **CRM).skipped == {"left": 1}


# ── Fields ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def setting(field: Field = VIP) -> Plan:
    return plan(SetField(id="set", field=field, value=GOLD, next=None))


def gold() -> Given:
    return Given(values={"set": Written(literal("gold"), "text")})


def test_a_field_is_set_and_history_tells_of_it(engine: Engine) -> None:
    with write(engine) as connection:
        ids = people(connection, 3)
        other = {"tags": [1], "vip.tier": "silver"}
        connection.execute(update(profiles).where(profiles.c.id == ids[1]).values(custom=other))
        connection.execute(update(traits).values(last_seen_at=5))
    enter(engine, setting(), NOON, held_out=profiles.c.id == ids[2])
    for _ in range(2):
        go_on(engine, setting(), NOON, given=gold())
    assert custom(engine) == {ids[0]: {"vip.tier": "gold"}, ids[1]: {"tags": [1], "vip.tier": "gold"}, ids[2]: {}}
    rows = told_events(engine)
    assert [(row.profile_id, row.name, row.at) for row in rows] == [(id, "identify", micros(NOON)) for id in ids[:2]]
    assert rows[0].properties == {"traits": {"vip.tier": "gold"}, "source": "winback"}
    with engine.connect() as connection:
        assert set(connection.scalars(select(traits.c.last_seen_at))) == {5}, "it is no visit"
        set_at = connection.scalar(select(profiles.c.set_at).where(profiles.c.id == ids[0]))
        assert set_at == {"custom.vip.tier": micros(NOON)}


def test_a_newer_word_of_the_shop_stays(engine: Engine) -> None:
    with write(engine) as connection:
        newer, older = people(connection, 2)
        for id, at in ((newer, NOON + HOUR), (older, NOON - HOUR)):
            values = {"custom": {"vip.tier": "none"}, "set_at": {"custom.vip.tier": micros(at)}}
            connection.execute(update(profiles).where(profiles.c.id == id).values(values))
    enter(engine, setting(), NOON)
    go_on(engine, setting(), NOON, given=gold())
    assert custom(engine) == {newer: {"vip.tier": "none"}, older: {"vip.tier": "gold"}}
    assert len(told_events(engine)) == 2, "that it was set is history all the same"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (Written(traits.c.cart_total, "money"), 19.99),
        (Written(literal(25000), "money"), 250),
        (Written(literal(3), "number"), 3),
        (Written(true(), "yes_no"), True),
        (Written(false(), "yes_no"), False),
        (Written(literal(micros(NOON) + 250_000), "timestamp"), "2026-03-03T12:00:00.250000Z"),
        (Written(literal(-1), "timestamp"), "1969-12-31T23:59:59.999999Z"),
        (Written(literal('a "quoted" žluť'), "text"), 'a "quoted" žluť'),
        (Written(profiles.c.city, "text"), None),
    ],
)
def test_values_are_written_as_shops_send_them(engine: Engine, written: Any, expected: Any) -> None:
    with write(engine) as connection:
        people(connection, 1, custom={"vip.tier": "old"})
        connection.execute(update(traits).values(cart_total=1999))
    enter(engine, setting(), NOON)
    go_on(engine, setting(), NOON, given=Given(values={"set": written}))
    (found,) = custom(engine).values()
    assert found == ({} if expected is None else {"vip.tier": expected})
    assert told_events(engine)[0].properties["traits"] == {"vip.tier": expected}


def test_a_branch_that_follows_sees_what_was_set(engine: Engine) -> None:
    made = plan(
        SetField(id="set", field=VIP, value=GOLD, next="if"),
        Branch(id="if", arms=(Arm(condition=ANYTHING, label="", next="m"),), next=None), mail("m"),
    )  # fmt: skip
    with write(engine) as connection:
        people(connection, 2)
    enter(engine, made, NOON)
    is_gold = profiles.c.custom["vip.tier"].as_string() == "gold"
    asked: dict[str, Any] = {"given": gold(), "decisions": {"if": [func.coalesce(is_gold, false())]}}
    assert go_on(engine, made, NOON, **asked).planned == {"m": 2}


def test_two_enrollments_of_one_person_set_the_newest(engine: Engine) -> None:
    """`enter once per event.order_id`: two orders side by side."""
    made = setting()
    with write(engine) as connection:
        (id,) = people(connection, 1)
        register(connection, made, NOON)
        for key in "ab":
            order = happens(connection, id, "order_completed", NOON, order_id=key)
            connection.execute(
                insert(enrollments).values(
                    playbook=made.name, digest=made.digest, profile_id=id, key=key, event=order, holdout=False,
                    state="active", step="(start)", due_at=micros(NOON), entered_at=micros(NOON),
                )
            )  # fmt: skip
    named = Written(started.c.properties["order_id"].as_string(), "text")
    go_on(engine, made, NOON, given=Given(values={"set": named}))
    assert custom(engine) == {id: {"vip.tier": "b"}}
    assert [row.properties["traits"]["vip.tier"] for row in told_events(engine)] == ["a", "b"]


# ── Audiences ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def changing(kind: Any, name: str = "lapsed") -> Plan:
    return plan(ChangeAudience(id=kind, kind=kind, audience=name, next=None), name=kind)


def members(engine: Engine) -> dict[int, tuple[bool, int]]:
    with engine.connect() as connection:
        return members_in(connection)


def members_in(connection: Connection) -> dict[int, tuple[bool, int]]:
    rows = connection.execute(select(memberships))
    return {row.profile_id: (row.member, row.changed_at) for row in rows}


def test_people_are_added_and_removed_once(engine: Engine) -> None:
    with write(engine) as connection:
        a, b, held = people(connection, 3)
    for days, added in ((0, 2), (1, 0)):
        with write(engine) as connection:
            connection.execute(delete(matches))  # so that they enter once more
        enter(engine, changing("add"), NOON + days * DAY, held_out=profiles.c.id == held)
        done = go_on(engine, changing("add"), NOON + days * DAY)
        assert (done.counts, done.changed["add"]) == ({"add": 3}, added)
    assert members(engine) == {a: (True, micros(NOON)), b: (True, micros(NOON))}
    enter(engine, changing("remove"), NOON + 2 * DAY, matches=profiles.c.id != b)
    assert go_on(engine, changing("remove"), NOON + 2 * DAY).changed == {"remove": 1}
    assert members(engine) == {a: (False, micros(NOON + 2 * DAY)), b: (True, micros(NOON))}


def test_an_audience_with_rules_is_refreshed(engine: Engine) -> None:
    with write(engine) as connection:
        a, b, c = people(connection, 3)
        rich = traits.c.cart_total > 500
        done = refresh(connection, "rich", rich, NOON)
        assert (done.added, done.removed, done.members) == (3, 0, 3)
        connection.execute(update(traits).where(traits.c.profile_id == b).values(cart_total=0))
        connection.execute(update(profiles).where(profiles.c.id == c).values(merged_into=a))
        done = refresh(connection, "rich", rich, NOON + DAY)
        assert (done.added, done.removed, done.members) == (0, 2, 1)
        connection.execute(update(traits).values(cart_total=1000))
        done = refresh(connection, "rich", rich, NOON + 2 * DAY)
        assert (done.added, done.removed, done.members) == (1, 0, 2)
        done = refresh(connection, "rich", rich, NOON + 3 * DAY)
        assert (done.added, done.removed, done.members) == (0, 0, 2)
    assert members(engine)[a] == (True, micros(NOON))
    assert members(engine)[b] == (True, micros(NOON + 2 * DAY))


def test_a_service_knows_only_those_who_agreed(engine: Engine) -> None:
    """Who takes that back is taken out, and who has another address is known by it."""
    with write(engine) as connection:
        yes, no, _ = people(connection, 3)
        agree = {"channel": "ads", "topic": "marketing", "source": "test", "at": 0}
        connection.execute(insert(consents), [{"profile_id": yes, "granted": True} | agree])
        connection.execute(insert(consents), [{"profile_id": no, "granted": False} | agree])
        refresh(connection, "all", true(), NOON)
        (one,) = untold(connection, "all", 0, 10)
        assert (one.profile_id, one.wanted_as, one.told_as) == (yes, advertising_hash("p1@example.com"), None)
        told(connection, "all", {yes: one.wanted_as}, NOON)
        assert untold(connection, "all", 0, 10) == []
        assert without_consent(connection, "all") == 2
        connection.execute(update(profiles).where(profiles.c.id == yes).values(email=" New@Example.com"))
        (moved,) = untold(connection, "all", 0, 10)
        assert (moved.told_as, moved.wanted_as) == (one.wanted_as, advertising_hash("new@example.com"))
        connection.execute(update(consents).where(consents.c.channel == "ads").values(granted=False))
        (gone,) = untold(connection, "all", 0, 10)
        assert (gone.told_as, gone.wanted_as) == (one.wanted_as, None)
        told(connection, "all", {yes: None}, NOON)
        assert untold(connection, "all", 0, 10) == []


# ── Other playbooks ───────────────────────────────────────────────────────────────────────────────────────────────────
ASKING = plan(Enroll(id="enroll:other", playbook="other", next=None))


def joining(other: Plan, **values: Any) -> Given:
    given: dict[str, Any] = {"admits": None, "held_out": false()} | values
    return Given(joins={"enroll:other": Joining(plan=other, **given)})


def test_enroll_asks_who_may_enter_and_draws_its_own_holdout(engine: Engine) -> None:
    other = plan(mail("m"), name="other", entry=Entry(kind="once"))
    with write(engine) as connection:
        ids = people(connection, 6)
        register(connection, other, NOON)
    once = enter(engine, other, NOON, matches=profiles.c.id == ids[0])
    assert once.entered == 1
    enter(engine, ASKING, NOON, held_out=profiles.c.id == ids[1])
    given = joining(other, admits=profiles.c.id != ids[2], held_out=profiles.c.id == ids[3])
    done = go_on(engine, ASKING, NOON + HOUR, given=given)
    assert done.enrolled == {"enroll:other": 3}, "not: inside already, held out here, refused by `only if`"
    with engine.connect() as connection:
        rows = connection.execute(
            select(*enrollments.c["profile_id", "holdout", "entered_at", "event"]).where(
                enrollments.c.playbook == "other", enrollments.c.profile_id != ids[0]
            )
        )
        assert {tuple(row) for row in rows} == {
            (id, id == ids[3], micros(NOON + HOUR), None) for id in (ids[3], ids[4], ids[5])
        }
    assert go_on(engine, other, NOON + HOUR).planned == {"m": 3}


def test_a_chain_of_playbooks(engine: Engine) -> None:
    """Each is gone through by its own tick."""
    last = plan(mail("m"), name="last")
    other = plan(Enroll(id="enroll:last", playbook="last", next=None), name="other")
    with write(engine) as connection:
        people(connection, 2)
        for each in (other, last):
            register(connection, each, NOON)
    enter(engine, ASKING, NOON)
    assert go_on(engine, ASKING, NOON, given=joining(other)).enrolled == {"enroll:other": 2}
    chained = Given(joins={"enroll:last": Joining(plan=last, admits=None, held_out=false())})
    assert go_on(engine, other, NOON, given=chained).enrolled == {"enroll:last": 2}
    assert go_on(engine, last, NOON).planned == {"m": 2}


def test_a_playbook_that_is_gone_is_passed_over(engine: Engine) -> None:
    with write(engine) as connection:
        people(connection, 1)
    enter(engine, ASKING, NOON)
    done = go_on(engine, ASKING, NOON)
    assert (done.enrolled, done.ended) == ({}, {"end": 1})


def test_what_only_if_reads_of_an_event_is_unknown(engine: Engine) -> None:
    other = plan(mail("m"), name="other")
    with write(engine) as connection:
        people(connection, 1)
        register(connection, other, NOON)
    enter(engine, ASKING, NOON)
    admits = started.c.properties["coupon"].as_string().is_(null())
    assert go_on(engine, ASKING, NOON, given=joining(other, admits=admits)).enrolled == {"enroll:other": 1}
