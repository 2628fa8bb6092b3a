"""The first part of a tick: what became of messages whose sender died or got no answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ledger import outbox
from ledger.instance import instance_id, send_key
from ledger.owner import is_dead
from store.clock import instant
from store.engine import Store, read, write

ASSUMED_AFTER = timedelta(hours=24)
SURELY_STOPPED = timedelta(minutes=10)
"""So long after its lease a process elsewhere is not at work on a message any more."""
_BATCH = 500

Evidence = Callable[[Sequence[str]], Mapping[str, bool] | None]
"""Send keys to: it went out (true), it did not (false). Keys of which nothing is known are left out; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    freed: int
    """Claimed by a process that died, and queued again."""
    interrupted: int
    """Being sent by a process that died: unknown now."""
    found_sent: int
    found_unsent: int
    """Queued again, by evidence or because the connector may repeat."""
    assumed_sent: int


def settle(
    store: Store,
    *,
    playbook: str,
    as_of: datetime,
    wall: datetime,
    repeatable: Callable[[str], bool] = lambda _channel: False,
    evidence: Mapping[str, Evidence] | None = None,
    dead: Callable[[str], bool] = is_dead,
) -> Settled:
    """Ends the leases of the dead, asks `evidence` (by channel, outside of any transaction) about what is unknown, and
    after a day of business time takes it as sent. `repeatable` tells of a channel whether its connector may send twice.
    """
    with write(store) as connection:
        gone = [owner for owner in outbox.in_flight_owners(connection, playbook) if dead(owner)]
        freed, interrupted = outbox.expire(connection, playbook, dead=gone, wall=wall, as_of=as_of)
        instance = instance_id(connection)
    with read(store) as connection:
        channels = outbox.doubtful_channels(connection, playbook)
    sent = unsent = 0
    for channel in channels:
        asked = (evidence or {}).get(channel)
        after = 0
        while (repeatable(channel) or asked) and (rows := _batch(store, playbook, channel, after)):
            after = rows[-1].id
            yes, no = [], [row.id for row in rows]
            if not repeatable(channel) and asked is not None:
                keys = {send_key(instance, playbook, r.enrollment_id, r.step, r.occurrence): r for r in rows}
                answers = asked(list(keys)) or {}
                yes = [row.id for key, row in keys.items() if answers.get(key) is True]
                no = [r.id for key, r in keys.items() if answers.get(key) is False and _stopped(r, wall, dead)]
            with write(store) as connection:
                sent += outbox.found_sent(connection, yes, "evidence", as_of)
                unsent += outbox.found_unsent(connection, no, "interrupted", as_of)
    with write(store) as connection:
        assumed = outbox.assume_sent(connection, playbook, as_of - ASSUMED_AFTER)
    return Settled(freed=freed, interrupted=interrupted, found_sent=sent, found_unsent=unsent, assumed_sent=assumed)


def _batch(store: Store, playbook: str, channel: str, after: int) -> list[Any]:
    with read(store) as connection:
        return outbox.doubtful(connection, playbook, channel, after, _BATCH)


def _stopped(row: Any, wall: datetime, dead: Callable[[str], bool]) -> bool:
    """Whether the process that was sending the row can no longer be at it: else "not yet" would look like "not"."""
    if row.owner is None or dead(row.owner):
        return True
    return row.lease_until is None or instant(row.lease_until) + SURELY_STOPPED < wall
