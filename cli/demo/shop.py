"""A believable shop, made by code: people, sixty days of what they did, and how they answer messages.

Everything follows from the seed and the date: same arguments, same calls, byte for byte. Nobody and nothing in it is
real; all data is generated here and may be used like the code itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random

from cli.demo import people, visits
from cli.demo.catalogue import THEMES
from cli.demo.people import Person
from cli.demo.visits import Call, Story

_VISITORS = 0.7
"""People who never sign up, for each customer."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """`calls` lie in [start, end), sorted by time. The live period [live_from, end) is its last days; it ends with
    the midnight (UTC) at which `today` begins, so nothing in it lies in the future."""

    seed: int
    start: datetime
    live_from: datetime
    end: datetime
    people: tuple[Person, ...] = field(repr=False)
    calls: tuple[Call, ...] = field(repr=False)

    @property
    def history(self) -> tuple[Call, ...]:
        """What was known before the live period."""
        return self.between(self.start, self.live_from)

    def day(self, n: int) -> tuple[Call, ...]:
        """What people do on live day `n`, counted from 0, of their own accord. Raises IndexError past the last."""
        begin = self.live_from + timedelta(days=n)
        if not self.live_from <= begin < self.end:
            raise IndexError(f"the live period has no day {n}")
        return self.between(begin, begin + timedelta(days=1))

    def between(self, begin: datetime, end: datetime) -> tuple[Call, ...]:
        """What people do in [begin, end) of their own accord: for ticks more often than once a day."""
        first, last = (bisect_left(self._stamps, _stamp(moment)) for moment in (begin, end))
        return self.calls[first:last]

    @cached_property
    def _stamps(self) -> list[str]:
        return [call["timestamp"] for call in self.calls]

    @cached_property
    def customers(self) -> dict[str, tuple[Person, tuple[Call, ...]]]:
        """By user id: the person and all their calls, those from before the sign-up too."""
        return {person.user_id: (person, self.calls_of(person)) for person in self.people if person.user_id is not None}

    def calls_of(self, person: Person) -> tuple[Call, ...]:
        """Everything that this person did, sorted by time."""
        return self._by_browser.get(person.anonymous_id, ())

    @cached_property
    def _by_browser(self) -> dict[str, tuple[Call, ...]]:
        found: dict[str, list[Call]] = {}
        for call in self.calls:
            found.setdefault(call["anonymousId"], []).append(call)
        return {browser: tuple(calls) for browser, calls in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that went out in the demo."""

    user_id: str
    template: str
    variant: str | None
    """The experiment's variant that the message belongs to, if any."""
    at: datetime


def generate(*, seed: int, today: date, customers: int = 2400, days: int = 60, live_days: int = 4) -> Shop:
    """The shop with `customers` customers, some more visitors, `days` of history and `live_days` after it."""
    end = datetime.combine(today, time(), UTC)
    live_from = end - timedelta(days=live_days)
    start = live_from - timedelta(days=days)
    everybody = (
        *(people.customer(number, seed=seed, start=start, end=end) for number in range(customers)),
        *(people.visitor(number, seed=seed, start=start, end=end) for number in range(round(customers * _VISITORS))),
    )
    calls = [call for person in everybody for call in visits.live(person, seed=seed, end=end)]
    calls.sort(key=lambda call: (call["timestamp"], call["messageId"]))
    return Shop(seed=seed, start=start, live_from=live_from, end=end, people=everybody, calls=tuple(calls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How likely a message moves somebody to order, or only to come back and look."""

    orders: float
    looks: float


ANSWERS: dict[tuple[str, str | None], Answer] = {
    ("cart_free_shipping", None): Answer(orders=0.12, looks=0.14),
    ("cart_almost_there", None): Answer(orders=0.08, looks=0.16),
    ("cart_reminder", "statement"): Answer(orders=0.06, looks=0.10),
    ("cart_reminder", "question"): Answer(orders=0.11, looks=0.14),
    ("cart_last_call", None): Answer(orders=0.07, looks=0.06),
    ("welcome", None): Answer(orders=0.05, looks=0.25),
    ("welcome_picks", None): Answer(orders=0.05, looks=0.18),
}
_OTHERWISE = Answer(orders=0.04, looks=0.1)
_STOPS = 0.006


def reactions(sent: Sequence[Sent], shop: Shop, *, seed: int, until: datetime | None = None) -> list[Call]:
    """What the messages in `sent` make people do within 20 hours, sorted by time, nothing at or after `until`.

    A person who comes back anyway in the rest of the live period is left alone: that story is already written. The
    same messages give the same answers, in whatever order and however often they are asked for.
    """
    calls: list[Call] = []
    for message in sent:
        calls += _answer(message, shop, seed)
    if until is not None:
        calls = [call for call in calls if call["timestamp"] < _stamp(until)]
    return sorted(calls, key=lambda call: (call["timestamp"], call["messageId"]))


def _answer(message: Sent, shop: Shop, seed: int) -> list[Call]:
    if message.user_id not in shop.customers:
        return []
    person, calls = shop.customers[message.user_id]
    sent_at = _stamp(message.at)
    if any(call["timestamp"] >= sent_at for call in calls):
        return []
    key = f"{person.key}-{message.template}-{message.at:%y%m%d%H%M}"
    random = Random(f"{seed}/answer/{key}")
    chances = ANSWERS.get((message.template, message.variant)) or ANSWERS.get((message.template, None)) or _OTHERWISE
    drawn = random.random()
    delay = timedelta(hours=min(20.0, 0.1 + random.lognormvariate(0.7, 0.9)))
    story = Story(
        person=person,
        prefix=f"{seed}-r-{key}",
        clock=message.at + delay,
        known=True,
        cart=cart_of(calls),
        context={"device": {"type": person.device}, "timezone": person.zone, "campaign": {"name": message.template}},
    )
    if drawn < chances.orders:
        if not story.cart:
            visits.add(story, random, random.choice(THEMES[person.tastes[0]]))
        story.track("Cart Viewed", products=visits.lines(story.cart))
        story.pause(random, 40)
        visits.checkout(story, random, keen=1.0)
    elif drawn < chances.orders + chances.looks:
        for _ in range(random.randint(1, 4)):
            story.track("Product Viewed", **random.choice(THEMES[random.choice(person.tastes)]).properties)
            story.pause(random, 45)
    elif drawn < chances.orders + chances.looks + _STOPS:
        story.write("identify", traits={"email_consent": False, "consent_source": "unsubscribe link"})
    return story.calls


def cart_of(calls: Sequence[Call]) -> dict[str, int]:
    """What lies in the cart after `calls`: pieces by product id."""
    cart: dict[str, int] = {}
    for call in calls:
        properties = call.get("properties", {})
        match call.get("event"):
            case "Product Added":
                cart[properties["product_id"]] = cart.get(properties["product_id"], 0) + properties["quantity"]
            case "Product Removed":
                cart.pop(properties["product_id"], None)
            case "Order Completed":
                cart.clear()
    return cart


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
