"""What is offered to whom. A small shop: products a … h; the expectations are counted by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, insert, select, update

from dsl.conditions import Compare, Constant, Field, Known, Not
from dsl.types import Type
from profiles.recommend import KINDS, Kind, recommend, shelf_at
from profiles.select import Moment, holds, people
from store import schema
from store.clock import DAY, micros
from store.engine import write

AS_OF = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
NOW = micros(AS_OF)
CATEGORIES = {"a": "lamps", "b": "lamps", "c": "rugs", "d": "rugs", "e": "vases", "f": "vases", "g": "lamps", "h": None}


def fill(
    engine: Engine,
    *,
    orders: Iterable[tuple[int, str, int]] = (),
    carts: Mapping[int, str] | None = None,
    viewed: Mapping[int, str] | None = None,
) -> None:
    """`orders`: person, products by letter, days ago. People 1 … 9."""
    order_rows = [
        {"order_id": f"o{n}", "product_id": product, "profile_id": who, "at": NOW - ago * DAY, "quantity": 1}
        for n, (who, bought, ago) in enumerate(orders)
        for product in bought
    ]
    with write(engine) as conn:
        conn.execute(
            insert(schema.products),
            [
                {"product_id": id, "name": id.upper(), "price": 1999, "category": category, "seen_at": 0}
                for id, category in CATEGORIES.items()
            ],
        )
        people = [{"id": id, "bucket": 0, "created_at": 0, "custom": {}, "set_at": {}} for id in range(1, 10)]
        conn.execute(insert(schema.profiles), people)
        conn.execute(
            insert(schema.traits),
            [
                {
                    "profile_id": id,
                    "cart_items": [{"product_id": each, "quantity": 1} for each in (carts or {}).get(id, "")],
                    "browsing_products": [{"product_id": each} for each in (viewed or {}).get(id, "")],
                }
                for id in range(1, 9)  # nobody knows anything of 9
            ],
        )
        if order_rows:
            conn.execute(insert(schema.order_items), order_rows)


def offered(engine: Engine, kind: Kind, *people: int, **more: Any) -> dict[int, str]:
    """The ids of the products offered, as one word."""
    with engine.connect() as conn:
        found = recommend(conn, kind, people, as_of=AS_OF, **more)
    return {id: "".join(product["product_id"] for product in products) for id, products in found.items()}


def test_best_sellers_of_thirty_days(engine: Engine) -> None:
    fill(engine, orders=[(5, "ab", 1), (6, "a", 29), (7, "c", 0), (8, "d", 31), (8, "d", 40), (8, "e", -1)])
    assert offered(engine, "best_sellers", 1) == {1: "abc"}


def test_a_tie_goes_by_product_id(engine: Engine) -> None:
    fill(engine, orders=[(5, "fedcba", 1)])
    assert offered(engine, "best_sellers", 1, limit=3) == {1: "abc"}


def test_bought_together_by_the_number_of_orders(engine: Engine) -> None:
    fill(
        engine,
        orders=[(5, "ae", 400), (6, "ae", 1), (7, "ac", 1), (8, "bf", 1), (8, "bf", 1), (8, "bf", 1)],
        carts={1: "a", 2: "ab"},
    )
    assert offered(engine, "from_cart", 1, 2, limit=2) == {1: "ec", 2: "fe"}


def test_filled_up_with_the_category_and_then_the_shop(engine: Engine) -> None:
    fill(engine, orders=[(5, "c", 1), (6, "c", 1), (7, "g", 1), (8, "ad", 1)], viewed={1: "b", 2: "h"})
    assert offered(engine, "from_browsing", 1, 2, 9) == {1: "agcd", 2: "cadg", 9: "cadg"}


def test_never_what_is_in_the_cart_or_was_ever_bought(engine: Engine) -> None:
    orders = [(5, "abcdefgh", 1), (1, "b", 900), (2, "c", 5)]
    fill(engine, orders=orders, carts={1: "a", 2: "d"}, viewed={1: "abe", 2: "cdf"})
    for kind in KINDS:
        found = offered(engine, kind, 1, 2, limit=8)  # type: ignore[arg-type]
        assert not set(found[1]) & set("ab"), kind
        assert not set(found[2]) & set("cd"), kind


def test_what_was_viewed_goes_with_itself_only_under_recently_viewed(engine: Engine) -> None:
    fill(engine, orders=[(5, "efa", 1)], viewed={1: "ef"})
    assert offered(engine, "from_browsing", 1) == {1: "a"}
    assert offered(engine, "recently_viewed", 1) == {1: "ef"}


def test_recently_viewed_the_newest_first(engine: Engine) -> None:
    fill(engine, viewed={1: "hgfedcba"}, carts={1: "g"})
    assert offered(engine, "recently_viewed", 1, 9) == {1: "hfed", 9: ""}


def test_from_orders(engine: Engine) -> None:
    fill(engine, orders=[(1, "a", 50), (5, "ab", 40), (6, "ac", 40), (7, "ac", 1)])
    assert offered(engine, "from_orders", 1, limit=2) == {1: "cb"}


@pytest.mark.parametrize("missing", ["name", "price"])
def test_products_without_name_or_price_are_not_offered(engine: Engine, missing: str) -> None:
    fill(engine, orders=[(5, "ae", 1), (6, "ab", 1)], viewed={1: "a", 2: "e"})
    with write(engine) as conn:
        conn.execute(update(schema.products).where(schema.products.c.product_id == "e").values({missing: None}))
        conn.execute(delete(schema.products).where(schema.products.c.product_id == "h"))
    assert offered(engine, "from_browsing", 1) == {1: "b"}
    assert offered(engine, "best_sellers", 1) == {1: "ab"}
    assert offered(engine, "recently_viewed", 2) == {2: ""}


def test_the_future_is_not_known(engine: Engine) -> None:
    fill(engine, orders=[(5, "ae", -1), (1, "b", -1)], viewed={1: "ab"})
    assert offered(engine, "from_browsing", 1) == {1: ""}
    assert offered(engine, "recently_viewed", 1) == {1: "ab"}


def test_a_product_as_templates_get_it(engine: Engine) -> None:
    fill(engine, orders=[(5, "a", 1)])
    with engine.connect() as conn:
        assert recommend(conn, "best_sellers", [1], as_of=AS_OF)[1] == [
            {"product_id": "a", "name": "A", "price": 1999, "category": "lamps", "brand": None, "image_url": None,
             "url": None}
        ]  # fmt: skip


def test_a_shelf_counts_once(engine: Engine) -> None:
    fill(engine, orders=[(5, "ae", 1)], viewed={1: "a", 2: "a"})
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with engine.connect() as conn:
        shelf = shelf_at(conn, AS_OF)
        first = recommend(conn, "from_browsing", [1], as_of=AS_OF, shelf=shelf)
        asked = len(statements)
        assert recommend(conn, "from_browsing", [2], as_of=AS_OF, shelf=shelf)[2] == first[1]
        assert len(statements) - asked == 3  # orders, traits, products: nothing is counted again
        assert recommend(conn, "from_browsing", [2], as_of=AS_OF) == {2: first[1]}


def test_thousands_of_people_in_one_call(engine: Engine) -> None:
    fill(engine, orders=[(5, "a", 1)])
    assert set(offered(engine, "best_sellers", *range(1, 3000)).values()) == {"a", ""}
    with engine.connect() as conn:
        assert conn.scalar(select(schema.profiles.c.id).limit(1)) == 1


def test_known_is_whether_something_is_offered(engine: Engine) -> None:
    fill(
        engine,
        orders=[(5, "abc", 1), (1, "abc", 2), (6, "cd", 60), (2, "ab", 1)],
        carts={2: "c", 3: "a"},
        viewed={3: "abc", 4: "ab", 5: "h", 6: "abc"},
    )
    moment = Moment(as_of=AS_OF, zone="UTC")
    people_1_to_9 = range(1, 10)
    for kind in KINDS:
        asked = Field(scope="profile", name=f"recommended.{kind}", type=Type.PRODUCTS)
        with engine.connect() as conn:
            ids = select(schema.profiles.c.id).select_from(people()).where(holds(Known(field=asked), moment))
            known = set(conn.scalars(ids))
            unknown = holds(Not(condition=Known(field=asked)), moment)
            assert set(conn.scalars(select(schema.profiles.c.id).select_from(people()).where(unknown))) == (
                set(people_1_to_9) - known
            )
        found = {id for id, offer in offered(engine, kind, *people_1_to_9).items() if offer}  # type: ignore[arg-type]
        assert known and known != set(people_1_to_9), kind
        only_together = {"from_browsing": {3}, "from_cart": {2}, "from_orders": {1, 5}}
        assert found - known == only_together.get(kind, set()), f"{kind}: offered, but not promised"
        assert known <= found, kind


def test_recommendations_are_not_compared() -> None:
    asked = Field(scope="profile", name="recommended.best_sellers", type=Type.PRODUCTS)
    moment = Moment(as_of=AS_OF, zone="UTC")
    with pytest.raises(ValueError, match="cannot be compared"):
        holds(Compare(field=asked, operator="is", value=Constant(type=Type.TEXT, value="x")), moment)
    with pytest.raises(ValueError, match=r"no recommendation called `recommended\.luck`"):
        holds(Known(field=Field(scope="profile", name="recommended.luck", type=Type.PRODUCTS)), moment)
