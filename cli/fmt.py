"""`winback fmt`: the canonical form of playbooks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.console import ERROR, OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json, shown


def register(app: typer.Typer) -> None:
    app.command("fmt")(fmt)


def fmt(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the project's playbooks.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if a file is not in canonical form.")
    ] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Bring playbooks into their one canonical form; comments stay. A file with mistakes is left as it is."""
    from cli.check import tell
    from dsl.format import canonical
    from dsl.parser import parse
    from flows.project import open_project, sources

    asked = paths or [open_project(project).playbooks]
    changed: list[str] = []
    broken: list[str] = []
    texts = sources(asked, Path.cwd())
    if not texts:
        fail(shown(asked[0]), "There is no playbook here.", "Playbooks end in `.playbook`.", USED_WRONGLY)
    for name, text in texts.items():
        _, problems = parse(text, name)
        errors = [p for p in problems if p.severity == "error"]
        if errors:
            broken.append(name)
            if not as_json:
                tell(errors, {name: text})
            continue
        form = canonical(text)
        if form != text:
            changed.append(name)
            if not check:
                replace(Path(name), form)
    if as_json:
        print_json({"changed": changed, "broken": broken, "files": len(texts)})
    else:
        for name in changed:
            OUT.print(f"{'would change' if check else 'formatted'} {shown(Path(name))}")
        if broken:
            ERROR.print(f"[bold red]{plural(len(broken), 'file')} with mistakes left as they are.[/]")
        if not changed and not broken:
            OUT.print(f"[bold green]✓[/] {plural(len(texts), 'file')} in canonical form.")
    if broken or (check and changed):
        sys.exit(PROBLEMS)


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, keeping its permissions."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, "utf-8", newline="\n")
    draft.chmod(path.stat().st_mode & 0o777)
    draft.replace(path)
