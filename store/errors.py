"""What went wrong with the store, told to people: the place, the reason and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from dsl.errors import UserError


class StoreError(UserError):
    """The store cannot be used. `place` is a file or a URL without its password."""


_SQLITE = (
    (
        "database is locked",
        "Another program is writing to the store and did not finish in time.",
        "Nothing was changed. Wait for the other run or end it, then try again.",
    ),
    (
        "unable to open database file",
        "The file cannot be opened.",
        "See that its folder exists and that you may write there, or name another place with WINBACK_STORE.",
    ),
    (
        "readonly database",
        "The file or its folder may only be read.",
        "Give yourself the right to write to both, or name another place with WINBACK_STORE.",
    ),
    (
        "file is not a database",
        "The file is not a SQLite database.",
        "Name the right file with WINBACK_STORE, or move this one away to start with an empty store.",
    ),
    (
        "malformed",
        "The file is damaged.",
        "Put back a backup. `sqlite3 FILE .recover` may save a part of what is in it.",
    ),
    ("disk is full", "The disk is full.", "Nothing of this batch was kept. Make room, then try again."),
    (
        "disk i/o error",
        "The disk could not be read or written.",
        "See that the disk is there, sound, and has room; then try again.",
    ),
    (
        "no such table",
        "The store has no tables, or not all of them.",
        "Run any winback command that writes, such as `winback import`, to set it up; or see WINBACK_STORE.",
    ),
)
_POSTGRESQL = (
    ("28", "The server refuses the user or the password.", "Correct them in WINBACK_STORE."),
    ("3D000", "The server has no such database.", "Make it with `createdb`, or correct its name in WINBACK_STORE."),
    ("42501", "The user lacks the right to do this.", "Grant it, or name another user in WINBACK_STORE."),
    (
        "42P01",
        "The store has no tables, or not all of them.",
        "Run any winback command that writes, such as `winback import`, to set it up; or see WINBACK_STORE.",
    ),
    ("55P03", "Another program holds a lock on the store.", "Nothing was changed. Try again when it is done."),
    ("40P01", "Two programs waited for each other.", "Nothing was changed. Try again."),
    ("53300", "The server takes no more connections.", "End other programs, or raise max_connections on the server."),
    ("53100", "The server's disk is full.", "Nothing of this batch was kept. Make room, then try again."),
    ("25006", "The server only reads.", "Name the server that takes writes in WINBACK_STORE."),
)
_POSTGRESQL_TEXTS = (
    ("password authentication failed", *_POSTGRESQL[0][1:]),
    ("no password supplied", *_POSTGRESQL[0][1:]),
    ("no pg_hba.conf entry", *_POSTGRESQL[0][1:]),
    ("does not exist", *_POSTGRESQL[1][1:]),
    ("too many clients", *_POSTGRESQL[5][1:]),
)
"""Psycopg gives no code for what fails before the connection stands."""


def place_of(store: Engine | str) -> str:
    """How to name a store to people: the file of SQLite, the URL without password otherwise."""
    if isinstance(store, str):
        try:
            url = make_url(store)
        except ArgumentError:
            return "WINBACK_STORE"
    else:
        url = store.url
    if url.get_backend_name() == "sqlite":
        return url.database or "the store in memory"
    # The driver's name says nothing to people.
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def translate(error: Exception, store: Engine | str) -> StoreError | None:
    """The same error in the reader's words, or None when it says nothing about the store (a mistake in the program)."""
    place = place_of(store)
    if isinstance(error, NoSuchModuleError | ArgumentError):
        return StoreError(
            place=place,
            reason="This is not the URL of a store.",
            way_out="Write WINBACK_STORE as sqlite:///winback.db or postgresql://user:password@host/database.",
        )
    if not isinstance(error, DBAPIError):
        return None
    text = str(error.orig).lower()
    for part, reason, way_out in _SQLITE:
        if part in text:
            return StoreError(place=place, reason=reason, way_out=way_out)
    code = getattr(error.orig, "sqlstate", None) or ""
    for start, reason, way_out in _POSTGRESQL:
        if code.startswith(start):
            return StoreError(place=place, reason=reason, way_out=way_out)
    if not isinstance(error, OperationalError):
        return None
    for part, reason, way_out in _POSTGRESQL_TEXTS:
        if part in text:
            return StoreError(place=place, reason=reason, way_out=way_out)
    return StoreError(
        place=place,
        reason=f"The store does not answer: {str(error.orig).strip().splitlines()[0]}",
        way_out="See that the server runs and that WINBACK_STORE names it rightly, then try again.",
    )


@contextmanager
def explained(store: Engine | str) -> Iterator[None]:
    """Inside the block, what the database says about itself comes out as StoreError."""
    try:
        yield
    except (DBAPIError, ArgumentError, NoSuchModuleError) as error:
        told = translate(error, store)
        if told is None:
            raise
        raise told from error
