"""Rows into calls, by a mapping."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from profiles.calls import BadCall, Call, read_calls
from profiles.mapping import Clock, Mapping, Source
from profiles.rows import Row
from profiles.values import CallError, number_of, shown

_GROUPED = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?")
"""A number with a comma before its decimals: `1299,5`, `1.299,50`. `1.5` is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The calls of one row, or of the rows of one group."""

    calls: list[Call | BadCall]
    line: int
    text: str
    row: int
    """The number of the last of the rows."""
    done: int
    """Bytes read so far."""


def mapped(rows: Iterable[Row], mapping: Mapping, *, file: str) -> Iterator[Mapped]:
    """The calls of the rows. `file`: what `{file}` in a template stands for."""
    if mapping.group_by is None:
        for row in rows:
            yield _of([row], mapping, file)
        return
    column = mapping.group_by
    # A row that cannot be read is a group of its own.
    for _, group in groupby(rows, key=lambda row: row.number if row.problem else row.cells.get(column)):
        yield _of(list(group), mapping, file)


def _of(rows: list[Row], mapping: Mapping, file: str) -> Mapped:
    calls: list[Call | BadCall]
    if rows[0].problem is not None:
        calls = [BadCall(reason=rows[0].problem)]
    else:
        try:
            calls = read_calls(_call(rows, mapping, file))
        except CallError as error:
            calls = [BadCall(reason=str(error))]
    last = rows[-1]
    text = "\n".join(row.text for row in rows)
    return Mapped(calls=calls, line=rows[0].line, text=text, row=last.number, done=last.done)


def _call(rows: list[Row], mapping: Mapping, file: str) -> dict[str, Any]:
    first = rows[0]
    call: dict[str, Any] = {"type": mapping.type}
    call |= {key: value for key, source in mapping.ids.items() if (value := _value(source, first, file)) is not None}
    properties = _block(mapping.properties, first, file)
    products = dict(mapping.products)
    if mapping.event is not None:
        told = _text(mapping.event, first, file)
        call["event"] = _value(mapping.event, first, file)
        more = mapping.by_event.get(told, {})
        properties |= _block(more.get("properties", {}), first, file)
        products |= more.get("products", {})
    if products:
        properties["products"] = [_block(products, row, file) for row in rows]
    if mapping.timestamp is not None:
        call["timestamp"] = _time(mapping.timestamp, first, file)
    traits = _block(mapping.traits, first, file)
    if mapping.type in ("identify", "group"):
        return {**call, "traits": traits}
    return {**call, "properties": properties, "context": {"traits": traits}}


def _block(sources: Map[str, Source], row: Row, file: str) -> dict[str, Any]:
    return {name: value for name, source in sources.items() if (value := _value(source, row, file)) is not None}


def _value(source: Source, row: Row, file: str) -> Any:
    """The value; None when every column that it is made of is empty."""
    if not source.parts:
        return source.value
    if source.columns and not any(row.cells[name] for name in source.columns):
        return None
    text = _text(source, row, file)
    if source.values:
        if text not in source.values:
            known = ", ".join(source.values)
            raise CallError(f"`{' '.join(source.columns)}` is {shown(text)}; the mapping knows {known}.")
        return source.values[text]
    if not source.number:
        return text
    name = " ".join(source.columns)
    if source.decimal == ".":
        return number_of(name, text)
    if not _GROUPED.fullmatch(text):
        raise CallError(f"`{name}` is {shown(text)}, which is not a number written like 1.299,50.")
    return number_of(name, text.replace(".", "").replace(",", "."))


def _text(source: Source, row: Row, file: str) -> str:
    special = {"row": str(row.number), "file": file}
    return "".join(
        plain + (row.cells[name].strip() if name in row.cells else special.get(name, "") if name else "")
        for plain, name in source.parts
    )


def _time(clock: Clock, row: Row, file: str) -> str:
    text = _text(clock.source, row, file)
    field = " ".join(clock.source.columns)
    try:
        at = datetime.strptime(text, clock.format) if clock.format else datetime.fromisoformat(text)  # noqa: DTZ007
    except ValueError:
        expected = f"written as {clock.format}" if clock.format else "an ISO 8601 time"
        raise CallError(f"`{field}` is {shown(text)}, which is not {expected}.") from None
    if at.tzinfo is None and clock.zone:
        at = at.replace(tzinfo=ZoneInfo(clock.zone))
    return at.isoformat()
