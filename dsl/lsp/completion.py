"""What can be typed at a place: the words that the parser takes there, and the names that make sense there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dsl.catalog import Catalog
from dsl.complaints.vocabulary import KINDS, UNITS
from dsl.grammar import words
from dsl.lsp.choices import Choice, choices
from dsl.lsp.fitting import compared_type, sensible
from dsl.lsp.meanings import MEANINGS
from dsl.lsp.place import Place, place
from dsl.lsp.project import LITERALS, Project
from dsl.lsp.roles import Role, meant
from dsl.lsp.snippets import EXAMPLES, Snippet, escaped, snippet
from dsl.plan import WEEKDAYS
from dsl.types import Type
from dsl.wording import money

_ORDER = tuple(MEANINGS)
_OPERATORS = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that can be typed."""

    label: str
    kind: str
    """`word`, `value`, or a role such as `field`."""
    detail: str = ""
    """A few words beside the label."""
    about: str = ""
    """One sentence or more."""
    insert: str
    """In the notation of snippets."""
    plain: str
    """The same for an editor without snippets."""
    replaces: int
    """How many characters before the place it takes the place of."""
    rank: int = 0
    """Smaller ones come first."""
    goes_on: bool = False
    """Something must be chosen behind it, so that the editor may ask again."""


def complete(source: str, line: int, column: int, project: Project) -> tuple[Item, ...]:
    """Everything that can be typed at a place of a file, and nothing that is not allowed there."""
    here = place(source, line, column)
    if here is not None and here.written[:1].isdigit() and "DURATION" not in sensible(here, project):
        here = place(source, line, column, counting=False)
    if here is None:
        return ()
    found = tuple(_items(here, project))
    head, dot, _ = here.written.rpartition(".")
    return tuple(item for item in found if item.label.startswith(head + dot)) if dot else found


def _items(here: Place, project: Project) -> Iterator[Item]:
    expected = sensible(here, project)
    if here.written[:1].isdigit():
        yield from _lengths(here)
        return
    for kind in sorted(here.continues):
        word = words()[kind]
        yield _word(here, kind, word, f"{word} ", f"{word} ")
    for kind in sorted(expected & MEANINGS.keys(), key=_ORDER.index):
        if kind != "EVENT" or here.begins:  # elsewhere `event` stands before a property, which is offered whole
            made = snippet(here, kind) if not here.followed else Snippet(text=words()[kind], goes_on=False)
            yield _word(here, kind, _shown(made.text), made.text, made.plain, goes_on=made.goes_on)
    if "NAME" in expected or "EVENT" in expected:
        yield from _names(here, project, expected)
    yield from _values(here, project, expected)


def _word(here: Place, kind: str, label: str, insert: str, plain: str, *, goes_on: bool = False) -> Item:
    return Item(
        label=label,
        kind="word",
        about=MEANINGS.get(kind, ""),
        insert=insert,
        plain=plain,
        replaces=len(here.written),
        goes_on=goes_on,
    )


def _shown(text: str) -> str:
    """The words of a snippet up to its first blank."""
    return text.partition("${")[0].partition(":\n")[0].strip()


def _names(here: Place, project: Project, expected: frozenset[str]) -> Iterator[Item]:
    told = meant(here.before, here.header, start=here.start)
    if told is None or told.declares:
        return
    fitting = compared_type(here, project) if told.role is Role.VALUE else None
    for choice in choices(told, here, project, is_event="EVENT" in expected, fitting=fitting):
        yield _name(here, choice, project)


def _name(here: Place, choice: Choice, project: Project) -> Item:
    ending = " = " if choice.role is Role.ARGUMENT and here.begins else ""
    return Item(
        label=choice.text,
        kind=choice.role.value,
        detail=choice.detail,
        about=choice.about,
        insert=escaped(choice.text) + ending + _block(here, choice, project),
        plain=choice.text + ending,
        replaces=len(here.written),
        rank=1,
        goes_on=bool(ending),
    )


def _block(here: Place, choice: Choice, project: Project) -> str:
    """Below a send, a blank for each argument that its template needs, with a field that is called alike."""
    if not choice.needs or here.followed or here.before[0].type != "SEND":
        return ""
    fields = [name for name, _ in project.catalog.field_names()]
    lines = []
    for number, name in enumerate(choice.needs, 1):
        alike = next((field for field in fields if field == name or field.endswith(f".{name}")), "")
        lines.append(f"\n  {name} = ${{{number}:{escaped(alike)}}}")
    return ":" + "".join(lines)


def _values(here: Place, project: Project, expected: frozenset[str]) -> Iterator[Item]:
    for kind in sorted(expected & EXAMPLES.keys()):
        if kind == "OPERATOR":
            yield from (_value(here, sign, f"{sign} ", about=told, rank=0) for sign, told in _OPERATORS.items())
        elif kind == "WEEKDAY":
            yield from (_value(here, day, f"{day} ") for day in WEEKDAYS)
        else:
            text = _example(kind, project.catalog)
            blank = f'"${{1:{escaped(text[1:-1])}}}"' if kind == "STRING" else f"${{1:{escaped(text)}}}"
            yield _value(here, text, blank, about=KINDS[kind].partition(" like")[0])


def _example(kind: str, catalog: Catalog) -> str:
    return money(5_000, catalog.currency) if LITERALS.get(kind) is Type.MONEY else EXAMPLES[kind]


def _value(here: Place, label: str, insert: str, *, about: str = "", rank: int = 3) -> Item:
    plain = insert if "${" not in insert else label
    return Item(
        label=label, kind="value", detail=about, insert=insert, plain=plain, replaces=len(here.written), rank=rank
    )


def _lengths(here: Place) -> Iterator[Item]:
    """`3 da` → `3 days`"""
    count = here.written.split()[0]
    for unit in UNITS:
        text = f"{count} {unit.removesuffix('s') if count == '1' else unit}"
        yield _value(here, text, text)
