"""One person: who they are, what they did, and what the playbooks did with them and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, select

from dsl import regions
from dsl.outline import Line, label, outline
from dsl.plan import Branch, ChangeAudience, Enroll, Experiment, Plan, SetField, Step, Wait, from_json
from flows.answers import known
from flows.answers import told as said_of
from flows.report import because
from ledger.actions import RECORDS
from ledger.rows import UNKNOWN
from ledger.versions import MOVED
from profiles.columns import PLAIN, people
from store.clock import instant
from store.schema import (
    assignments,
    consents,
    enrollments,
    events,
    identities,
    journal,
    outbox,
    plans,
    profiles,
    suppressions,
)

EVENTS = 20

STATES: Mapping[str, str] = {
    "planned": "queued",
    "claimed": "about to be sent",
    "sending": "being sent",
    "accepted": "sent",
    "failed": "failed",
    "unknown": "outcome unknown",
    "assumed_sent": "outcome unknown for a day, taken as sent",
    "skipped": "not sent",
    "cancelled": "not sent",
}
RECORD_STATES: Mapping[str, str] = {
    **STATES,
    "claimed": "about to be made",
    "sending": "being made",
    "accepted": "made",
    "assumed_sent": "outcome unknown for a day, taken as made",
    "skipped": "not made",
    "cancelled": "not made",
}
WHAT: Mapping[type[Step], str] = {SetField: "field", ChangeAudience: "audience", Enroll: "enroll"}
ENDS: Mapping[str, str] = {
    "end": "came to its end",
    "stop": "stopped",
    "nobody": "left: the profile is gone",
    "merged": "left: the profile joined another one that is inside",
    "when": "left: the condition to leave holds",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    at: datetime
    what: str
    """entered, branch, experiment, wait, message, record, field, audience, enroll, moved, left, goal"""
    text: str
    step: str | None = None
    state: str | None = None
    """Of a message, as the ledger calls it."""
    reason: str | None = None
    detail: str | None = None
    way: int | None = None
    """Of a branch or an experiment: the arm or variant taken, from 1; 0 is none of them."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Of a branch: what it asked, by name, as it was then; money in hundredths."""
    because: str = ""
    """The values in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """One time in one playbook."""

    playbook: str
    version: str
    state: str
    """active, done, left"""
    holdout: bool
    entered_at: datetime
    ended_at: datetime | None
    next_step: str | None
    next_at: datetime | None
    """When it goes on; None when it has ended."""
    happened: tuple[Happening, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Biography:
    id: int
    """Of the profile."""
    fields: Mapping[str, Any]
    """Known attributes and traits by the names that playbooks use; money in hundredths."""
    custom: Mapping[str, Any]
    """The shop's own traits."""
    identities: tuple[tuple[str, str], ...]
    """(kind, value)"""
    consents: tuple[tuple[str, str, bool, str, datetime], ...]
    """(channel, topic, granted, source, since)"""
    suppressed: tuple[tuple[str, str, datetime], ...]
    """(channel, reason, since)"""
    assignments: tuple[tuple[str, str, str, datetime], ...]
    """(playbook, experiment, variant, first exposure)"""
    events: tuple[tuple[datetime, str, Mapping[str, Any]], ...]
    """(time, name, properties), the newest first."""
    journeys: tuple[Journey, ...]
    """In the order in which they were entered."""


def find(connection: Connection, name: str) -> list[int]:
    """The profiles that `name` can mean: an id of the store, a user id, an e-mail address, a phone number, or an
    anonymous id; the first of these that knows it counts. A profile that joined another stands for the other."""
    for kind in ("user_id", "email", "phone", "anonymous_id"):
        value = name.lower() if kind == "email" else name
        asked = select(identities.c.profile_id).where(identities.c.kind == kind, identities.c.value == value)
        if found := list(connection.scalars(asked)):
            return [_living(connection, id) for id in found]
    if name.isascii() and name.isdigit() and len(name) < 19:
        return [
            _living(connection, id)
            for id in connection.scalars(select(profiles.c.id).where(profiles.c.id == int(name)))
        ]
    return []


def _living(connection: Connection, id: int) -> int:
    while (into := connection.scalar(select(profiles.c.merged_into).where(profiles.c.id == id))) is not None:
        id = into
    return id


def biography(connection: Connection, id: int, *, currency: str, newest: int = EVENTS, zone: tzinfo = UTC) -> Biography:
    """All that the store knows of a profile. `newest`: how many events at most; `zone`: of times in sentences."""
    known = select(*(column.expression.label(name) for name, column in PLAIN.items()), *profiles.c["user_id", "custom"])
    row = connection.execute(known.select_from(people()).where(profiles.c.id == id)).one()._mapping
    hashes = connection.execute(select(*profiles.c["email_hash", "phone_hash"]).where(profiles.c.id == id)).one()
    dead = select(*suppressions.c["channel", "reason", "at"]).where(
        suppressions.c.address_hash.in_([each for each in hashes if each])
    )
    agreed = select(*consents.c["channel", "topic", "granted", "source", "at"]).where(consents.c.profile_id == id)
    exposed = select(*assignments.c["playbook", "experiment", "variant", "at"]).where(assignments.c.profile_id == id)
    heard = (
        select(*events.c["at", "name", "properties"])
        .where(events.c.profile_id == id)
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(newest)
    )
    named = select(*identities.c["kind", "value"]).where(identities.c.profile_id == id)
    names = ("user_id", *PLAIN)
    return Biography(
        id=id,
        fields={name: _shown(name, row[name]) for name in names if row[name] is not None},
        custom=dict(row["custom"] or {}),
        identities=tuple((r.kind, r.value) for r in connection.execute(named.order_by(*identities.c["kind", "value"]))),
        consents=tuple(
            (r.channel, r.topic, bool(r.granted), r.source, instant(r.at))
            for r in connection.execute(agreed.order_by(consents.c.channel, consents.c.topic))
        ),
        suppressed=tuple((r.channel, r.reason, instant(r.at)) for r in connection.execute(dead)),
        assignments=tuple(
            (r.playbook, r.experiment, r.variant, instant(r.at)) for r in connection.execute(exposed.order_by("at"))
        ),
        events=tuple((instant(r.at), r.name, r.properties) for r in connection.execute(heard)),
        journeys=tuple(_journeys(connection, id, currency, zone)),
    )


def _shown(name: str, value: Any) -> Any:
    return instant(value) if name.endswith("_at") else value


def _journeys(connection: Connection, id: int, currency: str, zone: tzinfo) -> Iterator[Journey]:
    bodies: dict[str, Plan] = {}
    entered = select(enrollments).where(enrollments.c.profile_id == id)
    for row in connection.execute(entered.order_by(enrollments.c.entered_at, enrollments.c.id)).all():
        if row.digest not in bodies:
            body = connection.scalar(select(plans.c.body).where(plans.c.digest == row.digest))
            bodies[row.digest] = from_json(body)
        happened = list(_happened(connection, row, bodies[row.digest], currency, zone))
        yield Journey(
            playbook=row.playbook,
            version=row.digest,
            state=row.state,
            holdout=bool(row.holdout),
            entered_at=instant(row.entered_at),
            ended_at=None if row.ended_at is None else instant(row.ended_at),
            next_step=row.step,
            next_at=None if row.due_at is None else instant(row.due_at),
            happened=tuple(sorted(happened, key=lambda each: each.at)),  # stable: within a pass as it was walked
        )


def _happened(connection: Connection, row: Any, plan: Plan, currency: str, zone: tzinfo) -> Iterator[Happening]:
    held = " (held out: is sent nothing, to compare with)" if row.holdout else ""
    yield Happening(at=instant(row.entered_at), what="entered", text=f"entered{held}")
    messages: dict[str, list[Any]] = defaultdict(list)
    sent = select(outbox).where(outbox.c.enrollment_id == row.id).order_by(outbox.c.id)
    for message in connection.execute(sent):
        messages[message.step].append(message)
    passes = select(*journal.c["at", "region", "path", "saw"]).where(journal.c.enrollment_id == row.id)
    walked = sorted(connection.execute(passes), key=lambda each: (each.at, each.region.startswith(MOVED)))
    # Each pass is read by the version that it was made on: the one that the next move left, or the last one.
    version, versions = plan, []
    for _, region, _, _ in reversed(walked):
        if region.startswith(MOVED):
            body = connection.scalar(select(plans.c.body).where(plans.c.digest == region.removeprefix(MOVED)))
            version = from_json(body)
        versions.append(version)
    for (at, region, path, saw), made_on in zip(walked, reversed(versions), strict=True):
        if region.startswith(MOVED):
            yield Happening(at=instant(at), what="moved", text=f"taken along from version {made_on.digest}")
            continue
        taken = Taken(
            plan=made_on, at=instant(at), region=region, path=path, saw=saw or {}, currency=currency, zone=zone
        )  # fmt: skip
        yield from _pass(taken, messages, outline(made_on, currency), row.holdout)
    for message in (each for rest in messages.values() for each in rest):
        yield _message(message)  # of a step that the journal does not speak of
    if row.converted_at is not None:
        goal = plan.goal.event if plan.goal else "the goal"
        yield Happening(at=instant(row.converted_at), what="goal", text=f"reached the goal: {goal}")
    if row.ended_at is not None:
        why = _end(row.reason)
        yield Happening(at=instant(row.ended_at), what="left", text=why, reason=row.reason)


def _end(reason: str | None) -> str:
    if reason is not None and reason.startswith(UNKNOWN):
        return f"left: {because(reason)}"
    return ENDS.get(reason or "", f"left {reason}" if reason else "ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One pass through a region, as the journal has it."""

    plan: Plan
    at: datetime
    region: str
    path: int
    saw: Mapping[str, Any]
    currency: str
    zone: tzinfo


def _pass(taken: Taken, messages: dict[str, list[Any]], lines: Sequence[Line], holdout: bool) -> Iterator[Happening]:
    """The steps of one pass, in the order in which they were taken."""
    plan, at, region, path, currency = taken.plan, taken.at, taken.region, taken.path, taken.currency
    choices = regions.unpack(regions.decisions(plan, region), path)
    for id in regions.walk(plan, region, choices).steps:
        step = plan.step(id)
        match step:
            case Branch() | Experiment():
                way = choices[id]
                head = next((line.text for line in lines if line.id == id and line.way == way), "none of its ways")
                told = f"{step.name}: {head}" if isinstance(step, Experiment) else head
                if isinstance(step, Branch) and not way:
                    told = f"otherwise (not: {'; '.join(_head(arm.label) for arm in step.arms)})"
                # An arm that holds is the last that was asked.
                asked = [arm.condition for arm in step.arms[: way or None]] if isinstance(step, Branch) else []
                saw = known(asked, taken.saw)
                yield Happening(
                    at=at, what="branch" if isinstance(step, Branch) else "experiment", text=told, step=id, way=way,
                    values={name: value for name, (value, _) in saw.items()},
                    because=said_of(saw, currency, taken.zone),
                )  # fmt: skip
            case Wait():
                yield Happening(at=at, what="wait", text=label(step, currency), step=id)
            case SetField() | ChangeAudience() | Enroll() if not holdout:
                yield Happening(at=at, what=WHAT[type(step)], text=label(step, currency), step=id)
            case _:
                yield from (_message(message, at, label(step, currency)) for message in messages.pop(id, ()))


def _head(label: str) -> str:
    return label.removeprefix("otherwise ").removeprefix("if ")


def _message(row: Any, at: datetime | None = None, told: str = "") -> Happening:
    """A message or a record at the time of its planning, with what became of it. `told`: the step in words."""
    made = row.channel == RECORDS
    state = (RECORD_STATES if made else STATES).get(row.state, row.state)
    why = because(row.reason) if row.reason else ""
    if row.state == "planned" and row.due_at > row.planned_at:
        state = f"waits until {instant(row.due_at):%Y-%m-%d %H:%M} UTC"
    if row.settled_at is not None and row.settled_at != row.planned_at:
        state += f" {instant(row.settled_at):%Y-%m-%d %H:%M} UTC"
    name = told.removeprefix("send ") or f"{row.channel} {row.template}"
    return Happening(
        at=at or instant(row.planned_at), what="record" if made else "message",
        text=f"{name}: {state}" + (f", {why}" if why else ""), step=row.step, state=row.state,
        reason=row.reason, detail=row.detail,
    )  # fmt: skip
