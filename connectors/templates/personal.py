"""Which fields of the person a template writes without another word for those who have none: they get no message."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes


def personal(trees: Iterable[nodes.Template]) -> frozenset[str]:
    """Names such as `first_name` and `orders.last_at`, of several parts (subject, body, text part) together."""
    none: frozenset[str] = frozenset()
    return frozenset().union(*(_in(tree, none) for tree in trees))


def _in(node: nodes.Node, sure: frozenset[str]) -> frozenset[str]:
    """What is written below a statement; `sure` have been asked for around it."""
    match node:
        case nodes.Output():
            return _all(node.nodes, sure, written=True)
        case nodes.If():
            yes, no = _asked(node.test)
            return _all(node.body, sure | yes) | _all([*node.elif_, *node.else_], sure | no)
        case nodes.Expr():
            return frozenset()
    return _all(node.iter_child_nodes(), sure)


def _written(node: nodes.Node, sure: frozenset[str]) -> frozenset[str]:
    """What the value of an expression cannot do without."""
    match node:
        case nodes.Getattr() | nodes.Getitem():
            name = _field(node)
            return frozenset({name}) - sure if name else frozenset()
        case nodes.Filter(name="default" | "d"):
            return _all(node.args, sure, written=True)
        case nodes.CondExpr():
            yes, no = _asked(node.test)
            other = _written(node.expr2, sure | no) if node.expr2 is not None else frozenset()
            return _written(node.expr1, sure | yes) | other
        case nodes.Or():
            return _written(node.right, sure | _asked(node.left)[1])
        case nodes.And():
            return _written(node.right, sure | _asked(node.left)[0])
        case nodes.Test() | nodes.Compare() | nodes.Not():
            return frozenset()
    return _all(node.iter_child_nodes(), sure, written=True)


def _all(found: Iterable[nodes.Node], sure: frozenset[str], *, written: bool = False) -> frozenset[str]:
    return frozenset().union(*((_written if written else _in)(one, sure) for one in found))


def _asked(test: nodes.Node) -> tuple[frozenset[str], frozenset[str]]:
    """The fields that are known when the test holds, and when it does not."""
    none: frozenset[str] = frozenset()
    match test:
        case nodes.Getattr() | nodes.Getitem():
            name = _field(test)
            return (frozenset({name}), none) if name else (none, none)
        case nodes.Not():
            yes, no = _asked(test.node)
            return no, yes
        case nodes.And():
            return _asked(test.left)[0] | _asked(test.right)[0], none
        case nodes.Or():
            return none, _asked(test.left)[1] | _asked(test.right)[1]
        case nodes.Test(name="none" | "undefined"):
            yes, no = _asked(test.node)
            return no, yes
        case nodes.Test(name="defined"):
            return none, none  # an unknown field is there, with nothing in it
        case nodes.Test() | nodes.Filter():
            return _asked(test.node)[0] if test.node is not None else none, none
        case nodes.Compare():
            return _asked(test.expr)[0], none
    return none, none


def _field(node: nodes.Node) -> str:
    """`cart.total` for `profile.cart.total`; an empty text for anything else."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            parts.append(node.arg.value)
        else:
            return ""
        node = node.node
    return ".".join(reversed(parts)) if isinstance(node, nodes.Name) and node.name == "profile" else ""
