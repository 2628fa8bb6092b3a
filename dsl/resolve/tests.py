"""Tests that look further than one value of now: highest values, lists, histories, audiences, messages."""

from __future__ import annotations

from dataclasses import replace

from dsl import conditions as c
from dsl import syntax
from dsl.catalog import FIELDS
from dsl.conditions import Field
from dsl.resolve import names
from dsl.resolve.scope import Scope
from dsl.resolve.types import compared
from dsl.resolve.values import seconds
from dsl.suggest import did_you_mean
from dsl.types import Type
from dsl.wording import KINDS, written

_NUMBERS = (Type.MONEY, Type.NUMBER)
_KEPT = frozenset(
    {"email", "phone", "first_name", "last_name", "country", "city", "language", "time_zone", "device", "birthday"}
)
"""Fields whose history is in the calls that set them; others of the store's are counted from events."""


def top(node: syntax.Top, scope: Scope) -> c.Top | None:
    """`field is in the top 10%`, of a number or an amount of the person's."""
    field = names.field(node.field, scope, _NUMBERS)
    if field is None:
        return None
    if field.scope != "profile" or field.type not in _NUMBERS:
        scope.tell(
            "WB241",
            node.span,
            f"`{written(field, scope.catalog.currency)}` has no order in which people could be at the top.",
            "Ask it of an amount or a number of the person's, like `orders.value is in the top 10%`.",
        )
        return None
    share = float(node.share.amount)
    if not 0 < share < 100:
        scope.tell("WB242", node.share.span, f"The top {share:g}% is nobody, or everybody.", "Write 1% to 99%.")
        return None
    return c.Top(field=field, percent=share)


def includes(node: syntax.Includes, scope: Scope) -> c.Includes | None:
    """`tags includes "vip"`, of a list of texts."""
    field = names.field(node.field, scope, (Type.LIST,))
    value = names.operand(node.value, scope, Type.TEXT if field else None)
    if field is None or value is None:
        return None
    if field.type not in (Type.LIST, Type.ANY):
        told = f"`{written(field, scope.catalog.currency)}` is {KINDS[field.type]} and no list."
        hint = "Write `contains` for a part of a text, `is one of` for several values."
        scope.tell("WB243", node.span, told, hint)
        return None
    if value.type is Type.ANY and isinstance(value, Field):
        value = replace(value, type=Type.TEXT)
    if value.type is not Type.TEXT:
        said = written(value, scope.catalog.currency)
        scope.tell("WB211", node.value.span, f"A list holds texts, and `{said}` is {KINDS[value.type]}.",
                   'Write a text, like `"vip"`.')  # fmt: skip
        return None
    return c.Includes(field=replace(field, type=Type.LIST), value=value)


def has_been(node: syntax.HasBeen, scope: Scope) -> c.HasBeen | None:
    """`plan has been "trial" for 7 days`, of a field whose history is kept."""
    field = names.field(node.field, scope)
    value = names.against(node.value, field, scope)
    pair = compared(field, value, "is", node.value, node, scope) if field and value else None
    if pair is None:
        return None
    name = pair[0].name
    if pair[0].scope != "profile" or (name in FIELDS and name not in _KEPT):
        scope.tell(
            "WB244",
            node.field.span,
            f"Since when `{written(pair[0], scope.catalog.currency)}` is what it is, is not kept.",
            "Ask it of the stage, of a field of your own, or of one like `city`. Of events, ask `has no …`.",
        )
        return None
    return c.HasBeen(field=pair[0], value=pair[1], seconds=seconds(node.duration))


def in_audience(node: syntax.InAudience, scope: Scope) -> c.Condition | None:
    """`in audience lapsed`: the rules of one that has them, else the members that playbooks keep."""
    name = node.audience.text
    if name in scope.rules:
        return scope.rules[name]
    if name in scope.audiences:
        return c.InAudience(audience=name)
    if name not in scope.suspects:
        hint = did_you_mean(name, scope.audiences) or f"Declare it: `audience {name} on facebook:`."
        scope.tell("WB237", node.audience.span, f"There is no audience called `{name}`.", hint)
    return None


def message(node: syntax.Message, window: c.Window | None, scope: Scope) -> c.Message | None:
    """`received welcome in the last 30 days`, `opened …`, `clicked …`."""
    name = node.template.text
    templates = {known for _, known in scope.catalog.templates}
    if name not in templates and (templates or scope.catalog.templates_given):
        hint = did_you_mean(name, templates) or "Its name is the name of its file, without the ending."
        scope.tell("WB204", node.template.span, f"There is no template called `{name}`.", hint)
        return None
    return c.Message(kind=node.kind, template=name, window=window)
