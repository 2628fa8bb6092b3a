"""What would happen: the tick itself, on a transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from dsl.plan import Plan
from flows.project import Project
from flows.report import Report
from flows.tick import tick
from flows.watch import Watcher
from flows.world import World, world
from profiles.history import newest_event_at, rebuild
from store.clock import instant
from store.engine import read
from store.overlay import rehearse


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    world: World
    as_of: datetime
    rebuilt: bool
    """The store holds newer events: this plays on what was known then, rebuilt in memory, with an empty ledger."""

    def play(
        self, plan: Plan, *, limit: int | None = None, only_new: bool = False, watch: Watcher | None = None
    ) -> Report:
        """One tick of `plan`, kept only as long as the stage stands. Raises OlderThanLastTick, StoreError."""
        return tick(self.world, plan, as_of=self.as_of, limit=limit, only_new=only_new, watch=watch)


@contextmanager
def rehearsal(project: Project, as_of: datetime) -> Iterator[Stage]:
    """A stage on which ticks are played; nothing of it stays. Raises StoreError."""
    with read(project.engine) as connection:
        newest = newest_event_at(connection)
    past = newest is not None and instant(newest) > as_of
    engine = rebuild(project.engine, as_of, rules=project.rules) if past else project.engine
    try:
        with rehearse(engine) as connection:
            yield Stage(world=world(project, store=connection), as_of=as_of, rebuilt=past)
    finally:
        if past:
            engine.dispose()
