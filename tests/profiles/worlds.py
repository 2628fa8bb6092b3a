"""Random people and random conditions about them, often exactly at the edges of what is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from dsl import conditions as c
from dsl.types import Type
from store.clock import DAY, HOUR, day_start, instant, micros
from tests.reference import Event, Now, Person

ZONE = ZoneInfo("Europe/Oslo")
AS_OF = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
"""The day after the clocks were put forward."""
MIDNIGHT = datetime(2026, 3, 30, tzinfo=UTC)
SECONDS = (3600, 86_400, 604_800)
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")
EVENTS = ("order_completed", "product_viewed")
CHANNELS = ("email", "sms", "whatsapp", "push", "webhook")
TOPICS = ("marketing", "offers")
HASHES = ("h1", "h2")

_EDGES = [micros(AS_OF) + sign * gap * 1_000_000 for gap in (0, *SECONDS) for sign in (-1, 1)]
_EDGES += [
    day_start(date.fromisoformat(day) + timedelta(days=n), zone) for day in DAYS for n in (0, 1) for zone in (ZONE, UTC)
]
_TEXTS = ["", "vip", "VIP", "a%b", "a_b", "axb", "a/b", "é", "É", "10", "9", "ab\\", "Oslo", "1e3", "true"]
_NUMBERS = [
    0, 1, 2, 3, 5, 9, 10, 19.99, 20, 1.0, -1, 19.989999, 19.994, 19.995, 1.005, 0.1, 0.30000000000000004, 2.675, -0.005,
    1e300, -1e300, 5e-324, 2**53 + 1, 10**15 - 1, 10**15, 2**63 - 1, -(2**63), 2**70, 10**400, 10**11, 10**14, 10**17,
]  # fmt: skip
_ODD = [
    None, True, False, [], ["vip"], {}, {"a": 1}, "19.99", "yes", "2026-02-30", "2026-13-01", "2026-W10-1",
    "2026-03-29", "2026-03-29T10:00:00", "2026-03-29T24:00:00Z", "2026-03-29T10:00:60Z", "2026-03-29 10:00:00+15:00",
    "2026-3-29", "2026-03-29T10:00:00Z\n", "2026-02-29T10:00:00Z", "2026-03-29Tx\ny", "0001-01-01", "9999-12-31",
    "２０２６-03-29",
]  # fmt: skip
_MONEY = [0, 100, 101, 200, 268, 1999, 2000, 5000]

PROPERTIES = {
    "total": Type.MONEY, "rating": Type.NUMBER, "coupon": Type.TEXT, "order_id": Type.TEXT, "gift": Type.YES_NO,
    "due_at": Type.TIMESTAMP, "due": Type.DATE, "products": Type.PRODUCTS, "shipping.method": Type.TEXT,
    "anything": Type.ANY, "thing": Type.ANY,
}  # fmt: skip
CUSTOM = {
    "points": Type.NUMBER, "credit": Type.MONEY, "member": Type.YES_NO, "tags": Type.LIST, "joined_at": Type.TIMESTAMP,
    "joined": Type.DATE, "loyalty.tier": Type.TEXT, "unsaid": Type.ANY, "push_token": Type.TEXT,
}  # fmt: skip
FIELDS = {
    "email": Type.TEXT, "city": Type.TEXT, "birthday": Type.DATE, "created_at": Type.TIMESTAMP,
    "last_seen_at": Type.TIMESTAMP, "cart.total": Type.MONEY, "cart.count": Type.NUMBER, "cart.items": Type.PRODUCTS,
    "cart.updated_at": Type.TIMESTAMP, "cart.is_abandoned": Type.YES_NO, "checkout.step": Type.NUMBER,
    "checkout.updated_at": Type.TIMESTAMP, "orders.count": Type.NUMBER, "orders.value": Type.MONEY,
    "orders.average": Type.MONEY, "orders.first_at": Type.TIMESTAMP, "orders.last_at": Type.TIMESTAMP,
    "orders.last_total": Type.MONEY, "browsing.last_product": Type.PRODUCT, "browsing.last_category": Type.TEXT,
    "browsing.products": Type.PRODUCTS, "browsing.last_product.price": Type.MONEY,
    "browsing.last_product.name": Type.TEXT, **CUSTOM,
}  # fmt: skip


def at(r: Random) -> int:
    return r.choice(_EDGES) + r.choice((-1, 0, 0, 1, HOUR, -DAY))


def time_as_sent(r: Random) -> Any:
    """A time in one of the forms in which shops send it."""
    micro = at(r)
    time = instant(micro)
    new_york = time.astimezone(ZoneInfo("America/New_York"))
    return r.choice([
        micro // 1_000_000, micro // 1000, micro, micro / 1_000_000, time.date().isoformat(),
        time.isoformat().replace("+00:00", "Z"), time.strftime("%Y-%m-%dT%H:%M:%S.%f789Z"),
        time.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S%z"), new_york.isoformat(),
    ])  # fmt: skip


def json_value(r: Random, kind: Type | None = None) -> Any:
    """A value that fits the type, most of the time; anything at all otherwise."""
    if kind in (None, Type.ANY) or r.random() < 0.25:
        kind = r.choice((None, Type.TEXT, Type.NUMBER, Type.TIMESTAMP))
    match kind:
        case Type.MONEY:
            return r.choice(_MONEY) / 100 if r.random() < 0.5 else r.choice(_NUMBERS)
        case Type.NUMBER:
            return r.choice(_NUMBERS[:10] if r.random() < 0.5 else _NUMBERS)
        case Type.TEXT:
            return r.choice(_TEXTS)
        case Type.YES_NO:
            return r.random() < 0.5
        case Type.TIMESTAMP | Type.DATE:
            return time_as_sent(r)
        case Type.PRODUCTS | Type.LIST:
            return r.choice([[], [{"product_id": "p"}], ["vip"]])
    return r.choice(_ODD)


def bag(r: Random, types: dict[str, Type]) -> dict[str, Any]:
    """A JSON object with some of these keys; dotted ones as they are or as objects inside."""
    out: dict[str, Any] = {}
    for name, kind in types.items():
        if r.random() < 0.7:
            head, _, rest = name.partition(".")
            value = json_value(r, kind)
            out.update({head: {rest: value}} if rest and r.random() < 0.5 else {name: value})
    return out


def person(r: Random) -> Person:
    def maybe(value: Any) -> Any:
        return None if r.random() < 0.3 else value

    products = [bag(r, {"price": Type.MONEY, "name": Type.TEXT}) for _ in range(r.randrange(3))]
    traits = {
        "last_seen_at": maybe(at(r)), "cart_total": r.choice(_MONEY), "cart_count": r.randrange(4),
        "cart_updated_at": maybe(at(r)), "checkout_step": maybe(r.randrange(4)), "checkout_updated_at": maybe(at(r)),
        "orders_count": r.randrange(4), "orders_value": r.choice([*_MONEY, -4, -5]), "orders_first_at": maybe(at(r)),
        "orders_last_at": maybe(at(r)), "orders_last_total": maybe(r.choice(_MONEY)),
        "browsing_last_category": maybe(r.choice(_TEXTS)), "browsing_products": products, "cart_items": products[:1],
    }  # fmt: skip
    return Person(
        profile={
            "email": maybe(r.choice(_TEXTS)), "email_hash": maybe(r.choice(HASHES)), "phone": maybe(r.choice(_TEXTS)),
            "phone_hash": maybe(r.choice(HASHES)), "city": maybe(r.choice(_TEXTS)), "created_at": at(r),
            "birthday": maybe(instant(at(r)).date().isoformat()), "custom": bag(r, CUSTOM),
        },
        traits=None if r.random() < 0.1 else traits,
        events=[Event(name=r.choice(EVENTS), at=at(r), properties=bag(r, PROPERTIES)) for _ in range(r.randrange(7))],
        consents={(channel, topic): r.random() < 0.6 for channel in CHANNELS for topic in TOPICS if r.random() < 0.6},
        entered_at=at(r),
        start=bag(r, PROPERTIES),
    )  # fmt: skip


def now(r: Random) -> Now:
    return Now(
        as_of=r.choice((AS_OF, MIDNIGHT)),
        zone=ZONE.key,
        consent=frozenset(channel for channel in CHANNELS if r.random() < 0.3),
        suppressions=frozenset((channel, digest) for channel in CHANNELS for digest in HASHES if r.random() < 0.2),
    )


# ── Conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────
def field(r: Random, where: bool, *wanted: Type) -> c.Field:
    """A field of one of these types; inside a `where` most often a property of its event."""
    scopes: list[tuple[Any, dict[str, Type]]] = [("profile", FIELDS), ("event", PROPERTIES)]
    if where and r.random() < 0.8:
        scopes = [("property", PROPERTIES)]
    scope, names = r.choices(scopes, weights=[3, 1][: len(scopes)])[0]
    fitting = [name for name, kind in names.items() if not wanted or kind in wanted]
    name = r.choice(fitting)
    return c.Field(scope=scope, name=name, type=names[name])


def constant(r: Random, kind: Type) -> c.Constant:
    value = {
        Type.TEXT: lambda: r.choice(_TEXTS),
        Type.NUMBER: lambda: r.choice([0, 1, 2, 3, 0.1, 5.0, 2**53, 10**15, 2**64, 2.5]),
        Type.MONEY: lambda: r.choice(_MONEY),
        Type.YES_NO: lambda: r.random() < 0.5,
        Type.DATE: lambda: r.choice(DAYS),
        Type.TIMESTAMP: lambda: at(r),
    }[kind]()
    return c.Constant(type=kind, value=value)


_COMPARED = (Type.TEXT, Type.NUMBER, Type.MONEY, Type.YES_NO, Type.DATE, Type.TIMESTAMP)


def compare(r: Random, where: bool) -> c.Condition:
    kind = r.choice((*_COMPARED, Type.ANY))
    signs: Any = ("is", "is not") if kind is Type.YES_NO else (">", ">=", "<", "<=", "is", "is not")

    def other() -> c.Operand:
        return field(r, where, kind) if kind is Type.ANY or r.random() < 0.3 else constant(r, kind)

    asked = field(r, where, *((kind, Type.ANY) if r.random() < 0.2 else (kind,)))
    if r.random() < 0.2:
        return c.OneOf(field=asked, values=tuple(other() for _ in range(r.randint(1, 3))))
    return c.Compare(field=asked, operator=r.choice(signs), value=other())


def leaf(r: Random, where: bool) -> c.Condition:
    times = (Type.TIMESTAMP, Type.DATE, Type.ANY)
    kinds: Any = r.choice(("ago", "last", "next"))
    sides: Any = r.choice(("before", "after"))
    texts: Any = r.choice(("contains", "starts_with"))
    match r.randrange(8):
        case 0:
            return c.Known(field=field(r, where))
        case 1:
            return c.Recency(field=field(r, where, *times), kind=kinds, seconds=r.choice(SECONDS))
        case 2:
            return c.Calendar(field=field(r, where, *times), kind=sides, day=r.choice(DAYS))
        case 3:
            return c.Contains(field=field(r, where, Type.TEXT, Type.ANY), kind=texts, text=r.choice(_TEXTS))
    return compare(r, where)


def window(r: Random) -> c.Window | None:
    start = r.choice(DAYS)
    return r.choice([
        None, c.Window(kind="last", seconds=r.choice(SECONDS)), c.Window(kind="before", seconds=r.choice(SECONDS)),
        c.Window(kind="entry"), c.Window(kind="between", start=start, end=r.choice([d for d in DAYS if d >= start])),
    ])  # fmt: skip


def condition(r: Random, where: bool = False, depth: int = 2) -> c.Condition:
    """Any condition; with `where`, one about an event row."""
    if depth and r.random() < 0.35:
        parts = tuple(condition(r, where, depth - 1) for _ in range(r.randint(1, 3)))
        return r.choice([c.Not(condition=parts[0]), c.AllOf(conditions=parts), c.AnyOf(conditions=parts)])
    chance = 1.0 if where else r.random()
    if chance < 0.3:
        least, most = r.choice([(1, None), (0, 0), (2, None), (0, 1), (1, 1), (2, 3), (0, None)])
        asked = condition(r, where=True, depth=1) if r.random() < 0.5 else None
        return c.HasEvent(event=r.choice(EVENTS), least=least, most=most, window=window(r), where=asked)
    if chance < 0.4:
        return c.CanReceive(channel=r.choice(CHANNELS), topic=r.choice(TOPICS))
    return leaf(r, where)
