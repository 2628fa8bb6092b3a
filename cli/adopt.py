"""`winback adopt`: a copied store may send from now on."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import OUT, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json


def register(app: typer.Typer) -> None:
    app.command("adopt")(adopt)


def adopt(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: nothing runs on the original any more.")] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Say that this store is the original, after it was moved to another machine, server or folder. Sends nothing, but
    what is queued in it goes out by the next run."""
    from flows.project import open_project
    from ledger.report import waiting
    from store import home
    from store.engine import read, write

    opened = open_project(project)
    with read(opened.engine) as connection:
        queued = waiting(connection)
        kept, here = home.kept(connection), home.whereabouts(connection)
    told = {"was": kept, "is": here, "queued": queued}
    if kept is None or here is None or home.is_same(kept, here):
        with write(opened.engine) as connection:
            home.adopt(connection)
        if as_json:
            print_json({**told, "adopted": False})
        else:
            OUT.print("This store is the original already; it sends.")
        return
    if not yes:
        if as_json:
            fail("--json", "A program has to say that it means it.", "Add --yes.", USED_WRONGLY)
        OUT.print(f"The original is {home.told(kept)}.", soft_wrap=True)
        OUT.print(f"This one is {home.told(here)}.", soft_wrap=True)
        OUT.print(
            f"{plural(queued, 'message')} queued here would go out by the next run. If the original still runs, it "
            "sends them too, and people get them twice.",
            soft_wrap=True,
        )
        if not typer.confirm("Does nothing run on the original any more?"):
            fail("winback adopt", "Nothing was changed.", "Run where the original is.", 1)
    with write(opened.engine) as connection:
        home.adopt(connection)
    if as_json:
        print_json({**told, "adopted": True})
        return
    OUT.print(f"This store sends from now on: {home.told(here)}.", soft_wrap=True)
