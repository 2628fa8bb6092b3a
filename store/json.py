"""Typed reading of values inside JSON columns, the same on SQLite and PostgreSQL.

Events and traits are kept as they were sent, so any value may have any type. Each expression here reads one value as
one type and is NULL when the value is missing or of another type; it never fails. Booleans are not numbers.

    Text       a string; an integer of at most 15 digits as its digits, because shops send ids either way
    Number     a number
    Cents      a number in major units, in hundredths: 19.99 is 1999 (half a cent goes to the even one, as at ingestion)
    YesNo      true or false
    Instant    microseconds since 1970: of `2026-03-01T10:00:00.25+01:00` (or `Z`; or a space for the `T`), of a
               day alone (its start in UTC), or of seconds, milliseconds or microseconds since then, told apart by size
    Day        `2026-03-01`: of such a day alone, or of a time that begins with one
    Filled     true for a list with something in it
    Present    true for anything but null
    Given      true for anything, be it null

On SQLite, Instant and Day are functions of ours: `store.engine.open_store` registers them.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Dialect, Float, Numeric, literal, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from store.clock import micros

Path = tuple[str | int, ...]
"""Keys and positions from the outside in: `(0, "price")`. Empty: the whole document."""

_DAY = r"[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])"
_INSTANT = f"{_DAY}({_TIME})?"
_STARTS_WITH_DAY = f"{_DAY}([T ].*)?"
_SIZES = ((10**11, 1_000_000), (10**14, 1000), (10**17, 1))
"""Seconds, milliseconds, microseconds: below the first, what one counts as the second."""


class Exact(TypeDecorator[Any]):
    """A number that is bound as it is: on PostgreSQL numeric, on SQLite an integer or a float."""

    impl = Float
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Numeric() if dialect.name == "postgresql" else Float())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return Decimal(repr(value))
        return value if isinstance(value, int) and -(2**63) <= value < 2**63 else float(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> Any:
        return value


def number(value: int | float) -> ColumnElement[Any]:
    """A number as a bound value, compared exactly."""
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return literal(value, BigInteger())
    return literal(value, Exact())


class Reading(FunctionElement[Any]):
    """`document`: a JSON column or expression."""

    inherit_cache = True

    def __init__(self, document: ColumnElement[Any], path: Path) -> None:
        steps = "".join(f"[{step}]" if isinstance(step, int) else f'."{step}"' for step in path)
        # Both forms go along, because which one is needed is known only when the statement is compiled.
        super().__init__(
            document, literal(f"${steps}", types.Text()), literal([str(step) for step in path], ARRAY(types.Text()))
        )


class Text(Reading):
    name = "json_text"
    inherit_cache = True
    type = types.Text()


class Number(Reading):
    name = "json_number"
    inherit_cache = True
    type = Exact()


class Cents(Reading):
    name = "json_cents"
    inherit_cache = True
    type = Exact()


class YesNo(Reading):
    name = "json_yes_no"
    inherit_cache = True
    type = Boolean()


class Instant(Reading):
    name = "json_instant"
    inherit_cache = True
    type = BigInteger()


class Day(Reading):
    name = "json_day"
    inherit_cache = True
    type = types.Text()


class Filled(Reading):
    name = "json_filled"
    inherit_cache = True
    type = Boolean()


class Present(Reading):
    name = "json_present"
    inherit_cache = True
    type = Boolean()


class Given(Reading):
    name = "json_given"
    inherit_cache = True
    type = Boolean()


def _half_even(amount: str) -> str:
    """Both databases round halves away from zero: of an amount that ends in a half, the double of its rounded half."""
    return f"CASE WHEN abs({amount} - round({amount})) = 0.5 THEN 2 * round({amount} / 2) ELSE round({amount}) END"


@compiles(Reading, "sqlite")
def _sqlite(element: Reading, compiler: SQLCompiler, **kw: Any) -> str:
    document, path, _ = (compiler.process(clause, **kw) for clause in element.clauses)
    kind, value = f"json_type({document}, {path})", f"json_extract({document}, {path})"
    match element:
        case Text():
            digits = f"CASE WHEN {value} BETWEEN -999999999999999 AND 999999999999999 THEN CAST({value} AS TEXT) END"
            return f"CASE {kind} WHEN 'text' THEN {value} WHEN 'integer' THEN {digits} END"
        case Number():
            return f"CASE WHEN {kind} IN ('integer', 'real') THEN {value} END"
        case Cents():
            # 1.005 * 100 is 100.49999999999999: rounding twice puts that right for every amount that occurs.
            whole = f"CAST({_half_even(f'round({value} * 100.0, 4)')} AS INTEGER)"
            # What no integer holds, the cast would make the largest one.
            cents = f"CASE WHEN {value} BETWEEN -9e16 AND 9e16 THEN {whole} ELSE {value} * 100.0 END"
            return f"CASE WHEN {kind} IN ('integer', 'real') THEN {cents} END"
        case YesNo():
            return f"CASE {kind} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"
        case Instant():
            return f"CASE WHEN {kind} IN ('text', 'integer', 'real') THEN winback_instant({value}) END"
        case Day():
            return f"CASE WHEN {kind} = 'text' THEN winback_day({value}) END"
        case Filled():
            return f"CASE WHEN {kind} = 'array' THEN json_array_length({document}, {path}) > 0 END"
        case Present():
            return f"CASE WHEN {kind} <> 'null' THEN 1 END"
        case Given():
            return f"CASE WHEN {kind} IS NOT NULL THEN 1 END"
    raise TypeError(f"{element!r} cannot be read on SQLite")


_REAL_DAY = (
    "substr(t, 9, 2)::int <= "
    "extract(day FROM make_date(substr(t, 1, 4)::int, substr(t, 6, 2)::int, 1) + interval '1 month - 1 day')"
)


@compiles(Reading, "postgresql")
def _postgresql(element: Reading, compiler: SQLCompiler, **kw: Any) -> str:
    """Guards are nested CASEs: AND may be evaluated in any order, and the cast of a wrong text fails the statement."""
    document, _, path = (compiler.process(clause, **kw) for clause in element.clauses)
    value, text = f"({document} #> {path})", f"({document} #>> {path})"
    kind, number = f"jsonb_typeof{value}", f"{text}::numeric"
    match element:
        case Text():
            digits = f"CASE WHEN {text} ~ '^-?[0-9]{{1,15}}$' THEN {text} END"
            return f"CASE {kind} WHEN 'string' THEN {text} WHEN 'number' THEN {digits} END"
        case Number():
            return f"CASE WHEN {kind} = 'number' THEN {number} END"
        case Cents():
            return f"CASE WHEN {kind} = 'number' THEN {_half_even(f'round({number} * 100, 4)')} END"
        case YesNo():
            return f"CASE WHEN {kind} = 'boolean' THEN {value}::boolean END"
        case Instant():
            zoned = "CASE WHEN length(t) = 10 THEN t || 'T00:00:00Z' ELSE t END"
            at = rf"regexp_replace({zoned}, '(\.[0-9]{{6}})[0-9]+', '\1')::timestamptz"
            micros = f"round((extract(epoch FROM {at}) * 1000000)::numeric)::bigint"
            told = f"CASE WHEN t ~ '^{_INSTANT}$' THEN CASE WHEN {_REAL_DAY} THEN {micros} END END"
            sized = " ".join(
                f"WHEN abs(t::numeric) < {limit} THEN round(t::numeric * {each})::bigint" for limit, each in _SIZES
            )
            read = f"CASE k WHEN 'string' THEN {told} WHEN 'number' THEN CASE {sized} END END"
            return f"(SELECT {read} FROM (SELECT {kind} AS k, {text} AS t) AS j)"
        case Day():
            day = f"CASE WHEN t ~ '^{_STARTS_WITH_DAY}$' THEN CASE WHEN {_REAL_DAY} THEN substr(t, 1, 10) END END"
            return f"(SELECT CASE WHEN k = 'string' THEN {day} END FROM (SELECT {kind} AS k, {text} AS t) AS j)"
        case Filled():
            return f"CASE WHEN {kind} = 'array' THEN jsonb_array_length({value}) > 0 END"
        case Present():
            return f"CASE WHEN {kind} <> 'null' THEN true END"
        case Given():
            return f"CASE WHEN {value} IS NOT NULL THEN true END"
    raise TypeError(f"{element!r} cannot be read on PostgreSQL")


class HoldsProduct(FunctionElement[bool]):
    """Whether a list of products, a JSON column, holds the one with this id. NULL where the column is."""

    name = "holds_product"
    inherit_cache = True
    type = Boolean()

    def __init__(self, products: ColumnElement[Any], product_id: ColumnElement[str]) -> None:
        super().__init__(products, product_id)


@compiles(HoldsProduct, "sqlite")
def _each(element: HoldsProduct, compiler: SQLCompiler, **kw: Any) -> str:
    products, product_id = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({products}) WHERE json_extract(value, '$.product_id') = {product_id})"


@compiles(HoldsProduct, "postgresql")
def _contained(element: HoldsProduct, compiler: SQLCompiler, **kw: Any) -> str:
    products, product_id = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({products} @> jsonb_build_array(jsonb_build_object('product_id', {product_id})))"


class HoldsText(FunctionElement[bool]):
    """Whether the list at a path holds a text, its items read as by Text. NULL where there is no list."""

    name = "holds_text"
    inherit_cache = True
    type = Boolean()

    def __init__(self, document: ColumnElement[Any], path: Path, text: ColumnElement[str]) -> None:
        super().__init__(*Reading(document, path).clauses, text)


@compiles(HoldsText, "sqlite")
def _among_each(element: HoldsText, compiler: SQLCompiler, **kw: Any) -> str:
    document, path, _, text = (compiler.process(clause, **kw) for clause in element.clauses)
    digits = "CASE WHEN item.value BETWEEN -999999999999999 AND 999999999999999 THEN CAST(item.value AS TEXT) END"
    read = f"CASE item.type WHEN 'text' THEN item.value WHEN 'integer' THEN {digits} END"
    found = f"EXISTS (SELECT 1 FROM json_each({document}, {path}) AS item WHERE {read} = {text})"
    return f"CASE WHEN json_type({document}, {path}) = 'array' THEN {found} END"


@compiles(HoldsText, "postgresql")
def _among_elements(element: HoldsText, compiler: SQLCompiler, **kw: Any) -> str:
    document, _, path, text = (compiler.process(clause, **kw) for clause in element.clauses)
    value, item = f"({document} #> {path})", "(item.value #>> '{}')"
    digits = f"CASE WHEN {item} ~ '^-?[0-9]{{1,15}}$' THEN {item} END"
    read = f"CASE jsonb_typeof(item.value) WHEN 'string' THEN {item} WHEN 'number' THEN {digits} END"
    found = f"EXISTS (SELECT 1 FROM jsonb_array_elements({value}) AS item(value) WHERE {read} = {text})"
    return f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {found} END"


class Ordinal(FunctionElement[str]):
    """Text that orders and folds by code point and not by the database's language: ASCII on both stores."""

    name = "ordinal"
    inherit_cache = True
    type = types.Text()


@compiles(Ordinal, "sqlite")
def _plain(element: Ordinal, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(Ordinal, "postgresql")
def _collated(element: Ordinal, compiler: SQLCompiler, **kw: Any) -> str:
    return f'({compiler.process(next(iter(element.clauses)), **kw)} COLLATE "C")'


# ── SQLite's own ──────────────────────────────────────────────────────────────────────────────────────────────────────
def instant_of(value: object) -> int | None:
    """Microseconds since 1970 for what Instant reads; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        for limit, factor in _SIZES:
            if abs(value) < limit:
                return int((Decimal(repr(value)) * factor).to_integral_value(ROUND_HALF_UP))
        return None
    if not isinstance(value, str) or not re.fullmatch(_INSTANT, value):
        return None
    try:
        return micros(datetime.fromisoformat(value if len(value) > 10 else f"{value}T00:00:00+00:00"))
    except ValueError:
        return None


def day_of(value: object) -> str | None:
    """`YYYY-MM-DD` for what Day reads; None for anything else."""
    if not isinstance(value, str) or not re.fullmatch(_STARTS_WITH_DAY, value, re.DOTALL):
        return None
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        return None


def register(connection: sqlite3.Connection) -> None:
    """Makes the functions known to a SQLite connection."""
    connection.create_function("winback_instant", 1, instant_of, deterministic=True)
    connection.create_function("winback_day", 1, day_of, deterministic=True)
