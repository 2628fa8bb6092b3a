"""Running playbooks here and now: one Prefect flow run each, on this machine's server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dsl.plan import Plan
from flows.local import local_server
from flows.rehearsal import rehearsal
from flows.report import Report
from flows.tick import refuse_the_past, tick
from flows.watch import Parameters, Watcher
from flows.world import world
from profiles.history import newest_event_at
from store.engine import read

if TYPE_CHECKING:
    from flows.local import Server
    from flows.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs playbooks of a project, all on one server."""

    project: Project
    server: Server
    sources: Mapping[str, str]
    """Per playbook its source, for people."""

    def run(self, plan: Plan, parameters: Parameters) -> Report:
        """One tick of `plan` as a flow run. Raises NotNow, OlderThanLastTick, ServerError, StoreError."""
        if parameters.as_of is not None:
            with read(self.project.engine) as connection:
                refuse_the_past(newest_event_at(connection), parameters.as_of)
        self.server.ready()
        from flows.build import build

        def work(asked: Parameters, watch: Watcher) -> Report:
            at = asked.as_of or datetime.now(UTC)
            if asked.dry_run:
                with rehearsal(self.project, at) as stage:
                    return tick(stage.world, plan, as_of=at, limit=asked.limit, only_new=asked.only_new, watch=watch)
            made = world(self.project)
            return tick(made, plan, as_of=at, limit=asked.limit, only_new=asked.only_new, watch=watch)

        zone = self.project.settings.shop.time_zone
        flow = build(plan, source=self.sources.get(plan.name, ""), tick=work, zone=zone)
        return self.server.run(flow, parameters)


@contextmanager
def runner(project: Project) -> Iterator[Runner]:
    """A runner whose server starts at once, and ends with the block if it is ours. Raises ServerError."""
    with local_server(project.folder / ".winback" / "prefect") as server:
        yield Runner(project=project, server=server, sources=project.compiled.sources)


def run_playbooks(project: Project, plans: Sequence[Plan], parameters: Parameters) -> list[Report]:
    """One tick of each playbook, one after the other. Raises as `Runner.run`."""
    with runner(project) as running:
        return [running.run(plan, parameters) for plan in plans]
