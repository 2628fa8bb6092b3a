"""The store is the same in whatever order, batches and repetitions the same calls arrive."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.profiles.shop import everything, identify, take, track, wipe

PEOPLE = ("ann", "bob", "cid")
PRODUCTS = ("lamp", "rug", "vase")


@st.composite
def who(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Some of one person's identifiers: those outside of traits, and those in traits."""
    person = draw(st.sampled_from(PEOPLE))
    kinds = draw(st.sets(st.sampled_from(("user", "device", "phone device", "email", "number")), min_size=1))
    ids: dict[str, Any] = {}
    if "user" in kinds:
        ids["userId"] = person
    if "device" in kinds:
        ids["anonymousId"] = f"{person}-laptop"
    elif "phone device" in kinds:
        ids["anonymousId"] = f"{person}-mobile"
    traits: dict[str, Any] = {}
    if "email" in kinds:
        traits["email"] = draw(st.sampled_from((f"{person}@Example.com", f"{person.upper()}@example.com")))
    if "number" in kinds:
        traits["phone"] = f"+1 415 555 010{PEOPLE.index(person)}"
    return ids, traits


@st.composite
def calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a few people did, each call with an id of its own. Times are few, so that some are the same."""
    made = []
    for _ in range(draw(st.integers(3, 16))):
        ids, traits = draw(who())
        hours = draw(st.integers(0, 6))
        price = draw(st.sampled_from((None, 10, 12.345, "7.50")))
        product = {"product_id": draw(st.sampled_from(PRODUCTS)), "category": draw(st.sampled_from(("home", "art")))}
        if price is not None:
            product["price"] = price
        order = f"{ids.get('userId') or ids.get('anonymousId') or traits}-{draw(st.integers(1, 2))}"
        event, properties = draw(
            st.sampled_from(
                (
                    ("Product Viewed", product),
                    ("Product Added", product),
                    ("Product Added", {**product, "quantity": 3}),
                    ("Product Removed", product),
                    ("Checkout Started", {}),
                    ("Checkout Step Completed", {"step": 3}),
                    ("Order Completed", {"order_id": order, "products": [product, {**product, "quantity": 2}]}),
                    ("Order Completed", {"total": 30}),
                    ("Order Updated", {"order_id": order, "total": 99.99}),
                    ("Order Refunded", {"order_id": order, "amount": 5}),
                    ("Order Cancelled", {"order_id": order}),
                    ("Lamp Lit", {"bright": True}),
                )
            )
        )
        if draw(st.integers(0, 3)) == 0:
            city = draw(st.sampled_from(("Oslo", "Rome", None)))
            consent = {"email_consent": draw(st.booleans())} if draw(st.booleans()) else {}
            made.append(identify(hours, ids, city=city, pet=draw(st.sampled_from(("cat", "dog"))), **traits, **consent))
        else:
            device = draw(st.sampled_from(("mobile", "desktop")))
            context = {"traits": traits, "device": {"type": device}}
            made.append({**track(event, hours, ids, **properties), "context": context})
    return made


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=calls(), seed=st.randoms(use_true_random=False))
def test_any_order_gives_the_same(engine: Engine, calls: list[dict[str, Any]], seed: random.Random) -> None:
    wipe(engine)
    ordered = sorted(calls, key=lambda call: (call["timestamp"], call["messageId"]))
    result = take(engine, *ordered)
    assert result.counts.imported == len(calls)
    expected = everything(engine)

    wipe(engine)
    arriving = [*calls, *seed.choices(calls, k=len(calls) // 3)]
    seed.shuffle(arriving)
    imported = duplicates = 0
    while arriving:
        size = seed.randint(1, 5)
        counts = take(engine, *arriving[:size]).counts
        imported, duplicates = imported + counts.imported, duplicates + counts.duplicates
        arriving = arriving[size:]
    assert (imported, duplicates) == (len(calls), len(calls) // 3)
    assert everything(engine) == expected
