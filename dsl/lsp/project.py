"""A project as the editor's functions see it: all texts, and every name that they may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lark import Token

from dsl.catalog import Catalog
from dsl.lsp.names import Name, lines_of, names
from dsl.lsp.roles import Role, meant
from dsl.types import Type

LITERALS: Mapping[str, Type] = {
    "MONEY": Type.MONEY,
    "PERCENT": Type.PERCENT,
    "NUMBER": Type.NUMBER,
    "DURATION": Type.DURATION,
    "CLOCK_TIME": Type.TIME,
    "DATE": Type.DATE,
    "STRING": Type.TEXT,
    "YES": Type.YES_NO,
    "NO": Type.YES_NO,
}
"""The type of each kind of literal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    sources: Mapping[str, str]
    """The text of each file by its path, open buffers in place of what is on the disk."""
    catalog: Catalog
    """With the fields and events that the files declare: `Compiled.catalog`."""
    _declared: dict[Role, dict[str, Name]] = field(default_factory=dict, compare=False)
    """Filled when it is first asked."""

    def declared(self, role: Role) -> Mapping[str, Name]:
        """The names of one kind that the files declare, with the place of the first declaration of each."""
        if not self._declared:
            self._declared.update({each: {} for each in Role})
            for name in self.names():
                if name.meant.declares:
                    self._declared[name.role].setdefault(name.text, name)
        return self._declared[role]

    def names(self) -> Iterator[Name]:
        """The names of all files, file by file."""
        for path in sorted(self.sources):
            yield from names(self.sources[path], path)

    def statement(self, name: Name) -> Sequence[Token]:
        """The words of the line in which a name stands."""
        for line in lines_of(self.sources[name.span.file]):
            if any(word.line == name.span.line and word.column == name.span.column for word in line.words):
                return line.words
        return ()

    def constant_type(self, name: str) -> Type | None:
        """The type of a constant; None when there is none of this name, or its value cannot be read."""
        found = self.declared(Role.CONSTANT).get(name)
        words = self.statement(found) if found else ()
        return LITERALS.get(words[3].type) if len(words) > 3 else None

    def type_of(self, words: Sequence[Token], at: int, *, start: str = "") -> Type | None:
        """The type of the field or property whose name begins at a word of a line."""
        text = "".join(str(word) for word in words[at:])
        if words[at].type == "EVENT":
            return self.catalog.property(start, text.removeprefix("event."))
        told = meant(words[:at])
        if told is not None and told.role is Role.PROPERTY:
            return self.catalog.property(told.of, text)
        known = self.catalog.field(text)
        return known.type if known else self.constant_type(text)
