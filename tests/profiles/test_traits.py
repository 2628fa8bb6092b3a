"""What events add up to, by the meanings of the catalog."""

from __future__ import annotations

from typing import Any

import pytest

from profiles.traits import BROWSED, Event, State, cart_totals, fold_all
from profiles.values import MAX_CENTS


def state(*events: tuple[str, int, dict[str, Any]]) -> State:
    """The state after events, (name, hour, properties)."""
    made = [
        Event(event_id=f"e{number}", name=name, at=hour, properties=properties)
        for number, (name, hour, properties) in enumerate(events)
    ]
    return fold_all(State(), made)


LAMP: dict[str, Any] = {"product_id": "lamp", "price": 19.99, "name": "Lamp"}
RUG: dict[str, Any] = {"product_id": "rug", "price": 100}


def test_the_cart_is_what_was_added_and_not_removed() -> None:
    found = state(
        ("product_added", 1, {**LAMP, "quantity": 3}),
        ("product_added", 2, RUG),
        ("product_removed", 3, {"product_id": "lamp"}),
    )
    assert cart_totals(found) == (2 * 1999 + 10000, 3)
    assert found.cart_updated_at == 3
    assert [item["product_id"] for item in found.cart.values()] == ["lamp", "rug"]


def test_a_line_counts_at_the_latest_price() -> None:
    found = state(("product_added", 1, LAMP), ("product_added", 2, {"product_id": "lamp", "price": 9.99}))
    assert cart_totals(found) == (2 * 999, 2)


def test_variants_are_lines_of_their_own() -> None:
    found = state(
        ("product_added", 1, {**LAMP, "variant": "red"}),
        ("product_added", 2, {**LAMP, "variant": "blue"}),
        ("product_removed", 3, {"product_id": "lamp", "variant": "red"}),
    )
    assert [item["variant"] for item in found.cart.values()] == ["blue"]


def test_no_line_falls_below_zero_and_an_empty_cart_has_no_time() -> None:
    found = state(("product_added", 1, LAMP), ("product_removed", 2, {**LAMP, "quantity": 5}))
    assert (cart_totals(found), found.cart_updated_at) == ((0, 0), None)
    assert cart_totals(state(("product_removed", 1, LAMP), ("product_added", 2, LAMP)))[1] == 1


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert state(("product_added", 1, LAMP), ("product_removed", 5, RUG)).cart_updated_at == 1


def test_an_order_empties_cart_and_checkout() -> None:
    found = state(
        ("product_added", 1, LAMP),
        ("checkout_started", 2, {}),
        ("order_completed", 3, {"order_id": "o1", "total": 19.99}),
    )
    assert (cart_totals(found), found.cart_updated_at, found.checkout_step) == ((0, 0), None, None)
    assert found.orders["o1"].total == 1999


def test_an_order_told_twice_counts_once_and_leaves_the_next_cart_alone() -> None:
    order = {"order_id": "o1", "total": 50}
    found = state(("order_completed", 1, order), ("product_added", 2, LAMP), ("order_completed", 3, order))
    assert [order.total for order in found.orders.values()] == [5000]
    assert cart_totals(found)[1] == 1


@pytest.mark.parametrize(
    ("properties", "total"),
    [
        ({"total": 10, "revenue": 8}, 1000),
        ({"revenue": 8, "value": 7}, 800),
        ({"value": 7}, 700),
        ({"products": [{**LAMP, "quantity": 2}, RUG]}, 2 * 1999 + 10000),
        ({**LAMP, "quantity": 2}, 2 * 1999),
        ({"total": 0, "products": [LAMP]}, 0),
        ({}, 0),
    ],
)
def test_the_total_of_an_order(properties: dict[str, Any], total: int) -> None:
    (order,) = state(("order_completed", 1, properties)).orders.values()
    assert order.total == total


def test_orders_change_are_refunded_and_cancelled() -> None:
    placed = ("order_completed", 1, {"order_id": "o1", "products": [{**RUG, "quantity": 2}]})
    assert state(placed, ("order_updated", 2, {"order_id": "o1", "total": 150})).orders["o1"].total == 15000
    updated = state(placed, ("order_updated", 2, {"order_id": "o1", "products": [LAMP]})).orders["o1"]
    assert (updated.total, updated.items) == (1999, (("lamp", 1),))
    refunds = [
        ("order_refunded", 2, {"order_id": "o1", "total": 30}),
        ("order_refunded", 3, {"order_id": "o1", "amount": 5}),
    ]
    assert state(placed, *refunds).orders["o1"].total == 16500
    assert state(placed, ("order_refunded", 2, {"order_id": "o1", "products": [RUG]})).orders["o1"].total == 10000
    assert state(placed, ("order_refunded", 2, {"order_id": "o1"})).orders["o1"].total == 0
    assert state(placed, ("order_cancelled", 2, {"order_id": "o1"})).orders["o1"].cancelled


def test_changes_told_before_the_order_still_count() -> None:
    found = state(
        ("order_refunded", 1, {"order_id": "o1", "amount": 3}), ("order_completed", 2, {"order_id": "o1", "total": 9})
    )
    assert (found.orders["o1"].total, found.orders["o1"].at) == (600, 2)


def test_the_checkout_goes_forward_and_starts_anew() -> None:
    steps = [
        ("checkout_started", 1, {}),
        ("checkout_step_completed", 2, {"step": 3}),
        ("checkout_step_viewed", 3, {"step": 2}),
    ]
    assert state(*steps).checkout_step == 3
    assert state(*steps[:1]).checkout_step == 1
    assert state(*steps, ("checkout_started", 4, {})).checkout_step == 1
    assert state(("payment_info_entered", 1, {"step": 4})).checkout_step == 4


def test_products_viewed_are_distinct_and_the_newest_come_first() -> None:
    views = [("product_viewed", hour, {"product_id": f"p{hour % 25}", "category": "home"}) for hour in range(60)]
    found = state(*views, ("product_viewed", 60, {"product_id": "p3", "name": "Vase"}))
    assert len(found.browsed) == BROWSED
    assert [product["product_id"] for product in found.browsed[:3]] == ["p3", "p9", "p8"]
    assert found.browsed[0] == {"product_id": "p3", "category": "home", "name": "Vase"}
    assert found.category == "home"


def test_products_may_be_known_by_sku_and_those_without_an_id_are_passed_over() -> None:
    assert cart_totals(state(("product_added", 1, {"sku": "s1", "price": 1})))[1] == 1
    assert state(("product_added", 1, {"price": 1})).cart == {}


def test_sums_stay_within_the_columns() -> None:
    heaps = [("product_added", n, {"product_id": f"p{n}", "price": 10**9, "quantity": 10**6}) for n in range(100)]
    assert cart_totals(state(*heaps))[0] == MAX_CENTS
