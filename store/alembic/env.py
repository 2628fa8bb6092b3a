"""Alembic's environment. The connection comes from `store.migrations`, inside its transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger
from sqlalchemy.dialects import sqlite

from store.schema import metadata


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """The two types that differ between the databases, by the names that `script.py.mako` gives them."""
    if kind == "type" and isinstance(item, JSON):
        return "Json"
    if kind == "type" and isinstance(item, BigInteger) and item.compile(dialect=sqlite.dialect()) == "INTEGER":
        return "Id"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
