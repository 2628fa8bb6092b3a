"""The person of a scenario: what is given and what happens later, as the calls that a shop would send.

Everybody is `person@example.com`, with a phone number and an app, and has consented on every channel and to every topic
unless the scenario says otherwise. Fields that the store works out of events are given by such events:

- `cart.total`, `cart.count`: products put into the cart at the `product_added` given after the last order, else at
  the latest cart event given, else at the start. A product without a price takes its share of the total, or
  costs 50.
- `orders.count`, `orders.value`, `orders.last_total`: orders beside those given, 30 days apart, the last of them 30
  days before the first one given, or before the start. Orders without a total share what is left of the value, else
  are 50 each.
- `checkout.step`: a completed step; `browsing.last_…`: a product viewed.

Events get what a shop would send with them where the scenario does not say: products an id, a name, a price; an order
its number, and total and products of the cart; what is done to an order, the number of the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dsl import scenario as s
from dsl.catalog import FIELDS, MARKETING, STAGE, Catalog
from dsl.conditions import Constant
from dsl.resolve.given import CONSENTS, MEMBER
from dsl.types import Type
from ledger.waits import at_local
from profiles.traits import Event, State, cart_totals, fold, product_id
from store.clock import micros

PRICE = 50
"""What a product costs, and an order comes to, of which nothing is said; in units of the currency."""
APART = timedelta(days=30)
"""Between orders that only a number tells of."""
USER = "person"
_CART = frozenset({"product_added", "product_removed", "cart_viewed", "checkout_started"})
_CHECKOUT = frozenset({"checkout_started", "checkout_step_viewed", "checkout_step_completed", "payment_info_entered"})
_PRODUCT = frozenset(
    {"product_viewed", "product_clicked", "product_added", "product_removed", "product_reviewed", "product_shared",
     "product_added_to_wishlist", "product_removed_from_wishlist", "wishlist_product_added_to_cart"}
)  # fmt: skip
_OF_ORDERS = frozenset({"order_updated", "order_cancelled", "order_refunded"})
_WITH_CART = frozenset({"order_completed", "checkout_started", "cart_viewed"})
_TOLD = ("total", "revenue", "value")


class Impossible(Exception):  # noqa: N818  it says what is wrong
    """What is given contradicts itself: a sentence."""


@dataclass(slots=True, kw_only=True)
class Doing:
    """Something that the person does."""

    at: datetime
    name: str
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A Segment call, and when it comes in."""

    at: datetime
    body: Mapping[str, Any]
    told: str | None = None
    """What happens, in words; None for what is given."""


def calls(scenario: s.Scenario, *, start: datetime, zone: ZoneInfo, catalog: Catalog) -> list[Call]:
    """All calls about the person in the order of their times. Raises Impossible."""
    values = {line.field.name: line.value for line in scenario.lines if isinstance(line, s.GivenField)}
    given = [
        Doing(
            at=start - timedelta(seconds=line.seconds_ago),
            name=line.event,
            properties=_sent(line, zone, catalog),
        )
        for line in scenario.lines
        if isinstance(line, s.GivenEvent)
    ]
    _orders(given, values, start)
    _cart(given, values, start)
    _checkout(given, values, start)
    _browsing(given, values, start)
    later = [*_later(scenario, start, zone, catalog)]
    doings = sorted([*given, *(each for each, _ in later)], key=lambda each: each.at)
    told = {id(each): text for each, text in later}
    _complete(doings, catalog.currency)
    began = min([start, *(each.at for each in given)])
    made = [
        Call(at=each.at, body=_track(each, number), told=told.get(id(each))) for number, each in enumerate(doings, 1)
    ]
    return sorted([*_identified(scenario, began, start, zone, catalog), *made], key=lambda call: call.at)


def zone_of(scenario: s.Scenario, default: str) -> str:
    """The name of the zone that the scenario gives the person, else `default`."""
    for line in scenario.lines:
        if isinstance(line, s.GivenField) and line.field.name == "time_zone":
            return str(line.value.value)
    return default


# ── Who it is ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _identified(
    scenario: s.Scenario, began: datetime, start: datetime, zone: ZoneInfo, catalog: Catalog
) -> Iterator[Call]:
    topics = sorted(catalog.topics() - {MARKETING})
    traits: dict[str, Any] = {"email": f"{USER}@example.com", "phone": "+14155550123", "push_token": "app"}
    for name in CONSENTS:
        traits |= {name: True, **{f"{name}_{topic}": True for topic in topics}}
    for line in scenario.lines:
        if isinstance(line, s.GivenField):
            _put(traits, line, zone, topics)
    yield Call(at=began, body=_identify(traits, began, 0))
    sets = [line for line in scenario.lines if isinstance(line, s.AfterSet) and line.field.name != STAGE]
    for number, line in enumerate(sorted(sets, key=lambda line: line.seconds), 1):
        at = start + timedelta(seconds=line.seconds)
        # Parts of one object are sent together, or the others would be lost.
        before = {line.field.name.partition(".")[0]: traits.get(line.field.name.partition(".")[0])}
        changed: dict[str, Any] = {name: value for name, value in before.items() if isinstance(value, dict)}
        _put(changed, line, zone, topics)
        traits |= changed
        yield Call(at=at, body=_identify(changed, at, number), told=_words(line.text))


def _put(traits: dict[str, Any], line: s.GivenField | s.AfterSet, zone: ZoneInfo, topics: Sequence[str]) -> None:
    name, value = line.field.name, sent(line.value)
    if name in CONSENTS:
        traits |= {name: value, **{f"{name}_{topic}": value for topic in topics}}
    elif name in FIELDS:
        if "." not in name:
            traits[name] = _instant(line.value, zone) if name == "created_at" else value
    elif name != STAGE and not name.startswith(MEMBER) and name.partition(".")[0] != "browsing":
        if line.field.type is Type.TIMESTAMP:
            value = _instant(line.value, zone)
        owner, _, part = name.partition(".")
        if line.field.type is Type.LIST:
            known = traits.get(owner)
            value = [*(known if isinstance(known, list) and isinstance(line, s.GivenField) else ()), value]
        if not part:
            traits[owner] = value
            return
        inner: dict[str, Any] = dict(traits.get(owner) or {})
        traits[owner] = inner
        *path, last = part.split(".")
        for key in path:
            inner[key] = dict(inner.get(key) or {})
            inner = inner[key]
        inner[last] = value


def _identify(traits: Mapping[str, Any], at: datetime, number: int) -> dict[str, Any]:
    told = {"type": "identify", "userId": USER, "messageId": f"identify-{number}", "timestamp": at.isoformat()}
    return {**told, "traits": dict(traits)}


# ── What they do ──────────────────────────────────────────────────────────────────────────────────────────────────────
def _later(scenario: s.Scenario, start: datetime, zone: ZoneInfo, catalog: Catalog) -> Iterator[tuple[Doing, str]]:
    for line in scenario.lines:
        match line:
            case s.AfterEvent(seconds=seconds, event=event, text=text):
                at = start + timedelta(seconds=seconds)
                yield Doing(at=at, name=event, properties=_sent(line, zone, catalog)), _words(text)
            case s.AfterMessage(seconds=seconds, kind=kind, template=template, text=text):
                channels = {channel for channel, name in catalog.templates if name == template}
                name = "email_opened" if kind == "opened" else "email_link_clicked"
                if channels and "email" not in channels:
                    name = "push_notification_tapped"
                at = start + timedelta(seconds=seconds)
                yield Doing(at=at, name=name, properties={"template": template}), _words(text)


def _track(doing: Doing, number: int) -> dict[str, Any]:
    return {
        "type": "track", "userId": USER, "messageId": f"event-{number}", "timestamp": doing.at.isoformat(),
        "event": doing.name, "properties": doing.properties,
    }  # fmt: skip


def sent(value: Constant) -> Any:
    """A value as a shop sends it: money in units of the currency."""
    if value.type is Type.MONEY and isinstance(value.value, int):
        return _units(value.value)
    return value.value


def _sent(line: s.GivenEvent | s.AfterEvent, zone: ZoneInfo, catalog: Catalog) -> dict[str, Any]:
    """A day that is a point in time is sent as its first instant where the person lives; another as it is."""
    known = catalog.events[line.event].properties if line.event in catalog.events else {}
    made = {}
    for name, value in line.properties:
        is_instant = value.type is Type.TIMESTAMP or (value.type is Type.DATE and known.get(name) is Type.TIMESTAMP)
        made[name] = _instant(value, zone) if is_instant else sent(value)
    return made


def _instant(value: Constant, zone: ZoneInfo) -> Any:
    if value.type not in (Type.DATE, Type.TIMESTAMP):
        return value.value
    at = datetime.fromisoformat(str(value.value))
    return at_local(at.date(), at.time(), zone).isoformat()


def _units(hundredths: int) -> int | float:
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def _words(text: str) -> str:
    """`order_completed` of `after 12 hours order_completed:`."""
    return " ".join(text.partition("#")[0].rstrip(": ").split()[3:])


# ── Fields that events add up to ──────────────────────────────────────────────────────────────────────────────────────
def _amount(values: Mapping[str, Constant], name: str) -> int | None:
    value = values[name].value if name in values else None
    return int(value) if isinstance(value, int | float) else None


def _orders(given: list[Doing], values: Mapping[str, Constant], start: datetime) -> None:
    told = sorted((each for each in given if each.name == "order_completed"), key=lambda each: each.at)
    count, value, last = (_amount(values, name) for name in ("orders.count", "orders.value", "orders.last_total"))
    wanted = count if count is not None else max(len(told), 1 if value or last else 0)
    if wanted < len(told):
        raise Impossible(f"`orders.count` is given as {wanted}, and {len(told)} `order_completed` are given.")
    first = told[0].at if told else start
    for number in range(1, wanted - len(told) + 1):
        told.insert(0, Doing(at=first - APART * number, name="order_completed"))
        given.append(told[0])
    if told and last is not None and not _is_told(told[-1]):
        told[-1].properties["total"] = _units(last)
    if value is None:
        return
    rest = value - sum(_hundredths(each) for each in told if _is_told(each))
    open_ = [each for each in told if not _is_told(each)]
    if rest < 0 or (rest and not open_):
        raise Impossible("The orders that are given do not add up to `orders.value`.")
    for number, each in enumerate(open_):
        each.properties["total"] = _units(rest // len(open_) + (rest % len(open_) if number == 0 else 0))


def _is_told(order: Doing) -> bool:
    return any(name in order.properties for name in (*_TOLD, "products"))


def _hundredths(order: Doing) -> int:
    amount = next((order.properties[name] for name in _TOLD if name in order.properties), 0)
    return round(amount * 100)


def _cart(given: list[Doing], values: Mapping[str, Constant], start: datetime) -> None:
    total, count = _amount(values, "cart.total"), _amount(values, "cart.count")
    if total is None and count is None:
        return
    ordered = max((each.at for each in given if each.name == "order_completed"), default=None)
    mine = [each for each in given if each.name in _CART and (ordered is None or each.at > ordered)]
    added = sorted((each for each in mine if each.name == "product_added"), key=lambda each: each.at)
    if not added:
        if not total and not count:
            return
        at = max((each.at for each in mine), default=start)
        added = [Doing(at=at, name="product_added")]
        given.extend(added)
    pieces = [int(each.properties.get("quantity", 1)) for each in added]
    if count is not None:
        pieces[-1] = count - sum(pieces[:-1])
        if pieces[-1] < 1:
            raise Impossible(f"`cart.count` is given as {count}, and {len(added)} `product_added` are given.")
        added[-1].properties["quantity"] = pieces[-1]
    if total is None:
        return
    unpriced = [number for number, each in enumerate(added) if "price" not in each.properties]
    rest = total - sum(
        round(each.properties["price"] * 100) * pieces[number]
        for number, each in enumerate(added)
        if number not in unpriced
    )
    if rest < 0 or (rest and not unpriced):
        raise Impossible("The products that are given do not add up to `cart.total`.")
    for place, number in enumerate(unpriced):
        share = rest // len(unpriced) + (rest % len(unpriced) if place == 0 else 0)
        _price(given, added[number], share, pieces[number])


def _price(given: list[Doing], added: Doing, share: int, pieces: int) -> None:
    """Pieces of one price that come to `share`; where they cannot, the last piece is another product."""
    each, odd = divmod(share, pieces)
    added.properties["price"] = _units(each)
    if odd:
        added.properties["quantity"] = pieces - 1
        rest = Doing(at=added.at, name="product_added", properties={"price": _units(each + odd), "quantity": 1})
        given.append(rest)


def _checkout(given: list[Doing], values: Mapping[str, Constant], start: datetime) -> None:
    if step := _amount(values, "checkout.step"):
        ordered = max((each.at for each in given if each.name == "order_completed"), default=None)
        mine = [each.at for each in given if each.name in _CHECKOUT and (ordered is None or each.at > ordered)]
        at = max(mine, default=start)
        given.append(Doing(at=at, name="checkout_step_completed", properties={"step": step}))


def _browsing(given: list[Doing], values: Mapping[str, Constant], start: datetime) -> None:
    parts = {
        name.rpartition(".")[2]: sent(value)
        for name, value in values.items()
        if name.startswith("browsing.last_product.")
    }
    if category := values.get("browsing.last_category"):
        parts.setdefault("category", category.value)
    if not parts:
        return
    viewed = [each for each in given if each.name == "product_viewed"]
    if not viewed:
        viewed = [Doing(at=start, name="product_viewed")]
        given.extend(viewed)
    last = max(viewed, key=lambda each: each.at)
    last.properties = {**parts, **last.properties}


# ── What a shop sends with them ───────────────────────────────────────────────────────────────────────────────────────
def _complete(doings: Sequence[Doing], currency: str) -> None:
    """Fill in what is not said, from what happened before."""
    state, orders, products = State(), 0, 0
    last_order: Doing | None = None
    for number, doing in enumerate(doings):
        told = doing.properties
        if doing.name in _PRODUCT and product_id(told) is None:
            lines = list(state.cart.values())
            if doing.name == "product_removed" and lines:
                told["product_id"] = lines[-1]["product_id"]
            else:
                products += doing.name == "product_added"
                told["product_id"] = f"product-{max(1, products)}"
        if doing.name in _PRODUCT:
            name = str(told["product_id"]) if product_id(told) else "product"
            told.setdefault("name", name.replace("-", " ").capitalize())
            told.setdefault("price", PRICE)
            told.setdefault("url", f"https://shop.example/{name}")
            if doing.name in ("product_added", "product_removed"):
                told.setdefault("quantity", 1)
        if doing.name in _WITH_CART:
            _with_cart(doing, state)
        if doing.name == "order_completed":
            orders += 1
            told.setdefault("order_id", f"order-{orders}")
            last_order = doing
        if doing.name in _OF_ORDERS and last_order is not None:
            told.setdefault("order_id", last_order.properties["order_id"])
            if doing.name == "order_refunded" and not any(name in told for name in _TOLD):
                told["total"] = last_order.properties["total"]
        if doing.name in _PRODUCT | _WITH_CART | _OF_ORDERS:
            told.setdefault("currency", currency)
        state = fold(
            state,
            Event(event_id=f"{number:06}", name=doing.name, at=micros(doing.at), properties=told),
        )


def _with_cart(doing: Doing, state: State) -> None:
    told, lines = doing.properties, list(state.cart.values())
    total = cart_totals(state)[0] if lines else PRICE * 100
    if doing.name != "cart_viewed" and not any(name in told for name in (*_TOLD, "products")):
        told["total" if doing.name == "order_completed" else "value"] = _units(total)
    if "products" not in told:
        items = [{**line, "price": _units(line.get("price", 0))} for line in lines]
        told["products"] = items or [{"product_id": "product-1", "name": "Product 1", "price": PRICE, "quantity": 1}]


def local(day: str, clock: str, zone: ZoneInfo) -> datetime:
    """The instant of a local day and time, in UTC."""
    return at_local(date.fromisoformat(day), datetime.strptime(clock, "%H:%M").time(), zone).astimezone(UTC)  # noqa: DTZ007
