"""Messages for good and for bad once more: those that failed are queued again, after a person has looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from ledger.outbox import FREE
from store.clock import micros
from store.schema import outbox
from store.upsert import chunks

FOR = timedelta(hours=24)
"""So long may a message that is queued again wait before it counts as late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    queued: tuple[int, ...]
    """Queued again."""
    refused: dict[int, str | None]
    """By id the state in which no message is sent again; None: there is no such message."""


def replay(connection: Connection, ids: Sequence[int], as_of: datetime) -> Replayed:
    """Queue failed messages again, with all their attempts. The guards are asked as for any other.

    Nothing but what failed for good: it surely did not go out. Of a message whose outcome is unknown a person says what
    became of it (`ledger.report.resolve`).
    """
    found: dict[int, str] = {}
    for some in chunks(sorted(set(ids))):
        rows = select(outbox.c.id, outbox.c.state).where(outbox.c.id.in_(some)).order_by(outbox.c.id)
        found |= {row.id: row.state for row in connection.execute(rows.with_for_update())}
    queued = [id for id, state in found.items() if state == "failed"]
    for some in chunks(queued):
        connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(some), outbox.c.state == "failed")
            .values(
                state="planned", reason="replayed", detail=None, attempts=0, settled_at=None, due_at=micros(as_of),
                expires_at=micros(as_of + FOR), **FREE,
            )
        )  # fmt: skip
    return Replayed(queued=tuple(queued), refused={id: found.get(id) for id in ids if found.get(id) != "failed"})


def failed(connection: Connection, *, playbook: str | None, reason: str | None) -> list[int]:
    """The ids of failed messages, of one playbook or with one reason."""
    wanted = [outbox.c.state == "failed"]
    wanted += [] if playbook is None else [outbox.c.playbook == playbook]
    wanted += [] if reason is None else [outbox.c.reason == reason]
    return list(connection.scalars(select(outbox.c.id).where(*wanted).order_by(outbox.c.id)))
