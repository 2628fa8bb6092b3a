"""Scores from 1 to 5 by rank among customers, and how warm a lead is: fields made of traits. Over `people()`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, case, func, literal, select

from store.clock import DAY
from store.schema import traits

_FIFTHS = (1, 2, 3, 4)
HOT, WARM = 7 * DAY, 30 * DAY
"""How long ago, in microseconds, a lead may have been touched or seen."""
RANKED: dict[str, ColumnElement[Any]] = {
    "rfm.recency": traits.c.orders_last_at,
    "rfm.frequency": traits.c.orders_count,
    "rfm.monetary": traits.c.orders_value,
}
"""What each score ranks customers by."""


def score(value: ColumnElement[Any], everybody: FromClause, alive: ColumnElement[bool]) -> ColumnElement[int]:
    """5 for the fifth of the customers with the highest values, 1 for the lowest; NULL for people without an order.

    Fifths are rounded up to whole people, and whoever equals the last of one belongs to it. Their borders are found
    once for a statement, in one pass over all customers.
    """
    buys = and_(traits.c.orders_count > 0, value.is_not(None))
    place = func.row_number().over(order_by=value.desc())
    ranked = (
        select(value.label("value"), place.label("place"), func.count().over().label("customers"))
        .select_from(everybody)
        .where(alive, buys)
        .correlate(None)
        .subquery()
    )
    borders = [
        func.min(case(((ranked.c.place - 1) * 5 < ranked.c.customers * fifth, ranked.c.value))).label(f"border{fifth}")
        for fifth in _FIFTHS
    ]
    # A CTE that is kept: PostgreSQL would make a subquery again for each person.
    found = select(*borders).cte(nesting=True).prefix_with("MATERIALIZED")
    above = (case((value >= found.c[f"border{fifth}"], 1), else_=0) for fifth in _FIFTHS)
    points = select(sum(above, literal(1, BigInteger()))).select_from(found).correlate_except(found).scalar_subquery()
    return case((buys, points))


def temperature(as_of: int) -> ColumnElement[str]:
    """`hot`, `warm` or `cold`, never NULL. `as_of`: microseconds."""

    def since(column: ColumnElement[int], length: int) -> ColumnElement[bool]:
        return and_(column.is_not(None), column >= literal(as_of - length, BigInteger()))

    in_cart = and_(traits.c.cart_count > 0, since(traits.c.cart_updated_at, HOT))
    return case(
        (since(traits.c.checkout_updated_at, HOT), "hot"),
        (in_cart, "hot"),
        (since(traits.c.last_seen_at, WARM), "warm"),
        else_="cold",
    )
