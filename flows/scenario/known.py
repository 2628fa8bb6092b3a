"""What the next run of a playbook depends on: who is due, what is queued, and what turns by the passing of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from dsl.conditions import AllOf, AnyOf, Condition, HasBeen, Not
from dsl.plan import LeaveWhen, Plan, Stage, StartWhen, Step, Wait
from dsl.types import Type
from flows.moving import asked as asked_at
from flows.scenario.clock import Known, asked, next_turn
from flows.scenario.facts import SENT
from flows.world import World
from profiles.person import values
from profiles.select import holds, people
from store.clock import instant, micros
from store.schema import enrollments, events, matches, outbox, profiles, stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Where a playbook stands after its run at `last`."""

    store: Connection
    person: int
    plan: Plan
    last: datetime
    zone: ZoneInfo
    """The project's."""
    lifecycle: Sequence[Stage]


def upcoming(looking: Looking, *, until: datetime) -> tuple[list[datetime], datetime | None]:
    """When somebody is due or a message is, and when a condition may turn next by itself: not after `until`."""
    last = micros(looking.last)
    found = []
    inside = False
    mine = select(enrollments.c.due_at, enrollments.c.entered_at).where(
        enrollments.c.playbook == looking.plan.name, enrollments.c.state == "active"
    )
    for row in looking.store.execute(mine):
        inside = True
        if row.due_at is not None and row.due_at > last:
            found.append(row.due_at)
        elif row.due_at is not None and row.entered_at >= last:
            found.append(last + 1)  # another playbook has put them in after this one's run
    queued = select(outbox.c.due_at).where(
        outbox.c.playbook == looking.plan.name, outbox.c.state == "planned", outbox.c.due_at > last
    )
    waiting = list(looking.store.scalars(queued))
    found += waiting
    conditions = list(asked(looking.plan, inside or bool(waiting)))
    turn = next_turn(conditions, _known(looking), looking.last) if conditions else None
    is_soon = turn is not None and turn <= micros(until)
    return [instant(at) for at in found], instant(turn) if turn is not None and is_soon else None


def is_other(looking: Looking, world: World) -> bool:
    """Whether a run at `looking.last` would find something else than the last one did, by the passing of time alone.

    Only `start when` is asked; while somebody is inside whom a condition may move, the run itself has to ask.
    """
    plan, now = looking.plan, looking.last
    live = select(func.count()).where(enrollments.c.playbook == plan.name, enrollments.c.state == "active")
    moving = [*(e for e in plan.exits if isinstance(e, LeaveWhen)), *(s for s in plan.steps if _asks(s))]
    if not isinstance(plan.trigger, StartWhen) or (moving and looking.store.scalar(live)):
        return True
    if any(isinstance(leaf, HasBeen) for leaf in leaves(plan.trigger.condition)):
        return True  # a run notes who is in which stage since when
    moment = asked_at(world, plan, now).moment
    holding = select(holds(plan.trigger.condition, moment)).select_from(people())
    known = select(func.count()).where(matches.c.playbook == plan.name, matches.c.profile_id == looking.person)
    return bool(looking.store.scalar(holding.where(profiles.c.id == looking.person))) != bool(
        looking.store.scalar(known)
    )


def _asks(step: Step) -> bool:
    return isinstance(step, Wait) and step.condition is not None


def leaves(condition: Condition) -> Iterator[Any]:
    """The tests in a condition, without `and`, `or` and `not`."""
    match condition:
        case AllOf(conditions=parts) | AnyOf(conditions=parts):
            for part in parts:
                yield from leaves(part)
        case Not(condition=inner):
            yield from leaves(inner)
        case _:
            yield condition


def _known(looking: Looking) -> Known:
    store = looking.store
    heard: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    by_id: dict[int, Any] = {}
    assigned: list[int] = []
    for row in store.execute(select(events.c.id, events.c.name, events.c.at, events.c.properties)):
        heard[row.name].append((row.at, row.properties))
        by_id[row.id] = row.properties
        if row.name == "identify":
            assigned.append(row.at)
    assigned += store.scalars(select(stages.c.since))
    begun = select(enrollments.c.event).where(enrollments.c.playbook == looking.plan.name)
    received: dict[str, list[int]] = defaultdict(list)
    for template, at in store.execute(
        select(outbox.c.template, outbox.c.settled_at).where(outbox.c.state.in_(SENT), outbox.c.settled_at.is_not(None))
    ):
        received[template].append(at)

    def value(name: str, kind: Type) -> Any:
        found = values(store, [looking.person], [name], as_of=looking.last, types={name: kind})
        known = found.get(looking.person, {}).get(name)
        if isinstance(known, datetime):
            return micros(known)
        return known.isoformat() if isinstance(known, date) else known

    return Known(
        zone=looking.zone,
        now=micros(looking.last),
        events=heard,
        value=value,
        started=[by_id[id] for id in store.scalars(begun) if id in by_id],
        assigned=assigned,
        received=received,
        lifecycle=looking.lifecycle,
    )
