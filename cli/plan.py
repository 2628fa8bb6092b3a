"""`winback plan`: who would enter, be sent what, and leave; what an edit changes; what comes in the next days."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import ERROR, OUT, Json, ProjectFolder, moment, print_json


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    playbooks: Annotated[
        list[str] | None, typer.Argument(help="Names of playbooks and audiences; default: all.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="As if it were this time, like 2026-11-20T09:00.")] = None,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="As if the first run took those who match already as seen.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=60, help="How many days to look ahead.")] = 14,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Say who would enter, be sent what, and leave, if the playbooks ran now. Sends nothing and keeps nothing."""
    from cli.reading import chosen_with_audiences
    from flows.project import open_project
    from flows.rehearsal import rehearsal
    from flows.review.report import review
    from profiles.history import newest_event_at
    from store.engine import read

    opened = open_project(project)
    plans, audiences = chosen_with_audiences(opened, playbooks or [])
    if not playbooks:
        audiences = list(opened.compiled.audiences.values())
    at = moment(as_of, opened.settings.shop.time_zone)
    with ERROR.status("Playing the playbooks on a copy …"), rehearsal(opened, at) as stage:
        reviewed = review(stage, plans, audiences, only_new=only_new, days=days)
    if as_json:
        print_json(reviewed.as_json())
        return
    from cli.reviewing import tell

    tell(reviewed)
    with read(opened.engine) as connection:
        empty = newest_event_at(connection) is None
    if empty:
        OUT.print(
            "[yellow]The store holds no events yet, so nobody is in these numbers: `winback import` takes them in.[/]"
        )
