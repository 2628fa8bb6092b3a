"""When a channel may send: pauses that its provider asked for, a circuit breaker, and a limit of messages in a time.

All of it is one row a channel (`store.schema.channels`), which all processes share.

    shut ──five messages in a row without a connection──▶ open ──its pause is over──▶ half open: one message is tried
     ▲                                                     ▲                            │
     └────────────── the server answered ──────────────────┼────────────────────────────┤
                                                           └──── no connection ─────────┘

The first time it opens without a pause: whoever has mended the settings and runs again is not kept waiting, and tries
one message instead of a batch. An open circuit delays people, and never uses up one of their attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from store.clock import SECOND, instant, micros
from store.schema import channels
from store.upsert import insert_new

OPENS_AFTER = 5
"""Messages in a row."""
FIRST_PAUSE = timedelta(seconds=30)
"""Of a circuit that opened for the second time in a row; each time after that it is twice as long."""
LONGEST_PAUSE = timedelta(minutes=15)

CATCH_UP = timedelta(seconds=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `count` messages in `seconds`, evenly spread."""

    count: int
    seconds: int

    @property
    def burst(self) -> int:
        """How many may go at once: what a second allows, and at least one."""
        return max(1, self.count // self.seconds)


class Door(Enum):
    """Whether a channel may send."""

    OPEN = "open"
    PROBE = "probe"
    """One message may be tried."""
    THROTTLED = "throttled"
    """The provider asked for a pause."""
    BROKEN = "circuit_open"
    """There was no connection, and it is not yet time to try again."""


# ── Pauses that providers ask for ─────────────────────────────────────────────────────────────────────────────────────
def close(connection: Connection, channel: str, until: datetime) -> None:
    """Send nothing on a channel before `until`. The last word counts: it is the provider's newest."""
    _write(connection, channel, closed_until=micros(until))


def knock(connection: Connection, channel: str, as_of: datetime) -> tuple[Door, datetime | None]:
    """Whether the channel may send at `as_of`, and if not, from when on. Needs `outbox.lock_guards`."""
    row = _row(connection, channel)
    if row is None:
        return Door.OPEN, None
    now = micros(as_of)
    if row.closed_until is not None and row.closed_until > now:
        return Door.THROTTLED, instant(row.closed_until)
    if row.open_until is None:
        return Door.OPEN, None
    # What lies further ahead than any pause was written by a clock that was wrong.
    if now < row.open_until <= micros(as_of + LONGEST_PAUSE):
        return Door.BROKEN, instant(row.open_until)
    return Door.PROBE, None


def probe(connection: Connection, channel: str, as_of: datetime) -> None:
    """Somebody tries a message now, and shuts the door behind him: if he dies, the next one may try after the usual
    pause. In the transaction that knocked."""
    row = _row(connection, channel)
    _write(connection, channel, open_until=micros(as_of + pause(1 if row is None else row.openings)))


# ── The circuit breaker ───────────────────────────────────────────────────────────────────────────────────────────────
def note(connection: Connection, channel: str, connected: Sequence[bool], as_of: datetime) -> None:
    """Write down for some messages, in order, whether the server was there. Opens the circuit, or shuts it."""
    if not connected:
        return
    row = _row(connection, channel)
    failing = next((i for i, there in enumerate(reversed(connected)) if there), len(connected))
    answered = failing < len(connected)
    if answered and failing == 0:
        if row is not None and (row.failures or row.open_until is not None):
            _write(connection, channel, failures=0, openings=0, open_until=None)
        return
    before, openings = (0, 0) if row is None or answered else (row.failures, row.openings)
    failures = before + failing
    if failures < OPENS_AFTER:
        _write(connection, channel, failures=failures, openings=openings, **({"open_until": None} if answered else {}))
        return
    _write(
        connection, channel, failures=failures, openings=openings + 1, open_until=micros(as_of + pause(openings))
    )  # fmt: skip


def pause(openings: int) -> timedelta:
    """How long a circuit stays open that opened so often in a row before."""
    if openings == 0:
        return timedelta()
    longer: timedelta = FIRST_PAUSE * 2 ** min(openings - 1, 10)
    return min(longer, LONGEST_PAUSE)


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def reserve(
    connection: Connection, channel: str, count: int, rate: Rate, wall: datetime, patience: timedelta
) -> timedelta | None:
    """Take the next place in time for `count` messages, at most `rate.burst`. Returns how long to wait for it; None,
    and no place is taken, if that is longer than `patience`.

    Places follow one another at the rate, whoever takes them. Of time in which nobody sent no more than CATCH_UP is
    saved up: a moment in which all processes were busy is no loss, and an hour in which there was nothing to do no burst.
    """
    _write(connection, channel)
    row = connection.execute(select(channels.c.next_at).where(channels.c.channel == channel).with_for_update()).one()
    now = micros(wall)
    begins = max(now - CATCH_UP // timedelta(microseconds=1), row.next_at or 0)
    each = rate.seconds * SECOND // rate.count
    longest = patience // timedelta(microseconds=1)
    if begins - now > longest + max(each, SECOND):
        begins = now  # nobody can have taken a place so far ahead: the clock was wrong
    if begins - now > longest:
        return None
    _write(connection, channel, next_at=begins + count * each)
    return timedelta(microseconds=max(0, begins - now))


def _row(connection: Connection, channel: str) -> Row[Any] | None:
    return connection.execute(select(channels).where(channels.c.channel == channel)).one_or_none()


def _write(connection: Connection, channel: str, **values: int | None) -> None:
    connection.execute(insert_new(connection, channels).values(channel=channel))
    if values:
        connection.execute(update(channels).where(channels.c.channel == channel).values(**values))
