"""What must hold in every store at every moment between transactions, whatever has failed or died before.

The strongest of it: the journal is replayed over the plan, and what it says that a person came by must be there: each
message and record once and no other, the exposure to each experiment, each field written, each audience changed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from dsl import regions
from dsl.plan import ChangeAudience, Enroll, Experiment, Plan, Record, Send, SetField, from_json
from store.schema import assignments, enrollments, events, journal, memberships, outbox, plans
from store.writing import OURS

HELD = frozenset({"claimed", "sending"})
SETTLED = frozenset({"accepted", "failed", "unknown", "assumed_sent", "skipped"})
STATES = HELD | SETTLED | {"planned", "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    plans: Mapping[str, Plan]
    enrollments: Mapping[int, Any]
    passes: Mapping[int, Sequence[Any]]
    """Rows of the journal by enrollment, in order."""
    messages: Mapping[int, Sequence[Any]]
    """By enrollment."""
    exposures: Mapping[tuple[str, int], str]
    told: frozenset[str]
    """Ids of the events by which `set` tells what it wrote."""
    members: Mapping[tuple[str, int], bool]
    inside: Counter[tuple[str, int]]
    """Enrollments by playbook and person."""


def violations(connection: Connection) -> list[str]:
    """Each breach of what must hold, in words; none in a sound store."""
    store = _read(connection)
    live = Counter((e.playbook, e.profile_id, e.key) for e in store.enrollments.values() if e.state == "active")
    found = [f"{person} is inside {times} times" for person, times in live.items() if times > 1]
    stray = store.messages.keys() - store.enrollments.keys()
    found += [f"messages of enrollment {id}, which is not there" for id in stray]
    found += [f"message {m.id}: {breach}" for many in store.messages.values() for m in many for breach in _message(m)]
    changes: dict[tuple[str, int], list[tuple[int, bool]]] = defaultdict(list)
    for enrollment in store.enrollments.values():
        where = f"enrollment {enrollment.id} ({enrollment.playbook}, person {enrollment.profile_id})"
        found += [f"{where}: {breach}" for breach in _enrollment(store, enrollment, changes)]
    for (audience, person), done in changes.items():
        # Two changes at one moment: either may have been the last.
        newest = {member for at, member in done if at == max(done)[0]}
        if store.members.get((audience, person), False) not in newest:
            found.append(f"person {person} should be {newest} in {audience}")
    return found


def _read(connection: Connection) -> _Store:
    passes: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(journal).order_by(journal.c.at)):
        passes[row.enrollment_id].append(row)
    messages: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(outbox)):
        messages[row.enrollment_id].append(row)
    people = {row.id: row for row in connection.execute(select(enrollments))}
    ours = select(events.c.event_id).where(events.c.event_id.startswith(f"{OURS}:"))
    return _Store(
        plans={row.digest: from_json(row.body) for row in connection.execute(select(plans))},
        enrollments=people,
        passes=passes,
        messages=messages,
        exposures={(r.experiment, r.profile_id): r.variant for r in connection.execute(select(assignments))},
        told=frozenset(connection.scalars(ours)),
        members={(r.audience, r.profile_id): r.member for r in connection.execute(select(memberships))},
        inside=Counter((row.playbook, row.profile_id) for row in people.values()),
    )


def _message(row: Any) -> Iterator[str]:
    if row.state not in STATES:
        yield f"state {row.state}"
    if row.state in HELD and None in (row.owner, row.token, row.lease_until):
        yield f"{row.state} without owner, token or lease"
    if row.state == "planned" and (row.owner, row.token, row.lease_until, row.slot_at) != (None,) * 4:
        yield "planned, and still held or counted"
    if row.state in SETTLED and row.settled_at is None:
        yield f"{row.state} without the time"
    if row.state in HELD | {"planned"} and row.settled_at is not None:
        yield f"{row.state}, and settled"


def _enrollment(store: _Store, row: Any, changes: dict[tuple[str, int], list[tuple[int, bool]]]) -> Iterator[str]:
    plan = store.plans.get(row.digest)
    if plan is None:
        yield "its plan is not there"
        return
    if row.path is not None or getattr(row, "pass") is not None:
        yield "a pass is at work on it between transactions"
    match row.state:
        case "active" if row.step is None or row.due_at is None or row.ended_at is not None:
            yield "inside, and nowhere"
        case "done" | "left" if row.step is not None or row.ended_at is None or row.reason is None:
            yield "ended, and without time or reason, or standing somewhere"
        case "active" | "done" | "left":
            pass
        case _:
            yield f"state {row.state}"
    stands, reason, taken = _replay(plan, store.passes.get(row.id, ()))
    if stands is Broken:
        yield f"its journal does not follow the plan at {reason}"
        return
    if row.state == "active" and row.step != stands:
        yield f"stands at {row.step}, and its journal leads to {stands}"
    if row.state == "done" and row.reason != reason:
        yield f"ended by {row.reason}, and its journal by {reason}"
    yield from _done(store, row, plan, taken, changes)


class Broken:
    """The journal does not fit the plan."""


def _replay(plan: Plan, rows: Sequence[Any]) -> tuple[Any, str | None, list[tuple[str, int, Mapping[str, int]]]]:
    """Where the journal leads, why it ends, and each step taken with its time and the choices of its region."""
    waiting = {row.region: row for row in rows}
    at: str | None = regions.START
    reason: str | None = None
    taken: list[tuple[str, int, Mapping[str, int]]] = []
    while at is not None and at in waiting:
        row = waiting.pop(at)
        choices = regions.unpack(regions.decisions(plan, at), row.path)
        walked = regions.walk(plan, at, choices)
        taken += [(step, row.at, choices) for step in walked.steps]
        at, reason = walked.next_entry, walked.reason
    return (Broken, ", ".join(waiting), taken) if waiting else (at, reason, taken)


def _done(
    store: _Store,
    row: Any,
    plan: Plan,
    taken: Sequence[tuple[str, int, Mapping[str, int]]],
    changes: dict[tuple[str, int], list[tuple[int, bool]]],
) -> Iterator[str]:
    """What the steps that were taken should have done."""
    queued = Counter(message.step for message in store.messages.get(row.id, ()))
    came = {step for step, _, _ in taken}
    for step, times in queued.items():
        if times > 1:
            yield f"{step} is queued {times} times"
        if step not in came:
            yield f"{step} is queued, and never come by"
    if row.holdout:
        if queued:
            yield "held out, and messages are queued"
        return
    for id, at, choices in taken:
        match plan.step(id):
            case Send() | Record() if id not in queued:
                yield f"{id} was come by, and is not queued"
            case Experiment(name=name, variants=variants):
                if (drawn := store.exposures.get((name, row.profile_id))) != variants[choices[id] - 1].name:
                    yield f"{id}: went the way of {variants[choices[id] - 1].name}, and is noted as {drawn}"
            case SetField() if f"{OURS}:{row.id}:{id}" not in store.told:
                yield f"{id} was come by, and nothing tells of what it wrote"
            case ChangeAudience(kind=kind, audience=audience):
                changes[audience, row.profile_id].append((at, kind == "add"))
            case Enroll(playbook=other) if not store.inside[other, row.profile_id]:
                yield f"{id} was come by, and the person never came into {other}"
