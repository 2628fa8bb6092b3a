"""What must hold for a condition to be true: its alternatives, each with the values that every field may have.

A condition becomes a disjunction of ways; a way says for each thing asked about (a field, the age of a time, the
number of events, a yes-or-no question) which values are left. A way with nothing left for one thing cannot happen.
Interval arithmetic, as in abstract interpretation (Cousot and Cousot 1977), with "unknown" as a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from dsl import conditions as c
from dsl.catalog import STAGE, SUMS, YEARLY
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Of:
    """A property of one certain event: of the last of its name that meets `where`."""

    event: str
    where: Condition | None
    thing: Thing


Thing = Field | Condition | Of
Way = Mapping[Thing, Left]
EVERYTHING = Left(ranges=((-inf, False, inf, False),), unknown=True)
KNOWN = Left(ranges=EVERYTHING.ranges, unknown=False)
STAGES = Field(scope="profile", name=STAGE, type=Type.TEXT)
"""The stage; everybody is in one, so `one_of` their names is left from the start."""
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
        case c.HasEvent(where=where, least=least, most=most) if where is not None and ways(where) == []:
            return [{}] if (least == 0 and (most is None or most >= 0)) is holds else []  # there is no such event
        case c.LastEvent():
            return _of_last(condition, holds=holds)
        case _:
            return _single(condition, holds=holds)


def both(some: list[Way] | None, others: list[Way] | None) -> list[Way] | None:
    """The ways in which both hold."""
    if some is None or others is None or len(some) * len(others) > MOST * 4:
        return None
    met = [way for one in some for two in others if (way := _join(one, two)) is not None]
    return met if len(met) <= MOST else None


def _single(condition: Condition, *, holds: bool) -> list[Way]:
    thing, left = _test(condition)
    met = (left if holds else left.without()).meet(_domain(thing))
    way: Way | None = {thing: met} if met else None
    for also, needed in _implied(condition) if holds else ():
        way = None if way is None else _join(way, {also: needed.meet(_domain(also))})
    return [] if way is None else [way]


def one_of(texts: Iterable[str]) -> Left:
    """One of these texts is left."""
    return Left(ranges=tuple(_point(_place(text)) for text in texts), unknown=False)


def _of_last(asked: c.LastEvent, *, holds: bool) -> list[Way] | None:
    """There is a last one and its properties fit; or there is none, or they do not."""
    seen = c.HasEvent(event=asked.event, least=1, most=None, where=asked.where)
    inner = ways(asked.condition, holds=holds)
    about: list[Way] | None = (
        None
        if inner is None
        else [
            {Of(event=asked.event, where=asked.where, thing=thing): left for thing, left in way.items()}
            for way in inner
        ]
    )
    there = both(ways(seen), about)
    if holds:
        return there
    none = ways(seen, holds=False)
    return None if there is None or none is None else [*none, *there]


def _implied(condition: Condition) -> Iterable[tuple[Thing, Left]]:
    """What else holds when a test does."""
    match condition:
        case c.Top(field=field):
            if field.name in SUMS:
                yield field, Left(ranges=((0, False, inf, False),), unknown=False)
            else:
                yield field, KNOWN
        case c.HasBeen(field=field, value=Constant(value=value)) if field.type not in _TIMES:
            yield field, _compared(field, "is", _place(value))
        case c.Includes(field=field) | c.HasBeen(field=field) | c.Contains(field=field) | c.Calendar(field=field):
            yield field, KNOWN
        case c.Recency(field=field) if field.name in YEARLY:
            yield field, KNOWN
        case c.Compare(field=field, operator=operator) if operator != "is not":
            yield field, KNOWN
        case c.OneOf(field=field):
            yield field, KNOWN


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
        case c.Top(field=field, percent=percent):
            return c.Top(field=field, percent=0), Left(ranges=((0, True, percent, True),), unknown=False)
        case c.HasBeen(field=field, value=value, seconds=seconds):
            return c.HasBeen(field=field, value=value, seconds=0), _between(seconds, inf)
        case c.Recency(field=field, kind="next" | "last", seconds=seconds) if field.name in YEARLY:
            return replace(condition, seconds=0), Left(ranges=((0, True, seconds, True),), unknown=False)
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
        case c.Top() | c.HasBeen() | c.Recency():
            return Left(ranges=_AT_LEAST_0.ranges, unknown=True)
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
