"""Random people and random conditions about them, often exactly at the edges of what is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from dsl import conditions as c
from dsl.plan import Stage
from dsl.types import Type
from store.clock import DAY, HOUR, day_start, instant, micros
from tests.reference import Event, Now, Person, Queued

ZONE = ZoneInfo("Europe/Oslo")
AS_OF = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)
"""The day after the clocks were put forward."""
MIDNIGHT = datetime(2026, 3, 30, tzinfo=UTC)
LEAP = (
    datetime(2027, 2, 28, tzinfo=ZONE), datetime(2028, 2, 28, 23, 30, tzinfo=UTC), datetime(2028, 2, 29, 8, tzinfo=UTC),
    datetime(2027, 3, 1, tzinfo=ZONE), datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC),
)  # fmt: skip
"""Ends of February and of the year."""
SECONDS = (3600, 86_400, 604_800)
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")
EVENTS = ("order_completed", "product_viewed", "email_opened", "email_link_clicked", "push_notification_tapped")
TEMPLATES = ("vip", "10")
AUDIENCES = ("lapsed", "vips")
STAGES = ("vip", "VIP", "10", "Oslo")
STATES = ("planned", "claimed", "sending", "accepted", "failed", "unknown", "assumed_sent", "skipped", "cancelled")
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
    "anything": Type.ANY, "thing": Type.ANY, "labels": Type.LIST, "template": Type.TEXT,
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
    "browsing.last_product.name": Type.TEXT, "stage": Type.TEXT, "lead_temperature": Type.TEXT,
    "rfm.recency": Type.NUMBER, "rfm.frequency": Type.NUMBER, "rfm.monetary": Type.NUMBER,
    **CUSTOM,
}  # fmt: skip


HISTORIES: dict[str, tuple[str, list[Any]]] = {
    "city": ("city", ["Oslo", "vip", None]),
    "birthday": ("birthday", ["1990-03-30", "1992-02-29", None]),
    "points": ("points", [1, 1.0, 2, "1"]),
    "credit": ("credit", [1, 1.001, 19.99]),
    "member": ("member", [True, False, None]),
    "loyalty.tier": ("loyalty", [{"tier": "vip"}, {"tier": "vip"}, {"tier": "Oslo"}, {}, "vip"]),
    "unsaid": ("unsaid", [1, "1", True, None]),
    "joined": ("joined", ["2026-03-28", "2026-03-29", "2026-03-29T10:00:00Z"]),
}
"""Fields that have been something for a while: the trait that gives each, and what it gives."""


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
            return r.choice([[], [{"product_id": "p"}], [r.choice([*_TEXTS, *_NUMBERS, *_ODD]) for _ in range(4)]])
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

    identified, told = history(r)
    ids = r.sample("09ABab_éÉ", r.randrange(9))
    times = [at(r), at(r)]  # most events are at the same two instants
    acts = [Event(name=r.choice(EVENTS), at=r.choice((*times, at(r))), properties=properties(r), id=id) for id in ids]
    products = [bag(r, {"price": Type.MONEY, "name": Type.TEXT}) for _ in range(r.randrange(3))]
    traits = {
        "last_seen_at": maybe(at(r)), "cart_total": r.choice(_MONEY), "cart_count": r.randrange(4),
        "cart_updated_at": maybe(at(r)), "checkout_step": maybe(r.randrange(4)), "checkout_updated_at": maybe(at(r)),
        "orders_count": r.randrange(4), "orders_value": r.choice([*_MONEY, -4, -5]), "orders_first_at": maybe(at(r)),
        "orders_last_at": maybe(at(r)), "orders_last_total": maybe(r.choice(_MONEY)),
        "browsing_last_category": maybe(r.choice(_TEXTS)), "browsing_products": products, "cart_items": products[:1],
    }  # fmt: skip
    columns = {name: told.pop(name) for name in ("city", "birthday") if name in told}
    custom = bag(r, CUSTOM) | told
    if "loyalty" in told:  # a store has one of the two forms
        custom.pop("loyalty.tier", None)
    return Person(
        profile={
            "email": maybe(r.choice(_TEXTS)), "email_hash": maybe(r.choice(HASHES)), "phone": maybe(r.choice(_TEXTS)),
            "phone_hash": maybe(r.choice(HASHES)), "city": maybe(r.choice(_TEXTS)), "created_at": at(r),
            "birthday": maybe(day_of_birth(r)), **columns, "custom": custom,
        },
        traits=None if r.random() < 0.1 else traits,
        events=acts + identified,
        consents={(channel, topic): r.random() < 0.6 for channel in CHANNELS for topic in TOPICS if r.random() < 0.6},
        entered_at=at(r),
        start=bag(r, PROPERTIES),
        queued=[
            Queued(channel=r.choice(("email", "sms", "crm")), template=r.choice(TEMPLATES), state=r.choice(STATES),
                   settled_at=maybe(at(r)))
            for _ in range(r.randrange(5))
        ],
        member={audience: r.random() < 0.6 for audience in AUDIENCES if r.random() < 0.6},
        noted=maybe((r.choice(STAGES), at(r))),
        is_merged=r.random() < 0.1,
    )  # fmt: skip


def day_of_birth(r: Random) -> str:
    around = r.choice((AS_OF, *LEAP)) + timedelta(days=r.choice((-7, -6, -1, 0, 1, 2, 6, 7, 8)))
    return r.choice(["1992-02-29", "1992-02-28", "1991-03-01", f"1992-{around:%m-%d}", f"2024-{around:%m-%d}"])


def properties(r: Random) -> dict[str, Any]:
    """Of an event; every second one names a template."""
    return bag(r, PROPERTIES) | ({"template": r.choice((*TEMPLATES, 10))} if r.random() < 0.5 else {})


def history(r: Random) -> tuple[list[Event], dict[str, Any]]:
    """Identify calls, many at the same instant, and what the traits in them come to: mostly the newest word."""
    instants = [at(r) for _ in range(3)]
    calls: list[Event] = []
    told: dict[str, Any] = {}
    for i, when in enumerate(sorted(r.choice(instants) for _ in range(r.randrange(6)))):
        traits = {trait: r.choice(values) for trait, values in HISTORIES.values() if r.random() < 0.5}
        columns = {name: traits[name] for name in ("city", "birthday") if name in traits}
        if when <= micros(AS_OF) or r.random() < 0.3:
            told |= {name: value for name, value in traits.items() if r.random() < 0.9}
        kept: dict[str, Any] = {"traits": traits}
        if r.random() < 0.8:
            kept["columns"] = columns
            # As sent they may be written otherwise, under another name, or not be taken at all.
            traits |= {name: "vip" for name in columns if r.random() < 0.4}
            kept["traits"] = {name: value for name, value in traits.items() if r.random() < 0.9}
            kept["columns"] = {name: value for name, value in columns.items() if r.random() < 0.9}
        calls.append(Event(name="identify", at=when, properties=kept, id=f"i{i}"))
    return calls, told


def lifecycle(r: Random) -> tuple[Stage, ...]:
    """None at all, or up to four stages, that ask for anything but the stage and the enrollment."""
    names = STAGES[: r.randrange(5)]
    conditional = tuple(Stage(name=name, condition=alone(r)) for name in names[:-1])
    return conditional + tuple(Stage(name=name, condition=None) for name in names[-1:])


def alone(r: Random) -> c.Condition:
    """A condition about the person alone."""
    while True:
        asked = condition(r, depth=1)
        if not any(part in repr(asked) for part in ("scope='event'", "kind='entry'", "name='stage'")):
            return asked


def now(r: Random) -> Now:
    return Now(
        as_of=r.choice((AS_OF, MIDNIGHT) if r.random() < 0.6 else LEAP),
        zone=ZONE.key,
        consent=frozenset(channel for channel in CHANNELS if r.random() < 0.3),
        lifecycle=lifecycle(r),
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
    match r.randrange(9):
        case 0:
            return c.Known(field=field(r, where))
        case 1:
            return c.Recency(field=field(r, where, *times), kind=kinds, seconds=r.choice(SECONDS))
        case 2:
            return c.Calendar(field=field(r, where, *times), kind=sides, day=r.choice(DAYS))
        case 3:
            return c.Contains(field=field(r, where, Type.TEXT, Type.ANY), kind=texts, text=r.choice(_TEXTS))
        case 4:
            among = field(r, where, Type.TEXT) if r.random() < 0.3 else constant(r, Type.TEXT)
            return c.Includes(field=field(r, where, Type.LIST), value=among)
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
    if chance < 0.7:
        return further(r)
    return leaf(r, where)


def further(r: Random) -> c.Condition:
    """A condition that looks further than one value of now."""
    match r.randrange(8):
        case 7:
            score = c.Field(
                scope="profile", name=f"rfm.{r.choice(('recency', 'frequency', 'monetary'))}", type=Type.NUMBER
            )
            warmth = c.Field(scope="profile", name="lead_temperature", type=Type.TEXT)
            three = c.Compare(field=score, operator=">=", value=c.Constant(type=Type.NUMBER, value=r.randint(1, 5)))
            said = c.Constant(type=Type.TEXT, value=r.choice(("hot", "warm", "cold")))
            return r.choice([three, c.Compare(field=warmth, operator="is", value=said)])
        case 0:
            asked = condition(r, where=True, depth=1)
            where = condition(r, where=True, depth=1) if r.random() < 0.5 else None
            return c.LastEvent(event=r.choice(EVENTS), condition=asked, where=where)
        case 1:
            name = r.choice([name for name, kind in FIELDS.items() if kind in (Type.NUMBER, Type.MONEY)])
            asked_of = c.Field(scope="profile", name=name, type=FIELDS[name])
            return c.Top(field=asked_of, percent=r.choice((0.1, 10, 10.0, 25, 33.3, 50, 99)))
        case 2:
            kind: Any = r.choice(("received", "opened", "clicked"))
            return c.Message(kind=kind, template=r.choice(TEMPLATES), window=window(r))
        case 3:
            return c.InAudience(audience=r.choice(AUDIENCES))
        case 4:
            born = c.Field(scope="profile", name="birthday", type=Type.DATE)
            sides: Any = r.choice(("last", "next"))
            days = r.choice((1, 2, 7, 8, 364, 365, 366, 367, 40_000, 10**9))
            return c.Recency(field=born, kind=sides, seconds=r.choice((days * 86_400, days * 86_400, 1, 3600)))
        case 5:
            stage = c.Field(scope="profile", name="stage", type=Type.TEXT)
            named = c.Constant(type=Type.TEXT, value=r.choice(STAGES))
            seconds = r.choice(SECONDS)
            return r.choice([c.Compare(field=stage, operator="is", value=named),
                             c.HasBeen(field=stage, value=named, seconds=seconds)])  # fmt: skip
    name = r.choice(list(HISTORIES))
    return c.HasBeen(
        field=c.Field(scope="profile", name=name, type=FIELDS[name]), value=been(r, name), seconds=r.choice(SECONDS)
    )


def been(r: Random, name: str) -> c.Operand:
    """What the field may have been: one of the values in its history, or anything else."""
    kind, value = FIELDS[name], r.choice(HISTORIES[name][1])
    if r.random() < 0.1:
        return field(r, False, kind)
    match kind, value:
        case Type.MONEY, _:
            return c.Constant(type=kind, value=r.choice((100, 1999)))
        case Type.TEXT, {"tier": str(tier)}:
            return c.Constant(type=kind, value=tier)
        case Type.ANY, bool():
            return c.Constant(type=Type.YES_NO, value=value)
        case Type.ANY, int():
            return c.Constant(type=Type.NUMBER, value=value)
        case ((Type.ANY | Type.TEXT), _):
            return c.Constant(type=Type.TEXT, value=value if isinstance(value, str) else "vip")
        case (Type.NUMBER, int() | float()) | (Type.YES_NO, bool()) | (Type.DATE, str()):
            return c.Constant(type=kind, value=value[:10] if isinstance(value, str) else value)
    return constant(r, kind)
