"""What a template or an argument sees of a person: Python values, money in whole hundredths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Connection, select

from dsl.catalog import STAGE
from dsl.conditions import JSON, Constant
from dsl.types import Type
from profiles.columns import LAST_PRODUCT, PLAIN, RECOMMENDED, Column, nested, people, profile_field
from profiles.moment import Moment
from profiles.products import PARTS
from profiles.recommend import KINDS, LIMIT, Kind, Shelf, recommend, shelf_at
from profiles.select import stage
from profiles.values import cents
from store import json
from store.clock import instant, micros
from store.schema import events, products, profiles, traits
from store.upsert import chunks

_PARTS = ("product_id", *PARTS)
_TRAIT_LISTS = ("cart.items", "browsing.products", "browsing.last_product")


def values(
    conn: Connection,
    profile_ids: Iterable[int],
    fields: Iterable[str],
    *,
    as_of: datetime,
    types: Mapping[str, Type] | None = None,
    limit: int = LIMIT,
    shelf: Shelf | None = None,
    moment: Moment | None = None,
) -> dict[int, dict[str, Any]]:
    """For each person that there is, the fields asked for by their names, and `profile`: all single fields by name, and
    the shop's own traits.

    Money is a whole number of hundredths, a timestamp an aware datetime, a date a `date`, a product a dict (see
    `product_value`), an unknown value None, an unknown list empty. `types`: those of custom fields; one that is not
    there comes as it was sent. `limit` and `shelf` are for `recommended.…`: see `profiles.recommend`. `moment`, with a
    lifecycle, is for `stage`.
    """
    names = list(dict.fromkeys(fields))
    asked = [name for name in names if not name.startswith(RECOMMENDED)]
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(dict.fromkeys(profile_ids)):
        found.update(_read(conn, some, asked, types or {}, micros(as_of), moment))
    recommended = [name for name in names if name.startswith(RECOMMENDED)]
    if recommended:
        shelf = shelf or shelf_at(conn, as_of)
    for name in recommended:
        kind = name.removeprefix(RECOMMENDED)
        if kind not in KINDS:
            raise ValueError(f"there is no recommendation called `{name}`")
        offers = recommend(conn, cast("Kind", kind), found, as_of=as_of, limit=limit, shelf=shelf)
        for id, offer in offers.items():
            found[id][name] = offer
    return found


def typed(value: JSON, kind: Type) -> Any:
    """A JSON value as it was sent — of a custom field, or of an event's properties — as a Python value of the type.

    None when it is of another type, an empty list where a list is meant. Money is sent in units of the currency and
    comes back in hundredths.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case Type.MONEY:
            return cents(cast("float", value)) if number else None
        case Type.NUMBER | Type.PERCENT | Type.DURATION:
            return value if number else None
        case Type.TEXT | Type.TIME:
            return str(value) if isinstance(value, str) or (number and isinstance(value, int)) else None
        case Type.YES_NO:
            return value if isinstance(value, bool) else None
        case Type.TIMESTAMP:
            at = json.instant_of(value)
            return None if at is None else instant(at)
        case Type.DATE:
            day = json.day_of(value)
            return None if day is None else date.fromisoformat(day)
        case Type.LIST:
            return value if isinstance(value, list) else []
        case Type.PRODUCTS:
            return [_sent(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        case Type.PRODUCT:
            return _sent(value) if isinstance(value, dict) else None
    return value


def constant(value: Constant) -> Any:
    """The Python value of a constant in a plan."""
    match value.type:
        case Type.TIMESTAMP:
            return instant(cast("int", value.value))
        case Type.DATE:
            return date.fromisoformat(cast("str", value.value))
    return value.value


def product_value(product: Mapping[str, Any], catalog: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A product of the traits (price in hundredths) as templates see it: {product_id, name, price, category, brand,
    image_url, url}, in a cart `quantity` too, and what else is known; parts that are not, from the catalog or None."""
    known = {**catalog.get(product["product_id"], {}), **product}
    return {**dict.fromkeys(_PARTS), **known}


def _read(
    conn: Connection,
    ids: Sequence[int],
    names: Sequence[str],
    types: Mapping[str, Type],
    now: int,
    moment: Moment | None,
) -> dict[int, dict[str, Any]]:
    columns = {name: place for name in (*PLAIN, *names) if isinstance(place := profile_field(name, now), Column)}
    if moment is not None and moment.lifecycle:
        columns[STAGE] = Column(type=Type.TEXT, expression=stage(moment))
    lists = (traits.c.cart_items, traits.c.browsing_products)
    expressions = {name: place.expression for name, place in columns.items()}
    statement = (
        select(profiles.c.id, profiles.c.custom, *lists, *(each.label(name) for name, each in expressions.items()))
        .select_from(people())
        .where(profiles.c.id.in_(ids))
    )
    rows: list[Mapping[str, Any]] = [dict(row._mapping) for row in conn.execute(statement)]
    catalog = _catalog(conn, rows) if any(_of_traits(name) for name in names) else {}
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        shown = {name: _stored(row[name], place.type) for name, place in columns.items()}
        person: dict[str, Any] = {"profile": {**row["custom"], **shown}}
        for name in names:
            if name in columns:
                person[name] = shown[name]
            elif _of_traits(name):
                person[name] = _trait(name, row, catalog)
            else:
                person[name] = typed(_custom(row["custom"], name), types.get(name, Type.ANY))
        found[row["id"]] = person
    return found


def _of_traits(name: str) -> bool:
    return name in _TRAIT_LISTS or name.startswith(LAST_PRODUCT)


def _trait(name: str, row: Mapping[str, Any], catalog: Mapping[str, Mapping[str, Any]]) -> Any:
    items = row["cart_items" if name == "cart.items" else "browsing_products"] or []
    if not name.startswith("browsing.last_product"):
        return [product_value(item, catalog) for item in items]
    last = product_value(items[0], catalog) if items else None
    return last if name == "browsing.last_product" or last is None else last.get(name.removeprefix(LAST_PRODUCT))


def _catalog(conn: Connection, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the shop's catalog says of the products in these people's traits; prices in hundredths."""
    lists = ("cart_items", "browsing_products")
    ids = {item["product_id"] for row in rows for name in lists for item in row[name] or []}
    found = {}
    for some in chunks(sorted(ids)):
        for row in conn.execute(select(*(products.c[name] for name in _PARTS)).where(products.c.product_id.in_(some))):
            found[row.product_id] = {name: value for name, value in row._mapping.items() if value is not None}
    return found


def _custom(custom: Mapping[str, Any], name: str) -> JSON:
    for path in nested(name):
        value: Any = custom
        for key in path:
            value = value.get(str(key)) if isinstance(value, Mapping) else None
        if value is not None:
            return cast("JSON", value)
    return None


def _stored(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    match kind:
        case Type.MONEY | Type.NUMBER:
            return int(value)
        case Type.TIMESTAMP:
            return instant(value)
        case Type.DATE:
            return date.fromisoformat(value)
        case Type.YES_NO:
            return bool(value)
    return value


def _sent(product: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(_PARTS), **product, "price": typed(product.get("price"), Type.MONEY)}


def user_ids(conn: Connection, profile_ids: Iterable[int]) -> dict[int, str | None]:
    """The ids by which the shop knows people; None for visitors."""
    found: dict[int, str | None] = {}
    for some in chunks(dict.fromkeys(profile_ids)):
        for row in conn.execute(select(profiles.c.id, profiles.c.user_id).where(profiles.c.id.in_(some))):
            found[row.id] = row.user_id
    return found


def event_properties(conn: Connection, event_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The properties of events by events.id, as they were sent; `typed` reads them."""
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(dict.fromkeys(event_ids)):
        for row in conn.execute(select(events.c.id, events.c.properties).where(events.c.id.in_(some))):
            found[row.id] = row.properties
    return found
