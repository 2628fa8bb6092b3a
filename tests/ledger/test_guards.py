"""The guards before a message: the first refusal is the recorded reason."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, insert, update

from dsl.delivery import Verdict
from dsl.plan import Limit, Policy
from ledger.guardrails import Rules
from store.addresses import address_hash
from store.clock import micros
from store.engine import write
from store.schema import consents, outbox, suppressions
from tests.ledger.shop import (
    DAY,
    HOUR,
    NOON,
    ONE,
    Provider,
    always,
    deliver_now,
    enter,
    go_on,
    mail,
    messages,
    people,
    plan,
    queue,
    refused,
)

THREE_A_WEEK = Policy(limits=(Limit(channel="email", count=3, seconds=7 * 86400),))


def test_no_consent(engine: Engine) -> None:
    a, b = queue(engine, 2)
    with write(engine) as connection:
        connection.execute(update(consents).where(consents.c.profile_id == a).values(granted=False))
        connection.execute(delete(consents).where(consents.c.profile_id == b))
    provider = Provider()
    by_default = Rules(zone="UTC", consent=frozenset({"email"}))
    done = deliver_now(engine, provider, rules=by_default)
    assert (done.sent, done.skipped) == (1, {"no_consent": 1})
    assert provider.taken[0].address == f"p{b}@example.com"


def test_a_topic_has_its_own_consent(engine: Engine) -> None:
    queue(engine)
    assert refused(engine, rules=Rules(zone="UTC", topics={"first": "offers"})) == {"no_consent": 1}


def test_no_address(engine: Engine) -> None:
    queue(engine, email=None)
    assert refused(engine) == {"no_address": 1}


@pytest.mark.parametrize(("reason", "transactional"), [("hard_bounce", 0), ("complaint", 0), ("unsubscribed", 1)])
def test_suppressed(engine: Engine, reason: str, transactional: int) -> None:
    queue(engine, email="X@example.com ")
    with write(engine) as connection:
        hashed = address_hash("x@example.com", b"key")
        connection.execute(insert(suppressions).values(channel="email", address_hash=hashed, reason=reason, at=0))
    assert refused(engine) == {"suppressed": 1}
    with write(engine) as connection:
        connection.execute(delete(consents))
        connection.execute(update(outbox).values(state="planned"))
    done = deliver_now(engine, Provider(), rules=Rules(zone="UTC", topics={"first": "transactional"}))
    assert done.sent == transactional


def test_the_cap_holds_over_playbooks_and_days(engine: Engine) -> None:
    provider, rules = Provider(), Rules(zone="UTC", policy=THREE_A_WEEK)
    with write(engine) as connection:
        people(connection, 2)
    sent = []
    for day in range(9):
        daily = plan(mail("first"), name=f"day_{day}")
        enter(engine, daily, NOON + day * DAY)
        go_on(engine, daily, NOON + day * DAY)
        done = deliver_now(engine, provider, NOON + day * DAY, playbook=daily.name, rules=rules)
        sent.append(done.sent)
        assert done.skipped == ({} if done.sent else {"frequency_cap": 2})
    assert sent == [2, 2, 2, 0, 0, 0, 0, 2, 2]


def test_transactional_messages_know_no_cap_and_use_none_up(engine: Engine) -> None:
    receipt = plan(mail("receipt"), mail("never"), name="receipts")
    with write(engine) as connection:
        people(connection, 1)
    rules = Rules(
        zone="UTC",
        policy=Policy(limits=(Limit(channel="email", count=1, seconds=86400),), quiet_hours=("00:00", "23:59")),
        topics={"receipt": "transactional"},
    )
    enter(engine, receipt, NOON)
    go_on(engine, receipt, NOON)
    assert deliver_now(engine, Provider(), playbook="receipts", rules=rules).sent == 1
    enter(engine, ONE, NOON)
    go_on(engine, ONE, NOON)
    assert deliver_now(engine, Provider(), rules=Rules(zone="UTC", policy=THREE_A_WEEK)).sent == 1


def test_caps_hold_between_processes(engine: Engine) -> None:
    """Six playbooks want the same people at the same moment, from six threads."""
    rules = Rules(zone="UTC", policy=THREE_A_WEEK)
    with write(engine) as connection:
        people(connection, 50)
    plans = [plan(mail("first"), name=f"p{i}") for i in range(6)]
    for each in plans:
        enter(engine, each, NOON)
        go_on(engine, each, NOON)
    provider, gate = Provider(), threading.Barrier(6)

    def run(playbook: str) -> None:
        gate.wait()
        deliver_now(engine, provider, playbook=playbook, rules=rules)

    threads = [threading.Thread(target=run, args=(each.name,)) for each in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(provider.addresses.values()) == {3}
    assert messages(engine) == {("accepted", None): 150, ("skipped", "frequency_cap"): 150}


def test_a_failed_message_gives_its_slot_back(engine: Engine) -> None:
    rules = Rules(zone="UTC", policy=Policy(limits=(Limit(channel="email", count=1, seconds=86400),)))
    with write(engine) as connection:
        people(connection, 1)
    for name, sends in (("a", False), ("b", True)):
        each = plan(mail("first"), name=name)
        enter(engine, each, NOON)
        go_on(engine, each, NOON)
        provider = Provider() if sends else Provider(always(Verdict.REJECTED, reason="refused"))
        assert deliver_now(engine, provider, playbook=name, rules=rules).sent == sends


def test_two_profiles_with_one_address_get_one_message(engine: Engine) -> None:
    queue(engine, 3, email="Family@example.com")
    assert deliver_now(engine, Provider()).skipped == {"duplicate_address": 2}
    queue(engine, 1, email="family@example.com")
    assert refused(engine, NOON + 23 * HOUR) == {"duplicate_address": 1}
    with write(engine) as connection:
        connection.execute(update(outbox).where(outbox.c.state == "skipped").values(state="planned"))
        connection.execute(update(outbox).values(expires_at=micros(NOON + 9 * DAY)))
    assert deliver_now(engine, Provider(), NOON + 25 * HOUR).sent == 1


def test_quiet_hours_delay_to_the_morning_of_the_person(engine: Engine) -> None:
    queue(engine, 1, time_zone="Asia/Tokyo")
    rules = Rules(zone="UTC", policy=Policy(quiet_hours=("21:00", "08:00")))
    night = NOON + HOUR  # 22:00 in Tokyo
    assert deliver_now(engine, Provider(), night, rules=rules).delayed == {"quiet_hours": 1}
    assert messages(engine) == {("planned", "quiet_hours"): 1}
    morning = datetime(2026, 3, 3, 23, tzinfo=UTC)
    early = deliver_now(engine, Provider(), morning - timedelta(microseconds=1), rules=rules)
    assert early.sent == early.delayed.total() == 0
    assert deliver_now(engine, Provider(), morning, rules=rules).sent == 1
    assert messages(engine) == {("accepted", None): 1}


def test_to_keep_quiet_is_not_to_be_late(engine: Engine) -> None:
    friday = datetime(2026, 3, 6, 22, tzinfo=UTC)
    queue(engine, as_of=friday)
    rules = Rules(zone="UTC", policy=Policy(quiet_hours=("21:00", "08:00"), quiet_days=("saturday", "sunday")))
    assert deliver_now(engine, Provider(), friday, rules=rules).delayed.total() == 1
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert deliver_now(engine, Provider(), monday, rules=rules).sent == 1
