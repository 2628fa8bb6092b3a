"""How the rows of a shop's export become calls: a mapping file in TOML.

    type = "track"                                   # or identify, page, …
    user_id = "user_id"                              # the column that holds it; likewise anonymous_id, group_id
    timestamp = { column = "event_time", format = "%Y-%m-%d %H:%M:%S UTC", zone = "UTC" }
    event = { column = "event_type", values = { view = "Product Viewed", purchase = "Order Completed" } }
    message_id = "{user_session}:{row}"              # without it, the same row twice counts once
    encoding = "utf-8"                               # and delimiter = ";" where a file needs them
    [properties]
    price = "price"                                  # name = "column", or { template = "{a}-{b}" }, or { value = … };
    age = { column = "age", as = "number" }          # amounts of known events become numbers by themselves; where
                                                     # they are written 1.299,50, with decimal = "," beside it
    [events.purchase.properties]                     # more, for the rows whose event column says `purchase`
    order_id = "{user_session}-{row}"
    [traits]
    email = { template = "u{user_id}@example.com" }
    [products]                                       # a list of one product a row, or with
    product_id = "StockCode"                         # group_by = "InvoiceNo"
    quantity = "Quantity"                            # of all rows that follow each other with the same InvoiceNo

A text with braces is a template: `{column}`, `{row}` (the number of the row, from 1) and `{file}` (a hash of the file's
beginning). A text without is a column. Empty cells are left out.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from dsl.errors import UserError
from profiles.calls import KINDS


class MappingError(UserError):
    """The mapping file cannot be used: `place` is the file, with the key where one is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value comes from: columns of a row with text around them, or a constant."""

    parts: tuple[tuple[str, str | None], ...] = ()
    """Plain text, and the column that follows it."""
    value: Any = None
    """The constant, when there are no parts."""
    values: Map[str, Any] = field(default_factory=dict)
    """What to write instead of what the cell says; empty: the cell itself. With it, a row with another value is bad."""
    number: bool = False
    """Whether the text is to become a number."""
    decimal: str = "."
    """What stands before the decimals of a number, `.` or `,`; the other one separates thousands."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return tuple(name for _, name in self.parts if name and name not in ("row", "file"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How times are written. Without a format they are ISO 8601; times without a zone are in `zone`."""

    source: Source
    format: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    type: str
    ids: Map[str, Source]
    """By the call's key: userId, anonymousId, groupId, messageId."""
    event: Source | None
    timestamp: Clock | None
    properties: Map[str, Source]
    traits: Map[str, Source]
    products: Map[str, Source]
    by_event: Map[str, Map[str, Map[str, Source]]]
    """More properties and products for rows with that value in the event's column: `properties`, `products`."""
    group_by: str | None
    encoding: str
    delimiter: str
    digest: str
    """Of the whole mapping: an import goes on only with the mapping that it began with."""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that it reads."""
        parts = [*self.ids.values(), *self.properties.values(), *self.traits.values(), *self.products.values()]
        parts += [source for more in self.by_event.values() for block in more.values() for source in block.values()]
        parts += [self.event] if self.event else []
        parts += [self.timestamp.source] if self.timestamp else []
        named = {column for source in parts for column in source.columns}
        return frozenset(named | ({self.group_by} if self.group_by else set()))


class _Number(TypedDict):
    """How a source makes numbers, as `Source` takes it."""

    number: bool
    decimal: str


_IDS = {"user_id": "userId", "anonymous_id": "anonymousId", "group_id": "groupId", "message_id": "messageId"}
_BLOCKS = ("properties", "products")
_KEYS = (*_IDS, "type", "event", "timestamp", "properties", "traits", "products", "events", "group_by", "encoding",
         "delimiter")  # fmt: skip


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file. Raises MappingError."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MappingError(str(path), "There is no such file.", "Write the mapping there, or name its file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(str(path), f"It cannot be read: {error}", "Name a readable TOML file.") from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError(str(path), f"It is not TOML: {error}", "Correct that line.") from None
    return mapping_of(given, place=str(path))


def mapping_of(given: Map[str, Any], *, place: str) -> Mapping:
    """The mapping that a table of TOML describes. `place` names it in messages. Raises MappingError."""
    _known(place, given, _KEYS)
    kind = given.get("type", "track")
    if kind not in KINDS:
        raise MappingError(f"{place}: type", f"There is no type {kind!r}.", f"Known are {', '.join(KINDS)}.")
    if kind == "track" and "event" not in given:
        raise MappingError(place, "It has no `event`.", 'Name the column: event = "COLUMN", or a table with `values`.')
    ids = {_IDS[name]: _source(f"{place}: {name}", given[name]) for name in _IDS if name in given}
    return Mapping(
        type=kind,
        ids=ids,
        event=_source(f"{place}: event", given["event"]) if "event" in given else None,
        timestamp=_clock(f"{place}: timestamp", given["timestamp"]) if "timestamp" in given else None,
        properties=_block(place, "properties", given),
        traits=_block(place, "traits", given),
        products=_block(place, "products", given),
        by_event=_events(place, _table(f"{place}: events", given.get("events", {}))),
        group_by=_text(f"{place}: group_by", given["group_by"]) if "group_by" in given else None,
        encoding=_encoding(f"{place}: encoding", given.get("encoding", "utf-8")),
        delimiter=_text(f"{place}: delimiter", given.get("delimiter", ",")),
        digest=blake2b(json.dumps(given, sort_keys=True, default=str).encode(), digest_size=16).hexdigest(),
    )


def _known(place: str, given: Map[str, Any], keys: tuple[str, ...]) -> None:
    if unknown := sorted(set(given) - set(keys)):
        known = f"Known are {', '.join(keys)}."
        if unknown[0] in ("email", "phone"):
            known = f"Write it in the section [traits]: {unknown[0]} = {given[unknown[0]]!r}. {known}"
        raise MappingError(f"{place}: {unknown[0]}", "There is no such setting.", known)


def _events(place: str, given: Map[str, Any]) -> dict[str, dict[str, dict[str, Source]]]:
    made = {}
    for value, more in given.items():
        inside = f"{place}: events.{value}"
        _known(inside, _table(inside, more), _BLOCKS)
        made[value] = {block: _block(inside, block, more) for block in _BLOCKS if block in more}
    return made


def _block(place: str, name: str, given: Map[str, Any]) -> dict[str, Source]:
    table = _table(f"{place}: {name}", given.get(name, {}))
    return {key: _source(f"{place}: {name}.{key}", value) for key, value in table.items()}


def _source(place: str, given: object) -> Source:
    if isinstance(given, str):
        return Source(parts=_parts(place, given) if "{" in given else (("", _text(place, given)),))
    table = _table(place, given)
    _known(place, table, ("column", "template", "value", "values", "as", "decimal"))
    values = _table(f"{place}.values", table.get("values", {}))
    if table.get("as", "text") not in ("text", "number"):
        raise MappingError(f"{place}.as", f"There is no kind {table['as']!r}.", "Write text or number.")
    decimal = table.get("decimal", ".")
    if decimal not in (".", ","):
        raise MappingError(f"{place}.decimal", f"There are no decimals after {decimal!r}.", 'Write "." or ",".')
    if "decimal" in table and table.get("as") != "number":
        raise MappingError(f"{place}.decimal", "Only numbers have decimals.", 'Write as = "number" beside it.')
    how: _Number = {"number": table.get("as") == "number", "decimal": decimal}
    match [key for key in ("column", "template", "value") if key in table]:
        case ["column"]:
            return Source(parts=(("", _text(place, table["column"])),), values=values, **how)
        case ["template"]:
            return Source(parts=_parts(place, _text(place, table["template"])), values=values, **how)
        case ["value"]:
            return Source(value=table["value"])
    raise MappingError(place, "It must have one of column, template and value.", 'For example { column = "price" }.')


def _parts(place: str, text: str) -> tuple[tuple[str, str | None], ...]:
    pieces = re.split(r"\{([^{}]+)\}", text)
    if any("{" in piece or "}" in piece for piece in pieces[::2]):
        raise MappingError(place, f"The template {text!r} cannot be read.", "Write columns like {this}.")
    return tuple(zip(pieces[::2], [*pieces[1::2], None], strict=True))


def _clock(place: str, given: object) -> Clock:
    if isinstance(given, str):
        return Clock(source=_source(place, given))
    table = dict(_table(place, given))
    form, zone = table.pop("format", None), table.pop("zone", None)
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, KeyError, OSError, TypeError):
            raise MappingError(f"{place}.zone", f"There is no time zone {zone!r}.", "Write one like UTC.") from None
    return Clock(source=_source(place, table), format=form, zone=zone)


def _encoding(place: str, given: object) -> str:
    name = _text(place, given)
    way_out = "Write one like utf-8, cp1252 or latin-1. Convert others first, such as UTF-16, to UTF-8."
    try:
        suits = "a,\n".encode(name) == b"a,\n"
    except LookupError:
        raise MappingError(place, f"There is no encoding {name!r}.", way_out) from None
    if not suits:
        raise MappingError(place, f"Files in {name} cannot be read line by line.", way_out)
    return name


def _table(place: str, given: object) -> Map[str, Any]:
    if not isinstance(given, dict):
        raise MappingError(place, f"{given!r} is not a table.", 'Write { column = "price" }, or a [section].')
    return given


def _text(place: str, given: object) -> str:
    if not isinstance(given, str) or not given:
        raise MappingError(place, f"{given!r} is not a text.", "Write it in quotes.")
    return given
