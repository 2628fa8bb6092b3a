"""The shop's products, as its events describe them: per column the newest word counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from profiles.attributes import put
from profiles.traits import Event, product_of
from store.schema import products
from store.upsert import chunks, upsert

PARTS = ("name", "price", "category", "brand", "image_url", "url")
"""What is known of a product beside its id."""
_DESCRIBING = frozenset(
    {
        "product_viewed",
        "product_clicked",
        "product_added",
        "product_added_to_wishlist",
        "wishlist_product_added_to_cart",
        "product_shared",
        "cart_viewed",
        "checkout_started",
        "order_completed",
        "order_updated",
        "product_list_viewed",
        "product_list_filtered",
    }
)


def note_products(connection: Connection, batch: Iterable[Event]) -> None:
    """Bring `products` up to date with what these events tell of products."""
    told: dict[str, tuple[dict[str, Any], dict[str, int]]] = {}
    for event in batch:
        if event.name in _DESCRIBING:
            for properties in (event.properties, *(event.properties.get("products") or ())):
                if product := product_of(properties):
                    values, set_at = told.setdefault(product["product_id"], ({}, {}))
                    for name in PARTS:
                        if name in product:
                            put(values, set_at, name, product[name], event.at)
                    set_at["seen"] = max(set_at.get("seen", 0), event.at)
    rows = []
    for some in chunks(sorted(told)):
        known = {
            row.product_id: row for row in connection.execute(select(products).where(products.c.product_id.in_(some)))
        }
        for key in some:
            values, set_at = told[key]
            if row := known.get(key):
                values, set_at = _merged(values, set_at, row)
            seen = set_at.pop("seen")
            rows.append(
                {"product_id": key, **{name: values.get(name) for name in PARTS}, "seen_at": seen, "set_at": set_at}
            )
    upsert(connection, products, rows)


def _merged(values: dict[str, Any], set_at: dict[str, int], row: Any) -> tuple[dict[str, Any], dict[str, int]]:
    known = {name: value for name in PARTS if (value := getattr(row, name)) is not None}
    known_at = dict(row.set_at or dict.fromkeys(known, row.seen_at))
    for name, value in values.items():
        put(known, known_at, name, value, set_at[name])
    return known, {**known_at, "seen": max(set_at["seen"], row.seen_at)}
