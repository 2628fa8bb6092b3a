"""A store rebuilt for an earlier time is the store that one would have had then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

from profiles.history import newest_event_at, oldest_event_at, rebuild, replay
from store import schema
from store.addresses import address_hash
from store.engine import open_store, write
from tests.profiles.shop import RULES, START, at, everything, identify, instant_at, profile_of, take, track, traits_of


@contextmanager
def rebuilt(engine: Engine, hours: float) -> Iterator[Engine]:
    made = rebuild(engine, START + timedelta(hours=hours), rules=RULES)
    try:
        yield made
    finally:
        made.dispose()


@pytest.fixture
def fresh() -> Iterator[Engine]:
    """A second, empty store."""
    made = open_store("sqlite://")
    schema.metadata.create_all(made)
    yield made
    made.dispose()


def history(r: Random) -> list[dict[str, Any]]:
    """What a few customers did and said in twenty hours; times are few, so that some are the same."""
    calls = []
    for _ in range(60):
        who, hours = r.choice(("ann", "bob", "cid")), r.randrange(20)
        product = {"product_id": r.choice(("lamp", "rug", "vase")), "price": r.choice((10, 12.34)), "category": "home"}
        order = {"order_id": f"{who}-{r.randrange(3)}"}
        event, properties = r.choice([
            ("Product Viewed", product), ("Product Added", product), ("Product Removed", product),
            ("Checkout Started", {}), ("Order Completed", {**order, "products": [product]}),
            ("Order Refunded", {**order, "amount": 5}), ("Order Cancelled", order), ("Page Seen", {"title": "x"}),
        ])  # fmt: skip
        if r.random() < 0.3:
            calls.append(
                identify(
                    hours, who, city=r.choice(("Oslo", "Rome", None)), pet=r.choice(("cat", "dog", None)),
                    **({"email_consent": r.random() < 0.5} if r.random() < 0.5 else {}),
                )
            )  # fmt: skip
        else:
            calls.append(track(event, hours, who, **properties))
    return calls


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hours", [0, 7, 19])
def test_the_same_as_a_store_of_that_time(engine: Engine, fresh: Engine, seed: int, hours: int) -> None:
    calls = history(Random(seed))
    take(engine, *calls)
    take(fresh, *(call for call in calls if call["timestamp"] <= track("x", hours)["timestamp"]))
    with rebuilt(engine, hours) as then:
        assert everything(then) == everything(fresh)


@pytest.mark.parametrize("seed", range(6))
def test_played_on_step_by_step_is_the_same_as_rebuilt_at_once(engine: Engine, seed: int) -> None:
    """At every stop, wherever the one before it was: also for consents with times of their own, new addresses and days
    of sign-up that were told late."""
    r = Random(seed)
    calls = history(r)
    for hours in (r.randrange(20) for _ in range(8)):
        who = r.choice(("ann", "bob", "dot"))
        told = {"email": f"{who}{r.randrange(3)}@example.com", "created_at": at(-r.randrange(9)), "sms_consent": True}
        told |= {"consent_at": at(r.randrange(24))} if r.random() < 0.5 else {}
        calls.append(identify(hours, who, **dict(r.sample(sorted(told.items()), 2))))
    take(engine, *calls)
    with write(engine) as conn:
        rows = [{"channel": "sms", "address_hash": str(n), "reason": "", "at": instant_at(n)} for n in range(20)]
        conn.execute(insert(schema.suppressions), rows)
    stops = sorted(r.sample(range(-1, 24), 7))
    seen = []
    with replay(engine, end=START + timedelta(hours=24), rules=RULES) as played:
        for hours in stops:
            played.until(START + timedelta(hours=hours))
            seen.append((everything(played.store), suppressed(played.store)))
    played.store.dispose()
    for hours, there in zip(stops, seen, strict=True):
        with rebuilt(engine, hours) as then:
            assert there == (everything(then), suppressed(then))
    assert len({str(there) for there in seen}) > 3


def suppressed(engine: Engine) -> set[str]:
    with engine.connect() as conn:
        return set(conn.scalars(select(schema.suppressions.c.address_hash)))


def test_a_replay_goes_forward_only_and_to_its_end(engine: Engine) -> None:
    take(engine, track("Product Added", 5, product_id="lamp", price=10))
    with replay(engine, end=START + timedelta(hours=9), rules=RULES) as played:
        played.until(START + timedelta(hours=6))
        for hours in (5, 10):
            with pytest.raises(ValueError, match="cannot be reached"):
                played.until(START + timedelta(hours=hours))
    played.store.dispose()


def test_what_a_playbook_sets_meanwhile_stays_until_a_later_call(engine: Engine) -> None:
    """Also the events that tell of it, whose numbers and names are those of events that come later."""
    take(engine, identify(0, pet="cat"), track("Page Seen", 1), identify(4, city="Rome"), identify(6, pet="dog"))
    with write(engine) as conn:
        told = {
            "event_id": "winback:1:set",
            "body_hash": "x",
            "profile_id": profile_of(engine, "user_id", "ann").id,
            "name": "identify",
            "at": instant_at(3),
            "received_at": 0,
            "properties": {"traits": {"size": "S"}},
        }
        conn.execute(insert(schema.events).values(told))
    with replay(engine, end=START + timedelta(hours=9), rules=RULES) as played:
        played.until(START + timedelta(hours=2))
        ann = profile_of(played.store, "user_id", "ann")
        with write(played.store) as conn:
            set_at = {**ann.set_at, "custom.pet": instant_at(2), "custom.size": instant_at(2)}
            conn.execute(update(schema.profiles).values(custom={"pet": "newt", "size": "L"}, set_at=set_at))
            conn.execute(insert(schema.events).values({**told, "at": instant_at(2)}))
        seen = []
        for hours in (3, 5, 7):
            played.until(START + timedelta(hours=hours))
            ann = profile_of(played.store, "user_id", "ann")
            seen.append((ann.city, ann.custom))
    with played.store.connect() as conn:
        ids = conn.scalars(select(schema.events.c.event_id).where(schema.events.c.event_id.contains("winback"))).all()
    played.store.dispose()
    assert sorted(ids) == ["then:winback:1:set", "winback:1:set"]
    newt = {"pet": "newt", "size": "L"}
    assert seen == [(None, newt), ("Rome", newt), ("Rome", {"pet": "dog", "size": "L"})]


def test_an_address_of_that_time_has_its_own_hash(engine: Engine) -> None:
    take(engine, identify(0, email="old@example.com"), identify(5, email="new@example.com"))
    with rebuilt(engine, 1) as then:
        ann = profile_of(then, "user_id", "ann")
        assert (ann.email, ann.email_hash) == ("old@example.com", address_hash("old@example.com", RULES.hash_key))
    without = rebuild(engine, START + timedelta(hours=1))
    assert profile_of(without, "user_id", "ann").email_hash is None
    without.dispose()
    with rebuilt(engine, 6) as then:
        assert profile_of(then, "user_id", "ann").email == "new@example.com"


def test_what_the_context_told_and_was_replaced_is_unknown(engine: Engine) -> None:
    take(engine, {**track("Page Seen", 0), "context": {"traits": {"city": "Oslo"}}}, identify(5, city="Rome"))
    with rebuilt(engine, 1) as then:
        assert profile_of(then, "user_id", "ann").city is None


def test_consent_taken_back_later_was_given_then(engine: Engine) -> None:
    take(engine, identify(0, email_consent=True), identify(5, email_consent=False), identify(6, sms_consent=True))
    with rebuilt(engine, 1) as then, then.connect() as conn:
        assert conn.execute(select(schema.consents.c.channel, schema.consents.c.granted)).all() == [("email", True)]


def test_suppressions_of_later_are_not_there(engine: Engine) -> None:
    with write(engine) as conn:
        rows = [
            {"channel": "email", "address_hash": name, "reason": "", "at": instant_at(n)} for n, name in enumerate("ab")
        ]
        conn.execute(insert(schema.suppressions), rows)
    with rebuilt(engine, 0) as then, then.connect() as conn:
        assert conn.scalars(select(schema.suppressions.c.address_hash)).all() == ["a"]


def test_people_joined_later_are_one_person_already(engine: Engine) -> None:
    """A store does not remember who was apart; nothing is lost, and nobody is counted twice."""
    take(engine, track("Product Added", 0, {"anonymousId": "x"}, product_id="lamp", price=10))
    take(engine, track("Product Viewed", 1, "ann", product_id="rug"))
    take(engine, {**track("Page Seen", 5, "ann"), "anonymousId": "x"})
    with rebuilt(engine, 2) as then:
        assert traits_of(then).cart_count == 1
        with then.connect() as conn:
            assert conn.scalar(select(func.count()).select_from(schema.profiles)) == 1


def test_an_identify_call_is_no_visit(engine: Engine) -> None:
    take(engine, track("Page Seen", 0), identify(3, city="Oslo"))
    with rebuilt(engine, 4) as then:
        assert traits_of(then).last_seen_at == instant_at(0)


def test_nothing_before_the_first_event(engine: Engine) -> None:
    take(engine, track("Product Added", 5, product_id="lamp", price=10))
    with rebuilt(engine, 4) as then:
        assert everything(then) == {"products": {}}


def test_the_source_is_left_as_it_is(engine: Engine) -> None:
    take(engine, *history(Random(9)))
    before = everything(engine)
    with rebuilt(engine, 7):
        assert everything(engine) == before


def test_newest_event(engine: Engine) -> None:
    with engine.connect() as conn:
        assert newest_event_at(conn) is None and oldest_event_at(conn) is None
    take(engine, track("B", 3), track("A", 5), track("C", 1), identify(4, city="Oslo"))
    with engine.connect() as conn:
        assert (oldest_event_at(conn), newest_event_at(conn)) == (instant_at(1), instant_at(5))
