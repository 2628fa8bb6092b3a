"""What to offer to whom: bought together, best sellers, viewed lately. Counted by the database, for a batch of people.

Nobody is offered what lies in the cart or was ever bought, nor a product without a name or a price. Counts are bounded
(the constants below), so that a shop of any size answers; ties go by product id, so that the answer is always the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, exists, false, func, or_, select

from profiles.products import PARTS
from store import json
from store.clock import DAY, micros
from store.schema import order_items, products, profiles, traits
from store.upsert import chunks

Kind = Literal["from_browsing", "from_cart", "from_orders", "best_sellers", "recently_viewed"]
KINDS: tuple[str, ...] = get_args(Kind)
LIMIT = 4
"""How many products a list holds."""
SELLING_DAYS = 30
SEEDS = 5
"""Of each person at most so many products viewed, in the cart or bought, the newest, are asked what goes with them."""
ORDERS = 100
"""The newest orders of each of those that are looked at."""
PARTNERS = 40
"""The products most often bought together with each of those that are considered."""
BEST, BEST_OF_CATEGORY = 200, 20
"""How many best sellers are considered, of all and of each category."""


@dataclass(slots=True, kw_only=True)
class Shelf:
    """What recommendations for everybody start from. Not frozen: it remembers what was counted for earlier batches."""

    as_of: datetime
    ranks: Mapping[str, int]
    """Best sellers of the last 30 days by product id; 1 sold most."""
    of_category: Mapping[str, Sequence[str]]
    """Best sellers of each category, the best first."""
    together: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """By product asked about: what was bought with it, and how often."""
    categories: dict[str, str] = field(default_factory=dict)
    """Of the products asked about."""


def shelf_at(conn: Connection, as_of: datetime) -> Shelf:
    """A new shelf with the best sellers. Make one for a tick and hand it to `recommend` for each batch."""
    now = micros(as_of)
    sold = (
        select(order_items.c.product_id, func.sum(order_items.c.quantity).label("n"))
        .where(order_items.c.at > now - SELLING_DAYS * DAY, order_items.c.at <= now)
        .group_by(order_items.c.product_id)
        .subquery()
    )
    order = (sold.c.n.desc(), json.Ordinal(sold.c.product_id))
    ranked = (
        select(
            products.c.product_id,
            products.c.category,
            func.row_number().over(order_by=order).label("rank"),
            func.row_number().over(partition_by=products.c.category, order_by=order).label("in_category"),
        )
        .join(sold, sold.c.product_id == products.c.product_id)
        .where(_offerable())
        .subquery()
    )
    considered = or_(ranked.c.rank <= BEST, ranked.c.in_category <= BEST_OF_CATEGORY)
    ranks: dict[str, int] = {}
    of_category: dict[str, list[str]] = {}
    for row in conn.execute(select(ranked).where(considered).order_by(ranked.c.rank)):
        ranks[row.product_id] = row.rank
        if row.category is not None and row.in_category <= BEST_OF_CATEGORY:
            of_category.setdefault(row.category, []).append(row.product_id)
    return Shelf(as_of=as_of, ranks=ranks, of_category=of_category)


def recommend(
    conn: Connection,
    kind: Kind,
    profile_ids: Iterable[int],
    *,
    as_of: datetime,
    limit: int = LIMIT,
    shelf: Shelf | None = None,
) -> dict[int, list[dict[str, Any]]]:
    """For each person at most `limit` products, the best first; an empty list when there is nothing to offer.

    A product is {product_id, name, price, category, brand, image_url, url}: the price in hundredths,
    unknown parts None. `from_…` are filled up with best sellers of the same categories, then of the shop.
    """
    ids = list(dict.fromkeys(profile_ids))
    people = _people(conn, ids, kind, micros(as_of))
    if kind == "recently_viewed":
        known = described(conn, {each for person in people.values() for each in person.seeds})
        chosen = {id: _take((s for s in people[id].seeds if s in known), people[id].has, limit) for id in ids}
        return {id: [known[each] for each in chosen[id]] for id in ids}
    shelf = shelf or shelf_at(conn, as_of)
    if kind != "best_sellers":
        _ask(conn, shelf, {each for person in people.values() for each in person.seeds})
    chosen = {}
    for id, person in people.items():
        offers = _offers(person.seeds, shelf)
        chosen[id] = _take(offers, person.has | set(person.seeds), limit)
    known = described(conn, {each for some in chosen.values() for each in some})
    return {id: [known[each] for each in chosen[id] if each in known] for id in ids}


def anything_to_offer(kind: str, as_of: datetime) -> ColumnElement[bool]:
    """Whether there is something to recommend to a person, over `people()`: `recommended.… is known`. Never NULL.

    For `from_…` it asks only for the best sellers that fill their lists up, so it never says yes to an empty list.
    Raises ValueError for a kind that there is not.
    """
    now = micros(as_of)
    if kind not in KINDS:
        raise ValueError(f"there is no recommendation called `recommended.{kind}`")
    bought = exists().where(
        order_items.c.profile_id == profiles.c.id,
        order_items.c.product_id == products.c.product_id,
        order_items.c.at <= now,
    )
    viewed = func.coalesce(json.HoldsProduct(traits.c.browsing_products, products.c.product_id), false())
    in_cart = func.coalesce(json.HoldsProduct(traits.c.cart_items, products.c.product_id), false())
    item = order_items.alias()
    selling = select(item.c.product_id).where(item.c.at > now - SELLING_DAYS * DAY, item.c.at <= now)
    wanted = viewed if kind == "recently_viewed" else products.c.product_id.in_(selling)
    offered = exists().where(_offerable(), wanted, ~bought.correlate(profiles, products), ~in_cart)
    return (offered.where(~viewed) if kind == "from_browsing" else offered).correlate_except(products)


def described(conn: Connection, product_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The products that can be offered, by id, in the form of `recommend`."""
    columns = [products.c[name] for name in ("product_id", *PARTS)]
    found = {}
    for some in chunks(sorted(set(product_ids))):
        for row in conn.execute(select(*columns).where(products.c.product_id.in_(some), _offerable())):
            found[row.product_id] = dict(row._mapping)
    return found


def _offerable() -> ColumnElement[bool]:
    return products.c.name.is_not(None) & products.c.price.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    seeds: Sequence[str] = ()
    """Products to start from, the newest first."""
    has: frozenset[str] = frozenset()
    """In the cart, or ever bought."""


def _people(conn: Connection, ids: Sequence[int], kind: Kind, now: int) -> dict[int, _Person]:
    people = dict.fromkeys(ids, _Person())
    for some in chunks(ids):
        bought: dict[int, list[str]] = {}
        last = func.max(order_items.c.at)
        rows = conn.execute(
            select(order_items.c.profile_id, order_items.c.product_id)
            .where(order_items.c.profile_id.in_(some), order_items.c.at <= now)
            .group_by(order_items.c.profile_id, order_items.c.product_id)
            .order_by(last.desc(), json.Ordinal(order_items.c.product_id))
        )
        for profile, product in rows:
            bought.setdefault(profile, []).append(product)
        columns = (traits.c.profile_id, traits.c.cart_items, traits.c.browsing_products)
        told = {row[0]: row[1:] for row in conn.execute(select(*columns).where(traits.c.profile_id.in_(some)))}
        for id in some:
            cart, viewed = ([item["product_id"] for item in each] for each in told.get(id, ((), ())))
            seeds = {"from_browsing": viewed, "recently_viewed": viewed, "from_cart": cart[::-1]}.get(kind, [])
            if kind == "from_orders":
                seeds = bought.get(id, [])
            some_seeds = seeds if kind == "recently_viewed" else list(dict.fromkeys(seeds))[:SEEDS]
            people[id] = _Person(seeds=some_seeds, has=frozenset((*cart, *bought.get(id, ()))))
    return people


def _ask(conn: Connection, shelf: Shelf, seeds: Collection[str]) -> None:
    """Have the shelf know what goes with these products."""
    other = order_items.alias()
    for some in chunks(sorted(each for each in seeds if each not in shelf.together)):
        rows = conn.execute(select(products.c.product_id, products.c.category).where(products.c.product_id.in_(some)))
        shelf.categories.update({row.product_id: row.category for row in rows if row.category is not None})
        newest = (order_items.c.at.desc(), json.Ordinal(order_items.c.order_id))
        lines = (
            select(
                order_items.c.order_id,
                order_items.c.profile_id,
                order_items.c.product_id.label("seed"),
                func.row_number().over(partition_by=order_items.c.product_id, order_by=newest).label("n"),
            )
            .where(order_items.c.product_id.in_(some), order_items.c.at <= micros(shelf.as_of))
            .subquery()
        )
        # Not by person too: PostgreSQL then expects no rows at all, and joins row by row.
        same_order = other.c.order_id == lines.c.order_id
        pairs = (
            select(lines.c.seed, other.c.product_id, func.count().label("orders"))
            .select_from(lines)
            .join(other, same_order & (other.c.product_id != lines.c.seed))
            .join(products, products.c.product_id == other.c.product_id)
            .where(lines.c.n <= ORDERS, _offerable())
            .group_by(lines.c.seed, other.c.product_id)
            .subquery()
        )
        most = (pairs.c.orders.desc(), json.Ordinal(pairs.c.product_id))
        place = func.row_number().over(partition_by=pairs.c.seed, order_by=most).label("place")
        ranked = select(pairs, place).subquery()
        found: dict[str, dict[str, int]] = {each: {} for each in some}
        for row in conn.execute(select(ranked).where(ranked.c.place <= PARTNERS)):
            found[row.seed][row.product_id] = row.orders
        shelf.together.update(found)


def _offers(seeds: Sequence[str], shelf: Shelf) -> Iterator[str]:
    """Candidates, the best first; some come twice."""
    counts: Counter[str] = Counter()
    for seed in seeds:
        counts.update(shelf.together.get(seed, {}))
    yield from sorted(counts, key=lambda each: (-counts[each], each))
    alike = {each for seed in seeds for each in shelf.of_category.get(shelf.categories.get(seed, ""), ())}
    yield from sorted(alike, key=lambda each: shelf.ranks[each])
    yield from shelf.ranks


def _take(offers: Iterable[str], without: Collection[str], limit: int) -> list[str]:
    return list(islice(dict.fromkeys(each for each in offers if each not in without), limit))
