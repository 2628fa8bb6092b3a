"""The states of a message, and every statement that changes one.

    planned ──claim──▶ claimed ──mark──▶ sending ──┬─▶ accepted
       ▲  │               │                 │      ├─▶ failed          for good; or poison, from claimed
       │  └─▶ skipped     └─▶ cancelled     │      └─▶ unknown ─┬─▶ accepted, failed   evidence, or a person's word
       │      cancelled       (left)        │                   ├─▶ planned            evidence that it never went out
       └────── deferred, throttled ─────────┘                   └─▶ assumed_sent       after a day

- A row is planned in the transaction that moves its enrollment, once for each enrollment and step.
- `sending` is committed before the first byte leaves. From then on only an answer, evidence or a person may bring the
  row back to planned; the passing of time makes it unknown, never planned.
- A claim writes a token. Whoever writes later names it, and changes nothing if the row has been claimed anew since: a
  process that was only slow, and was thought dead, cannot undo what another one did.
- `unknown` keeps the token: the belated answer of the very process that sent is the best evidence there is.
- `slot_at` counts against frequency caps from the claim on. It is given back when the message surely did not arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, bindparam, cast, func, null, or_, select, update

from dsl.delivery import Outcome
from ledger.guardrails import SAME_ADDRESS, Candidate, Delay, Skip, Surroundings
from ledger.rows import wants_messages
from store import json
from store.clock import micros
from store.schema import consents, enrollments, outbox, profiles, suppressions
from store.upsert import insert_new

_GUARDING = 0x77696E6261636B
"""PostgreSQL's advisory lock for the guards: `winback` in ASCII."""

ADDRESSES: Mapping[str, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    "email": (profiles.c.email, profiles.c.email_hash),
    "phone": (profiles.c.phone, profiles.c.phone_hash),
    "push_token": (json.Text(profiles.c.custom, ("push_token",)), cast(null(), Text)),
}
"""Address and its keyed hash, by the profile field that a channel's address is in. Tokens of apps have no hash."""

FREE: dict[str, Any] = {"owner": None, "token": None, "lease_until": None, "slot_at": None}
"""Nobody holds the row, and no cap counts it."""


# ── Claiming ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def lock_guards(connection: Connection) -> None:
    """One batch at a time passes the guards, or two could take the last slot of a person's cap. Held until the commit.

    SQLite's writers take turns anyway, and a rehearsal's messages are in a copy of its own (`store.overlay`).
    """
    rehearsing = connection.get_execution_options().get("rehearsing", False)
    if connection.dialect.name == "postgresql" and not rehearsing:
        connection.execute(select(func.pg_advisory_xact_lock(_GUARDING)))


def due(
    connection: Connection, *, playbook: str, channel: str, step: str | None, as_of: datetime, limit: int
) -> list[tuple[int, int]]:
    """Ids of planned messages that are due, with the ids of their enrollments, the longest due first."""
    found = (
        select(outbox.c.id, outbox.c.enrollment_id)
        .where(
            outbox.c.channel == channel,
            outbox.c.state == "planned",
            outbox.c.due_at <= micros(as_of),
            outbox.c.playbook == playbook,
            *([] if step is None else [outbox.c.step == step]),
        )
        # Not by id too: PostgreSQL would sort all that are due, for each batch.
        .order_by(outbox.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.enrollment_id) for row in connection.execute(found)]


def candidates(connection: Connection, ids: Sequence[int], channel: str, address_field: str) -> list[Candidate]:
    """What the guards must know of these messages, as far as they are still planned; locked until the commit."""
    address, address_hash = ADDRESSES[address_field]
    dead = and_(suppressions.c.channel == channel, suppressions.c.address_hash == address_hash)
    rows = connection.execute(
        select(
            *outbox.c["id", "enrollment_id", "profile_id", "playbook", "digest", "step", "occurrence"],
            *outbox.c["channel", "template", "expires_at", "attempts"],
            enrollments.c.event,
            wants_messages().label("wanted"),
            address.label("address"),
            address_hash.label("address_hash"),
            profiles.c.time_zone,
            profiles.c.id.is_not(None).label("known"),
            suppressions.c.reason.label("suppressed"),
        )
        .select_from(outbox)
        .outerjoin(enrollments, enrollments.c.id == outbox.c.enrollment_id)
        .outerjoin(profiles, profiles.c.id == outbox.c.profile_id)
        .outerjoin(suppressions, dead)
        .where(outbox.c.id.in_(ids), outbox.c.state == "planned")
        .order_by(outbox.c.due_at, outbox.c.id)
        .with_for_update(of=outbox, skip_locked=True)
    )
    return [Candidate(**row._mapping) for row in rows]


def surroundings(
    connection: Connection, found: Sequence[Candidate], channel: str, slots_since: datetime | None, as_of: datetime
) -> Surroundings:
    """Consents, used slots and addresses for a batch. Read after `lock_guards`."""
    people = sorted({candidate.profile_id for candidate in found})
    agreed = connection.execute(
        select(*consents.c["profile_id", "topic", "granted"]).where(
            consents.c.profile_id.in_(people), consents.c.channel == channel
        )
    )
    slots: dict[int, list[int]] = {}
    if slots_since is not None:
        used = select(*outbox.c["profile_id", "slot_at"]).where(
            outbox.c.profile_id.in_(people), outbox.c.channel == channel, outbox.c.slot_at > micros(slots_since)
        )
        for row in connection.execute(used):
            slots.setdefault(row.profile_id, []).append(row.slot_at)
    hashes = sorted({candidate.address_hash for candidate in found if candidate.address_hash})
    lately = micros(as_of - SAME_ADDRESS)
    same = select(*outbox.c["address_hash", "playbook", "step", "profile_id"]).where(
        outbox.c.address_hash.in_(hashes),
        or_(
            outbox.c.state.in_(("claimed", "sending")),
            and_(outbox.c.state.in_(("accepted", "unknown", "assumed_sent")), outbox.c.settled_at > lately),
        ),
    )
    return Surroundings(
        consents={(row.profile_id, row.topic): row.granted for row in agreed},
        slots=slots,
        addresses={(row.address_hash, row.playbook, row.step): row.profile_id for row in connection.execute(same)},
    )


def claim(
    connection: Connection,
    ids: Sequence[int],
    *,
    slots: Sequence[int],
    token: str,
    owner: str,
    lease_until: datetime,
    address_field: str,
    as_of: datetime,
) -> None:
    """Take messages for this process. `slots` are those among them that count against caps."""
    _, address_hash = ADDRESSES[address_field]
    hashed = select(address_hash).where(profiles.c.id == outbox.c.profile_id).scalar_subquery()
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids), outbox.c.state == "planned")
        .values(
            state="claimed",
            reason=None,
            token=token,
            owner=owner,
            lease_until=micros(lease_until),
            address_hash=hashed,
        )
    )
    connection.execute(
        update(outbox).where(outbox.c.id.in_(slots), outbox.c.token == token).values(slot_at=micros(as_of))
    )


def refuse(connection: Connection, rulings: Mapping[int, Skip | Delay], as_of: datetime) -> None:
    """Write what the guards decided against, by message."""
    now = micros(as_of)
    same: dict[Skip | Delay, list[int]] = {}
    for id, ruling in rulings.items():
        same.setdefault(ruling, []).append(id)
    for ruling, ids in same.items():
        statement = update(outbox).where(outbox.c.id.in_(ids), outbox.c.state == "planned")
        match ruling:
            case Skip(reason=reason):
                connection.execute(statement.values(state="skipped", reason=reason, settled_at=now))
            case Delay(until=until, reason=reason):
                # To keep quiet is not to be late: the message may wait as much longer.
                later = micros(until)
                connection.execute(
                    statement.values(reason=reason, due_at=later, expires_at=outbox.c.expires_at + (later - now))
                )


def release(connection: Connection, ids: Sequence[int], token: str) -> int:
    """Give back what was claimed and of which no byte has left, as the process itself knows that held it.

    It may have been marked as sending all the same: of a commit whose confirmation is lost, nobody knows.
    """
    begun = outbox.c.state.in_(("claimed", "sending", "unknown"))
    mine = and_(outbox.c.id.in_(ids), outbox.c.token == token, begun)
    return connection.execute(update(outbox).where(mine).values(state="planned", settled_at=None, **FREE)).rowcount


# ── Sending ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def mark_sending(
    connection: Connection,
    ids: Sequence[int],
    token: str,
    lease_until: datetime,
    as_of: datetime,
    later: Sequence[int] = (),
) -> set[int]:
    """Mark claimed messages as sending, and hold on to those that come `later`.

    Returns those that may be sent once this is committed; the others are another process's by now, or their person left
    and they are cancelled.
    """
    mine = and_(outbox.c.token == token, outbox.c.state == "claimed")
    stays = select(enrollments.c.id).where(enrollments.c.id == outbox.c.enrollment_id, wants_messages())
    marked = connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids), mine, stays.exists())
        .values(state="sending", lease_until=micros(lease_until))
        .returning(outbox.c.id)
    )
    sending = {row.id for row in marked}
    if len(sending) < len(ids):
        connection.execute(
            update(outbox)
            .where(outbox.c.id.in_(ids), mine)
            .values(state="cancelled", reason="left", settled_at=micros(as_of), **FREE)
        )
    # The rest of the batch waits for its turn and is not to be thought forgotten.
    if later:
        connection.execute(update(outbox).where(outbox.c.id.in_(later), mine).values(lease_until=micros(lease_until)))
    return sending


# From unknown too: an answer that comes after the lease is still the answer.
_ANSWER = update(outbox).where(
    outbox.c.id == bindparam("row"),
    outbox.c.token == bindparam("held"),
    or_(outbox.c.state == "sending", outbox.c.state == "unknown"),
)


def accepted(connection: Connection, outcomes: Mapping[int, Outcome], token: str, as_of: datetime) -> int:
    """Write down what providers took over. Returns how many rows that changed: late writes change none."""
    if not outcomes:
        return 0
    statement = _ANSWER.values(
        state="accepted", reason=None, detail=None, settled_at=micros(as_of), owner=None, lease_until=None,
        provider_id=bindparam("given"),
    )  # fmt: skip
    rows = [{"row": id, "held": token, "given": outcome.provider_id} for id, outcome in outcomes.items()]
    return connection.execute(statement, rows).rowcount


def rejected(connection: Connection, id: int, token: str, outcome: Outcome, as_of: datetime) -> int:
    """A permanent failure. A dead address is suppressed on its channel."""
    changed = _answer(
        connection, id, token,
        state="failed", reason=outcome.reason or "rejected", detail=outcome.detail, settled_at=micros(as_of), **FREE,
    )  # fmt: skip
    if changed and outcome.suppress:
        row = select(*outbox.c["channel", "address_hash"]).where(outbox.c.id == id, outbox.c.address_hash.is_not(None))
        for channel, address_hash in connection.execute(row):
            connection.execute(
                insert_new(connection, suppressions).values(
                    channel=channel, address_hash=address_hash, reason="hard_bounce", at=micros(as_of)
                )
            )
    return changed


def deferred(connection: Connection, id: int, token: str, outcome: Outcome, *, attempts: int, due_at: datetime) -> int:
    """Surely not accepted: it goes back into the queue."""
    return _answer(
        connection, id, token,
        state="planned", reason=outcome.reason or "deferred", detail=outcome.detail, attempts=attempts,
        due_at=micros(due_at), settled_at=None, **FREE,
    )  # fmt: skip


def unknown(connection: Connection, id: int, token: str, outcome: Outcome, as_of: datetime) -> int:
    """No answer tells what became of it."""
    return _answer(
        connection, id, token,
        state="unknown", reason=outcome.reason or "no_answer", detail=outcome.detail, settled_at=micros(as_of),
    )  # fmt: skip


def poisoned(connection: Connection, id: int, token: str, detail: str, as_of: datetime) -> int:
    """A message that cannot be made: a person must look at its template."""
    mine = and_(outbox.c.id == id, outbox.c.token == token, outbox.c.state == "claimed")
    values = {"state": "failed", "reason": "render_error", "detail": detail, "settled_at": micros(as_of), **FREE}
    return connection.execute(update(outbox).where(mine).values(values)).rowcount


def _answer(connection: Connection, row: int, held: str, /, **values: Any) -> int:
    return connection.execute(_ANSWER.values(values), {"row": row, "held": held}).rowcount


# ── Settling ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def in_flight_owners(connection: Connection, playbook: str) -> list[str]:
    """The processes that hold messages of this playbook."""
    held = and_(outbox.c.playbook == playbook, outbox.c.state.in_(("claimed", "sending")))
    return [owner for owner in connection.scalars(select(outbox.c.owner).distinct().where(held)) if owner]


def expire(
    connection: Connection, playbook: str, *, dead: Sequence[str], wall: datetime, as_of: datetime
) -> tuple[int, int]:
    """Take away the leases that are over or whose owner is dead. Returns how many claims went back into the queue, and
    how many sends became unknown."""
    over = and_(outbox.c.playbook == playbook, or_(outbox.c.lease_until < micros(wall), outbox.c.owner.in_(dead)))
    freed = connection.execute(update(outbox).where(over, outbox.c.state == "claimed").values(state="planned", **FREE))
    # Owner and lease stay: they say from when on evidence of absence counts.
    doubted = connection.execute(
        update(outbox)
        .where(over, outbox.c.state == "sending")
        .values(state="unknown", reason="interrupted", settled_at=micros(as_of))
    )
    return freed.rowcount, doubted.rowcount


def doubtful(connection: Connection, playbook: str, channel: str, after: int, limit: int) -> list[Any]:
    """Unknown messages with an id above `after`, by id."""
    return list(
        connection.execute(
            select(*outbox.c["id", "enrollment_id", "step", "occurrence", "owner", "lease_until"])
            .where(
                outbox.c.playbook == playbook,
                outbox.c.state == "unknown",
                outbox.c.channel == channel,
                outbox.c.id > after,
            )
            .order_by(outbox.c.id)
            .limit(limit)
        )
    )


def doubtful_channels(connection: Connection, playbook: str) -> list[str]:
    """The channels on which messages are unknown."""
    unknown_ = and_(outbox.c.playbook == playbook, outbox.c.state == "unknown")
    return list(connection.scalars(select(outbox.c.channel).distinct().where(unknown_)))


def found_sent(connection: Connection, ids: Sequence[int], reason: str, as_of: datetime) -> int:
    """Evidence, or a person, says that these unknown messages went out."""
    doubted = and_(outbox.c.id.in_(ids), outbox.c.state.in_(("unknown", "assumed_sent")))
    values = {"state": "accepted", "reason": reason, "settled_at": micros(as_of), "owner": None, "lease_until": None}
    return connection.execute(update(outbox).where(doubted).values(values)).rowcount


def found_unsent(connection: Connection, ids: Sequence[int], reason: str, as_of: datetime) -> int:
    """Evidence, or a person, says that these unknown messages did not go out, or may again: back to the queue."""
    doubted = and_(outbox.c.id.in_(ids), outbox.c.state.in_(("unknown", "assumed_sent")))
    values = {"state": "planned", "reason": reason, "settled_at": None, "due_at": micros(as_of), **FREE}
    return connection.execute(update(outbox).where(doubted).values(values)).rowcount


def assume_sent(connection: Connection, playbook: str, before: datetime) -> int:
    """What has been unknown since `before` counts as sent."""
    old = and_(outbox.c.playbook == playbook, outbox.c.state == "unknown", outbox.c.settled_at <= micros(before))
    return connection.execute(update(outbox).where(old).values(state="assumed_sent")).rowcount
