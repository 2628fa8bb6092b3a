"""What templates see of a person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from dsl.catalog import FIELDS
from dsl.conditions import Constant
from dsl.types import Type
from profiles.person import constant, typed, values
from tests.profiles.shop import START, identify, profile_of, take, track

LAMP = {"product_id": "lamp", "name": "Lamp", "price": 19.99, "category": "home"}
NOW = START + timedelta(hours=48)


def seen(engine: Engine, *fields: str, types: dict[str, Type] | None = None, user: str = "ann") -> dict[str, Any]:
    id = profile_of(engine, "user_id", user).id
    with engine.connect() as conn:
        return values(conn, [id, 999_999], fields, as_of=NOW, types=types)[id]


def test_fields_come_as_python_values(engine: Engine) -> None:
    take(
        engine,
        identify(0, first_name="Ann", birthday="1990-12-24", email="ann@example.com", points=7),
        track("Product Added", 1, **LAMP, quantity=2),
        track("Order Completed", 0.5, order_id="1", total=30.01),
        track("Order Completed", 0.6, order_id="2", total=10),
    )
    took = seen(
        engine, "cart.total", "cart.count", "cart.updated_at", "cart.is_abandoned", "orders.average", "birthday",
        "orders.last_at", "checkout.step", "points", "nothing",
    )  # fmt: skip
    assert took.pop("profile")["first_name"] == "Ann"
    assert took == {
        "cart.total": 3998,
        "cart.count": 2,
        "cart.updated_at": START + timedelta(hours=1),
        "cart.is_abandoned": True,
        "orders.average": 2001,  # of 20.005
        "birthday": date(1990, 12, 24),
        "orders.last_at": START + timedelta(hours=0.6),
        "checkout.step": None,
        "points": 7,
        "nothing": None,
    }


def test_every_field_of_the_catalog_can_be_seen_of_somebody_unknown(engine: Engine) -> None:
    take(engine, identify(0))
    took = seen(engine, *FIELDS)
    assert {name for name in FIELDS if took[name] is not None} == {
        "created_at", "lead_temperature", "cart.total", "cart.count",
        "cart.items", "cart.is_abandoned", "orders.count", "orders.value",
        "browsing.products", "recommended.from_browsing", "recommended.from_cart", "recommended.from_orders",
        "recommended.best_sellers", "recommended.recently_viewed",
    }  # fmt: skip


def test_products_know_what_the_catalog_knows(engine: Engine) -> None:
    take(
        engine,
        track("Product Viewed", 0, "bob", **LAMP, image_url="https://shop.example/lamp.png"),
        track("Product Added", 1, product_id="lamp", quantity=2),
        track("Product Viewed", 2, product_id="rug"),
    )
    took = seen(engine, "cart.items", "browsing.last_product", "browsing.last_product.price", "browsing.products")
    assert took["cart.items"] == [
        {"product_id": "lamp", "name": "Lamp", "price": 1999, "category": "home", "brand": None,
         "image_url": "https://shop.example/lamp.png", "url": None, "quantity": 2}
    ]  # fmt: skip
    assert took["browsing.last_product"]["product_id"] == "rug"
    assert took["browsing.last_product.price"] is None
    assert [product["product_id"] for product in took["browsing.products"]] == ["rug"]


def test_recommendations(engine: Engine) -> None:
    take(engine, track("Order Completed", 0, "bob", order_id="1", products=[LAMP]), identify(1))
    assert [product["name"] for product in seen(engine, "recommended.best_sellers")["recommended.best_sellers"]] == [
        "Lamp"
    ]


def test_an_unknown_recommendation_is_a_bug(engine: Engine) -> None:
    take(engine, identify(0))
    with pytest.raises(ValueError, match=r"there is no recommendation called `recommended\.luck`"):
        seen(engine, "recommended.luck")


def test_custom_fields_are_read_as_their_types(engine: Engine) -> None:
    take(engine, identify(0, credit=12.5, joined="2026-03-01T10:00:00Z", loyalty={"tier": "gold"}, plan="trial"))
    types = {"credit": Type.MONEY, "joined": Type.TIMESTAMP, "loyalty.tier": Type.TEXT, "plan": Type.NUMBER}
    took = seen(engine, *types, types=types)
    del took["profile"]
    assert took == {
        "credit": 1250,
        "joined": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "loyalty.tier": "gold",
        "plan": None,
    }


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (19.99, Type.MONEY, 1999),
        ("19.99", Type.MONEY, None),
        (True, Type.MONEY, None),
        (3, Type.NUMBER, 3),
        (17, Type.TEXT, "17"),
        (1.5, Type.TEXT, None),
        (1, Type.YES_NO, None),
        (1_772_358_600, Type.TIMESTAMP, datetime(2026, 3, 1, 9, 50, tzinfo=UTC)),
        ("2026-03-01", Type.DATE, date(2026, 3, 1)),
        ("soon", Type.DATE, None),
        (None, Type.LIST, []),
        ([{"product_id": "x", "price": 1}, "odd"], Type.PRODUCTS,
         [{"product_id": "x", "name": None, "price": 100, "category": None, "brand": None, "image_url": None,
           "url": None}]),
        ("x", Type.PRODUCT, None),
        ({"a": 1}, Type.ANY, {"a": 1}),
    ],
)  # fmt: skip
def test_values_as_they_were_sent(value: Any, kind: Type, expected: object) -> None:
    assert typed(value, kind) == expected


def test_constants() -> None:
    assert constant(Constant(type=Type.MONEY, value=5000)) == 5000
    assert constant(Constant(type=Type.DATE, value="2026-12-24")) == date(2026, 12, 24)
    assert constant(Constant(type=Type.TIMESTAMP, value=0)) == datetime(1970, 1, 1, tzinfo=UTC)
    assert constant(Constant(type=Type.TEXT, value="x")) == "x"
