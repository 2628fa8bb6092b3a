"""What lines that could not be read may have said, so that their mistake is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dsl import syntax

_NAME = re.compile(r"[a-z_][\w.]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    names: frozenset[str]
    """Names that an unread line may have declared."""
    lines: Mapping[str, list[str]]
    """The lines of each file."""

    @staticmethod
    def of(files: tuple[syntax.File, ...]) -> Unread:
        """What is unread in these files."""
        lines = {file.path: file.source.splitlines() for file in files}
        return Unread(names=frozenset(_declared(files, lines)), lines=lines)

    def first_words(self, nodes: Iterable[syntax.Node]) -> frozenset[str]:
        """The first words of those nodes that could not be read."""
        broken = [node for node in nodes if isinstance(node, syntax.Broken)]
        return frozenset(word for node in broken for word in _words(node, self.lines)[:1])


def _declared(files: tuple[syntax.File, ...], lines: Mapping[str, list[str]]) -> Iterator[str]:
    for file in files:
        for node in file.declarations:
            match node:
                case syntax.Broken():
                    yield from _words(node, lines)[1:2]
                case syntax.EventDeclaration(properties=properties):
                    for line in properties:
                        if isinstance(line, syntax.Broken):
                            yield from _words(line, lines)[:1]


def _words(node: syntax.Broken, lines: Mapping[str, list[str]]) -> list[str]:
    text = lines.get(node.span.file, [])
    return _NAME.findall(text[node.span.line - 1]) if node.span.line <= len(text) else []
