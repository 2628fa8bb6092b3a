"""The names a playbook may use: fields, events, channels, templates. The compiler knows no others.

`dsl.standard` has the events and channels that every store knows, and puts them together into a catalog.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dsl.types import Type

MARKETING = "marketing"
"""The topic of a template that names none, and of a consent that names none."""
TRANSACTIONAL = "transactional"
"""What was ordered (a receipt, a password) needs no consent to marketing and knows no caps and no quiet hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    type: Type
    about: str
    """One sentence for hover texts and documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    name: str
    properties: Mapping[str, Type]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    name: str
    address: str
    """The profile field that holds the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    channel: str
    name: str
    path: str
    variables: frozenset[str]
    """The arguments it reads and cannot do without."""
    optional: frozenset[str] = frozenset()
    """The arguments it reads only after asking whether they are there."""
    personal: frozenset[str] = frozenset()
    """The fields of the person that it writes without saying what to write for those who have none."""
    topic: str = MARKETING
    problems: tuple[str, ...] = ()
    """What is wrong with the file itself, in sentences: no unsubscribe link, broken syntax with its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """`templates` by (channel, name)."""

    fields: Mapping[str, Field]
    events: Mapping[str, Event]
    channels: Mapping[str, Channel]
    templates: Mapping[tuple[str, str], Template] = field(default_factory=dict)
    nouns: frozenset[str] = frozenset()
    """The records that `create` makes in a CRM; `update` changes only a `contact`."""
    outside: frozenset[str] = frozenset()
    """The services that audiences are kept in sync with."""
    currency: str = "USD"
    templates_given: bool = False
    """True: `templates` is all there is, so that even an empty one means that a template is missing."""

    def field(self, name: str) -> Field | None:
        """The field of this name; of a product-typed field also its parts, such as `browsing.last_product.price`."""
        if found := self.fields.get(name):
            return found
        whole, _, part = name.rpartition(".")
        owner = self.fields.get(whole)
        if owner is None or owner.type is not Type.PRODUCT or part not in PRODUCT_PARTS:
            return None
        return Field(name=name, type=PRODUCT_PARTS[part], about=f"The {part.replace('_', ' ')} of `{whole}`.")

    def property(self, event: str, name: str) -> Type | None:
        """The type of an event's property; of a product-typed one also its parts. None: there is no such property."""
        properties = self.events[event].properties if event in self.events else {}
        if name in properties:
            return properties[name]
        whole, _, part = name.rpartition(".")
        return PRODUCT_PARTS.get(part) if properties.get(whole) is Type.PRODUCT else None

    def field_names(self) -> Iterator[tuple[str, Type]]:
        """Every name that `field` knows, with its type."""
        for name, known in self.fields.items():
            yield name, known.type
            if known.type is Type.PRODUCT:
                yield from ((f"{name}.{part}", kind) for part, kind in PRODUCT_PARTS.items())

    def topics(self) -> frozenset[str]:
        """What a consent may be about: the topics of the templates, and the two that always are."""
        return frozenset({MARKETING, TRANSACTIONAL, *(template.topic for template in self.templates.values())})

    def with_events(self, names: Mapping[str, Mapping[str, Type]]) -> Catalog:
        """The catalog and events that the store has seen, with the properties they came with."""
        seen = {
            name: Event(
                name=name, properties={**properties, **(self.events[name].properties if name in self.events else {})}
            )
            for name, properties in names.items()
        }
        return replace(self, events={**self.events, **seen})


PRODUCT_PARTS: Mapping[str, Type] = {
    "product_id": Type.TEXT,
    "name": Type.TEXT,
    "price": Type.MONEY,
    "quantity": Type.NUMBER,
    "category": Type.TEXT,
    "brand": Type.TEXT,
    "image_url": Type.TEXT,
    "url": Type.TEXT,
}
"""What a product is made of."""


def _fields(*rows: tuple[str, Type, str]) -> dict[str, Field]:
    return {name: Field(name=name, type=kind, about=about) for name, kind, about in rows}


FIELDS = _fields(
    ("email", Type.TEXT, "The e-mail address."),
    ("phone", Type.TEXT, "The phone number, in international form."),
    ("first_name", Type.TEXT, "The first name."),
    ("last_name", Type.TEXT, "The last name."),
    ("country", Type.TEXT, "The country, as a two-letter code where the shop sends one."),
    ("city", Type.TEXT, "The city."),
    ("language", Type.TEXT, "The language, like `en`."),
    ("time_zone", Type.TEXT, "The IANA time zone, like `Europe/Oslo`."),
    ("device", Type.TEXT, "The kind of device last seen: `mobile`, `tablet` or `desktop`."),
    ("birthday", Type.DATE, "The day of birth."),
    ("created_at", Type.TIMESTAMP, "When the person was first seen, or signed up."),
    ("last_seen_at", Type.TIMESTAMP, "The time of the newest event of the person."),
    ("cart.total", Type.MONEY, "The sum of price times quantity of what lies in the cart."),
    ("cart.count", Type.NUMBER, "How many pieces lie in the cart."),
    ("cart.items", Type.PRODUCTS, "What lies in the cart."),
    ("cart.updated_at", Type.TIMESTAMP, "When the cart last changed; unknown for an empty cart."),
    ("cart.is_abandoned", Type.YES_NO, "Something lies in the cart and it has not changed for 24 hours."),
    ("checkout.step", Type.NUMBER, "The last step reached of an unfinished checkout; 1 when it was only started."),
    ("checkout.updated_at", Type.TIMESTAMP, "The time of that step."),
    ("orders.count", Type.NUMBER, "How many orders were placed and not cancelled; 0 for nobody's yet."),
    ("orders.value", Type.MONEY, "The sum of their totals, less refunds."),
    ("orders.average", Type.MONEY, "Their average total; unknown without an order."),
    ("orders.first_at", Type.TIMESTAMP, "The time of the first of them."),
    ("orders.last_at", Type.TIMESTAMP, "The time of the last of them."),
    ("orders.last_total", Type.MONEY, "The total of the last of them."),
    ("browsing.last_product", Type.PRODUCT, "The product viewed last."),
    ("browsing.last_category", Type.TEXT, "The category viewed last."),
    ("browsing.products", Type.PRODUCTS, "The products viewed last, newest first, at most 20."),
    (
        "lead_temperature",
        Type.TEXT,
        "`hot`: a checkout begun or something in the cart, touched in the last 7 days; `warm`: seen in the last 30 "
        "days; `cold`: everybody else.",
    ),
    (
        "rfm.recency",
        Type.NUMBER,
        "5 for the fifth of the customers whose last order is the newest, down to 1; unknown without an order.",
    ),
    ("rfm.frequency", Type.NUMBER, "5 for the fifth of the customers with the most orders, down to 1; likewise."),
    ("rfm.monetary", Type.NUMBER, "5 for the fifth of the customers whose orders are worth most, down to 1; likewise."),
    ("recommended.from_browsing", Type.PRODUCTS, "Products that go with those viewed."),
    ("recommended.from_cart", Type.PRODUCTS, "Products bought together with those in the cart."),
    ("recommended.from_orders", Type.PRODUCTS, "Products bought together with those ordered."),
    ("recommended.best_sellers", Type.PRODUCTS, "What sold most in the last 30 days."),
    ("recommended.recently_viewed", Type.PRODUCTS, "Viewed and neither in the cart nor bought."),
)
"""Every field a condition or an argument may read.

Missing `SUMS` count as 0, every other field as unknown.
"""
STAGE = "stage"
"""The field that a lifecycle declares: the name of the stage that the person is in."""
YEARLY = frozenset({"birthday"})
"""Days that come back each year."""
SUMS = frozenset({"cart.total", "cart.count", "orders.count", "orders.value"})
"""Fields that count as 0 when nothing is known, and are never below."""
