"""`winback pause` and `winback resume`: switching a playbook off and on again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import OUT, PROBLEMS, Json, ProjectFolder, fail, moment, plural, print_json

if TYPE_CHECKING:
    from datetime import datetime

    from flows.project import Project

Names = Annotated[list[str], typer.Argument(help="Names of playbooks.")]
AsOf = Annotated[str | None, typer.Option(help="As if it were this time, where runs are given one.")]


def register(app: typer.Typer) -> None:
    app.command("pause")(pause)
    app.command("resume")(resume)


def pause(playbooks: Names, as_of: AsOf = None, as_json: Json = False, project: ProjectFolder = None) -> None:
    """Switch playbooks off: nobody enters, moves on or is sent anything. Exits and goals still count."""
    from ledger import pause as switch
    from store.engine import write

    opened, at = _opened(playbooks, as_of, project)
    with write(opened.engine) as connection:
        done = {name: switch.pause(connection, name, at) for name in playbooks}
    if as_json:
        print_json(
            {
                "playbooks": [
                    {"name": name, "paused_at": each.since.isoformat(), "was_paused": each.already,
                     "inside": each.inside, "queued": each.queued}
                    for name, each in done.items()
                ]
            }
        )  # fmt: skip
        return
    for name, each in done.items():
        now = f"was paused already, since {each.since:%Y-%m-%d %H:%M} UTC" if each.already else "is paused"
        held = f"{plural(each.inside, 'person', 'people')} inside and {plural(each.queued, 'message')} queued stay"
        OUT.print(f"[bold]{name}[/] {now}: {held} where they are.", soft_wrap=True)


def resume(playbooks: Names, as_of: AsOf = None, as_json: Json = False, project: ProjectFolder = None) -> None:
    """Switch paused playbooks on again. Nothing is sent before the next run, and what is overdue never is."""
    from ledger import pause as switch
    from store.engine import write

    opened, at = _opened(playbooks, as_of, project)
    with write(opened.engine) as connection:
        done = {name: switch.resume(connection, name, at) for name in playbooks}
    if as_json:
        print_json(
            {
                "playbooks": [
                    {"name": name, "paused_at": each.since and each.since.isoformat(), "due": each.due,
                     "overdue": each.overdue, "late": each.late}
                    for name, each in done.items()
                ]
            }
        )  # fmt: skip
        return
    for name, each in done.items():
        if each.since is None:
            OUT.print(f"[bold]{name}[/] was not paused.")
            continue
        OUT.print(f"[bold]{name}[/] runs again; it was paused since {each.since:%Y-%m-%d %H:%M} UTC.", soft_wrap=True)
        people = plural(each.due, "person goes", "people go")
        late = (
            f", {each.overdue:,} of them more than a day late: they are not sent what was due" if each.overdue else ""
        )
        OUT.print(f"[dim]{people} on at the next run{late}.[/]", soft_wrap=True)
        if each.late:
            OUT.print(f"[dim]{plural(each.late, 'queued message')} more than a day late: skipped as late.[/]")
        OUT.print("[dim]Whoever matches now enters; `winback plan` says how many, `run --only-new` lets none in.[/]")


def _opened(playbooks: list[str], as_of: str | None, project: ProjectFolder) -> tuple[Project, datetime]:
    """The project, whose store has seen these playbooks: also one that was taken out of the project, or has mistakes
    just now, can be paused."""
    from dsl.suggest import did_you_mean
    from flows.project import open_project
    from ledger.plans import known
    from store.engine import read

    opened = open_project(project)
    at = moment(as_of, opened.settings.shop.time_zone)
    with read(opened.engine) as connection:
        seen = known(connection)
    for name in playbooks:
        if name not in seen:
            meant = did_you_mean(name, seen)
            have = f"These have: {', '.join(seen)}." if seen else "None has run yet."
            fail(name, "No playbook of this name has run yet.", f"{meant} {have}" if meant else have, PROBLEMS)
    return opened, at
