"""What the ledger's statements read from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, func, or_

from store.schema import enrollments, events, profiles, traits

started = events.alias("started")
"""The event that started an enrollment. Conditions that read `event.x` are built over its `properties`: under a name of
its own, so that a condition may look for other events beside it."""


def people_of(source: FromClause, profile_id: object) -> FromClause:
    """`source` with the profile and the traits of its person; without a person both are null."""
    return source.outerjoin(profiles, profiles.c.id == profile_id).outerjoin(
        traits, traits.c.profile_id == profiles.c.id
    )


def inside() -> FromClause:
    """Enrollments with profile, traits and starting event: what the conditions of steps and exits are asked against."""
    return people_of(enrollments, enrollments.c.profile_id).outerjoin(started, started.c.id == enrollments.c.event)


UNKNOWN = "unknown "
"""How the reason begins for which those leave who came to a wait until a time that is not known."""


def wants_messages() -> ColumnElement[bool]:
    """Whether an enrollment is sent what it has queued: it was not interrupted. Who left for a time that is not known
    was sent for good what came before that wait."""
    left_unknown = and_(
        enrollments.c.state == "left", func.coalesce(enrollments.c.reason, "").startswith(UNKNOWN, autoescape=True)
    )
    return or_(enrollments.c.state.in_(("active", "done")), left_unknown)


def chosen(connection: Connection, rows: Select[Any], name: str) -> FromClause:
    """`rows` as a table for an UPDATE … FROM.

    On PostgreSQL a CTE, which is asked once: a subquery with LIMIT and SKIP LOCKED may be asked again for each row, and
    give others. On SQLite a subquery: after WITH its driver does not tell how many rows were changed.
    """
    return rows.subquery(name) if connection.dialect.name == "sqlite" else rows.cte(name)
