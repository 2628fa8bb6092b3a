"""What would go out as it is written, or is missing for everybody: the marks of other tools, and slips of fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jinja2 import nodes

from connectors.templates.source import Body
from dsl.catalog import FIELDS

_MARKS = (
    (re.compile(r"\*\|[A-Za-z0-9_:. ]+\|\*"), "`{{ profile.first_name | default('there') }}`"),
    (re.compile(r"(?<![{%])\{ *((?:profile|shop)\.\w+|unsubscribe_url)[^{}]*\}(?!\})"), None),
)
_PLAIN = {name.replace("_", ""): name for name in FIELDS}


def slips(body: Body, every: Iterable[nodes.Node]) -> Iterator[str]:
    """Sentences with file and line. `every`: all nodes of the body's tree."""
    for pattern, instead in _MARKS:
        for found in pattern.finditer(body.text):
            place = body.place(body.text.count("\n", 0, found.start()) + 1)
            way_out = instead or f"`{{{{ {found[1]} }}}}`"
            yield f"{place}: `{found[0]}` would be sent as it stands. Write {way_out}."
    for node in every:
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "profile":
            meant = _PLAIN.get(node.attr.lower().replace("_", ""))
            if meant is not None and meant != node.attr:
                yield f"{body.place(node.lineno)}: People have no `{node.attr}`. Did you mean `profile.{meant}`?"
