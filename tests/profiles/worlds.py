"""Random people and random conditions about them, with every boundary that a window has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from dsl import conditions as c
from dsl.types import Type
from store.clock import DAY, HOUR, day_start, instant, micros
from tests.reference import Event, Now, Person
from zoneinfo import ZoneInfo

ZONE = "Europe/Oslo"
AS_OF = datetime(2026, 3, 30, 9, 30, tzinfo=UTC)  # The day after the clocks were put forward.
SECONDS = (3600, 86_400, 604_800)
DAYS = ("2026-03-28", "2026-03-29", "2026-03-30")

_edges = [micros(AS_OF) + sign * gap * 1_000_000 for gap in (0, *SECONDS) for sign in (-1, 1)]
_edges += [day_start(date.fromisoformat(day) + timedelta(days=1), ZoneInfo(ZONE)) for day in DAYS]
instants = st.builds(lambda edge, step: edge + step, st.sampled_from(_edges), st.sampled_from((-1, 0, 0, 1, HOUR, -DAY)))


def _written(at: int, form: str) -> Any:
    time = instant(at)
    match form:
        case "seconds":
            return at // 1_000_000
        case "milliseconds":
            return at // 1000
        case "microseconds":
            return at
        case "fraction":
            return at / 1_000_000
        case "day":
            return time.date().isoformat()
        case "zulu":
            return time.isoformat().replace("+00:00", "Z")
        case "nanoseconds":
            return time.strftime("%Y-%m-%dT%H:%M:%S.%f789Z")
        case "compact":
            return time.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M:%S%z")
    return time.astimezone(ZoneInfo("America/New_York")).isoformat()


_forms = ("seconds", "milliseconds", "microseconds", "fraction", "day", "zulu", "nanoseconds", "compact", "iso")
times_as_sent = st.builds(_written, instants, st.sampled_from(_forms))
texts = st.sampled_from(
    ["", "vip", "VIP", "vi", "a%b", "a_b", "axb", "a/b", "é", "É", "10", "9", "ab\\", "Oslo", "new york", "1e3", "true"]
)
numbers = st.sampled_from(
    [0, 1, 2, 3, 5, 10, 20, -1, 19.99, 19.989999, 19.994, 19.995, 1.005, 0.1, 0.30000000000000004, 2.675, -0.005,
     1e300, -1e300, 5e-324, 2**53 + 1, 10**15 - 1, 10**15, 2**63 - 1, -(2**63), 2**70, 10**400, 100_000_000_000]
)  # fmt: skip
odd = st.sampled_from(
    [None, True, False, [], ["vip"], {}, {"a": 1}, "19.99", "yes", "2026-02-30", "2026-13-01", "2026-W10-1",
     "2026-03-29T10:00:00", "2026-03-29T24:00:00Z", "2026-03-29T10:00:60Z", "2026-03-29 10:00:00+15:00",
     "2026-03-29T10:00:00Z\n", "2026-02-29T10:00:00Z", "2026-03-29Tx\ny", "0001-01-01", "9999-12-31"]
)  # fmt: skip
json_values = st.one_of(texts, numbers, odd, times_as_sent)

PROPERTIES = {
    "total": Type.MONEY, "rating": Type.NUMBER, "coupon": Type.TEXT, "order_id": Type.TEXT, "gift": Type.YES_NO,
    "due_at": Type.TIMESTAMP, "due": Type.DATE, "products": Type.PRODUCTS, "shipping.method": Type.TEXT,
    "anything": Type.ANY, "thing": Type.ANY,
}  # fmt: skip
_fitting = {
    Type.MONEY: numbers, Type.NUMBER: numbers, Type.TEXT: texts, Type.YES_NO: st.booleans(),
    Type.TIMESTAMP: times_as_sent, Type.DATE: times_as_sent, Type.ANY: json_values,
    Type.PRODUCTS: st.sampled_from([[], [{"product_id": "p"}]]), Type.LIST: st.sampled_from([[], ["vip"]]),
}  # fmt: skip


def _bags(types: dict[str, Type]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with some of these keys, mostly of the right type; dotted names sometimes as nested objects."""
    keys = {name: st.one_of(_fitting[kind], _fitting[kind], json_values) for name, kind in types.items()}
    plain = st.fixed_dictionaries({}, optional=keys)

    def nest(bag: dict[str, Any], flat: bool) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in bag.items():
            head, _, rest = name.partition(".")
            out.update({name: value} if flat or not rest else {head: {rest: value}})
        return out

    return st.builds(nest, plain, st.booleans())


CUSTOM = {
    "points": Type.NUMBER, "credit": Type.MONEY, "member": Type.YES_NO, "tags": Type.LIST, "joined_at": Type.TIMESTAMP,
    "joined": Type.DATE, "loyalty.tier": Type.TEXT, "unsaid": Type.ANY, "push_token": Type.TEXT,
}  # fmt: skip
_maybe_text = st.none() | texts
_maybe_at = st.none() | instants
_small = st.sampled_from([0, 1, 2, 3, 1999, 2000, 10_000])
_day_texts = st.builds(lambda at: instant(at).date().isoformat(), instants)
_product = _bags({"price": Type.MONEY, "name": Type.TEXT})

EVENTS = ("order_completed", "product_viewed", "signed_up")
_events = st.lists(
    st.builds(Event, name=st.sampled_from(EVENTS), at=instants, properties=_bags(PROPERTIES)), max_size=5
)
_columns = {
    "email": _maybe_text, "phone": _maybe_text, "email_hash": st.none() | st.sampled_from(["h1", "h2"]),
    "phone_hash": st.none() | st.sampled_from(["h1", "h2"]), "first_name": _maybe_text, "city": _maybe_text,
    "birthday": st.none() | _day_texts, "created_at": instants, "custom": _bags(CUSTOM),
}  # fmt: skip
_traits = {
    "last_seen_at": _maybe_at, "cart_total": _small, "cart_count": _small, "cart_updated_at": _maybe_at,
    "checkout_step": st.none() | _small, "checkout_updated_at": _maybe_at, "orders_count": _small,
    "orders_value": _small, "orders_first_at": _maybe_at, "orders_last_at": _maybe_at,
    "orders_last_total": st.none() | _small, "browsing_last_category": _maybe_text,
    "browsing_products": st.lists(_product, max_size=2), "cart_items": st.lists(_product, max_size=1),
}  # fmt: skip
CHANNELS = ("email", "sms", "whatsapp", "push", "webhook")
TOPICS = ("marketing", "offers")
_consents = st.dictionaries(st.tuples(st.sampled_from(CHANNELS), st.sampled_from(TOPICS)), st.booleans(), max_size=6)

people = st.lists(
    st.builds(
        Person,
        profile=st.fixed_dictionaries(_columns),
        traits=st.none() | st.fixed_dictionaries(_traits),
        events=_events,
        consents=_consents,
        entered_at=instants,
        start=_bags(PROPERTIES),
    ),
    min_size=1,
    max_size=5,
)
nows = st.builds(
    Now,
    as_of=st.just(AS_OF),
    zone=st.just(ZONE),
    consent=st.frozensets(st.sampled_from(CHANNELS), max_size=1),
    suppressions=st.frozensets(st.tuples(st.sampled_from(CHANNELS), st.sampled_from(["h1", "h2"])), max_size=2),
)

# ── Conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────
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


def _fields(scope: Any, names: dict[str, Type], *wanted: Type) -> list[c.Field]:
    return [c.Field(scope=scope, name=n, type=t) for n, t in names.items() if not wanted or t in wanted]


def _in_scope(inside: bool, *wanted: Type) -> st.SearchStrategy[c.Field]:
    found = _fields("profile", FIELDS, *wanted) + _fields("event", PROPERTIES, *wanted)
    if inside:
        own = _fields("property", PROPERTIES, *wanted)
        return st.sampled_from(own) | st.sampled_from(own + found) if own else st.sampled_from(found)
    return st.sampled_from(found)


_constants = {
    Type.TEXT: texts,
    Type.NUMBER: st.sampled_from([0, 1, 2, 3, 0.1, 5.0, 2**53, 10**15, 2**64, 2.5]),
    Type.MONEY: st.sampled_from([0, 100, 101, 1999, 2000, 268, 5000]),
    Type.YES_NO: st.booleans(),
    Type.DATE: st.sampled_from(DAYS),
    Type.TIMESTAMP: instants,
}


def _compares(inside: bool) -> st.SearchStrategy[c.Condition]:
    def of(kind: Type) -> st.SearchStrategy[c.Condition]:
        field = _in_scope(inside, kind, kind, Type.ANY)
        constant = st.builds(c.Constant, type=st.just(kind), value=_constants[kind])
        other = constant | _in_scope(inside, kind)
        equal: Any = st.sampled_from(("is", "is not"))
        signs: Any = equal if kind is Type.YES_NO else st.sampled_from((">", ">=", "<", "<=", "is", "is not"))
        one_of = st.builds(c.OneOf, field=field, values=st.lists(other, min_size=1, max_size=3).map(tuple))
        return st.one_of(st.builds(c.Compare, field=field, operator=signs, value=other), one_of)

    any_field = _in_scope(inside, Type.ANY)
    undeclared = st.builds(
        c.Compare, field=any_field, operator=st.sampled_from((">", "<=", "is", "is not")), value=any_field  # type: ignore[arg-type]
    )
    return st.one_of(*(of(kind) for kind in _constants), undeclared)


def _leaves(inside: bool) -> st.SearchStrategy[c.Condition]:
    times = _in_scope(inside, Type.TIMESTAMP, Type.DATE, Type.ANY)
    kinds: Any = st.sampled_from(("ago", "last", "next"))
    sides: Any = st.sampled_from(("before", "after"))
    return st.one_of(
        _compares(inside),
        _compares(inside),
        st.builds(c.Known, field=_in_scope(inside)),
        st.builds(c.Recency, field=times, kind=kinds, seconds=st.sampled_from(SECONDS)),
        st.builds(c.Calendar, field=times, kind=sides, day=st.sampled_from(DAYS)),
        st.builds(
            c.Contains,
            field=_in_scope(inside, Type.TEXT, Type.ANY),
            kind=st.sampled_from(("contains", "starts_with")),  # type: ignore[arg-type]
            text=texts,
        ),
    )


_windows = st.one_of(
    st.none(),
    st.builds(c.Window, kind=st.just("last"), seconds=st.sampled_from(SECONDS)),  # type: ignore[arg-type]
    st.builds(c.Window, kind=st.just("before"), seconds=st.sampled_from(SECONDS)),  # type: ignore[arg-type]
    st.just(c.Window(kind="entry")),
    st.builds(c.Window, kind=st.just("between"), start=st.sampled_from(DAYS), end=st.sampled_from(DAYS)),  # type: ignore[arg-type]
)


def _nested(leaves: st.SearchStrategy[c.Condition]) -> st.SearchStrategy[c.Condition]:
    def grow(inner: st.SearchStrategy[c.Condition]) -> st.SearchStrategy[c.Condition]:
        parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            st.builds(c.Not, condition=inner),
            st.builds(c.AllOf, conditions=parts),
            st.builds(c.AnyOf, conditions=parts),
        )

    return st.recursive(leaves, grow, max_leaves=4)


wheres = _nested(_leaves(True))
_has_event = st.builds(
    lambda event, counts, window, where: c.HasEvent(
        event=event, least=counts[0], most=counts[1], window=window, where=where
    ),
    st.sampled_from(EVENTS),
    st.sampled_from([(1, None), (0, 0), (2, None), (0, 1), (1, 1), (2, 3), (0, None)]),
    _windows,
    st.none() | wheres,
)
_can_receive = st.builds(c.CanReceive, channel=st.sampled_from(CHANNELS), topic=st.sampled_from(TOPICS))
conditions = _nested(st.one_of(_leaves(False), _leaves(False), _has_event, _can_receive))
