"""What a scenario gives and lets happen: fields, events, arms of experiments, with values of their types."""

from __future__ import annotations

from collections.abc import Mapping

from dsl import syntax
from dsl.catalog import FIELDS, PRODUCT_PARTS, STAGE, Event
from dsl.conditions import Constant, Field
from dsl.resolve import names
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.values import clock, constant
from dsl.suggest import did_you_mean, listed
from dsl.types import Type
from dsl.wording import KINDS, written

CONSENTS = ("email_consent", "sms_consent", "push_consent", "ads_consent")
"""What a person may be sent: given like fields, with yes or no. Without a word it is yes."""

MEMBER = "in audience "
"""Before the name of an audience without rules: `given lapsed_customers = yes`."""

_COMPUTED: Mapping[str, str] = {
    "cart.items": "Give the products: `given product_added 1 hour ago:` with `name = …`, `price = …` below.",
    "cart.updated_at": "Give the event: `given product_added 24 hours ago`.",
    "cart.is_abandoned": "Give the event: `given product_added 25 hours ago`.",
    "checkout.updated_at": "Give the event: `given checkout_started 1 hour ago`.",
    "orders.average": "Give `orders.count` and `orders.value`.",
    "orders.first_at": "Give the event: `given order_completed 90 days ago`.",
    "orders.last_at": "Give the event: `given order_completed 90 days ago`.",
    "last_seen_at": "Give an event: `given page_viewed 3 days ago`.",
    "browsing.last_product": "Give the event: `given product_viewed 1 day ago:` with `name = …` below.",
    "browsing.products": "Give the event: `given product_viewed 1 day ago:` with `name = …` below.",
}
"""What is worked out from events or other fields, with the way to come by it."""
_LATER: Mapping[str, str] = {
    "cart": "Let it happen: `after 2 hours product_added:` with `price = …` below.",
    "checkout": "Let it happen: `after 2 hours checkout_started`.",
    "orders": "Let it happen: `after 2 days order_completed:` with `total = …` below.",
    "browsing": "Let it happen: `after 1 hour product_viewed:` with `name = …` below.",
}
"""By the first part of a field's name how it comes to change later."""
_MANY = frozenset({Type.LIST, Type.PRODUCT, Type.PRODUCTS})


def assigned(
    word: syntax.Word, value: syntax.Fact, scope: Scope, *, later: bool = False
) -> tuple[Field, Constant] | None:
    """`FIELD = value` of a `given` line or, `later`, of an `after` line; None with a problem told."""
    name = word.text
    if name == STAGE:
        return _stage(word, value, scope)
    if scope.audiences.get(name) is False and not later:
        field: Field | None = Field(scope="profile", name=f"{MEMBER}{name}", type=Type.YES_NO)
    elif name in CONSENTS:
        field = Field(scope="profile", name=name, type=Type.YES_NO)
    else:
        field = _known(word, scope)
    if field is None:
        return None
    hint = _COMPUTED.get(name)
    if name.startswith("recommended."):
        hint = "Recommendations come of what people buy and view: `given product_viewed 1 day ago`."
    elif later and _owner(name) in FIELDS:
        hint = _LATER.get(name.partition(".")[0], hint)
    if hint:
        scope.tell("WB260", word.span, f"`{name}` is worked out by the store, and no scenario can set it.", hint)
        return None
    meant = _value(value, field.type, name, scope, is_list=field.type is Type.LIST)
    return (field, meant) if meant else None


def properties(
    event: syntax.Word, lines: tuple[syntax.Argument | syntax.Dated | syntax.Broken, ...], scope: Scope
) -> tuple[str | None, tuple[tuple[str, Constant], ...]]:
    """The name of an event, None with a problem told, and what stands in its block."""
    known = names.event(event, scope)
    found: dict[str, Constant] = {}
    about = scope.about(known)
    for line in lines:
        if isinstance(line, syntax.Broken):
            continue
        if line.name.text in found:
            told = f"`{line.name.text}` is given twice."
            scope.tell("WB333", line.name.span, told, "Remove one of the two lines.")
            continue
        field = _property(line.name, known, about)
        value = _value(line.value, field.type, line.name.text, scope, is_list=False) if field else None
        if value is not None:
            found[line.name.text] = value
    return (known.name if isinstance(known, Event) else None), tuple(found.items())


def _property(word: syntax.Word, known: Event | Absent, about: Scope) -> Field | None:
    if isinstance(known, Event) and word.text in PRODUCT_PARTS and "product_id" in known.properties:
        return Field(scope="property", name=word.text, type=PRODUCT_PARTS[word.text])
    return None if isinstance(known, Absent) else names.field(word, about)


def _known(word: syntax.Word, scope: Scope) -> Field | None:
    name = word.text
    if known := scope.catalog.field(name):
        return Field(scope="profile", name=name, type=known.type)
    if name not in scope.suspects:
        hint = did_you_mean(name, [*(known for known, _ in scope.catalog.field_names()), *CONSENTS, STAGE])
        if name in scope.catalog.events:
            hint = f"It is an event: `given {name} 1 day ago`."
        told = f"There is no field called `{name}`."
        scope.tell("WB201", word.span, told, hint or f"Declare it: `field {name} is text`.")
    return None


def _owner(name: str) -> str:
    """Of a part of a product the field that holds it: `browsing.last_product.price`."""
    return name if name.count(".") < 2 else name.rpartition(".")[0]


def _stage(word: syntax.Word, value: syntax.Fact, scope: Scope) -> tuple[Field, Constant] | None:
    field = Field(scope="profile", name=STAGE, type=Type.TEXT)
    match value:
        case syntax.Word(text=name) | syntax.Text(value=name):
            pass
        case _:
            name = ""
    if name in scope.stages:
        return field, Constant(type=Type.TEXT, value=name)
    if scope.stages:
        told = f"There is no stage called `{name}`." if name else "A stage is given by its name."
        hint = (did_you_mean(name, scope.stages) if name else None) or f"The stages are {listed(scope.stages)}."
        scope.tell("WB246", value.span, told, hint)
    elif STAGE not in scope.suspects:
        told = "No lifecycle is declared, so nobody is in any stage."
        scope.tell("WB201", word.span, told, names.NO_LIFECYCLE)
    return None


def _value(value: syntax.Fact, kind: Type, name: str, scope: Scope, *, is_list: bool) -> Constant | None:
    """A value that fits `kind`. Of a list one text is given; a day stands for its first instant."""
    if kind in _MANY and not is_list:
        told = f"`{name}` is {KINDS[kind]}, which cannot be written in a scenario."
        scope.tell("WB262", value.span, told, "Leave this line out: the scenario puts in what shops send.")
        return None
    if isinstance(value, syntax.Word):
        if value.text not in scope.constants:
            if value.text not in scope.suspects:
                _no_value(value, kind, name, scope)
            return None
        meant = scope.constants[value.text]
    elif isinstance(value, syntax.Instant):
        at = f"{value.day.value.isoformat()} {clock(value.clock.value)}"
        meant = Constant(type=Type.TIMESTAMP, value=at)
    else:
        meant = constant(value, scope)
    if meant is None:
        return None
    wanted = Type.TEXT if is_list else kind
    if wanted in (Type.ANY, meant.type) or (wanted is Type.TIMESTAMP and meant.type is Type.DATE):
        return meant
    said = written(meant, scope.catalog.currency)
    scope.tell(
        "WB262",
        value.span,
        f"`{name}` is {KINDS[wanted]}, and `{said}` is {KINDS[meant.type]}.",
        _way_out(wanted, said),
    )
    return None


def _no_value(value: syntax.Word, kind: Type, name: str, scope: Scope) -> None:
    if scope.catalog.field(value.text):
        told = f"A scenario gives values, and `{value.text}` is a field."
        scope.tell("WB262", value.span, told, _way_out(kind, value.text))
        return
    near = did_you_mean(value.text, scope.constants)
    hint = near or (f'For the text, write `"{value.text}"`.' if kind in (Type.TEXT, Type.ANY, Type.LIST) else None)
    told = f"There is no constant called `{value.text}`, and `{name}` is {KINDS[kind]}."
    scope.tell("WB262", value.span, told, hint or _way_out(kind, value.text))


def _way_out(kind: Type, said: str) -> str:
    match kind:
        case Type.TEXT:
            return f'Write `"{said.strip(chr(34))}"` for text.'
        case Type.YES_NO:
            return "Write `yes` or `no`."
        case Type.MONEY:
            return "Write an amount, like `$50`."
        case Type.DATE:
            return "Write a day, like `2026-12-24`."
        case Type.TIMESTAMP:
            return "Write a day, like `2026-12-24`, or one with its time: `2026-12-24 09:00`."
        case Type.NUMBER:
            return "Write a number, like `3`."
        case _:
            return f"Write {KINDS[kind]}."
