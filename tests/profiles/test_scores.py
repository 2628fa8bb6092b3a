"""Scores by rank among customers, and how warm a lead is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from dsl.conditions import Compare, Constant, Field, Known, Not
from dsl.types import Type
from profiles.person import values
from store.clock import DAY
from tests.profiles.test_select import AS_OF, NOW, is_, of_person, put, who

WARMTH = of_person("lead_temperature", Type.TEXT)


def scores(engine: Engine, name: str) -> dict[int, list[int]]:
    """By score the people who have it."""
    field = Field(scope="profile", name=name, type=Type.NUMBER)
    return {score: sorted(who(engine, is_(field, score))) for score in range(7) if who(engine, is_(field, score))}


def test_customers_are_cut_into_fifths(engine: Engine) -> None:
    for id in range(1, 11):
        bought = {"orders_count": id, "orders_value": 1000 - id, "orders_last_at": NOW - id * DAY}
        put(engine, id, traits=bought)
    put(engine, 11, traits={"orders_count": 0})
    put(engine, 12)
    put(engine, 13, traits={"orders_count": 99, "orders_value": 99_999, "orders_last_at": NOW}, merged_into=1)
    ascending = {1: [1, 2], 2: [3, 4], 3: [5, 6], 4: [7, 8], 5: [9, 10]}
    assert scores(engine, "rfm.frequency") == ascending
    assert scores(engine, "rfm.monetary") == {
        score: sorted(ids) for score, ids in zip((5, 4, 3, 2, 1), ascending.values(), strict=True)
    }
    assert scores(engine, "rfm.recency") == scores(engine, "rfm.monetary")
    assert who(engine, Not(condition=Known(field=of_person("rfm.recency", Type.NUMBER)))) == {11, 12}


def test_whoever_equals_the_last_of_a_fifth_belongs_to_it(engine: Engine) -> None:
    for id, count in enumerate((3, 2, 2, 2, 1), 1):
        put(engine, id, traits={"orders_count": count, "orders_last_at": NOW})
    assert scores(engine, "rfm.frequency") == {5: [1], 4: [2, 3, 4], 1: [5]}
    assert scores(engine, "rfm.recency") == {5: [1, 2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        (None, "cold"),
        ({}, "cold"),
        ({"last_seen_at": NOW - 30 * DAY}, "warm"),
        ({"last_seen_at": NOW - 30 * DAY - 1}, "cold"),
        ({"cart_count": 1, "cart_updated_at": NOW - 7 * DAY}, "hot"),
        ({"cart_count": 1, "cart_updated_at": NOW - 7 * DAY - 1}, "cold"),
        ({"cart_count": 0, "cart_updated_at": NOW, "last_seen_at": NOW}, "warm"),
        ({"checkout_updated_at": NOW - 7 * DAY}, "hot"),
        ({"checkout_updated_at": NOW - 7 * DAY - 1, "last_seen_at": NOW}, "warm"),
    ],
)
def test_how_warm_a_lead_is(engine: Engine, traits: dict[str, Any] | None, expected: str) -> None:
    put(engine, 1, traits=traits)
    for word in ("hot", "warm", "cold"):
        asked = Compare(field=WARMTH, operator="is", value=Constant(type=Type.TEXT, value=word))
        assert bool(who(engine, asked)) is (word == expected), word


def test_scores_are_values_of_a_person(engine: Engine) -> None:
    put(engine, 1, traits={"orders_count": 1, "orders_last_at": NOW})
    with engine.connect() as conn:
        told = values(conn, [1], ["rfm.recency", "lead_temperature"], as_of=AS_OF)[1]
    assert (told["rfm.recency"], told["lead_temperature"]) == (5, "cold")
