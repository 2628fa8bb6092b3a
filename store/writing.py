"""Writing values into JSON columns, the same on SQLite and PostgreSQL. `store.json` reads them.

    Written    a value of one kind as JSON, as shops send it: money in major units, a time as `2026-03-01T10:00:00Z`;
               NULL for an unknown one
    Put        a document with a value under a key; without the key where the value is NULL
    Told       the properties of an identify call that tells one trait; null where the value is NULL

A JSON value on its own is text on SQLite and jsonb on PostgreSQL: only these functions know what to do with it.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, literal, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from store.schema import Json

Kind = Literal["text", "number", "money", "yes_no", "timestamp"]
"""text: also days and times of day · money: hundredths · timestamp: microseconds."""

OURS = "winback"
"""The source of calls that no shop has sent."""


class Written(FunctionElement[Any]):
    name = "written"
    inherit_cache = False  # the kind is no part of the clauses

    type = Json

    def __init__(self, value: ColumnElement[Any], kind: Kind) -> None:
        self.kind = kind
        super().__init__(value)


@compiles(Written, "sqlite")
def _text_of(element: Written, compiler: SQLCompiler, **kw: Any) -> str:
    (value,) = (compiler.process(clause, **kw) for clause in element.clauses)
    match element.kind:
        case "money":
            made = f"json_quote({value} / 100.0)"
        case "yes_no":
            return f"CASE WHEN {value} THEN 'true' WHEN NOT ({value}) THEN 'false' END"
        case "timestamp":
            # Of times before 1970 the remainder is negative.
            below = f"(({value} % 1000000 + 1000000) % 1000000)"
            seconds = f"strftime('%Y-%m-%dT%H:%M:%S', ({value} - {below}) / 1000000, 'unixepoch')"
            made = f"json_quote({seconds} || printf('.%06dZ', {below}))"
        case _:
            made = f"json_quote({value})"
    return f"CASE WHEN ({value}) IS NOT NULL THEN {made} END"


@compiles(Written, "postgresql")
def _jsonb_of(element: Written, compiler: SQLCompiler, **kw: Any) -> str:
    (value,) = (compiler.process(clause, **kw) for clause in element.clauses)
    match element.kind:
        case "money":
            return f"to_jsonb(round(({value})::numeric / 100, 2))"
        case "yes_no":
            return f"to_jsonb(({value})::boolean)"
        case "timestamp":
            at = f"timestamp '1970-01-01' + ({value}) * interval '1 microsecond'"
            return f"""to_jsonb(to_char({at}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))"""
        case "number":
            return f"to_jsonb(({value})::numeric)"
    return f"to_jsonb(({value})::text)"


class Put(FunctionElement[Any]):
    name = "put"
    inherit_cache = True
    type = Json

    def __init__(self, document: ColumnElement[Any], key: str, value: ColumnElement[Any]) -> None:
        super().__init__(document, literal(f'$."{key}"', types.Text()), literal(key, types.Text()), value)


@compiles(Put, "sqlite")
def _json_set(element: Put, compiler: SQLCompiler, **kw: Any) -> str:
    document, path, _, value = (compiler.process(clause, **kw) for clause in element.clauses)
    put = f"json_set({document}, {path}, json({value}))"
    return f"CASE WHEN {value} IS NULL THEN json_remove({document}, {path}) ELSE {put} END"


@compiles(Put, "postgresql")
def _concatenated(element: Put, compiler: SQLCompiler, **kw: Any) -> str:
    document, _, key, value = (compiler.process(clause, **kw) for clause in element.clauses)
    put = f"{document} || jsonb_build_object(({key})::text, {value})"
    return f"CASE WHEN {value} IS NULL THEN {document} - ({key})::text ELSE {put} END"


class Told(FunctionElement[Any]):
    name = "told"
    inherit_cache = True
    type = Json

    def __init__(self, key: str, value: ColumnElement[Any]) -> None:
        super().__init__(literal(key, types.Text()), literal(OURS, types.Text()), value)


@compiles(Told, "sqlite")
def _json_object(element: Told, compiler: SQLCompiler, **kw: Any) -> str:
    key, source, value = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_object('traits', json_object({key}, json({value})), 'source', {source})"


@compiles(Told, "postgresql")
def _jsonb_object(element: Told, compiler: SQLCompiler, **kw: Any) -> str:
    key, source, value = (compiler.process(clause, **kw) for clause in element.clauses)
    traits = f"jsonb_build_object(({key})::text, {value})"
    return f"jsonb_build_object('traits', {traits}, 'source', ({source})::text)"
