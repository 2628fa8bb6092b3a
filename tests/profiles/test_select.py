"""What conditions mean, case by case. `test_select_property` holds all of them to a second evaluator."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update

from dsl.conditions import (
    AllOf,
    AnyOf,
    Calendar,
    CanReceive,
    Compare,
    Condition,
    Constant,
    Contains,
    Field,
    HasEvent,
    Known,
    Not,
    OneOf,
    Recency,
    Window,
)
from dsl.types import Type
from profiles.select import Moment, alive, event_holds, holds, people, suppressed
from store import schema
from store.clock import DAY, HOUR, SECOND, micros
from store.engine import open_store, write

AS_OF = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
NOW = micros(AS_OF)
MOMENT = Moment(as_of=AS_OF, zone="Europe/Oslo")


def of_person(name: str, kind: Type) -> Field:
    return Field(scope="profile", name=name, type=kind)


def of_event(name: str, kind: Type) -> Field:
    return Field(scope="property", name=name, type=kind)


def is_(field: Field, value: Any) -> Compare:
    return Compare(field=field, operator="is", value=Constant(type=field.type, value=value))


def put(engine: Engine, id: int = 1, traits: dict[str, Any] | None = None, **profile: Any) -> None:
    """A person, with a row of traits if any are given."""
    row = {"id": id, "bucket": 0, "created_at": 0, "custom": {}, "set_at": {}, **profile}
    with write(engine) as conn:
        conn.execute(insert(schema.profiles), row)
        if traits is not None:
            conn.execute(insert(schema.traits), {"profile_id": id, "browsing_products": [], "cart_items": [], **traits})


def happened(engine: Engine, name: str, at: int, id: int = 1, **properties: Any) -> None:
    with write(engine) as conn:
        row = {"event_id": f"{id} {name} {at} {properties}", "body_hash": "", "profile_id": id, "name": name, "at": at,
               "received_at": at, "properties": properties}  # fmt: skip
        conn.execute(insert(schema.events), row)


def who(engine: Engine, condition: Condition, moment: Moment = MOMENT) -> set[int]:
    with engine.connect() as conn:
        statement = select(schema.profiles.c.id).select_from(people()).where(alive(), holds(condition, moment))
        return set(conn.scalars(statement))


def test_nothing_known_of_anybody(engine: Engine) -> None:
    """Sums are 0; `is not`, `is unknown` and `has no …` hold; every other comparison does not."""
    put(engine)
    city, updated = of_person("city", Type.TEXT), of_person("cart.updated_at", Type.TIMESTAMP)
    for name, kind in (("cart.total", Type.MONEY), ("cart.count", Type.NUMBER), ("orders.count", Type.NUMBER)):
        assert who(engine, is_(of_person(name, kind), 0)), name
        assert who(engine, Known(field=of_person(name, kind))), name
    assert who(engine, Compare(field=city, operator="is not", value=Constant(type=Type.TEXT, value="Oslo")))
    assert who(engine, Not(condition=Known(field=city)))
    assert who(engine, HasEvent(event="x", least=0, most=0))
    assert who(engine, HasEvent(event="x", least=0, most=5))
    assert who(engine, HasEvent(event="x", least=0, most=None))
    for condition in (
        is_(city, "Oslo"),
        OneOf(field=city, values=(Constant(type=Type.TEXT, value="Oslo"),)),
        Contains(field=city, kind="contains", text=""),
        Recency(field=updated, kind="ago", seconds=1),
        Recency(field=updated, kind="last", seconds=1),
        Calendar(field=updated, kind="before", day="2030-01-01"),
        Calendar(field=updated, kind="after", day="1980-01-01"),
        is_(of_person("cart.is_abandoned", Type.YES_NO), True),
        Compare(field=of_person("orders.average", Type.MONEY), operator=">=", value=Constant(type=Type.MONEY, value=0)),
        HasEvent(event="x", least=1, most=None),
        CanReceive(channel="email", topic="marketing"),
    ):
        assert not who(engine, condition), condition
        assert who(engine, Not(condition=condition)), condition


def test_empty_lists_of_conditions(engine: Engine) -> None:
    put(engine)
    assert who(engine, AllOf(conditions=()))
    assert not who(engine, AnyOf(conditions=()))


def test_people_who_were_merged_are_nobody(engine: Engine) -> None:
    put(engine, 1)
    put(engine, 2, merged_into=1)
    assert who(engine, AllOf(conditions=())) == {1}


def test_a_cart_is_abandoned_after_24_hours(engine: Engine) -> None:
    for id, ago in enumerate((24 * HOUR, 24 * HOUR - 1, 0), 1):
        put(engine, id, traits={"cart_count": 1, "cart_updated_at": NOW - ago})
    put(engine, 4, traits={"cart_count": 0, "cart_updated_at": NOW - 2 * DAY})
    field = of_person("cart.is_abandoned", Type.YES_NO)
    assert who(engine, is_(field, True)) == {1}
    assert who(engine, is_(field, False)) == {2, 3, 4}


def test_edges_of_recency(engine: Engine) -> None:
    offsets = (-DAY - 1, -DAY, -1, 0, 1, DAY - 1, DAY)
    for id, offset in enumerate(offsets):
        put(engine, id, traits={"last_seen_at": NOW + offset})
    field = of_person("last_seen_at", Type.TIMESTAMP)

    def those(kind: Any) -> list[int]:
        return [offsets[id] for id in sorted(who(engine, Recency(field=field, kind=kind, seconds=DAY // SECOND)))]

    assert those("ago") == [-DAY - 1]
    assert those("last") == [-DAY, -1, 0]
    assert those("next") == [0, 1, DAY - 1]


def test_more_years_ago_than_the_calendar_has(engine: Engine) -> None:
    put(engine, custom={"wedding": "1990-12-24"}, traits={"last_seen_at": 0})
    for field in (of_person("last_seen_at", Type.TIMESTAMP), of_person("wedding", Type.DATE)):
        assert who(engine, Recency(field=field, kind="last", seconds=10**15))
        assert not who(engine, Recency(field=field, kind="ago", seconds=10**15))
        assert not who(engine, Recency(field=field, kind="next", seconds=10**15))


def test_days_are_those_of_the_projects_zone(engine: Engine) -> None:
    starts = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Oslo, in winter
    ends = datetime(2026, 3, 29, 22, tzinfo=UTC)  # midnight in Oslo, in summer: the day has 23 hours
    for id, at in enumerate((micros(starts) - 1, micros(starts), micros(ends) - 1, micros(ends)), 1):
        put(engine, id, created_at=at)
    field = of_person("created_at", Type.TIMESTAMP)
    assert who(engine, Calendar(field=field, kind="before", day="2026-03-29")) == {1}
    assert who(engine, Calendar(field=field, kind="after", day="2026-03-29")) == {4}


def test_the_last_day_that_there_is(engine: Engine) -> None:
    put(engine, created_at=NOW)
    field = of_person("created_at", Type.TIMESTAMP)
    assert who(engine, Calendar(field=field, kind="before", day="9999-12-31"))
    assert not who(engine, Calendar(field=field, kind="after", day="9999-12-31"))


def test_a_day_sent_as_a_day_is_that_day_in_every_zone(engine: Engine) -> None:
    put(engine, custom={"renews": "2026-12-24"})
    field = of_person("renews", Type.TIMESTAMP)
    in_new_york = replace(MOMENT, zone="America/New_York")
    for kind in ("before", "after"):
        assert not who(engine, Calendar(field=field, kind=kind, day="2026-12-24"), in_new_york)  # type: ignore[arg-type]
    assert who(engine, Calendar(field=field, kind="before", day="2026-12-25"), in_new_york)
    assert who(engine, Calendar(field=field, kind="after", day="2026-12-23"), in_new_york)


def test_counts_of_events(engine: Engine) -> None:
    put(engine)
    for hours in (1, 2):
        happened(engine, "order_completed", NOW - hours * HOUR)
    happened(engine, "order_completed", NOW + 1)  # nobody knows of it yet
    happened(engine, "order_cancelled", NOW - HOUR)
    two: list[tuple[int, int | None]] = [(1, None), (2, None), (0, 2), (2, 2), (0, None), (1, 3)]
    others: list[tuple[int, int | None]] = [(3, None), (0, 0), (0, 1), (1, 1), (3, 4)]
    for least, most in two + others:
        found = who(engine, HasEvent(event="order_completed", least=least, most=most))
        assert bool(found) is ((least, most) in two), (least, most)


def test_edges_of_windows(engine: Engine) -> None:
    """Each with the first and the last instant inside; None where it is open."""
    starts, ends = (micros(datetime(2026, 3, day, hour, tzinfo=UTC)) for day, hour in ((27, 23), (29, 22)))
    windows: list[tuple[Window | None, int | None, int]] = [
        (None, None, NOW),
        (Window(kind="last", seconds=3600), NOW - HOUR, NOW),
        (Window(kind="before", seconds=3600), None, NOW - HOUR - 1),
        (Window(kind="entry"), NOW - 2 * HOUR + 1, NOW),
        (Window(kind="between", start="2026-03-28", end="2026-03-29"), starts, ends - 1),
        (Window(kind="between", start="2026-03-30", end="2026-04-30"), ends, NOW),
    ]
    for id in range(1, 5):
        put(engine, id, created_at=NOW - 2 * HOUR)
    moment = replace(MOMENT, entered_at=schema.profiles.c.created_at)
    for n, (window, first, last) in enumerate(windows):
        inside = -(10**15) if first is None else first
        for id, at in enumerate((inside - 1, inside, last, last + 1), 1):
            happened(engine, f"x{n}", at, id)
        expected = {1, 2, 3} if first is None else {2, 3}
        assert who(engine, HasEvent(event=f"x{n}", least=1, most=None, window=window), moment) == expected, window


def test_where_reads_the_event_and_the_person(engine: Engine) -> None:
    put(engine, traits={"orders_count": 2, "orders_value": 4000})
    happened(engine, "order_completed", NOW, total=20.01)
    above = Compare(field=of_event("total", Type.MONEY), operator=">", value=of_person("orders.average", Type.MONEY))
    assert who(engine, HasEvent(event="order_completed", least=1, most=None, where=above))
    with write(engine) as conn:
        conn.execute(update(schema.traits).values(orders_value=4002))
    assert not who(engine, HasEvent(event="order_completed", least=1, most=None, where=above))


def test_later_events_are_tied_to_the_starting_one(engine: Engine) -> None:
    put(engine)
    happened(engine, "order_completed", NOW - HOUR, order_id="A-1")
    happened(engine, "order_cancelled", NOW, order_id="A-1")
    happened(engine, "order_cancelled", NOW - 1, order_id="A-2")
    start = schema.events.alias()
    moment = replace(MOMENT, event=start.c.properties)
    same = Compare(
        field=of_event("order_id", Type.ANY),
        operator="is",
        value=Field(scope="event", name="order_id", type=Type.ANY),
    )
    statement = (
        select(schema.events.c.at)
        .join(start, start.c.name == "order_completed")
        .where(schema.events.c.name == "order_cancelled", event_holds(same, moment))
    )
    with engine.connect() as conn:
        assert conn.scalars(statement).all() == [NOW]


def test_money_in_events_is_exact_to_the_cent(engine: Engine) -> None:
    cases: list[tuple[Any, Any, int, bool]] = [
        (19.99, "is", 1999, True), (19.99, ">=", 1999, True), (19.99, ">", 1999, False), (0.1 + 0.2, "is", 30, True),
        (20, "is", 2000, True), ("19.99", "is", 1999, False), (True, "is", 100, False), (10**25, ">", 1999, True),
        (None, "<=", 10**9, False),
    ]  # fmt: skip
    put(engine)
    for n, (value, sign, amount, expected) in enumerate(cases):
        happened(engine, f"x{n}", NOW, total=value)
        constant = Constant(type=Type.MONEY, value=amount)
        where = Compare(field=of_event("total", Type.MONEY), operator=sign, value=constant)
        found = who(engine, HasEvent(event=f"x{n}", least=1, most=None, where=where))
        assert bool(found) is expected, (value, sign, amount)


def test_parts_of_texts(engine: Engine) -> None:
    cases: list[tuple[str, Any, str, bool]] = [
        ("New York", "starts_with", "NEW", True), ("Neu York", "starts_with", "New", False),
        ("50% off", "contains", "%", True), ("50 off", "contains", "0% ", False), ("a_b", "contains", "A_B", True),
        ("axb", "contains", "a_b", False), ("Ålesund", "starts_with", "å", False), ("a/b", "contains", "/", True),
        ("back\\slash", "contains", "\\S", True), ("x", "contains", "", True),
    ]  # fmt: skip
    for id, (city, _, _, _) in enumerate(cases):
        put(engine, id, city=city)
    for id, (city, kind, wanted, expected) in enumerate(cases):
        found = who(engine, Contains(field=of_person("city", Type.TEXT), kind=kind, text=wanted))
        assert (id in found) is expected, (city, kind, wanted)


def test_is_minds_case(engine: Engine) -> None:
    put(engine, city="Oslo")
    assert who(engine, is_(of_person("city", Type.TEXT), "Oslo"))
    assert not who(engine, is_(of_person("city", Type.TEXT), "oslo"))


def test_parts_of_the_last_product(engine: Engine) -> None:
    viewed = [{"product_id": "b", "price": 15000, "category": "lamps"}, {"product_id": "a", "price": 1}]
    put(engine, 1, traits={"browsing_products": viewed})
    put(engine, 2, traits={})
    assert who(engine, is_(of_person("browsing.last_product.price", Type.MONEY), 15000)) == {1}
    assert who(engine, is_(of_person("browsing.last_product.category", Type.TEXT), "lamps")) == {1}
    assert who(engine, Known(field=of_person("browsing.last_product", Type.PRODUCT))) == {1}
    assert who(engine, Known(field=of_person("browsing.products", Type.PRODUCTS))) == {1}


def test_custom_fields_inside_others(engine: Engine) -> None:
    put(engine, 1, custom={"loyalty": {"tier": "gold"}})
    put(engine, 2, custom={"loyalty.tier": "gold"})
    put(engine, 3, custom={"loyalty": "gold"})
    assert who(engine, is_(of_person("loyalty.tier", Type.TEXT), "gold")) == {1, 2}


# ── Consent ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def consent(engine: Engine, granted: bool, channel: str = "email", topic: str = "marketing") -> None:
    with write(engine) as conn:
        row = {"profile_id": 1, "channel": channel, "topic": topic, "granted": granted, "source": "test", "at": 0}
        conn.execute(insert(schema.consents), row)


def test_no_row_is_no_unless_the_project_says_otherwise(engine: Engine) -> None:
    put(engine, email="ann@example.com")
    assumed = replace(MOMENT, consent=frozenset({"email"}))
    asked = CanReceive(channel="email", topic="marketing")
    assert not who(engine, asked)
    assert who(engine, asked, assumed)
    consent(engine, granted=False)
    assert not who(engine, asked, assumed)


def test_consent_is_about_its_channel_and_topic(engine: Engine) -> None:
    put(engine, email="ann@example.com", phone="+4712345678")
    consent(engine, granted=True)
    assert who(engine, CanReceive(channel="email", topic="marketing"))
    assert not who(engine, CanReceive(channel="email", topic="offers"))
    assert not who(engine, CanReceive(channel="sms", topic="marketing"))


def test_each_channel_has_its_address(engine: Engine) -> None:
    channels: dict[str, dict[str, Any]] = {
        "email": {"email": "a@b.example"}, "sms": {"phone": "+47"}, "whatsapp": {"phone": "+47"},
        "push": {"custom": {"push_token": "t"}}, "webhook": {},
    }  # fmt: skip
    put(engine)
    for channel, address in channels.items():
        consent(engine, granted=True, channel=channel)
        asked = CanReceive(channel=channel, topic="marketing")
        assert bool(who(engine, asked)) is (channel == "webhook"), channel
        with write(engine) as conn:
            conn.execute(update(schema.profiles).values({"email": None, "phone": None, "custom": {}, **address}))
        assert who(engine, asked), channel
        with write(engine) as conn:
            conn.execute(update(schema.profiles).values({"email": None, "phone": None, "custom": {}}))


def test_a_suppressed_address_receives_nothing_on_that_channel(engine: Engine) -> None:
    put(engine, email="a@b.example", email_hash="hash", phone="+47", phone_hash="hash")
    for channel in ("email", "sms"):
        consent(engine, granted=True, channel=channel)
    with write(engine) as conn:
        conn.execute(
            insert(schema.suppressions), {"channel": "email", "address_hash": "hash", "reason": "complaint", "at": 0}
        )
    assert not who(engine, CanReceive(channel="email", topic="marketing"))
    assert who(engine, CanReceive(channel="sms", topic="marketing"))
    with engine.connect() as conn:
        assert conn.scalars(select(suppressed("email"))).all() == [True]


# ── What cannot be asked, and how it is asked ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (HasEvent(event="x", least=1, most=None, window=Window(kind="entry")), "`since entry` needs an enrollment"),
        (Known(field=Field(scope="event", name="x", type=Type.TEXT)), "`event.x` needs an enrollment"),
        (Known(field=of_event("x", Type.TEXT)), "`x` is a property of an event"),
        (Compare(field=of_person("city", Type.TEXT), operator="is", value=Constant(type=Type.NUMBER, value=1)),
         "a text cannot be compared with a number|a number cannot be compared with a text"),
        (Contains(field=of_person("cart.total", Type.MONEY), kind="contains", text="1"), "`cart.total` is of type mo"),
    ],
)  # fmt: skip
def test_what_the_compiler_lets_not_through(condition: Condition, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        holds(condition, MOMENT)


def test_indexes_are_used() -> None:
    engine = open_store("sqlite://")
    schema.metadata.create_all(engine)
    recent = Recency(field=of_person("cart.updated_at", Type.TIMESTAMP), kind="last", seconds=3600)
    windows = (
        None,
        Window(kind="last", seconds=3600),
        Window(kind="before", seconds=3600),
        Window(kind="between", start="2026-01-01", end="2026-12-31"),
    )
    counts = ((1, None), (0, 0), (3, 3))
    bought = [
        HasEvent(event="order_completed", least=least, most=most, window=window)
        for window in windows
        for least, most in counts
    ]
    asked = [(recent, "ix_traits_cart_updated_at"), *((one, "ix_events_profile_id_name_at") for one in bought)]
    for condition, index in asked:
        statement = select(schema.profiles.c.id).select_from(people()).where(alive(), holds(condition, MOMENT))
        compiled = statement.compile(engine, compile_kwargs={"literal_binds": True})
        with engine.connect() as conn:
            plan = " ".join(row.detail for row in conn.execute(text(f"EXPLAIN QUERY PLAN {compiled}")))
        assert index in plan, plan
        assert "ix_events_name_at" not in plan, plan
    engine.dispose()
