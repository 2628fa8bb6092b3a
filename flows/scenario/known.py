"""What the next run of a playbook depends on: who is due, what is queued, and what turns by the passing of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from dsl.plan import Plan, Stage
from dsl.types import Type
from flows.scenario.clock import Known, asked, next_turn
from flows.scenario.facts import SENT
from profiles.person import values
from store.clock import instant, micros
from store.schema import enrollments, events, outbox, stages


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


def upcoming(looking: Looking, *, until: datetime) -> list[datetime]:
    """The instants of the next things that happen by themselves. What turns after `until` is left out."""
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
    if turn is not None and turn <= micros(until):
        found.append(turn)
    return [instant(at) for at in found]


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
