"""`set FIELD = value`: writing fields of the shop's own, so that history can tell of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, func, literal, or_, select, update

from ledger.rows import chosen, inside
from store import json
from store.clock import micros
from store.schema import Json, enrollments, events, profiles
from store.upsert import insert_new
from store.writing import OURS, Put, Told, Written


def set_field(
    connection: Connection,
    *,
    step: str,
    field: str,
    value: ColumnElement[Any],
    rows: ColumnElement[bool],
    as_of: datetime,
) -> None:
    """Write `value`, JSON over `ledger.rows.inside()`, into a custom field of the people of the enrollments for which
    `rows` holds; NULL makes it unknown. A value that a call gave at a later time stays.

    Beside it an identify event tells of it, as a call of the shop would: the past can be rebuilt. It is no visit.
    """
    # A rehearsal has no copy of the events, and lasts for one moment.
    if not connection.get_execution_options().get("rehearsing"):
        _tell(connection, step, field, value, rows, as_of)
    # Of several enrollments of one person (`enter once per`) the newest counts. By a window and not by a second look at
    # the enrollments: PostgreSQL knows nothing yet of rows that it has just written, and would look once for each.
    place = func.row_number().over(partition_by=enrollments.c.profile_id, order_by=enrollments.c.id.desc())
    columns = enrollments.c.profile_id, value.label("value"), place.label("place")
    each = select(*columns).select_from(inside()).where(rows).subquery("each_enrollment")
    newest = select(each.c.profile_id, each.c.value).where(each.c.place == 1).order_by(each.c.profile_id)
    given = chosen(connection, newest, "given")
    key = f"custom.{field}"
    set_at = json.Number(profiles.c.set_at, (key,))
    now = literal(micros(as_of), BigInteger)
    connection.execute(
        update(profiles)
        .where(profiles.c.id == given.c.profile_id, or_(set_at.is_(None), set_at <= now))
        .values(
            custom=Put(profiles.c.custom, field, given.c.value),
            set_at=Put(profiles.c.set_at, key, Written(now, "number")),
        )
    )


def _tell(
    connection: Connection,
    step: str,
    field: str,
    value: ColumnElement[Any],
    rows: ColumnElement[bool],
    as_of: datetime,
) -> None:
    now = literal(micros(as_of), BigInteger)
    row: dict[str, ColumnElement[Any]] = {
        # A step comes once in an enrollment, so a pass that is repeated tells nothing new.
        "event_id": literal(f"{OURS}:") + cast(enrollments.c.id, profiles.c.email.type) + literal(f":{step}"),
        "body_hash": literal(OURS),
        "profile_id": profiles.c.id,
        "name": literal("identify"),
        "at": now,
        "received_at": now,
        "properties": cast(Told(field, value), Json) if connection.dialect.name == "postgresql" else Told(field, value),
    }
    told = select(*row.values()).select_from(inside()).where(rows, profiles.c.id.is_not(None))
    connection.execute(insert_new(connection, events).from_select(list(row), told))
