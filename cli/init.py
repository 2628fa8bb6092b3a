"""`winback init`: a new project."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from cli.console import OUT, USED_WRONGLY, fail, shown

IGNORED = "winback.db*\noutbox/\nrejects/\n.winback/\n"


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(),
) -> None:
    """Make a new project: winback.toml, playbooks and templates to begin with. Changes no file that is there."""
    make(folder)
    OUT.print(f"[bold green]✓[/] A project in [bold]{shown(folder.absolute())}[/]. Next:")
    if folder != Path():
        OUT.print(f"  cd {folder}")
    OUT.print("  edit winback.toml            the shop's name, postal address and sender")
    OUT.print("  winback check                every mistake in the playbooks")
    OUT.print("  winback test                 their scenarios: what happens to whom, and when")
    OUT.print("  winback import events.jsonl  your shop's events, as Segment calls")
    OUT.print("  winback plan                 who would get what; sends nothing")


def make(folder: Path) -> None:
    """Write a project's files into `folder`."""
    from flows import settings

    if not folder.is_dir() and (folder.exists() or any(above.is_file() for above in folder.parents)):
        fail(str(folder), "This cannot be a folder: there is a file.", "Choose another name.", USED_WRONGLY)
    if (folder / settings.FILE).exists():
        fail(str(folder / settings.FILE), "There is a project already.", "Choose another folder.", USED_WRONGLY)
    shipped = files("playbooks")
    wanted = {settings.FILE: (shipped / settings.FILE).read_bytes(), ".gitignore": IGNORED.encode()}
    for item in shipped.iterdir():
        if item.name.endswith(".playbook"):
            wanted[f"playbooks/{item.name}"] = item.read_bytes()
    wanted |= {f"templates/{name}": content for name, content in below(shipped / "templates").items()}
    for name, content in wanted.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    settings.secret(folder.absolute(), settings.read(folder))


def below(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    """All files below a folder of the package, by their path in it."""
    found: dict[str, bytes] = {}
    for item in folder.iterdir():
        if item.is_dir():
            found |= below(item, f"{prefix}{item.name}/")
        else:
            found[prefix + item.name] = item.read_bytes()
    return found
