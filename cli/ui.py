"""`winback ui`: the Prefect pages of this project's runs."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli.console import OUT, ProjectFolder


def register(app: typer.Typer) -> None:
    app.command("ui")(ui)


def ui(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 4200,
    project: ProjectFolder = None,
) -> None:
    """Show the runs of this project in a browser, until Ctrl-C. `winback run` beside it uses the same server."""
    from flows.local import local_server
    from flows.project import open_project

    opened = open_project(project)
    with local_server(opened.folder / ".winback" / "prefect", pages=True, port=port) as server:
        server.ready()
        OUT.print(f"[bold green]✓[/] {server.pages}  (Ctrl-C ends it)")
        while True:
            time.sleep(3600)
