"""Running playbooks here and now: one Prefect flow run each, on this machine's server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsl.plan import Audience, Plan
from flows.audiences import Synced
from flows.local import local_server
from flows.playbooks import flow_of, flow_of_audience
from flows.report import Report
from flows.tick import refuse_the_past
from flows.watch import Parameters
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

    def run(self, plan: Plan, parameters: Parameters) -> Report:
        """One tick of `plan` as a flow run. Raises NotNow, OlderThanLastTick, ServerError, StoreError."""
        self._ready(parameters)
        return self.server.run(flow_of(self.project, plan), parameters)

    def sync(self, audience: Audience, parameters: Parameters) -> Synced:
        """Bring an audience up to date as a flow run. Raises NotNow, ServerError, StoreError."""
        self._ready(parameters)
        return self.server.run(flow_of_audience(self.project, audience), parameters)

    def _ready(self, parameters: Parameters) -> None:
        if parameters.as_of is not None:
            with read(self.project.engine) as connection:
                refuse_the_past(newest_event_at(connection), parameters.as_of)
        self.server.ready()  # before Prefect is loaded, so that both take their seconds together


@contextmanager
def runner(project: Project) -> Iterator[Runner]:
    """A runner whose server starts at once, and ends with the block if it is ours. Raises ServerError."""
    with local_server(project.folder / ".winback" / "prefect") as server:
        yield Runner(project=project, server=server)


def run_playbooks(project: Project, plans: Sequence[Plan], parameters: Parameters) -> list[Report]:
    """One tick of each playbook, one after the other. Raises as `Runner.run`."""
    return run_all(project, plans, (), parameters)[0]


def run_all(
    project: Project, plans: Sequence[Plan], audiences: Sequence[Audience], parameters: Parameters
) -> tuple[list[Report], list[Synced]]:
    """One tick of each playbook, then each audience, one after the other. Raises as `Runner.run`."""
    with runner(project) as running:
        reports = [running.run(plan, parameters) for plan in plans]
        return reports, [running.sync(audience, parameters) for audience in audiences]
