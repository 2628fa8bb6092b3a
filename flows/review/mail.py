"""Messages a day against the policy's limits: what `flows.review.forecast` has queued, person by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from dsl.catalog import MARKETING, TRANSACTIONAL
from dsl.plan import Limit, Policy
from flows.review.forecast import Topics, coming, may_get
from flows.world import World
from ledger import waits
from ledger.guardrails import oldest_slot, over_cap
from store.clock import SECOND, instant, micros
from store.engine import read
from store.schema import outbox, profiles


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


def mail(
    world: World,
    playbooks: Collection[str],
    topics: Topics,
    *,
    as_of: datetime,
    days: int,
    held_back: Mapping[str, int],
    newcomers: Mapping[str, Sequence[float]] | None,
) -> tuple[Mail, ...]:
    """What the walk of these playbooks has queued, a channel after the other: today (the rest of it) and `days` more.

    `topics`: of each channel and template. `held_back`: messages by channel that limits hold back at `as_of` itself.
    `newcomers`: by channel the expected messages of each day to people who come in later.
    """
    zone = ZoneInfo(world.zone)
    today = as_of.astimezone(zone).date()
    dates = [today + timedelta(days=ahead) for ahead in range(days + 1)]
    with read(world.store) as connection:
        limits = {limit.channel for limit in world.policy.limits}
        ours = select(outbox.c.channel).where(coming(playbooks, as_of)).distinct()
        # Records of the CRM are queued beside messages; nobody is written to by them.
        channels = sorted({*connection.scalars(ours), *limits, *held_back} & {*world.addresses})
        found = []
        for channel in channels:
            tally = _count(connection, world, playbooks, channel, topics, as_of, zone)
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


def _count(
    connection: Connection,
    world: World,
    playbooks: Collection[str],
    channel: str,
    topics: Topics,
    as_of: datetime,
    zone: ZoneInfo,
) -> _Tally:
    tally = _Tally()
    used = _used(connection, world.policy, channel, as_of)
    messages = _messages(connection, world, playbooks, channel, topics, as_of)
    for person, rows in groupby(messages, key=lambda row: row.profile_id):
        slots = used.get(person, [])
        full: set[date] = set()
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
                full.add(day)
        tally.at_limit.update(full)
    return tally


def _messages(
    connection: Connection, world: World, playbooks: Collection[str], channel: str, topics: Topics, as_of: datetime
) -> Iterator[Row[Any]]:
    """A row a message that its person may get, person by person."""
    columns = *outbox.c["profile_id", "channel", "template", "state", "due_at"], profiles.c.time_zone
    here = select(*columns).join(profiles, profiles.c.id == outbox.c.profile_id)
    mine = outbox.c.channel == channel, coming(playbooks, as_of), may_get(world, channel, topics, as_of)
    yield from connection.execute(here.where(*mine).order_by(outbox.c.profile_id))


def _moments(rows: Iterator[Row[Any]], world: World, topics: Topics) -> Iterator[tuple[datetime, bool, bool]]:
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
