"""What is thought possible of highest values, histories, lists, birthdays and last events, against every value."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import conditions as c
from dsl.checks.ways import STAGES, Way, both, one_of, ways
from dsl.conditions import Condition, Constant, Field
from dsl.types import Type

PLAN = Field(scope="profile", name="plan", type=Type.TEXT)
VALUE = Field(scope="profile", name="orders.average", type=Type.MONEY)
TAGS = Field(scope="profile", name="tags", type=Type.LIST)
BORN = Field(scope="profile", name="birthday", type=Type.DATE)
TOTAL = Field(scope="property", name="total", type=Type.MONEY)
CHEAP = c.Compare(field=TOTAL, operator="<", value=Constant(type=Type.MONEY, value=100))
DEAR = c.Compare(field=TOTAL, operator=">", value=Constant(type=Type.MONEY, value=200))
ODD = c.Known(field=Field(scope="property", name="coupon", type=Type.TEXT))

WORLDS = [
    dict(zip(("plan", "rank", "tags", "next", "last"), values, strict=True))
    for values in product(
        (None, ("a", 50), ("a", 150), ("a", 250), ("b", 50), ("b", 150), ("b", 250)),  # and for how many seconds
        (None, 5, 10, 15, 20, 30),  # in the highest so many percent, by a value that is known
        (None, (), ("vip",)),
        (None, 50, 150, 250),  # the next birthday in so many seconds
        (None, (None, False), (50, False), (150, True), (250, True)),  # total of the last order; one with a coupon
    )
]
"""`last`: the second part says whether that order has a coupon. There is at most one order."""


def text(value: str) -> Constant:
    return Constant(type=Type.TEXT, value=value)


TESTS = st.sampled_from(
    [
        *(c.HasBeen(field=PLAN, value=text(value), seconds=n) for value in "ab" for n in (100, 200)),
        *(c.Compare(field=PLAN, operator=sign, value=text(value)) for value in "ab" for sign in ("is", "is not")),
        *(c.Top(field=VALUE, percent=n) for n in (10, 20)),
        c.Includes(field=TAGS, value=text("vip")),
        *(c.Known(field=field) for field in (PLAN, VALUE, TAGS, BORN)),
        *(c.Recency(field=BORN, kind="next", seconds=n) for n in (100, 200)),
        *(c.LastEvent(event="e", condition=asked) for asked in (CHEAP, DEAR, c.Not(condition=CHEAP))),
        c.LastEvent(event="e", where=ODD, condition=DEAR),
        c.HasEvent(event="e", least=1, most=None),
        c.HasEvent(event="e", least=0, most=0, where=ODD),
        c.HasEvent(event="e", least=1, most=None, where=c.AllOf(conditions=(CHEAP, DEAR))),
    ]
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: c.AllOf(conditions=tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: c.AnyOf(conditions=tuple(parts))),
        inner.map(lambda part: c.Not(condition=part)),
    ),
    max_leaves=5,
)


def holds(condition: Condition, world: dict[str, Any]) -> bool:
    """The meaning of a condition, as its docstrings say."""
    match condition:
        case c.Not(condition=part):
            return not holds(part, world)
        case c.AllOf(conditions=parts):
            return all(holds(part, world) for part in parts)
        case c.AnyOf(conditions=parts):
            return any(holds(part, world) for part in parts)
        case c.HasBeen(value=Constant(value=value), seconds=seconds):
            return world["plan"] is not None and world["plan"][0] == value and world["plan"][1] >= seconds
        case c.Compare(field=field, operator=operator, value=Constant(value=value)):
            if field == TOTAL:
                total = world["last"][0]
                return total is not None and (total < value if operator == "<" else total > value)
            known = None if world["plan"] is None else world["plan"][0]
            return known == value if operator == "is" else known != value
        case c.Top(percent=percent):
            return world["rank"] is not None and world["rank"] <= percent
        case c.Includes():
            return world["tags"] is not None and "vip" in world["tags"]
        case c.Recency(seconds=seconds):
            return world["next"] is not None and world["next"] <= seconds
        case c.Known(field=Field(name="coupon")):
            return bool(world["last"][1])
        case c.Known(field=field):
            return (
                world[{"plan": "plan", "orders.average": "rank", "tags": "tags", "birthday": "next"}[field.name]]
                is not None
            )
        case c.LastEvent(condition=asked, where=where):
            return _happened(where, world) and holds(asked, world)
        case c.HasEvent(least=least, where=where):
            return _happened(where, world) is bool(least)
    raise AssertionError(condition)


def _happened(where: Condition | None, world: dict[str, Any]) -> bool:
    return world["last"] is not None and (where is None or holds(where, world))


@settings(max_examples=200, deadline=None)
@given(CONDITIONS)
def test_whatever_some_value_makes_true_is_thought_possible(condition: Condition) -> None:
    answers = {holds(condition, world) for world in WORLDS}
    some, others = ways(condition), ways(condition, holds=False)
    assert some is None or bool(some) or True not in answers
    assert others is None or bool(others) or False not in answers


@settings(max_examples=100, deadline=None)
@given(TESTS, TESTS)
def test_two_tests_that_no_value_makes_true_together_are_known(one: Condition, two: Condition) -> None:
    if {"LastEvent", "HasEvent"} >= {type(one).__name__, type(two).__name__}:
        return  # with and without `where` they are held for different questions
    together = both(ways(one), ways(two))
    assert bool(together) is any(holds(one, world) and holds(two, world) for world in WORLDS)


def test_the_stage_is_one_of_those_declared() -> None:
    everybody: list[Way] = [{STAGES: one_of(["hero", "active"])}]
    hero, active = (c.Compare(field=STAGES, operator="is", value=text(name)) for name in ("hero", "active"))
    assert both(everybody, ways(c.Not(condition=c.AnyOf(conditions=(hero, active))))) == []
    assert both(everybody, ways(c.Not(condition=hero)))
    assert both(everybody, ways(c.Known(field=STAGES), holds=False)) == []
