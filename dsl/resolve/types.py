"""Whether two things can be compared, and how to say it when they cannot.

Equal types compare. Money, numbers, percentages and lengths of time have larger and smaller; so have two fields of
the same time type. Points in time and dates are asked about with `is in the last …`, `is more than … ago`,
`is before` and `is after`. Lists and products can only be known or unknown. A field of no declared type takes the
type of what it is compared with.
"""

from __future__ import annotations

from dataclasses import replace

from dsl import conditions as c
from dsl import syntax
from dsl.conditions import Constant, Field, Operand
from dsl.resolve.scope import Scope
from dsl.resolve.values import seconds
from dsl.types import Type
from dsl.wording import KINDS, money, number, written

TIMES = frozenset({Type.DATE, Type.TIMESTAMP})
_ORDERED = frozenset({Type.NUMBER, Type.MONEY, Type.PERCENT, Type.DURATION, Type.ANY})
_MANY = frozenset({Type.LIST, Type.PRODUCT, Type.PRODUCTS})
_ASK_TIME = "Ask about time with `is in the last 7 days`, `is more than 24 hours ago` or `is after 2026-12-24`."


def compared(
    left: Field, right: Operand, operator: str, value: syntax.Value, node: syntax.Node, scope: Scope
) -> tuple[Field, Operand] | None:
    """Both sides with their types settled, or None with a problem told."""
    currency = scope.catalog.currency
    for side in (left, right):
        if side.type in _MANY:
            _only_known(side, node, scope)
            return None
    if left.type is Type.ANY:
        left = replace(left, type=right.type)
    elif right.type is Type.ANY and isinstance(right, Field):
        right = replace(right, type=left.type)
    if left.type is not right.type:
        said = f"`{written(left, currency)}` is {KINDS[left.type]}, and `{_said(value, right, currency)}` is "
        scope.tell("WB211", value.span, f"{said}{KINDS[right.type]}.", _way_out(left, right, currency))
        return None
    if operator in ("is", "is not") or left.type in _ORDERED or (left.type in TIMES and isinstance(right, Field)):
        return left, right
    scope.tell(
        "WB212",
        node.span,
        f"`{written(left, currency)}` is {KINDS[left.type]}, and `{operator}` compares only amounts and numbers.",
        _instead(left.type, operator, written(left, currency), right),
    )
    return None


def recent(node: syntax.Recency, field: Field | None, scope: Scope) -> c.Recency | None:
    """`is in the last D` and its kin, of a field that holds a time."""
    timed = _timed(node, field, scope)
    return c.Recency(field=timed, kind=node.kind, seconds=seconds(node.duration)) if timed else None


def calendar(node: syntax.Calendar, field: Field | None, scope: Scope) -> c.Calendar | None:
    """`is before DAY`, `is after DAY`, of a field that holds a time."""
    timed = _timed(node, field, scope)
    return c.Calendar(field=timed, kind=node.kind, day=node.day.value.isoformat()) if timed else None


def contained(node: syntax.Contains, field: Field | None, scope: Scope) -> c.Contains | None:
    """`starts with` and `contains`, of a field that holds text."""
    if field is None:
        return None
    if field.type not in (Type.TEXT, Type.ANY):
        name = written(field, scope.catalog.currency)
        words = node.kind.replace("_", " ")
        scope.tell(
            "WB215",
            node.span,
            f"`{name}` is {KINDS[field.type]}, and only text {words} something.",
            _instead(field.type, words, name, None),
        )
        return None
    return c.Contains(field=replace(field, type=Type.TEXT), kind=node.kind, text=node.text.value)


def _timed(node: syntax.Recency | syntax.Calendar, field: Field | None, scope: Scope) -> Field | None:
    if field is None:
        return None
    if field.type is Type.ANY:
        return replace(field, type=Type.TIMESTAMP)
    if field.type in TIMES:
        return field
    name = written(field, scope.catalog.currency)
    times = [known for known, kind in scope.catalog.field_names() if kind in TIMES and _owner(known) == _owner(name)]
    hint = f"Did you mean `{times[0]}`?" if times and field.scope == "profile" else None
    scope.tell(
        "WB214",
        node.span,
        f"`{name}` is {KINDS[field.type]}, and this asks about a time.",
        hint or "Fields like `created_at` and `last_seen_at` hold a time.",
    )
    return None


def _owner(name: str) -> str:
    return name.partition(".")[0]


def _only_known(side: Operand, node: syntax.Node, scope: Scope) -> None:
    name = written(side, scope.catalog.currency)
    near = {"cart.items": "`cart.count` and `cart.total`"}.get(name)
    if side.type is Type.PRODUCT:
        near = f"its parts, like `{name}.name` and `{name}.price`"
    also = f", or compare {near}" if near else ""
    scope.tell(
        "WB213",
        node.span,
        f"`{name}` is {KINDS[side.type]}: it has no single value to compare.",
        f"Ask `{name} is known` or `{name} is unknown`{also}.",
    )


def _said(value: syntax.Value, right: Operand, currency: str) -> str:
    return value.text if isinstance(value, syntax.Word) else written(right, currency)


def _way_out(left: Field, right: Operand, currency: str) -> str:
    if not isinstance(right, Constant):
        return "Compare it with a field of the same kind, or with a value."
    match left.type, right.type, right.value:
        case Type.MONEY, Type.NUMBER, int(amount) | float(amount):
            return f"Write `{money(round(amount * 100), currency)}` for an amount of money."
        case Type.NUMBER, Type.MONEY, int(amount):
            return f"Write `{number(amount / 100)}` for a number."
        case Type.PERCENT, Type.NUMBER, int(amount) | float(amount):
            return f"Write `{number(amount)}%` for a percentage."
        case Type.NUMBER, Type.PERCENT, float(amount):
            return f"Write `{number(amount)}` for a number."
        case Type.TEXT, Type.LIST | Type.PRODUCT | Type.PRODUCTS, _:
            return "Compare it with text."
        case Type.TEXT, _, _:
            return f'Write `"{written(right, currency)}"` for text.'
        case ((Type.DATE | Type.TIMESTAMP), Type.DATE, _):
            return f"Write `{written(left, currency)} is after {right.value}`, or `is before`."
        case ((Type.DATE | Type.TIMESTAMP), _, _):
            return _ASK_TIME
        case Type.YES_NO, _, _:
            return "Write `yes` or `no`."
        case _:
            return f"Compare it with {KINDS[left.type]}."


def _instead(kind: Type, operator: str, name: str, right: Operand | None) -> str:
    match kind:
        case Type.TEXT:
            return "Text is compared with `is`, `is one of`, `starts with` or `contains`."
        case Type.YES_NO:
            return f"Write `{name} is yes` or `{name} is no`."
        case Type.DATE | Type.TIMESTAMP if isinstance(right, Constant):
            return f"Write `{name} is {'after' if '>' in operator else 'before'} {right.value}`."
        case Type.DATE | Type.TIMESTAMP:
            return _ASK_TIME
        case Type.LIST | Type.PRODUCT | Type.PRODUCTS:
            return f"Ask `{name} is known` or `{name} is unknown`."
        case _:
            return f"Write `{name} is …`, or compare it with `>` or `<`."
