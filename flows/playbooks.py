"""The flows of the project's playbooks and audiences by name: `flows.playbooks.abandoned_cart`. No files are generated.

A worker that is told to run `flows.playbooks.abandoned_cart` compiles it here, from the project in WINBACK_PROJECT or
around the working folder.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.settings import SettingsError
from flows.watch import Parameters, Watcher

if TYPE_CHECKING:
    from dsl.plan import Audience, Plan
    from flows.audiences import Synced
    from flows.build import PlaybookFlow
    from flows.project import Project
    from flows.report import Report


def flow_of(project: Project, plan: Plan) -> PlaybookFlow[Report]:
    """The Prefect flow of one playbook of the project."""
    from flows.build import build
    from flows.rehearsal import rehearsal
    from flows.tick import tick
    from flows.world import world

    def work(asked: Parameters, watch: Watcher) -> Report:
        at = asked.as_of or datetime.now(UTC)
        if asked.dry_run:
            with rehearsal(project, at) as stage:
                return stage.play(plan, limit=asked.limit, only_new=asked.only_new, watch=watch)
        made = world(project, live=asked.as_of is None)
        return tick(made, plan, as_of=at, limit=asked.limit, only_new=asked.only_new, watch=watch)

    source = project.compiled.sources.get(plan.name, "")
    return build(plan, source=source, tick=work, zone=project.settings.shop.time_zone)


def flow_of_audience(project: Project, audience: Audience) -> PlaybookFlow[Synced]:
    """The Prefect flow of one audience of the project."""
    from flows.audiences import sync
    from flows.build import build_audience
    from flows.rehearsal import rehearsal
    from flows.world import world

    def work(asked: Parameters, watch: Watcher) -> Synced:
        at = asked.as_of or datetime.now(UTC)
        if asked.dry_run:
            with rehearsal(project, at) as stage:
                return sync(stage.world, audience, at, watch)
        return sync(world(project, live=asked.as_of is None), audience, at, watch)

    return build_audience(audience, tick=work, zone=project.settings.shop.time_zone)


def __getattr__(name: str) -> PlaybookFlow[Report] | PlaybookFlow[Synced]:
    """The flow of the playbook, or else of the audience, `name`.

    Raises AttributeError where there is none, with the mistakes of a broken one."""
    if name.startswith("_"):  # Python's own questions about a module are not about playbooks
        raise AttributeError(name)
    from flows.project import open_project

    try:
        project = open_project(Path(folder) if (folder := os.environ.get("WINBACK_PROJECT")) else None)
    except SettingsError as error:
        raise AttributeError(f"no playbook {name!r}: {error}") from None
    plan = project.compiled.plans.get(name)
    if plan is None and name in project.compiled.audiences:
        return flow_of_audience(project, project.compiled.audiences[name])
    if plan is None:
        known = ", ".join(sorted(project.compiled.plans)) or "none"
        raise AttributeError(
            f"{project.folder} has no playbook {name!r} without mistakes (those that it has: {known}).\n"
            "Hint: `winback check` says what is wrong."
        )
    return flow_of(project, plan)
