"""What lines that could not be read may have said, so that their mistake is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dsl import syntax
from dsl.catalog import STAGE
from dsl.diagnostics import source_lines

_NAME = re.compile(r"[a-z_][\w.]*", re.IGNORECASE)
_FIRST = 4
"""Among so many words of a line stands the name that it declares, whatever was put before it."""


def undeclared(files: tuple[syntax.File, ...]) -> frozenset[str]:
    """Names that a line which could not be read may have declared."""
    return frozenset(name for file in files for name in _declared(file))


def first_words(nodes: Iterable[syntax.Node]) -> frozenset[str]:
    """The first words of those nodes that could not be read."""
    return frozenset(node.word for node in nodes if isinstance(node, syntax.Broken))


def is_lifecycle(node: syntax.Broken) -> bool:
    """Whether a line that could not be read must have been `lifecycle:`, by its word or by what hangs below it."""
    return node.word == "lifecycle" or any(isinstance(line, syntax.Stage) for line in node.body)


def _declared(file: syntax.File) -> Iterator[str]:
    lines: list[str] | None = None
    for node in file.declarations:
        match node:
            case syntax.Broken(declares=declares):
                lines = lines or source_lines(file.source)
                yield from (declares,) if declares else ()
                yield from _NAME.findall(lines[node.span.line - 1])[:_FIRST]
            case syntax.EventDeclaration(properties=inner) | syntax.Lifecycle(stages=inner):
                for line in inner:
                    if isinstance(line, syntax.Broken):
                        lines = lines or source_lines(file.source)
                        yield from _NAME.findall(lines[line.span.line - 1])[:_FIRST]
            case _:
                pass
        if isinstance(node, syntax.Broken) and is_lifecycle(node):
            yield STAGE
            yield from (line.name.text for line in node.body if isinstance(line, syntax.Stage))
