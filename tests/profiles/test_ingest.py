"""What ingestion keeps, refuses and recognises."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from dsl.types import Type
from profiles.ingest import ingest_batch
from profiles.seen import seen_events
from store.addresses import address_hash
from store.clock import micros
from store.engine import open_store, write
from store.errors import StoreError
from store.schema import events, order_items, orders, products
from tests.profiles.shop import RULES, START, identify, instant_at, profile_of, read, take, track, traits_of


def test_a_call_seen_before_is_a_duplicate_and_another_with_its_id_a_conflict(engine: Engine) -> None:
    call = track("Product Added", 0, product_id="lamp", price=5)
    other = {**call, "event": "Product Removed"}
    assert [outcome.kind for outcome in take(engine, call, call, other).outcomes] == [
        "imported",
        "duplicate",
        "rejected",
    ]
    result = take(engine, call, other)
    assert [outcome.kind for outcome in result.outcomes] == ["duplicate", "rejected"]
    assert "was used before for a call that says something else" in (result.outcomes[1].reason or "")
    assert (result.counts.read, result.counts.duplicates, result.counts.rejected) == (2, 1, 1)
    assert traits_of(engine).cart_count == 1


def test_another_currency_is_refused_with_both_names(engine: Engine) -> None:
    (outcome,) = take(engine, track("Order Completed", 0, order_id="o1", total=5, currency="EUR")).outcomes
    assert outcome.kind == "rejected"
    assert '`currency` is "EUR", but this store counts in USD.' in (outcome.reason or "")
    assert take(engine, track("Order Completed", 0, order_id="o1", total=5, currency="usd")).counts.imported == 1


@pytest.mark.parametrize(
    ("traits", "reason"),
    [
        ({"email": "ann at example"}, '`email` is "ann at example", which is not an address'),
        ({"email": 5}, "`email` is 5; it must be a text."),
        ({"phone": "12"}, '`phone` is "12", which'),
        ({"birthday": "24.12.1990"}, "Write it like 1990-12-24."),
        ({"created_at": "2026-01-01"}, "which has no time zone"),
        ({"first_name": ["Ann"]}, '`first_name` is ["Ann"]; it must be a text.'),
    ],
)
def test_traits_that_cannot_be_read_are_refused(engine: Engine, traits: dict[str, Any], reason: str) -> None:
    (outcome,) = take(engine, identify(0, **traits)).outcomes
    assert outcome.kind == "rejected"
    assert reason in (outcome.reason or "")


def test_traits_fill_the_profile(engine: Engine) -> None:
    told = {
        "email": "Ann@Example.com",
        "phone": "+47 22 22 55 55",
        "firstName": "Ann",
        "last_name": "Lee",
        "address": {"country": "no", "city": "Oslo", "street": "Storgata 1"},
        "locale": "nb-NO",
        "timezone": "Europe/Oslo",
        "birthday": "1990-12-24T00:00:00Z",
        "createdAt": "2025-01-01T00:00:00Z",
        "favoriteColor": "red",
        "name": "Ann Lee",
    }
    take(engine, {**identify(0, **told), "context": {"device": {"type": "iOS"}}})
    ann = profile_of(engine, "user_id", "ann")
    assert (ann.email, ann.phone, ann.first_name, ann.last_name) == ("Ann@example.com", "+4722225555", "Ann", "Lee")
    assert (ann.country, ann.city, ann.language, ann.time_zone) == ("NO", "Oslo", "nb", "Europe/Oslo")
    assert (ann.birthday, ann.device) == ("1990-12-24", "mobile")
    assert ann.created_at == micros(datetime(2025, 1, 1, tzinfo=UTC))
    assert ann.custom == {"favorite_color": "red", "name": "Ann Lee", "address": told["address"]}
    assert ann.email_hash == address_hash("ann@example.com", RULES.hash_key)
    assert ann.phone_hash == address_hash("+4722225555", RULES.hash_key)


def test_the_newest_trait_wins_and_null_takes_it_away(engine: Engine) -> None:
    take(engine, identify(2, city="Rome", pet="cat"))
    take(engine, identify(1, city="Oslo"), identify(3, pet=None), identify(2.5, pet="dog"))
    ann = profile_of(engine, "user_id", "ann")
    assert (ann.city, ann.custom) == ("Rome", {})


def test_a_zone_that_does_not_exist_is_passed_over(engine: Engine) -> None:
    take(engine, identify(1, timezone="Europe/Oslo"), identify(2, timezone="Middle/Earth"))
    assert profile_of(engine, "user_id", "ann").time_zone == "Europe/Oslo"


def test_a_copy_of_the_customer_file_is_no_visit(engine: Engine) -> None:
    take(engine, track("Page Turned", 1), identify(9, city="Oslo"))
    assert traits_of(engine).last_seen_at == instant_at(1)
    assert profile_of(engine, "user_id", "ann").created_at == instant_at(1)


def test_orders_are_kept_with_their_items(engine: Engine) -> None:
    lines = [{"product_id": "lamp", "price": 20, "quantity": 2}, {"product_id": "rug", "price": "5.50"}]
    take(engine, track("Order Completed", 1, order_id="o1", products=lines), track("Order Completed", 2, total=7))
    take(
        engine,
        track("Order Cancelled", 3, order_id="o1"),
        track("Order Completed", 4, order_id="o2", products=lines[:1]),
    )
    row = traits_of(engine)
    assert (row.orders_count, row.orders_value, row.orders_last_total) == (2, 4700, 4000)
    assert (row.orders_first_at, row.orders_last_at) == (instant_at(2), instant_at(4))
    with engine.connect() as connection:
        kept = connection.execute(select(orders.c.total, orders.c.cancelled).order_by(orders.c.at)).all()
        items = connection.execute(
            select(order_items.c.order_id, order_items.c.product_id, order_items.c.quantity)
        ).all()
    assert list(map(tuple, kept)) == [(4550, True), (700, False), (4000, False)]
    assert list(map(tuple, items)) == [("o2", "lamp", 2)]


def test_products_are_known_by_their_newest_values(engine: Engine) -> None:
    take(engine, track("Product Viewed", 3, product_id="lamp", price=18, category="home"))
    take(
        engine,
        track("Product Viewed", 1, product_id="lamp", price=20, name="Lamp", image_url="https://a.example/l.png"),
    )
    take(engine, track("Order Completed", 2, products=[{"product_id": "lamp", "price": 19, "brand": "Lux"}]))
    with engine.connect() as connection:
        (row,) = connection.execute(select(products)).all()
    assert (row.name, row.price, row.category, row.brand) == ("Lamp", 1800, "home", "Lux")
    assert (row.image_url, row.seen_at) == ("https://a.example/l.png", instant_at(3))


def test_what_was_seen_is_told_with_its_properties(engine: Engine) -> None:
    take(engine, track("Lamp Lit", 0, bright=True), track("Lamp Lit", 1, watts=5), track("Ann Waved", 2), identify(3))
    with engine.connect() as connection:
        assert seen_events(connection) == {"ann_waved": {}, "lamp_lit": {"bright": Type.ANY, "watts": Type.ANY}}


def test_nothing_seen_is_told_as_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        assert seen_events(connection) == {}


def test_looking_for_names_does_not_read_all_events(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by the size of the table, which is nothing here")
    take(engine, *[track("Lamp Lit", number) for number in range(50)])
    statement = "EXPLAIN QUERY PLAN SELECT min(name) FROM events WHERE name > 'lamp_lit'"
    with engine.connect() as connection:
        (row,) = connection.exec_driver_sql(statement).all()
    assert "SEARCH" in row[-1]
    assert "ix_events_name_at" in row[-1]


def test_a_failing_batch_leaves_nothing(engine: Engine) -> None:
    """The batch is one transaction: an impossible row in it takes all of it back."""
    good = track("Lamp Lit", 0)
    take(engine, good)
    with pytest.raises(ZeroDivisionError), write(engine) as connection:
        ingest_batch(connection, read(track("Lamp Lit", 1), identify(2, city="Oslo")), rules=RULES, received_at=START)
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(events)) == 1


def test_a_locked_store_is_told_as_such(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's writers wait for each other row by row")
    hasty = open_store(str(engine.url), busy_seconds=0.05)
    with write(engine), pytest.raises(StoreError, match="Another program is writing to the store"):
        take(hasty, track("Lamp Lit", 0))
