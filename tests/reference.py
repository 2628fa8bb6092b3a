"""The second evaluator of conditions: small, slow and obvious. It shares no code with `profiles.select`.

Values of people are what the store holds, as plain Python; None is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from dsl import conditions as c
from dsl.plan import Stage
from dsl.types import Type
from tests.readings import EPOCH, ascii_lower, day_at, inner, real, typed

DAY = 86_400 * 10**6


@dataclass(frozen=True, kw_only=True)
class Event:
    name: str
    at: int
    properties: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """A row of the outbox."""

    channel: str
    template: str
    state: str
    settled_at: int | None


@dataclass(frozen=True, kw_only=True)
class Person:
    profile: Mapping[str, Any]
    """Columns of `profiles`, with `custom` as a dict."""
    traits: Mapping[str, Any] | None
    """Columns of `traits`; None: there is no row."""
    events: Sequence[Event] = ()
    consents: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    entered_at: int = 0
    start: Mapping[str, Any] = field(default_factory=dict)
    """Properties of the event that started the enrollment."""
    queued: Sequence[Queued] = ()
    member: Mapping[str, bool] = field(default_factory=dict)
    """By audience what the row of `memberships` says."""
    noted: tuple[str, int] | None = None
    """The row of `stages`: which, and since when."""
    is_merged: bool = False
    """Into somebody else."""


@dataclass(frozen=True, kw_only=True)
class Now:
    as_of: datetime
    zone: str
    consent: frozenset[str] = frozenset()
    suppressions: frozenset[tuple[str, str]] = frozenset()
    lifecycle: tuple[Stage, ...] = ()
    everybody: Sequence[Person] = ()
    """For what asks how somebody compares with the others."""

    @property
    def at(self) -> int:
        return (self.as_of - EPOCH) // timedelta(microseconds=1)


def holds(condition: c.Condition, person: Person, now: Now, row: Mapping[str, Any] | None = None) -> bool:
    """Whether the person meets the condition; `row` holds the properties of the event that a `where` is about."""

    def read(operand: c.Operand, kind: Type) -> Any:
        return value_of(operand, kind, person, now, row)

    match condition:
        case c.Not(condition=inner):
            return not holds(inner, person, now, row)
        case c.AllOf(conditions=parts):
            return all(holds(part, person, now, row) for part in parts)
        case c.AnyOf(conditions=parts):
            return any(holds(part, person, now, row) for part in parts)
        case c.Compare(field=left, operator="is not", value=right):
            return not same(left, right, read)
        case c.Compare(field=left, operator="is", value=right):
            return same(left, right, read)
        case c.Compare(field=left, operator=sign, value=right):
            return ordered(left, sign, right, read)
        case c.OneOf(field=left, values=values):
            return any(same(left, right, read) for right in values)
        case c.Known(field=left):
            return read(left, left.type) is not None
        case c.Recency(field=c.Field(scope="profile", name="birthday"), kind="last" | "next" as kind, seconds=seconds):
            day, gap = read(condition.field, Type.DATE), seconds * 1_000_000
            returns = [] if day is None else [birthday(day, year, now) for year in years(now, seconds)]
            return any(
                now.at - gap <= at <= now.at if kind == "last" else now.at <= at < now.at + gap for at in returns
            )
        case c.Recency(field=left, kind=kind, seconds=seconds):
            at = day_at(read(left, Type.DATE), UTC) if left.type is Type.DATE else read(left, Type.TIMESTAMP)
            if at is None:
                return False
            gap = seconds * 1_000_000
            return {
                "ago": at < now.at - gap,
                "last": now.at - gap <= at <= now.at,
                "next": now.at <= at < now.at + gap,
            }[kind]
        case c.Calendar(field=left, kind=kind, day=day):
            if left.type is Type.DATE or bare_day(left, read):
                mine = read(left, Type.DATE)
                return mine is not None and bool(mine < day if kind == "before" else mine > day)
            at = read(left, Type.TIMESTAMP)
            if at is None:
                return False
            zone = ZoneInfo(now.zone)
            next_day = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
            return bool(at < day_at(day, zone) if kind == "before" else at >= day_at(next_day, zone))
        case c.Contains(field=left, kind=kind, text=wanted):
            text = read(left, Type.TEXT)
            if text is None:
                return False
            low, wanted = ascii_lower(text), ascii_lower(wanted)
            return wanted in low if kind == "contains" else low.startswith(wanted)
        case c.HasEvent(event=name, least=least, most=most, window=window, where=where):
            n = sum(
                1
                for event in person.events
                if event.name == name
                and event.at <= now.at
                and inside(event.at, window, person, now)
                and (where is None or holds(where, person, now, event.properties))
            )
            return least <= n and (most is None or n <= most)
        case c.LastEvent(event=name, condition=asked, where=where):
            fitting = [
                event
                for event in person.events
                if event.name == name
                and event.at <= now.at
                and (where is None or holds(where, person, now, event.properties))
            ]
            newest = max(fitting, key=lambda event: (event.at, event.id), default=None)
            return newest is not None and holds(asked, person, now, newest.properties)
        case c.Includes(field=left, value=right):
            items, wanted = read(left, Type.LIST) or [], read(right, Type.TEXT)
            return wanted is not None and wanted in [typed(item, Type.TEXT) for item in items]
        case c.Top(field=left, percent=percent):
            value, others = read(left, left.type), everybodys(left, now)
            if value is None or value not in others:
                return False
            places = ceil(len(others) * Fraction(str(percent)) / 100)
            return bool(value >= others[places - 1])
        case c.HasBeen(field=left, value=right, seconds=seconds):
            long_ago = now.at - seconds * 1_000_000
            if not same(left, right, read):
                return False
            if left.name == "stage" and now.lifecycle:
                return (
                    person.noted is not None
                    and person.noted[0] == read(left, Type.TEXT)
                    and person.noted[1] <= long_ago
                )
            since = said_since(left, right, person, now, read)
            return since is not None and since <= long_ago
        case c.InAudience(audience=audience):
            return person.member.get(audience, False)
        case c.Message(kind="received", template=template, window=window):
            return any(
                row.template == template
                and row.channel != "crm"
                and row.state in ("accepted", "assumed_sent")
                and row.settled_at is not None
                and row.settled_at <= now.at
                and inside(row.settled_at, window, person, now)
                for row in person.queued
            )
        case c.Message(kind=kind, template=template, window=window):
            told = ("push_notification_tapped", "email_opened" if kind == "opened" else "email_link_clicked")
            return any(
                event.name in told
                and typed(event.properties.get("template"), Type.TEXT) == template
                and event.at <= now.at
                and inside(event.at, window, person, now)
                for event in person.events
            )
        case c.CanReceive(channel=channel, topic=topic):
            given = person.consents.get((channel, topic), channel in now.consent)
            address, digest = {
                "email": (person.profile["email"], person.profile["email_hash"]),
                "sms": (person.profile["phone"], person.profile["phone_hash"]),
                "whatsapp": (person.profile["phone"], person.profile["phone_hash"]),
                "push": (typed(person.profile["custom"].get("push_token"), Type.TEXT), None),
            }.get(channel, ("always", None))
            return given and bool(address) and (channel, digest) not in now.suppressions
    raise AssertionError(condition)


def inside(at: int, window: c.Window | None, person: Person, now: Now) -> bool:
    if window is None:
        return True
    gap = (window.seconds or 0) * 1_000_000
    if window.kind == "last":
        return at >= now.at - gap
    if window.kind == "before":
        return at < now.at - gap
    if window.kind == "entry":
        return at > person.entered_at
    assert window.start and window.end
    local = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(now.zone)).date().isoformat()
    return window.start <= local <= window.end


def years(now: Now, seconds: int) -> range:
    more = 2 + seconds // (365 * 86_400)
    return range(max(1, now.as_of.year - more), min(9999, now.as_of.year + more))


def birthday(day: str, year: int, now: Now) -> int:
    """When the day of birth begins in that year, in the project's zone."""
    month_and_day = day[5:]
    if month_and_day == "02-29" and not real(f"{year:04}-02-29"):
        month_and_day = "02-28"
    return int(day_at(f"{year:04}-{month_and_day}", ZoneInfo(now.zone)))


def everybodys(field: c.Field, now: Now) -> list[Any]:
    """The values of all people who have one, the highest first."""
    values = [value_of(field, field.type, other, now, None) for other in now.everybody if not other.is_merged]
    known = [value for value in values if value is not None]
    if field.name in ("cart.total", "cart.count", "orders.count", "orders.value"):
        known = [value for value in known if value > 0]
    return sorted(known, reverse=True)


def said_since(left: c.Field, right: c.Operand, person: Person, now: Now, read: Any) -> int | None:
    """Since when identify calls have said this value of the field and nothing else."""
    said: dict[int, list[Any]] = {}
    for event in person.events:
        if event.name == "identify" and event.at <= now.at:
            traits, columns = event.properties.get("traits", {}), event.properties.get("columns")
            if left.name in ("city", "birthday"):
                given = traits if columns is None else columns
                if left.name in given:
                    said.setdefault(event.at, []).append(given[left.name])
            elif left.name in traits or left.name.partition(".")[0] in traits:
                said.setdefault(event.at, []).append(inner(traits, left.name))
    since = None
    for at in sorted(said):
        if any(
            same(left, right, lambda o, kind, v=v: typed(v, kind) if o is left else read(o, kind)) for v in said[at]
        ):
            since = at if since is None else since
        else:
            since = None
    return since


# ── Comparing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def kinds(left: c.Operand, right: c.Operand) -> list[Type]:
    """The types to try, in this order; the first as which both are known is the one they are compared as."""
    pair = {operand.type for operand in (left, right)} - {Type.ANY}
    if Type.MONEY in pair:
        return [Type.MONEY]
    return list(pair) or [Type.NUMBER, Type.TEXT, Type.YES_NO]


def both(left: c.Operand, right: c.Operand, read: Any) -> tuple[Any, Any] | None:
    for kind in kinds(left, right):
        a, b = read(left, kind), read(right, kind)
        if a is not None and b is not None:
            return a, b
    return None


def same(left: c.Operand, right: c.Operand, read: Any) -> bool:
    pair = both(left, right, read)
    return pair is not None and pair[0] == pair[1]


def ordered(left: c.Operand, sign: str, right: c.Operand, read: Any) -> bool:
    pair = both(left, right, read)
    if pair is None:
        return False
    a, b = pair
    return bool({">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}[sign])


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def value_of(operand: c.Operand, kind: Type, person: Person, now: Now, row: Mapping[str, Any] | None) -> Any:
    if isinstance(operand, c.Constant):
        return Decimal(repr(operand.value)) if kind is Type.NUMBER else operand.value
    if operand.scope == "property":
        assert row is not None
        return typed(inner(row, operand.name), kind)
    if operand.scope == "event":
        return typed(inner(person.start, operand.name), kind)
    traits = person.traits or {}
    name = operand.name
    if name == "stage" and now.lifecycle:
        alone = replace(now, lifecycle=())
        return next(s.name for s in now.lifecycle if s.condition is None or holds(s.condition, person, alone))
    if name in ("cart.total", "cart.count", "orders.count", "orders.value"):
        return traits.get(name.replace(".", "_"), 0)
    if name == "lead_temperature":
        in_cart = traits.get("cart_count", 0) > 0 and (traits.get("cart_updated_at") or -1) >= now.at - 7 * DAY
        if in_cart or (traits.get("checkout_updated_at") or -1) >= now.at - 7 * DAY:
            return "hot"
        return "warm" if (traits.get("last_seen_at") or -1) >= now.at - 30 * DAY else "cold"
    if name.startswith("rfm."):
        return fifth(RANKED[name], traits, now)
    if name == "cart.is_abandoned":
        since = traits.get("cart_updated_at")
        return traits.get("cart_count", 0) > 0 and since is not None and since <= now.at - 24 * 3600 * 1_000_000
    if name == "orders.average":
        n = traits.get("orders_count", 0)
        return int((Decimal(traits["orders_value"]) / n).to_integral_value(ROUND_HALF_UP)) if n else None
    if name == "cart.items":
        return typed(traits.get("cart_items"), kind)
    if name == "browsing.products":
        return typed(traits.get("browsing_products"), kind)
    if name == "browsing.last_product.price":
        return typed((traits.get("browsing_products") or [{}])[0].get("price"), Type.NUMBER)  # in hundredths already
    if name.startswith("browsing.last_product"):
        viewed = traits.get("browsing_products") or [None]
        return typed(
            inner(viewed[0], name.removeprefix("browsing.last_product.")) if name.count(".") > 1 else viewed[0], kind
        )
    if name.replace(".", "_") in TRAITS:
        return traits.get(name.replace(".", "_"))
    if name in person.profile:
        return person.profile[name]
    return typed(inner(person.profile["custom"], name), kind)


def fifth(column: str, mine: Mapping[str, Any], now: Now) -> int | None:
    """5 for the customers in the highest fifth, 1 for those in the lowest."""
    customers = [
        one.traits for one in now.everybody if not one.is_merged and one.traits and one.traits["orders_count"] > 0
    ]
    values = sorted((one[column] for one in customers if one[column] is not None), reverse=True)
    if not mine.get("orders_count") or mine[column] is None:
        return None
    return 1 + sum(mine[column] >= values[ceil(Fraction(len(values) * n, 5)) - 1] for n in (1, 2, 3, 4) if values)


RANKED = {"rfm.recency": "orders_last_at", "rfm.frequency": "orders_count", "rfm.monetary": "orders_value"}
TRAITS = (
    "last_seen_at", "cart_updated_at", "checkout_step", "checkout_updated_at", "orders_first_at", "orders_last_at",
    "orders_last_total", "browsing_last_category",
)  # fmt: skip


def bare_day(field: c.Field, read: Any) -> bool:
    """Whether a property or custom field holds a day and no time of day."""
    text = read(field, Type.TEXT)
    return isinstance(text, str) and real(text)
