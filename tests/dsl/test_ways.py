"""What the rule about unreachable branches thinks possible, against trying out every value."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dsl import conditions as c
from dsl.checks.ways import both, ways
from dsl.conditions import Condition, Constant, Field
from dsl.types import Type

CITY = Field(scope="profile", name="city", type=Type.TEXT)
COUNT = Field(scope="profile", name="cart.count", type=Type.NUMBER)
AVERAGE = Field(scope="profile", name="orders.average", type=Type.MONEY)
SEEN = Field(scope="profile", name="last_seen_at", type=Type.TIMESTAMP)
SMS = c.CanReceive(channel="sms", topic="marketing")

WORLDS = [
    dict(zip(("city", "count", "average", "age", "sms", "orders"), values, strict=True))
    for values in product(
        (None, "a", "b", "z"),
        (0, 1, 2, 3, 4),
        (None, 50, 100, 150, 200, 250),
        (None, -150, -100, -50, 0, 50, 100, 150, 200, 250),
        (True, False),
        (0, 1, 2, 3),
    )
]
"""Values on, between and beyond all the limits that the conditions below ask about."""

CONDITIONS = st.recursive(
    st.one_of(
        st.builds(
            lambda operator, text: c.Compare(field=CITY, operator=operator, value=Constant(type=Type.TEXT, value=text)),
            st.sampled_from(["is", "is not"]),
            st.sampled_from(["a", "b"]),
        ),
        st.builds(
            lambda operator, n: c.Compare(field=COUNT, operator=operator, value=Constant(type=Type.NUMBER, value=n)),
            st.sampled_from(["is", "is not", ">", ">=", "<", "<="]),
            st.integers(1, 3),
        ),
        st.builds(
            lambda operator, n: c.Compare(field=AVERAGE, operator=operator, value=Constant(type=Type.MONEY, value=n)),
            st.sampled_from(["is", "is not", ">", ">=", "<", "<="]),
            st.sampled_from([100, 200]),
        ),
        st.builds(
            lambda kind, n: c.Recency(field=SEEN, kind=kind, seconds=n),
            st.sampled_from(["ago", "last", "next"]),
            st.sampled_from([100, 200]),
        ),
        st.sampled_from([c.Known(field=CITY), c.Known(field=COUNT), c.Known(field=SEEN), SMS]),
        st.builds(
            lambda bounds: c.HasEvent(event="order_completed", least=bounds[0], most=bounds[1]),
            st.sampled_from([(1, None), (0, 0), (2, None), (0, 1), (2, 2)]),
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: c.AllOf(conditions=tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: c.AnyOf(conditions=tuple(parts))),
        inner.map(lambda part: c.Not(condition=part)),
    ),
    max_leaves=6,
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
        case c.Known(field=field):
            return world[{"city": "city", "cart.count": "count", "last_seen_at": "age"}[field.name]] is not None
        case c.CanReceive():
            return bool(world["sms"])
        case c.HasEvent(least=least, most=most):
            return least <= world["orders"] and (most is None or world["orders"] <= most)
        case c.Recency(kind=kind, seconds=seconds):
            age = world["age"]
            if age is None:
                return False
            return {"ago": age > seconds, "last": 0 <= age <= seconds, "next": -seconds < age <= 0}[kind]
        case c.Compare(field=field, operator=operator, value=Constant(value=value)):
            known = world[{"city": "city", "cart.count": "count", "orders.average": "average"}[field.name]]
            if known is None:
                return operator == "is not"
            return {
                "is": lambda: known == value,
                "is not": lambda: known != value,
                ">": lambda: known > value,
                ">=": lambda: known >= value,
                "<": lambda: known < value,
                "<=": lambda: known <= value,
            }[operator]()
    raise AssertionError(condition)


@settings(max_examples=150, deadline=None)
@given(CONDITIONS)
def test_possible_is_what_some_value_makes_true(condition: Condition) -> None:
    answers: set[bool] = set()
    for world in WORLDS:
        answers.add(holds(condition, world))
        if len(answers) == 2:
            break
    some, others = ways(condition), ways(condition, holds=False)
    assert some is None or bool(some) is (True in answers)
    assert others is None or bool(others) is (False in answers)


@settings(max_examples=50, deadline=None)
@given(CONDITIONS, CONDITIONS)
def test_both_is_what_some_value_makes_true_together(one: Condition, two: Condition) -> None:
    together = both(ways(one), ways(two, holds=False))
    is_possible = any(holds(one, world) and not holds(two, world) for world in WORLDS)
    assert together is None or bool(together) is is_possible


def test_too_many_ways_are_not_followed() -> None:
    names = [
        c.AnyOf(
            conditions=tuple(c.Known(field=Field(scope="profile", name=f"{n}{m}", type=Type.TEXT)) for m in range(8))
        )
        for n in range(8)
    ]
    assert ways(c.AllOf(conditions=tuple(names))) is None
