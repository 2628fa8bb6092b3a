"""What is known of people, as templates see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Connection, RowMapping, Select, select

from dsl.types import Type
from profiles.columns import LAST_PRODUCT, PLAIN, people, profile_field
from profiles.recommend import Kind, recommend
from store.clock import instant, micros
from store.schema import events, profiles, traits
from store.upsert import chunks

RECOMMENDED = "recommended."


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """Sums of money are whole hundredths, times are aware, unknown fields None."""

    profile: Mapping[str, Any]
    """Every field and the shop's own traits, by name; without what is recommended."""
    fields: Mapping[str, Any]
    """Those that were asked for."""


def values(
    conn: Connection, profile_ids: Iterable[int], fields: Iterable[str], *, as_of: datetime
) -> dict[int, Values]:
    """By profile id what is known of the people, and of `fields` what is recommended or lies deeper too."""
    ids, wanted = sorted(set(profile_ids)), list(dict.fromkeys(fields))
    offers = {
        name: recommend(conn, cast("Kind", name.removeprefix(RECOMMENDED)), ids, as_of=as_of)
        for name in wanted
        if name.startswith(RECOMMENDED)
    }
    found: dict[int, Values] = {}
    for some in chunks(ids):
        for row in conn.execute(_everything(as_of).where(profiles.c.id.in_(some))).mappings():
            profile = _profile(row)
            asked = {
                name: offers[name].get(row["id"], []) if name in offers else _deep(profile, name) for name in wanted
            }
            found[row["id"]] = Values(profile=profile, fields=asked)
    return found


def event_properties(conn: Connection, event_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The properties of events, as they were sent."""
    found: dict[int, dict[str, Any]] = {}
    for some in chunks(sorted(set(event_ids))):
        for row in conn.execute(select(events.c.id, events.c.properties).where(events.c.id.in_(some))):
            found[row.id] = row.properties
    return found


def _everything(as_of: datetime) -> Select[Any]:
    abandoned = profile_field("cart.is_abandoned", micros(as_of))
    return select(
        profiles.c.id,
        profiles.c.custom,
        traits.c.cart_items,
        traits.c.browsing_products,
        abandoned.expression.label("cart.is_abandoned"),  # type: ignore[union-attr]
        *(column.expression.label(name) for name, column in PLAIN.items()),
    ).select_from(people())


def _profile(row: RowMapping) -> dict[str, Any]:
    browsed = row["browsing_products"] or []
    return {
        **row["custom"],
        **{name: _typed(row[name], column.type) for name, column in PLAIN.items()},
        "cart.is_abandoned": bool(row["cart.is_abandoned"]),
        "cart.items": row["cart_items"] or [],
        "browsing.products": browsed,
        "browsing.last_product": browsed[0] if browsed else None,
    }


def _typed(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    match kind:
        case Type.TIMESTAMP:
            return instant(value)
        case Type.DATE:
            return date.fromisoformat(value)
        case Type.MONEY | Type.NUMBER:
            return int(value)
    return value


def _deep(profile: Mapping[str, Any], name: str) -> Any:
    """A field, or a part of one: `browsing.last_product.price`, `loyalty.tier` inside the trait `loyalty`."""
    if name in profile:
        return profile[name]
    if name.startswith(LAST_PRODUCT):
        return (profile["browsing.last_product"] or {}).get(name.removeprefix(LAST_PRODUCT))
    value: Any = profile
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
