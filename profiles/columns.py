"""Which field of the person is which SQL expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, case, func, literal, literal_column

from dsl.types import Type
from profiles.scores import RANKED, score, temperature
from store.clock import HOUR
from store.json import Path
from store.schema import profiles, traits

ABANDONED = 24 * HOUR
"""How long a cart lies untouched until it counts as abandoned, in microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field in a column of its own. `expression` is NULL when the field is unknown."""

    type: Type
    expression: ColumnElement[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A field inside JSON. Of several paths the first that holds the value counts."""

    document: ColumnElement[Any]
    paths: tuple[Path, ...]
    in_hundredths: bool = False
    """Money in it is in hundredths, as traits keep it, and not in major units, as shops send it."""


def people() -> FromClause:
    """Profiles with their traits; people without a row of traits too. `alive` leaves out those merged into others."""
    return profiles.outerjoin(traits, traits.c.profile_id == profiles.c.id)


def alive() -> ColumnElement[bool]:
    """Of a row of `people`: it is a person, and not one who was found to be somebody else in the store."""
    return profiles.c.merged_into.is_(None)


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, 0)


def average(value: ColumnElement[Any], count: ColumnElement[Any]) -> ColumnElement[Any]:
    """Whole hundredths per order, a half away from zero; NULL without an order."""
    return case((count > 0, func.round(value * literal_column("1.0") / count, type_=BigInteger())))


PLAIN: Mapping[str, Column] = {
    **{
        name: Column(type=Type.TEXT, expression=profiles.c[name])
        for name in (
            "email", "phone", "first_name", "last_name", "country", "city", "language", "time_zone", "device"
        )
    },
    "birthday": Column(type=Type.DATE, expression=profiles.c.birthday),
    "created_at": Column(type=Type.TIMESTAMP, expression=profiles.c.created_at),
    "last_seen_at": Column(type=Type.TIMESTAMP, expression=traits.c.last_seen_at),
    "cart.total": Column(type=Type.MONEY, expression=_sum(traits.c.cart_total)),
    "cart.count": Column(type=Type.NUMBER, expression=_sum(traits.c.cart_count)),
    "cart.updated_at": Column(type=Type.TIMESTAMP, expression=traits.c.cart_updated_at),
    "checkout.step": Column(type=Type.NUMBER, expression=traits.c.checkout_step),
    "checkout.updated_at": Column(type=Type.TIMESTAMP, expression=traits.c.checkout_updated_at),
    "orders.count": Column(type=Type.NUMBER, expression=_sum(traits.c.orders_count)),
    "orders.value": Column(type=Type.MONEY, expression=_sum(traits.c.orders_value)),
    "orders.average": Column(
        type=Type.MONEY, expression=average(traits.c.orders_value, traits.c.orders_count)
    ),
    "orders.first_at": Column(type=Type.TIMESTAMP, expression=traits.c.orders_first_at),
    "orders.last_at": Column(type=Type.TIMESTAMP, expression=traits.c.orders_last_at),
    "orders.last_total": Column(type=Type.MONEY, expression=traits.c.orders_last_total),
    "browsing.last_category": Column(type=Type.TEXT, expression=traits.c.browsing_last_category),
}  # fmt: skip

_DOCUMENTS: Mapping[str, Document] = {
    "cart.items": Document(document=traits.c.cart_items, paths=((),)),
    "browsing.products": Document(document=traits.c.browsing_products, paths=((),)),
    "browsing.last_product": Document(document=traits.c.browsing_products, paths=((0,),)),
}
LAST_PRODUCT = "browsing.last_product."
RECOMMENDED = "recommended."


def nested(name: str) -> tuple[Path, ...]:
    """Where `loyalty.tier` may lie: under that very name, or as `tier` inside `loyalty`."""
    return ((name,), tuple(name.split("."))) if "." in name else ((name,),)


def profile_field(name: str, as_of: int) -> Column | Document:
    """Where a field of the person is found; fields that are not the product's own are custom ones.

    Raises ValueError for `recommended.…`: computed for a message, it can only be asked for whether it is known.
    """
    if name == "cart.is_abandoned":
        lying = and_(_sum(traits.c.cart_count) > 0, traits.c.cart_updated_at.is_not(None))
        left = and_(lying, traits.c.cart_updated_at <= literal(as_of - ABANDONED, traits.c.cart_updated_at.type))
        return Column(type=Type.YES_NO, expression=left)
    if name == "lead_temperature":
        return Column(type=Type.TEXT, expression=temperature(as_of))
    if name in RANKED:
        return Column(type=Type.NUMBER, expression=score(RANKED[name], people(), alive()))
    if name in PLAIN:
        return PLAIN[name]
    if name in _DOCUMENTS:
        return _DOCUMENTS[name]
    if name.startswith(LAST_PRODUCT):
        part = name.removeprefix(LAST_PRODUCT)
        return Document(document=traits.c.browsing_products, paths=((0, part),), in_hundredths=True)
    if name.startswith(RECOMMENDED):
        raise ValueError(f"`{name}` is computed for each message and cannot be compared")
    return Document(document=profiles.c.custom, paths=nested(name))
