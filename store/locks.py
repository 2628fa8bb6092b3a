"""Locks of PostgreSQL that several packages take. SQLite's writers take turns anyway."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

_PROFILES = 7_262_174_002
"""Any number, the same in every process."""


def hold_profiles(connection: Connection) -> None:
    """Keep others from writing profiles until the transaction ends: whoever ingests, and whoever sets fields.

    Two that ingest would find the same visitor unknown and make two people of one. It is the first lock that a
    transaction takes, before those of playbooks and of enrollments, so that nobody waits in a circle. A rehearsal
    writes copies, and holds up nobody.
    """
    if connection.dialect.name == "postgresql" and not connection.get_execution_options().get("rehearsing"):
        connection.execute(select(func.pg_advisory_xact_lock(_PROFILES)))
