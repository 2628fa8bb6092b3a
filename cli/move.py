"""`winback move`: people who are inside on older versions go on in the new text."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.console import OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, moment, plural, print_json


def register(app: typer.Typer) -> None:
    app.command("move")(move)


def move(
    playbook: Annotated[str, typer.Argument(help="The name of a playbook.")],
    instead: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="For a step that is gone: the one where its people go on."),
    ] = None,
    as_of: Annotated[str | None, typer.Option(help="As if it were this time, where runs are given one.")] = None,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Take people who are inside on older versions along to the playbook as it is written now, all or nobody. Sends
    nothing by itself."""
    from cli.reading import chosen
    from dsl.suggest import did_you_mean
    from flows.project import open_project
    from ledger import versions
    from ledger.plans import known
    from store.engine import read, write

    opened = open_project(project)
    (plan,) = chosen(opened, [playbook])
    at = moment(as_of, opened.settings.shop.time_zone)
    steps = [step.id for step in plan.steps]
    mapping = dict(each.partition("=")[::2] for each in instead or ())
    for old, new in mapping.items():
        if new not in steps:
            meant = did_you_mean(new, steps)
            way_out = f"{meant} `winback explain {playbook} --json` has the ids of all steps.".strip()
            fail(f"--map {old}={new}", f"The playbook has no step `{new}`.", way_out, USED_WRONGLY)
    with read(opened.engine) as connection:
        if playbook not in known(connection):
            fail(playbook, "It has not run yet, so nobody is inside.", f"`winback run {playbook}`.", PROBLEMS)
    with write(opened.engine) as connection:
        done = versions.move(connection, plan, at, mapping=mapping)
    if isinstance(done, versions.Refused):
        lost = [
            {"version": each.version, "step": each.step, "missing": each.missing, "people": each.people}
            for each in done.stranded
        ]
        if as_json:
            print_json({"moved": 0, "stayed": 0, "stranded": lost})
            sys.exit(PROBLEMS)
        told = "\n".join(
            f"{plural(each.people, 'person', 'people')} at `{each.step}` of version {each.version}: there is no "
            f"`{each.missing}` any more"
            for each in done.stranded
        )
        fail(
            playbook,
            f"Nobody was moved: these would not know how to go on.\n{told}",
            f"Say where they go on, like `--map {done.stranded[0].missing}={steps[-1] if steps else 'STEP'}`, or leave "
            "them: they stay on their version until its end.",
            PROBLEMS,
        )
    if as_json:
        print_json({"moved": done.people, "stayed": done.stayed, "stranded": []})
        return
    OUT.print(f"{plural(done.people, 'person goes', 'people go')} on in version {plan.digest}.")
    if done.stayed:
        OUT.print(f"[dim]{done.stayed:,} have only the end before them, and stay on their version.[/]")
