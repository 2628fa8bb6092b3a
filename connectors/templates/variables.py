"""What a template reads: the arguments it cannot do without, and those it asks for first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jinja2 import Environment, meta, nodes

GIVEN = frozenset({"profile", "shop", "unsubscribe_url"})
"""What every template sees beside the arguments of its `send`."""
_ASKING = frozenset({"defined", "undefined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    needed: frozenset[str]
    optional: frozenset[str]
    given: frozenset[str]
    """Which of `GIVEN` it reads."""


def variables(trees: Iterable[nodes.Template], environment: Environment) -> Variables:
    """Of several parts (subject, body, text part) together."""
    read: set[str] = set()
    bare: set[str] = set()
    for tree in trees:
        read |= meta.find_undeclared_variables(tree)
        bare |= _bare(tree, frozenset())
    read -= environment.globals.keys()
    return Variables(
        needed=frozenset(read & bare) - GIVEN, optional=frozenset(read - bare) - GIVEN, given=frozenset(read) & GIVEN
    )


def _bare(node: nodes.Node, sure: frozenset[str]) -> set[str]:
    """The names read without asking whether they are there; `sure` have been asked for."""
    match node:
        case nodes.Name(name=name, ctx="load"):
            return set() if name in sure else {name}
        case nodes.Test(node=nodes.Name(), name=test) if test in _ASKING:
            return set()
        case nodes.Filter(node=nodes.Name(), name="default" | "d"):
            return _all([*node.args, *node.kwargs], sure)
        case nodes.If():
            yes, no = _implied(node.test)
            found = _bare(node.test, sure) | _all(node.body, sure | yes)
            # `elif` after `if x is not defined` has x as well.
            return found | _all([*node.elif_, *node.else_], sure | no)
        case nodes.CondExpr():
            yes, no = _implied(node.test)
            found = _bare(node.test, sure) | _bare(node.expr1, sure | yes)
            return found | (_bare(node.expr2, sure | no) if node.expr2 is not None else set())
        case nodes.And():
            return _bare(node.left, sure) | _bare(node.right, sure | _implied(node.left)[0])
        case nodes.Or():
            return _bare(node.left, sure) | _bare(node.right, sure | _implied(node.left)[1])
    return _all(node.iter_child_nodes(), sure)


def _all(found: Iterable[nodes.Node], sure: frozenset[str]) -> set[str]:
    return set().union(*(_bare(one, sure) for one in found))


def _implied(test: nodes.Node) -> tuple[frozenset[str], frozenset[str]]:
    """The names that are there when the test holds, and when it does not."""
    none: frozenset[str] = frozenset()
    match test:
        case nodes.Test(node=nodes.Name(name=name), name="defined"):
            return frozenset({name}), none
        case nodes.Test(node=nodes.Name(name=name), name="undefined"):
            return none, frozenset({name})
        case nodes.Not():
            yes, no = _implied(test.node)
            return no, yes
        case nodes.And():
            return _implied(test.left)[0] | _implied(test.right)[0], none
        case nodes.Or():
            return none, _implied(test.left)[1] | _implied(test.right)[1]
    return none, none
