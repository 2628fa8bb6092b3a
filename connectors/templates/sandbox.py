"""Jinja2 closed in: what a template may read, call and make.

Three layers. The immutable sandbox of Jinja2 keeps a template away from Python. A list of allowed calls and filters
keeps it away from what makes much out of little. And the syntax tree of each template is changed before it is compiled,
so that every loop, sum, list and output asks the budget of the rendering (`limits`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from jinja2 import StrictUndefined, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from connectors.templates.errors import Refused, unknown
from connectors.templates.filters import ALLOWED, budget

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset([
        "capitalize", "count", "endswith", "find", "isalpha", "isdigit", "lower", "lstrip", "rstrip", "split",
        "splitlines", "startswith", "strip", "title", "upper",
    ]),
    Mapping: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    LoopContext: frozenset({"changed", "cycle"}),
    Cycler: frozenset({"next", "reset"}),
}  # fmt: skip


class MissingKey(StrictUndefined):
    """A key that a product, or the profile, does not have: may be asked for with `if`, and cannot be written."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def bounded_range(*bounds: int) -> range:
    """Python's, of at most 1,000 numbers."""
    numbers = range(*bounds)
    if len(numbers) > 1000:
        raise Refused("template_too_long", "`range` gives at most 1,000 numbers.")
    return numbers


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates; `plain` for texts, else values are escaped for HTML."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self, *, plain: bool) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=not plain,
            keep_trailing_newline=True,
            # It folds constants, of which the changed tree has none, and takes a fifth of the time of `describe`.
            optimized=False,
        )
        self.filters = {**ALLOWED, "_written": _written, "_counted": _counted, "_weighed": _weighed, "_spent": _spent}
        self.globals = {
            "range": bounded_range, "dict": dict, "namespace": Namespace, "cycler": Cycler, "joiner": Joiner
        }  # fmt: skip
        self.plain = plain

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`cart.items` is the items in the cart, not a method of the table that holds them."""
        if isinstance(obj, Mapping):
            return self._key(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return self._key(obj, argument)
        return super().getitem(obj, argument)

    def _key(self, obj: Mapping[str, Any], key: str) -> Any:
        if key in obj:
            return obj[key]
        if key in _METHODS[Mapping]:
            return super().getattr(obj, key)
        return MissingKey(obj=obj, name=key)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805  as Jinja2 has it
        if not _may_call(__obj):
            raise SecurityError("This cannot be called in a template.")
        budget(__context).step()
        made = super().call(__context, __obj, *args, **kwargs)
        budget(__context).weigh(made)
        return made

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if side is None:
                raise unknown("A value to reckon with")
        if operator == "**" or (operator in "*%" and not (_is_number(left) and _is_number(right))):
            raise Refused(
                "template_error", f"`{operator}` is not for this.", "It is for two numbers only; `**` for none."
            )
        made = super().call_binop(context, operator, left, right)
        budget(context).weigh(made)
        return made


def _is_number(value: Any) -> bool:
    if isinstance(value, Undefined):
        str(value)
    return isinstance(value, int | float)


def _may_call(called: Any) -> bool:
    if isinstance(called, Macro | LoopContext | Joiner) or called in (bounded_range, dict, Namespace, Cycler, Joiner):
        return True
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    return any(isinstance(owner, kind) and name in names for kind, names in _METHODS.items())


# ── What the changed syntax tree calls ────────────────────────────────────────────────────────────────────────────────
@pass_context
def _written(context: Context, value: Any, named: str) -> str:
    """The value as text; never None, a list or a bare yes."""
    match value:
        case str():
            text: str = value
            if isinstance(value, Markup) and not context.eval_ctx.autoescape:
                text = value.striptags()
        case Undefined():
            text = str(value)
        case None:
            raise unknown(named)
        case bool() | Mapping() | list() | tuple() | set():
            raise Refused(
                "value_unwritable", f"{named} is neither text nor number.", "Loop over lists, and ask a yes with `if`."
            )
        case float() if value.is_integer():
            text = str(int(value))
        case int() | float():
            text = str(value)
        case date():
            raise Refused("value_unwritable", f"{named} is a day or a time.", "Say how to write it, as in `| date`.")
        case _:
            raise Refused("value_unwritable", f"{named} is neither text nor number.")
    budget(context).weigh(text)
    return text


@pass_context
def _counted(context: Context, values: Any, named: str) -> Iterable[Any]:
    """What a loop runs over, a step for each pass."""
    if values is None:
        raise unknown(named)
    if isinstance(values, list | tuple | str | Mapping | range):
        budget(context).step(len(values))
        return values
    return list(budget(context).each(values))


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    budget(context).weigh(value)
    return value


@pass_context
def _spent(context: Context, characters: int) -> str:
    """So many characters of the template itself are written."""
    budget(context).step()
    budget(context).text(characters)
    return ""


class Measured(NodeTransformer):
    """Makes every loop, output, list, filter and joining ask the budget."""

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802  as Jinja2 names them
        fixed = sum(len(one.data) for one in node.nodes if isinstance(one, nodes.TemplateData))
        changed: list[nodes.Expr] = []
        if fixed:
            changed.append(_filter("_spent", nodes.Const(fixed, lineno=node.lineno)))
        for one in node.nodes:
            if isinstance(one, nodes.TemplateData):
                changed.append(one)
            else:
                changed.append(_filter("_written", self.visit(one), named(one)))
        return nodes.Output(changed, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            raise TemplateSyntaxError("A loop cannot be `recursive`.", node.lineno)
        over = named(node.iter)
        self.generic_visit(node)
        node.iter = _filter("_counted", node.iter, over)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        node.nodes = [_filter("_written", self.visit(one), named(one)) for one in node.nodes]
        return _filter("_weighed", node)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return node if node.node is None else _filter("_weighed", node)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter("_weighed", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter("_weighed", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filter("_weighed", node) if node.ctx == "load" else node


def _filter(name: str, node: Any, *constants: Any) -> nodes.Filter:
    line = node.lineno
    given = [nodes.Const(constant, lineno=line) for constant in constants]
    return nodes.Filter(node, name, given, [], None, None, lineno=line)


def named(node: nodes.Node) -> str:
    """An expression in words: `profile.first_name` as it stands, others as `this value`."""
    match node:
        case nodes.Name(name=str(name)):
            return f"`{name}`"
        case nodes.Getattr(node=inner, attr=attribute) if (before := named(inner)).startswith("`"):
            return f"{before[:-1]}.{attribute}`"
    return "this value"
