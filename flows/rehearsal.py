"""What would happen: the tick itself, on a rehearsal of which nothing stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from dsl.plan import Plan, SetField, from_json
from flows.project import Project
from flows.report import Report
from flows.tick import tick
from flows.watch import Watcher
from flows.world import World, world
from profiles.history import newest_event_at, rebuild
from store import schema
from store.clock import instant
from store.engine import read
from store.overlay import rehearse


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    world: World
    as_of: datetime
    rebuilt: bool
    """The store holds newer events: this plays on what was known then, rebuilt in memory, with an empty ledger."""
    newest: int
    """The highest id of an enrollment in the store: those above it are made on the stage."""

    def play(
        self, plan: Plan, *, limit: int | None = None, only_new: bool = False, watch: Watcher | None = None
    ) -> Report:
        """One tick of `plan`, kept only as long as the stage stands. Raises OlderThanLastTick, StoreError."""
        return tick(self.world, plan, as_of=self.as_of, limit=limit, only_new=only_new, watch=watch)


@contextmanager
def rehearsal(project: Project, as_of: datetime) -> Iterator[Stage]:
    """A stage on which ticks are played; nothing of it stays, and nobody waits for it. Raises StoreError."""
    with read(project.engine) as connection:
        newest = newest_event_at(connection)
        written = _written(connection, project)
    past = newest is not None and instant(newest) > as_of
    engine = rebuild(project.engine, as_of, rules=project.rules) if past else project.engine
    try:
        with rehearse(engine, written=written) as connection:
            last: int = connection.scalar(select(func.coalesce(func.max(schema.enrollments.c.id), 0))) or 0
            yield Stage(world=world(project, store=connection), as_of=as_of, rebuilt=past, newest=last)
    finally:
        if past:
            engine.dispose()


def _written(connection: Connection, project: Project) -> tuple[Table, ...]:
    """Tables of people that steps of the playbooks write, in their current or in older versions."""
    stored = [from_json(body) for body in connection.scalars(select(schema.plans.c.body))]
    steps = (step for plan in (*project.compiled.plans.values(), *stored) for step in plan.steps)
    return (schema.profiles,) if any(isinstance(step, SetField) for step in steps) else ()
