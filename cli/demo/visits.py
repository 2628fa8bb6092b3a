"""What people do in the demo's shop: they look, hesitate, fill carts, leave most of them, and sometimes order.

Every function that draws takes the person's own source of chance, so that one person's story does not depend on how
many others there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from cli.demo.catalogue import PRODUCTS, THEMES, Product
from cli.demo.people import Person

Call = dict[str, Any]
"""One call of Segment's, as `winback import` reads it from a line of JSON."""

_HOURS = (5, 3, 2, 1, 1, 2, 6, 13, 22, 28, 30, 33, 38, 35, 31, 31, 33, 37, 42, 52, 62, 64, 48, 24)
"""How busy each hour of the local day is."""
_WEEKDAYS = (0.86, 0.8, 0.8, 0.78, 0.7, 0.85, 1.0)
_FREE_SHIPPING = 5000
_SHIPPING = 595
_BY_ID = {product.product_id: product for product in PRODUCTS}


@dataclass(slots=True, kw_only=True)
class Story:
    """What one person has done so far, written down as calls."""

    person: Person
    prefix: str
    """Message ids begin with it."""
    clock: datetime
    known: bool
    """Logged in: calls carry the user id."""
    cart: dict[str, int] = field(default_factory=dict)
    """Pieces by product id."""
    cart_at: datetime | None = None
    orders: int = 0
    calls: list[Call] = field(default_factory=list)
    context: dict[str, object] | None = None
    """Goes with the next call: the first of a visit tells the device and the zone."""

    def write(self, kind: str, **body: object) -> None:
        """One more call, at the story's clock."""
        call: Call = {
            "type": kind,
            "messageId": f"{self.prefix}-{len(self.calls):04d}",
            "timestamp": self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "anonymousId": self.person.anonymous_id,
        }
        if self.known and self.person.user_id is not None:
            call["userId"] = self.person.user_id
        if self.context is not None:
            call["context"], self.context = self.context, None
        self.calls.append(call | body)

    def track(self, event: str, **properties: object) -> None:
        self.write("track", event=event, properties=properties)

    def pause(self, random: Random, seconds: float) -> None:
        """Time passes: `seconds` on average."""
        self.clock += timedelta(seconds=1 + random.expovariate(1 / seconds))


def live(person: Person, *, seed: int, end: datetime) -> list[Call]:
    """All calls of one person up to `end`, in order of time."""
    random = Random(f"{seed}/story/{person.key}")
    story = Story(
        person=person, prefix=f"{seed}-{person.key}", clock=person.first_seen, known=person.member_since is not None
    )
    signs_up = 0 if random.random() < 0.6 else 1
    at = _moment(person.first_seen, person, random, patience=None if story.known else 0.3)
    number = 0
    later: list[tuple[datetime, str, dict[str, object]]] = []
    while at < end:
        story.clock = at
        story.context = {"device": {"type": person.device}, "timezone": person.zone}
        if number == 0 and story.known:
            _identify(story)
        before = story.orders
        visit(story, random, sign_up=person.user_id is not None and not story.known and number >= signs_up)
        if story.orders > before:
            later += _afterwards(story, random)
        hurry = bool(story.cart) and random.random() < 0.3
        at = _moment(max(at, story.clock), person, random, patience=1.2 if hurry else None)
        number += 1
    for moment, event, properties in later:
        story.clock, story.context = moment, None
        story.track(event, **properties)
    if story.calls and story.known and person.traits["email_consent"] and random.random() < 0.03:
        story.clock = story.clock + (end - story.clock) * random.random()
        story.write("identify", traits={"email_consent": False, "consent_source": "preferences page"})
    stamp = end.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return sorted(
        (call for call in story.calls if call["timestamp"] < stamp),
        key=lambda call: (call["timestamp"], call["messageId"]),
    )


def visit(story: Story, random: Random, *, sign_up: bool = False) -> None:
    """One visit: views and searches, perhaps things for the cart, perhaps a checkout."""
    person = story.person
    theme = random.choice(person.tastes) if random.random() < 0.85 else random.choice(list(THEMES))
    if story.cart_at is not None and story.clock - story.cart_at > timedelta(days=4) and random.random() < 0.7:
        for product_id in list(story.cart):
            remove(story, random, product_id)
    if random.random() < 0.4:
        category = THEMES[theme][0].category
        story.track("Product List Viewed", list_id=category.lower(), category=category)
        story.pause(random, 20)
    if random.random() < 0.2:
        story.track("Products Searched", query=random.choice(THEMES[theme]).name.split(",")[0].lower())
        story.pause(random, 15)
    added = False
    for product in _looks(theme, random):
        story.track("Product Viewed", **product.properties)
        story.pause(random, 50)
        if random.random() < (0.135 if product.cents < 7000 else 0.085) * person.appetite:
            added = True
            add(story, random, product)
            for companion in _companions(product, random):
                story.track("Product Viewed", **companion.properties)
                story.pause(random, 35)
                add(story, random, companion)
    if sign_up and person.user_id is not None:
        _sign_up(story, random)
    if not story.cart:
        return
    if random.random() < 0.1:
        remove(story, random, random.choice(list(story.cart)))
    if story.cart and random.random() < (0.35 if added else 0.32):
        story.track("Cart Viewed", products=lines(story.cart))
        story.pause(random, 30)
        if random.random() < 0.85:
            checkout(story, random, keen=0.0)


def add(story: Story, random: Random, product: Product) -> None:
    """Put a product into the cart, mostly one piece."""
    pieces = random.choices((1, 2, 3), (86, 11, 3))[0]
    story.cart[product.product_id] = story.cart.get(product.product_id, 0) + pieces
    story.cart_at = story.clock
    story.track("Product Added", **product.properties, quantity=pieces)
    story.pause(random, 25)


def remove(story: Story, random: Random, product_id: str) -> None:
    """Take a product out of the cart, all pieces of it."""
    pieces = story.cart.pop(product_id)
    story.cart_at = story.clock if story.cart else None
    story.track("Product Removed", **_BY_ID[product_id].properties, quantity=pieces)
    story.pause(random, 10)


def checkout(story: Story, random: Random, *, keen: float) -> None:
    """From the cart to the order; at every step some give up, the fewer the nearer `keen` is to 1."""
    checkout_id = f"checkout-{story.prefix}-{len(story.calls)}"
    cart = lines(story.cart)
    value = sum(line["price"] * line["quantity"] for line in cart)
    story.track("Checkout Started", checkout_id=checkout_id, value=round(value, 2), currency="USD", products=cart)
    story.pause(random, 60)
    if random.random() > 0.86 + 0.14 * keen:
        return
    if not story.known and story.person.user_id is not None:
        _sign_up(story, random, source="checkout")
    for step, stays in ((1, 0.93), (2, 0.94)):
        story.track("Checkout Step Completed", checkout_id=checkout_id, step=step)
        story.pause(random, 50)
        if random.random() > stays + (1 - stays) * keen:
            return
    if story.person.user_id is None:
        return  # a visitor turns back when asked for a name
    story.track("Payment Info Entered", checkout_id=checkout_id, step=3, payment_method="card")
    story.pause(random, 40)
    if random.random() > 0.95 + 0.05 * keen:
        return
    story.orders += 1
    cents = sum(_BY_ID[product_id].cents * pieces for product_id, pieces in story.cart.items())
    shipping = 0 if cents >= _FREE_SHIPPING else _SHIPPING
    story.track(
        "Order Completed",
        order_id=f"HH-{story.prefix}-{story.orders}",
        checkout_id=checkout_id,
        subtotal=cents / 100,
        shipping=shipping / 100,
        total=(cents + shipping) / 100,
        currency="USD",
        products=cart,
    )
    story.cart.clear()
    story.cart_at = None


def lines(cart: dict[str, int]) -> list[dict[str, Any]]:
    """The cart as `products` of an event."""
    return [{**_BY_ID[product_id].properties, "quantity": pieces} for product_id, pieces in cart.items()]


def _sign_up(story: Story, random: Random, source: str = "account page") -> None:
    story.known = True
    _identify(story)
    story.track("Signed Up", source=source)
    story.pause(random, 20)


def _identify(story: Story) -> None:
    since = story.person.member_since or story.clock
    created = since.isoformat(timespec="seconds").replace("+00:00", "Z")
    story.write("identify", traits={**story.person.traits, "created_at": created})
    story.clock += timedelta(seconds=1)


def _looks(theme: str, random: Random) -> Iterator[Product]:
    """Products looked at in a row: mostly of one theme, what sells well more often."""
    for _ in range(1 + min(9, int(random.expovariate(0.5)))):
        shelf: Sequence[Product] = THEMES[theme] if random.random() < 0.85 else PRODUCTS
        yield random.choices(shelf, [1 / (2 + position) for position in range(len(shelf))])[0]


def _companions(product: Product, random: Random) -> Iterator[Product]:
    """What goes into the cart together with `product`: its neighbours of the same theme."""
    shelf = [other for other in THEMES[product.theme] if other is not product]
    while shelf and random.random() < 0.26:
        chosen = random.choices(shelf, [1 / (other.cents + 1500) for other in shelf])[0]
        shelf.remove(chosen)
        yield chosen


def _afterwards(story: Story, random: Random) -> Iterator[tuple[datetime, str, dict[str, object]]]:
    """What may follow the last order: a cancellation, a refund or a review."""
    order = next(call["properties"] for call in reversed(story.calls) if call.get("event") == "Order Completed")
    drawn = random.random()
    if drawn < 0.02:
        moment = story.clock + timedelta(hours=random.uniform(0.5, 20))
        yield moment, "Order Cancelled", {key: order[key] for key in ("order_id", "total", "currency", "products")}
    elif drawn < 0.055:
        moment = story.clock + timedelta(days=random.uniform(5, 16))
        yield moment, "Order Refunded", {key: order[key] for key in ("order_id", "total", "currency", "products")}
    elif drawn < 0.13:
        product = _BY_ID[random.choice(order["products"])["product_id"]]
        moment = story.clock + timedelta(days=random.uniform(4, 18))
        rating = random.choices((5, 4, 3, 2, 1), (52, 28, 10, 6, 4))[0]
        yield moment, "Product Reviewed", {**product.properties, "rating": rating}


def _moment(after: datetime, person: Person, random: Random, *, patience: float | None) -> datetime:
    """The next visit: at least an hour after `after`, `patience` days later on average (None: by the person's pace), at
    an hour and on a weekday when people shop where the person lives."""
    zone = ZoneInfo(person.zone)
    mean = 1 / person.pace if patience is None else patience
    day = (after + timedelta(days=random.expovariate(1 / mean) if mean else 1)).astimezone(zone).date()
    while True:
        minute = random.choices(range(24), _HOURS)[0] * 60 + random.randrange(60)
        local = datetime.combine(day, time(minute // 60, minute % 60, random.randrange(60)), zone)
        at = local.astimezone(UTC) + timedelta(milliseconds=random.randrange(1000))
        if at > after + timedelta(hours=1) and random.random() < _WEEKDAYS[day.weekday()]:
            return at
        day += timedelta(days=1)
