"""Hashes of addresses: keyed ones, by which a suppression outlives the person's data without holding the address, and
plain ones, by which advertising services know people."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from typing import Any

from sqlalchemy import ColumnElement, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def address_hash(address: str, key: bytes) -> str:
    """HMAC-SHA256, 64 hexadecimal digits, of the trimmed, lower-cased address."""
    return hmac.new(key, address.strip().lower().encode(), hashlib.sha256).hexdigest()


def advertising_hash(address: str | None) -> str | None:
    """SHA-256, 64 hexadecimal digits, of the trimmed, lower-cased address: how Facebook, Google and others take it."""
    return None if address is None else hashlib.sha256(address.strip().lower().encode()).hexdigest()


class Sha256(FunctionElement[str]):
    """`advertising_hash` in SQL; NULL of NULL."""

    name = "sha256_of_address"
    inherit_cache = True
    type = types.Text()

    def __init__(self, address: ColumnElement[Any]) -> None:
        super().__init__(address)


@compiles(Sha256, "sqlite")
def _ours(element: Sha256, compiler: SQLCompiler, **kw: Any) -> str:
    return f"winback_sha256({compiler.process(next(iter(element.clauses)), **kw)})"


@compiles(Sha256, "postgresql")
def _theirs(element: Sha256, compiler: SQLCompiler, **kw: Any) -> str:
    address = compiler.process(next(iter(element.clauses)), **kw)
    return f"encode(sha256(convert_to(lower(btrim({address})), 'UTF8')), 'hex')"


def register(connection: sqlite3.Connection) -> None:
    """Makes the function known to a SQLite connection."""
    connection.create_function("winback_sha256", 1, advertising_hash, deterministic=True)
