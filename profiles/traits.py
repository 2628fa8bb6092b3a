"""What a person's events add up to: cart, checkout, orders, browsing. A pure fold, over events by (time, event id).

The same events give the same state in whatever order they came in, because the caller always folds them in that order.
Meanings are those of `dsl.catalog.FIELDS`; money is in hundredths, halves rounded to the even one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from profiles.values import MAX_CENTS, cents

BROWSED = 20
"""How many products viewed are kept."""
ORDER_CHANGES = frozenset({"order_updated", "order_cancelled", "order_refunded"})
FOLDED = ORDER_CHANGES | {
    "product_viewed",
    "product_list_viewed",
    "product_list_filtered",
    "product_added",
    "product_removed",
    "checkout_started",
    "checkout_step_viewed",
    "checkout_step_completed",
    "payment_info_entered",
    "order_completed",
}
"""The events that change a trait other than `last_seen_at`."""
_MAX_COUNT = 2**31 - 1
_PARTS = ("name", "category", "brand", "image_url", "url", "variant", "sku")

Product = Mapping[str, Any]
"""product_id, name, price (hundredths), category, brand, image_url, url, variant, sku: what is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    event_id: str
    name: str
    at: int
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order, also one that was changed before it was placed (clocks differ)."""

    at: int | None = None
    """When it was completed; None: not yet, so it does not count."""
    gross: int | None = None
    """In hundredths; None: no event has told it. An update tells more than the completion."""
    refunded: int = 0
    cancelled: bool = False
    items: tuple[tuple[str, int], ...] | None = None
    """Product ids and quantities; None: no event has told them."""

    @property
    def total(self) -> int:
        """Less refunds."""
        return min(max(0, (self.gross or 0) - self.refunded), MAX_CENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    cart: Mapping[str, Product] = field(default_factory=dict)
    """By product and variant, in the order in which they were added, each with its `quantity`."""
    cart_updated_at: int | None = None
    checkout_step: int | None = None
    checkout_updated_at: int | None = None
    category: str | None = None
    browsed: tuple[Product, ...] = ()
    orders: Mapping[str, Order] = field(default_factory=dict)
    newest: tuple[int, str] | None = None
    """(at, event_id) of the newest event in it."""


def fold_all(state: State, events: Iterable[Event]) -> State:
    """Fold events in the order of their times, and of their ids at the same time."""
    for event in sorted(events, key=lambda event: (event.at, event.event_id)):
        state = fold(state, event)
    return state


def fold(state: State, event: Event) -> State:
    """The state after one more event. The event is newer than all that are in the state."""
    match event.name:
        case "product_viewed":
            state = _viewed(state, event)
        case "product_list_viewed" | "product_list_filtered":
            state = replace(state, category=_text(event.properties, "category") or state.category)
        case "product_added" | "product_removed":
            state = _carted(state, event)
        case "checkout_started":
            state = replace(state, checkout_step=1, checkout_updated_at=event.at)
        case "checkout_step_viewed" | "checkout_step_completed" | "payment_info_entered":
            step = max(state.checkout_step or 1, _step(event.properties))
            state = replace(state, checkout_step=step, checkout_updated_at=event.at)
        case "order_completed":
            state = _ordered(state, event)
        case "order_updated" | "order_cancelled" | "order_refunded":
            state = _order_changed(state, event)
    return replace(state, newest=(event.at, event.event_id))


def product_id(product: Mapping[str, Any]) -> str | None:
    """How a product is known: `product_id`, or else `sku`."""
    for key in ("product_id", "sku"):
        if isinstance(value := product.get(key), str) and value:
            return value
    return None


def product_of(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an event tells of a product, with the price in hundredths; None without an id."""
    key = product_id(properties)
    if key is None:
        return None
    product: dict[str, Any] = {"product_id": key}
    for part in _PARTS:
        if isinstance(value := properties.get(part), str) and value:
            product[part] = value
    if (price := _cents(properties, "price")) is not None:
        product["price"] = price
    return product


def cart_totals(state: State) -> tuple[int, int]:
    """The total of the cart in hundredths and its number of pieces."""
    total = sum(item.get("price", 0) * item["quantity"] for item in state.cart.values())
    count = sum(item["quantity"] for item in state.cart.values())
    return min(total, MAX_CENTS), min(count, _MAX_COUNT)


def _viewed(state: State, event: Event) -> State:
    category = _text(event.properties, "category") or state.category
    product = product_of(event.properties)
    if product is None:
        return replace(state, category=category)
    key = product["product_id"]
    known: Product = next((each for each in state.browsed if each["product_id"] == key), {})
    others = tuple(each for each in state.browsed if each["product_id"] != key)
    return replace(state, category=category, browsed=({**known, **product}, *others)[:BROWSED])


def _carted(state: State, event: Event) -> State:
    product = product_of(event.properties)
    if product is None:
        return state
    key = product["product_id"] + "\n" + product.get("variant", "")
    known = state.cart.get(key)
    quantity = event.properties.get("quantity")
    quantity = 1 if quantity is None else int(quantity)
    if event.name == "product_removed":
        left = (known["quantity"] if known else 0) - quantity
        line = {**known, "quantity": left} if known and left > 0 else None
    else:
        line = {**(known or {}), **product, "quantity": (known["quantity"] if known else 0) + quantity}
        line = line if line["quantity"] > 0 else None
    if line == known:
        return state
    cart = {**state.cart, key: line} if line else {name: item for name, item in state.cart.items() if name != key}
    return replace(state, cart=cart, cart_updated_at=event.at if cart else None)


def _ordered(state: State, event: Event) -> State:
    key = _text(event.properties, "order_id") or event.event_id
    known = state.orders.get(key, Order())
    if known.at is not None:  # told twice, by the browser and by the server: the cart of now is another one
        return state
    order = replace(
        known,
        at=event.at,
        gross=order_total(event.properties) if known.gross is None else known.gross,
        items=_items(event.properties) if known.items is None else known.items,
    )
    return replace(
        state,
        cart={},
        cart_updated_at=None,
        checkout_step=None,
        checkout_updated_at=None,
        orders={**state.orders, key: order},
    )


def _order_changed(state: State, event: Event) -> State:
    key = _text(event.properties, "order_id")
    if key is None:
        return state
    order = state.orders.get(key, Order())
    match event.name:
        case "order_cancelled":
            order = replace(order, cancelled=True)
        case "order_refunded":
            amounts = (_cents(event.properties, "total"), _cents(event.properties, "amount"))
            amount = next((each for each in amounts if each is not None), None)
            if amount is None and event.properties.get("products"):
                amount = order_total(event.properties)
            order = replace(order, refunded=MAX_CENTS if amount is None else order.refunded + amount)
        case _:
            if tells_total(event.properties):
                order = replace(order, gross=order_total(event.properties))
            if items := _items(event.properties):
                order = replace(order, items=items)
    return replace(state, orders={**state.orders, key: order})


def tells_total(properties: Mapping[str, Any]) -> bool:
    """Whether the event says what the order came to."""
    return any(properties.get(name) is not None for name in ("total", "revenue", "value", "price", "products"))


def order_total(properties: Mapping[str, Any]) -> int:
    """What an order came to, in hundredths: `total`, else `revenue` or `value`, else the sum of its products."""
    for name in ("total", "revenue", "value"):
        if (amount := _cents(properties, name)) is not None:
            return amount
    return sum((_cents(product, "price") or 0) * _quantity(product) for product in _lines(properties))


def _items(properties: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    quantities: dict[str, int] = {}
    for product in _lines(properties):
        if key := product_id(product):
            quantities[key] = min(quantities.get(key, 0) + _quantity(product), _MAX_COUNT)
    return tuple(sorted(quantities.items()))


def _lines(properties: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The products of an order: a list, or the one that the event itself describes."""
    products: list[Mapping[str, Any]] | None = properties.get("products")
    if products is None:
        return (properties,) if product_id(properties) else ()
    return products


def _quantity(product: Mapping[str, Any]) -> int:
    quantity = product.get("quantity")
    return 1 if quantity is None else int(quantity)


def _cents(properties: Mapping[str, Any], name: str) -> int | None:
    value = properties.get(name)
    return None if value is None else cents(value)


def _step(properties: Mapping[str, Any]) -> int:
    step = properties.get("step")
    return min(max(int(step), 1), _MAX_COUNT) if step is not None else 1


def _text(properties: Mapping[str, Any], name: str) -> str | None:
    value = properties.get(name)
    return value if isinstance(value, str) and value else None
