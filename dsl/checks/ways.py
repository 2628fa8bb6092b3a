"""What must hold for a condition to be true: its alternatives, each with the values that every field may have.

A condition becomes a disjunction of ways; a way says for each thing asked about (a field, the age of a time, the
number of events, a yes-or-no question) which values are left. A way with nothing left for one thing cannot happen.
Interval arithmetic, as in abstract interpretation (Cousot and Cousot 1977), with "unknown" as a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from dsl import conditions as c
from dsl.catalog import SUMS
from dsl.conditions import Condition, Constant, Field
from dsl.types import Type

_Range = tuple[float, bool, float, bool]
"""Low end, whether it belongs, high end, whether it belongs."""
MOST = 64
"""More ways than this are not followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The values that are left for one thing."""

    ranges: tuple[_Range, ...]
    unknown: bool

    def __bool__(self) -> bool:
        return self.unknown or bool(self.ranges)

    def meet(self, other: Left) -> Left:
        """What is left in both."""
        met = [_meet(one, two) for one in self.ranges for two in other.ranges]
        return Left(ranges=tuple(each for each in met if each), unknown=self.unknown and other.unknown)

    def without(self) -> Left:
        """Everything else."""
        left = Left(ranges=((-inf, False, inf, False),), unknown=not self.unknown)
        for low, has_low, high, has_high in self.ranges:
            around = ((-inf, False, low, not has_low), (high, not has_high, inf, False))
            left = left.meet(Left(ranges=tuple(each for each in around if _holds_some(each)), unknown=True))
        return left


Thing = Field | Condition
Way = Mapping[Thing, Left]
EVERYTHING = Left(ranges=((-inf, False, inf, False),), unknown=True)
_AT_LEAST_0 = Left(ranges=((0, True, inf, False),), unknown=False)
_YES, _NO = (1.0, True, 1.0, True), (0.0, True, 0.0, True)
_WHOLE = frozenset({"cart.count", "orders.count", "checkout.step"})
_TIMES = frozenset({Type.DATE, Type.TIMESTAMP})


def ways(condition: Condition, *, holds: bool = True) -> list[Way] | None:
    """The ways in which it holds (or fails), impossible ones left out. None: there are too many to follow."""
    match condition:
        case c.Not(condition=inner):
            return ways(inner, holds=not holds)
        case c.AllOf(conditions=parts) | c.AnyOf(conditions=parts):
            each = [ways(part, holds=holds) for part in parts]
            if isinstance(condition, c.AllOf) is holds:
                together: list[Way] | None = [{}]
                for more in each:
                    together = both(together, more)
                return together
            found: list[Way] = []
            for more in each:
                if more is None or len(found) + len(more) > MOST:
                    return None
                found += more
            return found
        case _:
            thing, left = _test(condition)
            return [{thing: met}] if (met := (left if holds else left.without()).meet(_domain(thing))) else []


def both(some: list[Way] | None, others: list[Way] | None) -> list[Way] | None:
    """The ways in which both hold."""
    if some is None or others is None or len(some) * len(others) > MOST * 4:
        return None
    met = [way for one in some for two in others if (way := _join(one, two)) is not None]
    return met if len(met) <= MOST else None


def _join(one: Way, two: Way) -> Way | None:
    joined = dict(one)
    for thing, left in two.items():
        joined[thing] = left.meet(joined.get(thing, EVERYTHING))
        if not joined[thing]:
            return None
    return joined


def _test(condition: Condition) -> tuple[Thing, Left]:
    match condition:
        case c.Compare(field=field, operator=operator, value=Constant(value=value)) if field.type not in _TIMES:
            return field, _compared(field, operator, _place(value))
        case c.OneOf(field=field, values=values) if field.type not in _TIMES and _all_constant(values):
            points = tuple(_point(_place(value.value)) for value in values if isinstance(value, Constant))
            return field, Left(ranges=points, unknown=False)
        case c.Known(field=field):
            return field, Left(ranges=EVERYTHING.ranges, unknown=False)
        case c.Recency(field=field, kind=kind, seconds=seconds):
            age: Mapping[str, _Range] = {
                "ago": (seconds, False, inf, False),
                "last": (0, True, seconds, True),
                "next": (-seconds, False, 0, True),
            }
            return field, Left(ranges=(age[kind],), unknown=False)
        case c.HasEvent(event=event, least=least, most=most, window=window, where=where):
            thing = c.HasEvent(event=event, least=0, most=None, window=window, where=where)
            return thing, _between(least - 0.5, inf if most is None else most + 0.5)
        case _:
            return condition, Left(ranges=(_YES,), unknown=False)


def _domain(thing: Thing) -> Left:
    match thing:
        case Field(scope="profile", name=name) if name in SUMS:
            return _AT_LEAST_0
        case Field(type=Type.YES_NO):
            return Left(ranges=(_NO, _YES), unknown=True)
        case Field():
            return EVERYTHING
        case c.HasEvent():
            return _AT_LEAST_0
        case _:
            return Left(ranges=(_NO, _YES), unknown=False)


def _compared(field: Field, operator: str, at: float) -> Left:
    # Whole numbers stand for the half-open range around them, so that none is left between 2 and 3.
    half = 0.5 if field.scope == "profile" and field.name in _WHOLE and at == int(at) else 0.0
    match operator:
        case "is":
            return _between(at - half, at + half) if half else Left(ranges=(_point(at),), unknown=False)
        case "is not":
            return _compared(field, "is", at).without()
        case ">":
            return _between(at + half, inf) if half else Left(ranges=((at, False, inf, False),), unknown=False)
        case ">=":
            return _between(at - half, inf)
        case "<":
            return _between(-inf, at - half)
        case _:
            return _between(-inf, at + half) if half else Left(ranges=((-inf, False, at, True),), unknown=False)


def _between(low: float, high: float) -> Left:
    return Left(ranges=((low, low != -inf, high, False),), unknown=False)


def _place(value: object) -> float:
    """A number for a value; texts get one each, for they are only ever equal or not."""
    if isinstance(value, bool | int | float):
        return value
    return int.from_bytes(b"\x01" + str(value).encode())


def _point(at: float) -> _Range:
    return at, True, at, True


def _all_constant(values: Iterable[c.Operand]) -> bool:
    return all(isinstance(value, Constant) for value in values)


def _meet(one: _Range, two: _Range) -> _Range | None:
    low, has_low = max((one[0], not one[1]), (two[0], not two[1]))
    high, has_high = min((one[2], one[3]), (two[2], two[3]))
    met = (low, not has_low, high, has_high)
    return met if _holds_some(met) else None


def _holds_some(each: _Range) -> bool:
    low, has_low, high, has_high = each
    return low < high or (low == high and has_low and has_high)
