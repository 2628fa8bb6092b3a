"""Mail of the coming days: the playbooks walked on from where people stand, as if nobody did anything and nobody came.

It is the tick's own code (`ledger.advance`) at times to come, on a rehearsal: each person's branches are asked at that
time, of what is known of him now. What people will do instead is not known, so every number here is an estimate; of
mail to people inside it is the upper end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, false, func, or_, select, update

from dsl.catalog import MARKETING, TRANSACTIONAL
from dsl.conditions import CanReceive
from dsl.plan import LeaveWhen, Limit, Plan, Policy, Schedule, Wait
from flows import moving
from flows.expressions import Expressions
from flows.world import World
from ledger import plans as registry
from ledger import waits
from ledger.guardrails import oldest_slot, over_cap
from ledger.leave import leave
from profiles.select import Moment, holds
from store.clock import SECOND, instant, micros
from store.engine import read, write
from store.schema import enrollments, outbox, profiles

FINE = timedelta(hours=1)
"""How closely the next two days are looked at."""
COARSE = timedelta(hours=4)
"""How closely the days after are."""
ON_ITS_WAY = "forecast"
"""State of messages that the walk has passed. Only rehearsals know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day on one channel; days are the project's."""

    day: date
    messages: int
    """That go out to people who are inside, those who would enter now included."""
    held_back: int
    """That the policy's limits would skip."""
    at_limit: int
    """People who get as many as a limit allows."""
    newcomers: int | None
    """Messages to people who come in on the days between, as far as their number is known; None: it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    channel: str
    limits: tuple[Limit, ...]
    days: tuple[Day, ...]


@dataclass(slots=True, kw_only=True)
class _Tally:
    messages: Counter[date] = field(default_factory=Counter)
    held_back: Counter[date] = field(default_factory=Counter)
    at_limit: Counter[date] = field(default_factory=Counter)


def walk_on(world: World, plans: Sequence[Plan], as_of: datetime, until: datetime) -> None:
    """Move everybody on until `until`, as ticks would, and queue what they come to. `world.store` is a rehearsal on
    which ticks of `plans` were played at `as_of`."""
    for plan in plans:
        with read(world.store) as connection:
            versions = registry.live_plans(connection, plan.name)
        at, asked = as_of, as_of.date()
        while (due := _next_due(world, plan.name, at)) is not None:
            at = _next_run(plan.schedule, due, as_of, ZoneInfo(world.zone))
            if at > until:
                break
            for version in versions:
                if at.date() != asked:
                    _leave(world, moving.asked(world, version, at), at)
                moving.move_on(world, version, at)
            asked = at.date()
            _pass(world, at)


def _next_due(world: World, playbook: str, after: datetime) -> datetime | None:
    """When the next person goes on. Those who are stuck were due before."""
    with read(world.store) as connection:
        due = connection.scalar(
            select(func.min(enrollments.c.due_at)).where(
                enrollments.c.playbook == playbook,
                enrollments.c.state == "active",
                enrollments.c.due_at > micros(after),
            )
        )
    return None if due is None else instant(due)


def _next_run(schedule: Schedule | None, due: datetime, as_of: datetime, zone: ZoneInfo) -> datetime:
    """When a tick finds who is due: of those that the schedule asks for no more than are worth looking at."""
    if schedule is not None and schedule.seconds is None:
        return waits.over_at(Wait(id="", next=None, time=schedule.time, weekday=schedule.weekday), due, zone)
    ahead = due - as_of
    every = timedelta(seconds=schedule.seconds or 0) if schedule is not None else FINE
    step = max(every, FINE if ahead < timedelta(days=2) else COARSE)
    return as_of + ceil(ahead / step) * step


def _leave(world: World, here: Expressions, at: datetime) -> None:
    """Some conditions of `leave when` turn true by the passing of time alone. Asked once a day."""
    if any(isinstance(way_out, LeaveWhen) for way_out in here.plan.exits):
        with write(world.store) as connection:
            leave(connection, playbook=here.plan.name, digest=here.plan.digest, exits=here.exits(), as_of=at)


def _pass(world: World, at: datetime) -> None:
    """What is due has gone out: who leaves later has got it."""
    with write(world.store) as connection:
        due = and_(outbox.c.state == "planned", outbox.c.due_at <= micros(at))
        connection.execute(update(outbox).where(due).values(state=ON_ITS_WAY))


# ── Counting ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def mail(
    world: World,
    topics: Mapping[tuple[str, str], str],
    *,
    as_of: datetime,
    days: int,
    held_back: Mapping[str, int],
    newcomers: Mapping[str, Sequence[float]] | None,
) -> tuple[Mail, ...]:
    """What the walk has queued, a channel after the other: today (the rest of it) and `days` more.

    `topics`: of each channel and template. `held_back`: messages by channel that limits hold back at `as_of` itself.
    `newcomers`: by channel the expected messages of each day to people who come in later.
    """
    zone = ZoneInfo(world.zone)
    today = as_of.astimezone(zone).date()
    dates = [today + timedelta(days=ahead) for ahead in range(days + 1)]
    with read(world.store) as connection:
        limits = {limit.channel for limit in world.policy.limits}
        ours = select(outbox.c.channel).where(_coming(as_of)).distinct()
        channels = sorted({*connection.scalars(ours), *limits, *held_back})
        found = []
        for channel in channels:
            tally = _count(connection, world, channel, topics, as_of, zone)
            tally.held_back[today] += held_back.get(channel, 0)
            come = None if newcomers is None else newcomers.get(channel, [0.0] * len(dates))
            told = tuple(
                Day(
                    day=day, messages=tally.messages[day], held_back=tally.held_back[day],
                    at_limit=tally.at_limit[day], newcomers=None if come is None else round(come[n]),
                )
                for n, day in enumerate(dates)
            )  # fmt: skip
            found.append(Mail(channel=channel, limits=_limits(world.policy, channel), days=told))
    return tuple(found)


def _limits(policy: Policy, channel: str) -> tuple[Limit, ...]:
    return tuple(limit for limit in policy.limits if limit.channel == channel)


def _coming(as_of: datetime) -> Any:
    """Messages of the walk, those that wait for the end of quiet hours, and what went out in the rehearsed ticks."""
    sent = and_(outbox.c.state == "accepted", outbox.c.settled_at == micros(as_of))
    return or_(outbox.c.state.in_(("planned", ON_ITS_WAY)), sent)


def _count(
    connection: Connection,
    world: World,
    channel: str,
    topics: Mapping[tuple[str, str], str],
    as_of: datetime,
    zone: ZoneInfo,
) -> _Tally:
    tally = _Tally()
    used = _used(connection, world.policy, channel, as_of)
    for person, rows in groupby(_messages(connection, world, channel, topics, as_of), key=lambda row: row.profile_id):
        slots = used.get(person, [])
        for at, capped, settled in sorted(_moments(rows, world, topics)):
            day = at.astimezone(zone).date()
            if settled:
                tally.messages[day] += 1
            elif capped and over_cap(world.policy, channel, slots, at):
                tally.held_back[day] += 1
                continue
            else:
                tally.messages[day] += 1
                if capped:
                    slots.append(micros(at))
            if capped and _full(world.policy, channel, slots, at):
                tally.at_limit[day] += 1
    return tally


def _messages(
    connection: Connection, world: World, channel: str, topics: Mapping[tuple[str, str], str], as_of: datetime
) -> Iterator[Any]:
    """A row a message that its person may get, person by person."""
    columns = *outbox.c["profile_id", "channel", "template", "state", "due_at"], profiles.c.time_zone
    here = select(*columns).join(profiles, profiles.c.id == outbox.c.profile_id)
    rows = here.where(outbox.c.channel == channel, _coming(as_of), _may_get(world, channel, topics, as_of))
    yield from connection.execute(rows.order_by(outbox.c.profile_id))


def _may_get(world: World, channel: str, topics: Mapping[tuple[str, str], str], as_of: datetime) -> Any:
    """Whom the guards would refuse now is not counted: no consent, no address, suppressed."""
    moment = Moment(as_of=as_of, zone=world.zone, consent=world.consent)
    named: dict[str, list[str]] = {}
    for (kind, template), topic in topics.items():
        if kind == channel:
            named.setdefault(topic, []).append(template)
    address = profiles.c[world.addresses[channel]].is_not(None) if channel in world.addresses else false()
    ways = [
        and_(
            outbox.c.template.in_(templates),
            address if topic == TRANSACTIONAL else holds(CanReceive(channel=channel, topic=topic), moment),
        )
        for topic, templates in sorted(named.items())
    ]
    return or_(outbox.c.state == "accepted", *ways)


def _moments(
    rows: Iterator[Any], world: World, topics: Mapping[tuple[str, str], str]
) -> Iterator[tuple[datetime, bool, bool]]:
    """When each message goes, whether limits count it, and whether it has gone."""
    for row in rows:
        at = instant(row.due_at)
        capped = topics.get((row.channel, row.template), MARKETING) != TRANSACTIONAL
        settled = row.state == "accepted"
        if capped and not settled:
            at = waits.quiet_until(world.policy, at, waits.zone_of(row.time_zone, world.zone)) or at
        yield at, capped, settled


def _used(connection: Connection, policy: Policy, channel: str, as_of: datetime) -> dict[int, list[int]]:
    """By person when messages went out that limits count, today's included."""
    since = oldest_slot(policy, channel, as_of)
    if since is None:
        return {}
    rows = select(*outbox.c["profile_id", "slot_at"]).where(
        outbox.c.channel == channel, outbox.c.slot_at > micros(since)
    )
    used: dict[int, list[int]] = {}
    for person, slot in connection.execute(rows):
        used.setdefault(person, []).append(slot)
    return used


def _full(policy: Policy, channel: str, slots: Sequence[int], at: datetime) -> bool:
    """Whether the person has just got as many as a limit allows."""
    now = micros(at)
    return any(
        sum(slot > now - limit.seconds * SECOND for slot in slots) == limit.count for limit in _limits(policy, channel)
    )


# ── People who come later ─────────────────────────────────────────────────────────────────────────────────────────────
def per_newcomer(
    world: World,
    topics: Mapping[tuple[str, str], str],
    playbook: str,
    *,
    newest: int,
    people: int,
    as_of: datetime,
    days: int,
) -> dict[str, list[float]]:
    """How many messages somebody gets on each day since entering, by channel: as the `people` who entered in this
    rehearsal do (the enrollments with an id above `newest`). After `walk_on`."""
    found: dict[str, list[float]] = {}
    with read(world.store) as connection:
        for channel in sorted({channel for channel, _ in topics}) if people else ():
            rows = (
                select(outbox.c.due_at, func.count())
                .join(enrollments, enrollments.c.id == outbox.c.enrollment_id)
                .join(profiles, profiles.c.id == outbox.c.profile_id)
                .where(enrollments.c.playbook == playbook, enrollments.c.id > newest, outbox.c.channel == channel)
                .where(_coming(as_of), _may_get(world, channel, topics, as_of))
                .group_by(outbox.c.due_at)
            )
            for due, messages in connection.execute(rows):
                if 0 <= (n := (instant(due) - as_of).days) <= days:
                    found.setdefault(channel, [0.0] * (days + 1))[n] += messages / people
    return found


def of_newcomers(per_day: float, each: Sequence[float]) -> list[float]:
    """Messages of each day, today (0) first, to people of whom `per_day` come in from tomorrow on; each gets on the
    n-th day since entering `each[n]` messages."""
    return [per_day * sum(each[:day]) for day in range(len(each))]
