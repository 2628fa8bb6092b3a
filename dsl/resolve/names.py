"""Names to what they stand for: fields, properties, constants, events, channels, segments. Unknown ones are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dsl import syntax
from dsl.catalog import STAGE, Event
from dsl.complaints.vocabulary import CHANNELS_ELSEWHERE, EVENTS_ELSEWHERE, PEOPLE, TIMES_ELSEWHERE
from dsl.conditions import Constant, Field, Operand
from dsl.resolve.scope import Absent, Scope
from dsl.resolve.values import constant
from dsl.suggest import did_you_mean, listed, nearest
from dsl.types import Type

_LITERALS = {
    syntax.Money: Type.MONEY,
    syntax.Percent: Type.PERCENT,
    syntax.Number: Type.NUMBER,
    syntax.Duration: Type.DURATION,
    syntax.Clock: Type.TIME,
    syntax.Day: Type.DATE,
    syntax.Text: Type.TEXT,
    syntax.YesNo: Type.YES_NO,
}

PLANNED = frozenset(
    {
        "value.predicted",
        "recommended.on_sale",
    }
)
"""Fields of the language that this version does not keep yet."""
NO_LIFECYCLE = (
    "Declare the stages: `lifecycle:` with lines like `hero when …` below, the last one `prospect otherwise`."
)
"""The way out where `stage` is asked about and no lifecycle is declared."""


def types_beside(values: Iterable[syntax.Value], scope: Scope) -> frozenset[Type]:
    """The types that a field beside these values can have: what did-you-mean prefers. Empty: any."""
    kinds = set()
    for value in values:
        if isinstance(value, syntax.Word):
            known = scope.constants.get(value.text) or scope.catalog.field(value.text)
            kinds.add(known.type if known else None)
        else:
            kinds.add(_LITERALS[type(value)])
    return frozenset() if None in kinds else frozenset(kind for kind in kinds if kind)


def field(word: syntax.Word, scope: Scope, fitting: Collection[Type] = ()) -> Field | None:
    """What the left side of a comparison reads, or None with a problem told. `fitting`: see `types_beside`."""
    name = word.text
    if name.startswith("event."):
        return starting_property(word, scope)
    if scope.where is not None:
        return _property(word, scope.where, scope)
    if known := scope.catalog.field(name):
        return Field(scope="profile", name=name, type=known.type)
    if name in scope.suspects:
        return None
    if name in scope.constants:
        scope.tell(
            "WB219",
            word.span,
            f"`{name}` is a constant, and a condition asks about a field.",
            f"Turn it round: `cart.total > {name}`.",
        )
    elif name in scope.segments:
        scope.tell("WB201", word.span, f"There is no field called `{name}`.", f"Did you mean `in segment {name}`?")
    elif name in scope.catalog.events:
        scope.tell("WB201", word.span, f"There is no field called `{name}`.", f"Did you mean `has {name}`?")
    else:
        hint = f"Write a time, like `{TIMES_ELSEWHERE[name]}`." if name in TIMES_ELSEWHERE else None
        hint = hint or _of_the_person(name, scope) or _hint(name, scope.catalog.field_names(), fitting)
        hint = hint or f"Declare it: `field {name} is text`."
        if name in PLANNED:
            hint = "It will come in a later version. Until then, leave it out."
        if name == STAGE:
            hint = NO_LIFECYCLE
        if isinstance(scope.beside, Event) and scope.catalog.property(scope.beside.name, name):
            hint = (
                f"If the `where` before asks about the `{name}` of `{scope.beside.name}` too, put brackets around it: "
            )
            hint += "`where (… and …)`."
        scope.tell("WB201", word.span, f"There is no field called `{name}`.", hint)
    return None


def operand(value: syntax.Value, scope: Scope, beside: Type | None = Type.ANY) -> Operand | None:
    """A value, constant or field on the right side or of an argument, or None with a problem told.

    `beside` is the type that it is compared with; None: what it is compared with is unknown and told, so that only
    a slip of a known name is told here.
    """
    if not isinstance(value, syntax.Word):
        return constant(value, scope)
    name = value.text
    if name.startswith("event."):
        return starting_property(value, scope)
    if name in scope.constants:
        return scope.constants[name]
    if known := scope.catalog.field(name):
        return Field(scope="profile", name=name, type=known.type)
    if name in scope.suspects:
        return None
    names = [*scope.catalog.field_names(), *((name, known.type) for name, known in scope.constants.items() if known)]
    near = _nearest(name, names, () if beside in (Type.ANY, None) else (beside,))
    if beside is None and (near is None or name in scope.stages):
        return None
    hints = [f"Did you mean `{near}`?"] if near else []
    if beside in (Type.TEXT, Type.ANY) and "." not in name:
        hints.append(f'For the text, write `"{name}"`.')
    if name == STAGE:
        hints = [NO_LIFECYCLE]
    if isinstance(scope.where, Event) and scope.catalog.property(scope.where.name, name):
        hints = ["A property can stand only on the left."]
    message = f"There is no field or constant called `{name}`."
    scope.tell("WB206", value.span, message, " ".join(hints) or f"Declare it: `let {name} = …`.")
    return None


def against(value: syntax.Value, field: Field | None, scope: Scope) -> Operand | None:
    """What stands on the right of a comparison with `field`, or None with a problem told.

    With `stage`, a word is the name of a stage, and a text is one too. `field` None: see `operand`.
    """
    if field is None or field.scope != "profile" or field.name != STAGE:
        return operand(value, scope, field.type if field else None)
    match value:
        case syntax.Word(text=name) if name in scope.stages:
            return Constant(type=Type.TEXT, value=name)
        case syntax.Word(text=name) if not (
            name in scope.constants or scope.catalog.field(name) or name.startswith("event.")
        ):
            if name not in scope.suspects:
                _no_stage(value, name, scope)
            return None
    meant = operand(value, scope, Type.TEXT)
    match meant:
        case Constant(type=Type.TEXT, value=str(name)) if name not in scope.stages:
            if name not in scope.suspects:
                _no_stage(value, name, scope)
            return None
        case _:
            return meant


def _no_stage(value: syntax.Value, name: str, scope: Scope) -> None:
    hint = did_you_mean(name, scope.stages) or f"The stages are {listed(scope.stages)}."
    scope.tell("WB246", value.span, f"There is no stage called `{name}`.", hint)


def starting_property(word: syntax.Word, scope: Scope) -> Field | None:
    """`event.x`: a property of the event that starts the playbook, or None with a problem told."""
    name = word.text.removeprefix("event.")
    match scope.start:
        case Event(name=event, properties=properties):
            if kind := scope.catalog.property(event, name):
                return Field(scope="event", name=name, type=kind)
            if name not in scope.suspects:
                _no_property("WB208", word, name, event, properties, scope, "event.")
        case Absent.MISSING:
            scope.tell(
                "WB209",
                word.span,
                f"`{word.text}` asks about the event that starts the playbook, and no event starts this one.",
                _without_start(name, scope),
            )
        case Absent.OWN:
            scope.tell(
                "WB210",
                word.span,
                f"This `where` is about the starting event itself, so its properties go without `event.`: `{name}`.",
                f"Write `{name}` on the left, and a value on the right.",
            )
        case Absent.SHARED:
            scope.tell(
                "WB209",
                word.span,
                f"`{word.text}` belongs to one playbook, and this stands outside of all.",
                "Write this part of the condition in the playbook.",
            )
    return None


def _without_start(name: str, scope: Scope) -> str:
    about = scope.where
    if isinstance(about, Event) and scope.catalog.property(about.name, name):
        return f"In a `where` the properties of `{about.name}` go without `event.`: compare `{name}` with a value."
    return "Start it with `start on …` instead of `start when …`."


def event(word: syntax.Word, scope: Scope) -> Event | Absent:
    """An event by name; BROKEN with a problem told."""
    if known := scope.catalog.events.get(word.text):
        return known
    if word.text not in scope.suspects:
        meant = EVENTS_ELSEWHERE.get(word.text)
        slip = f"Did you mean `{meant}`?" if meant else did_you_mean(word.text, scope.catalog.events)
        declare = f"If your shop sends it, declare it: `event {word.text}:` with its properties below."
        # Names that only begin alike are no slip of this one: it may well be an event of the shop's own.
        hint = slip if slip and slip.startswith("Did you mean") else f"{slip} {declare}" if slip else declare
        if word.text in scope.segments:
            hint = f"`{word.text}` is a segment: write `in segment {word.text}`."
        elif scope.catalog.field(word.text):
            hint = f"`{word.text}` is a field: write it like `{word.text} is known`."
        scope.tell(
            "WB202",
            word.span,
            f"There is no event called `{word.text}`.",
            hint,
        )
    return Absent.BROKEN


def channel(word: syntax.Word, scope: Scope, behind: str | None = None) -> str | None:
    """A channel by name, or None with a problem told. `behind`: the channel that stands where the template should."""
    channels = scope.catalog.channels
    if word.text in channels:
        return word.text
    meant = CHANNELS_ELSEWHERE.get(word.text)
    named = f"Did you mean `{meant}`?" if meant in channels else None
    if word.text in {"a", "an", "the"}:
        named = f"Leave `{word.text}` out. Behind the channel comes the name of a template: `send email welcome`."
    elif behind and not named:
        named = f"Turn it round: `send {behind} {word.text}`."
    hint = named or did_you_mean(word.text, channels) or f"The channels are {listed(sorted(channels))}."
    scope.tell("WB203", word.span, f"There is no channel called `{word.text}`.", hint)
    return None


def _property(word: syntax.Word, about: Event | Absent, scope: Scope) -> Field | None:
    if isinstance(about, Absent):
        return None
    name = word.text
    if kind := scope.catalog.property(about.name, name):
        return Field(scope="property", name=name, type=kind)
    if name not in scope.suspects:
        _no_property("WB207", word, name, about.name, about.properties, scope)
    return None


def _no_property(
    code: str, word: syntax.Word, name: str, event: str, known: Collection[str], scope: Scope, prefix: str = ""
) -> None:
    near = nearest(name, tuple(known))
    if near:
        hint = f"Did you mean `{prefix}{near}`?"
    elif alike := did_you_mean(name, tuple(known)):
        hint = alike
    elif known:
        hint = f"It has {listed(sorted(known))}."
    else:
        hint = f"It came without properties so far; declare them: `event {event}:` with `{name} is text` below."
    if code == "WB207" and scope.catalog.field(name):
        hint = f"A name in a `where` is a property of the event, never a field of the person. {hint}"
    scope.tell(code, word.span, f"The event `{event}` has no property called `{name}`.", hint)


def _hint(name: str, known: Iterable[tuple[str, Type]], fitting: Collection[Type]) -> str | None:
    names = list(known)
    near = _nearest(name, names, fitting)
    return f"Did you mean `{near}`?" if near else did_you_mean(name, [known for known, _ in names])


def _of_the_person(name: str, scope: Scope) -> str | None:
    """`profile.orders_count`: fields go without an owner, and some with a dot."""
    owner, _, rest = name.partition(".")
    plain = {known.replace(".", "_"): known for known, _ in scope.catalog.field_names()}
    meant = plain.get((rest if owner in PEOPLE and rest else name).replace(".", "_"))
    return f"Did you mean `{meant}`?" if meant and meant != name else None


def _nearest(name: str, known: Iterable[tuple[str, Type]], fitting: Collection[Type]) -> str | None:
    names = list(known)
    fits = [known for known, kind in names if kind in fitting or kind is Type.ANY]
    return (nearest(name, fits) if fitting else None) or nearest(name, [known for known, _ in names])
