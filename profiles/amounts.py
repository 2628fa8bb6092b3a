"""The amounts in the properties of Segment's e-commerce events: numbers, bounded, never negative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from profiles.traits import order_total, tells_total
from profiles.values import MAX_ID, CallError, amount_of, number_of, object_of, quantity_of, shown, snake_case

PRODUCT_EVENTS = frozenset(
    {
        "product_viewed",
        "product_clicked",
        "product_added",
        "product_removed",
        "product_added_to_wishlist",
        "product_removed_from_wishlist",
        "wishlist_product_added_to_cart",
        "product_shared",
        "product_reviewed",
    }
)
ORDER_EVENTS = frozenset(
    {"checkout_started", "order_completed", "order_updated", "order_refunded", "order_cancelled", "cart_viewed"}
)
STEP_EVENTS = frozenset({"checkout_step_viewed", "checkout_step_completed", "payment_info_entered"})
LIST_EVENTS = frozenset({"product_list_viewed", "product_list_filtered", "cart_shared"})
_HELD = PRODUCT_EVENTS | ORDER_EVENTS | STEP_EVENTS | LIST_EVENTS
_MONEY = ("price", "total", "revenue", "value", "subtotal", "amount")
_SIGNED = ("shipping", "tax", "discount")
_NUMBERS = ("step", "rating")
_NAMES = ("product_id", "sku", "order_id", "variant", "category", "brand")
_SHORT = ("name", "currency")


def with_amounts(event: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with numeric texts as numbers, ids as texts, and an order's total where its products tell it.

    Raises CallError with the property's name.

    Only for events of the e-commerce specification: what the properties of a shop's own events mean is not known.
    """
    if event not in _HELD:
        return properties
    made = _amounts("", properties)
    if (products := properties.get("products")) is not None:
        if not isinstance(products, list):
            raise CallError(f"`products` is {shown(products)}; it must be a list of objects.")
        made["products"] = [
            _amounts(f"products[{n}].", _named(object_of(f"products[{n}]", product)))
            for n, product in enumerate(products)
        ]
    if event == "order_completed" and made.get("total") is None and tells_total(made):
        # Conditions and templates read `total`; traits count it up from the products all the same.
        made["total"] = order_total(made) / 100
    return made


def _named(product: Mapping[str, Any]) -> dict[str, Any]:
    return {key if key.islower() else snake_case(key): value for key, value in product.items()}


def _amounts(place: str, given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    for key in given.keys() & _KNOWN:
        value = given[key]
        if value is None:
            continue
        field = place + key
        if key == "quantity":
            made[key] = quantity_of(field, value)
        elif key in _MONEY:
            made[key] = amount_of(field, value)
        elif key in _SIGNED:
            made[key] = amount_of(field, value, negative=True)
        elif key in _NUMBERS:
            made[key] = number_of(field, value)
        else:
            made[key] = _text(field, value)
    return made


def _text(field: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise CallError(f"`{field}` is {shown(value)}; it must be a text.")
    if len(value) > MAX_ID:
        raise CallError(f"`{field}` is longer than {MAX_ID} characters.")
    return value


_KNOWN = frozenset((*_MONEY, *_SIGNED, *_NUMBERS, *_NAMES, *_SHORT, "quantity"))


def is_standard(event: str) -> bool:
    """Whether the event is one of the e-commerce specification, whose amounts are known."""
    return event in _HELD
