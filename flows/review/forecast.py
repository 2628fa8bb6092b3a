"""The coming days: the playbooks walked on from where people stand, as if nobody did anything and nobody came.

It is the tick's own code (`ledger.advance`) at times to come, on a rehearsal: each person's branches are asked at that
time, of what is known of him now. What people will do instead is not known, so every number here is an estimate; of
mail to people inside it is the upper end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, update

from dsl.catalog import TRANSACTIONAL
from dsl.conditions import CanReceive
from dsl.plan import LeaveWhen, Plan, Schedule, Wait
from flows import moving
from flows.expressions import Expressions
from flows.report import taken_ways
from flows.world import World
from ledger import plans as registry
from ledger import waits
from ledger.actions import RECORDS
from ledger.leave import leave
from profiles.select import Moment, holds, reachable
from store.clock import instant, micros
from store.engine import read, write
from store.schema import enrollments, outbox, profiles

FINE = timedelta(hours=1)
"""How closely the next two days are looked at."""
COARSE = timedelta(hours=4)
"""How closely the days after are."""
Topics = Mapping[tuple[str, str], str]
"""Of each channel and template."""
ON_ITS_WAY = "forecast"
"""State of messages that the walk has passed. Only rehearsals know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Where the people of one playbook come to in the days ahead, on any version, by the ids of the current one."""

    steps: Counter[str] = field(default_factory=Counter)
    """People who pass each step; the held-out too."""
    ways: Counter[str] = field(default_factory=Counter)
    """People who take each way of a fork, see `Report.ways`."""


def walk_on(world: World, plans: Sequence[Plan], as_of: datetime, until: datetime) -> dict[str, Ahead]:
    """Move everybody on until `until`, as ticks would, and queue what they come to. `world.store` is a rehearsal on
    which ticks of `plans` were played at `as_of`. Gives for each playbook what its people passed."""
    found = {plan.name: Ahead() for plan in plans}
    # Again as long as somebody moved: one playbook may have enrolled people in another that was walked before.
    moved = True
    while moved:
        moved = sum(_walk(world, plan, found[plan.name], as_of, until) for plan in plans) > 0
    return found


def _walk(world: World, plan: Plan, ahead: Ahead, as_of: datetime, until: datetime) -> bool:
    """Move the people of one playbook on, and count in `ahead`. False: nobody moved."""
    anybody = False
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
            moved = moving.move_on(world, version, at)
            anybody = anybody or moved.counts.total() > 0
            ahead.steps.update(moved.counts)
            ahead.ways.update(taken_ways(plan, version, moved.ways))
        asked = at.date()
        _pass(world, at)
    return anybody


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


# ── What is queued ───────────────────────────────────────────────────────────────────────────────────────────────────
def coming(playbooks: Collection[str], as_of: datetime) -> ColumnElement[bool]:
    """Messages of the walk, those that wait for the end of quiet hours, and what went out in the rehearsed ticks."""
    sent = and_(outbox.c.state == "accepted", outbox.c.settled_at == micros(as_of))
    return and_(outbox.c.playbook.in_(playbooks), or_(outbox.c.state.in_(("planned", ON_ITS_WAY)), sent))


def may_get(world: World, channel: str, topics: Topics, as_of: datetime) -> ColumnElement[bool]:
    """Whom the guards would refuse now is not counted: no consent, no address, suppressed. Records need none of it."""
    if channel == RECORDS:
        return true()
    moment = Moment(as_of=as_of, zone=world.zone, consent=world.consent)
    named: dict[str, list[str]] = {}
    for (kind, template), topic in topics.items():
        if kind == channel:
            named.setdefault(topic, []).append(template)
    address = reachable(channel) if channel in world.addresses else false()
    ways = [
        and_(
            outbox.c.template.in_(templates),
            address if topic == TRANSACTIONAL else holds(CanReceive(channel=channel, topic=topic), moment),
        )
        for topic, templates in sorted(named.items())
    ]
    return or_(outbox.c.state == "accepted", *ways)


def sends_ahead(world: World, playbook: str, topics: Topics, *, as_of: datetime) -> dict[str, int]:
    """Messages that the walk has queued for people who may get them, and records, by step. Limits are not asked."""
    found: dict[str, int] = {}
    with read(world.store) as connection:
        for channel in sorted({RECORDS, *(channel for channel, _ in topics)}):
            rows = (
                select(outbox.c.step, func.count())
                .join(profiles, profiles.c.id == outbox.c.profile_id)
                .where(outbox.c.channel == channel, outbox.c.playbook == playbook)
                .where(outbox.c.state.in_(("planned", ON_ITS_WAY)), may_get(world, channel, topics, as_of))
                .group_by(outbox.c.step)
            )
            found.update((step, messages) for step, messages in connection.execute(rows))
    return found
