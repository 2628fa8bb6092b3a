"""`winback import`: events and profiles from files."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cli.console import ERROR, OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json, shown

if TYPE_CHECKING:
    from profiles.ingest import Counts


def register(app: typer.Typer) -> None:
    app.command("import")(import_files)


def import_files(
    files: Annotated[list[Path], typer.Argument(help="JSONL of Segment calls, CSV, or Parquet.")],
    map: Annotated[
        Path | None, typer.Option(help="For CSV and Parquet: a TOML file that says what the columns mean.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Read from the beginning, also where a run had come to.")
    ] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Take events and profiles into the store. Sends nothing.

    Rows that cannot be used go to a reject file with line and reason; the rest is imported.
    """
    from flows.project import open_project
    from profiles.files import import_file
    from profiles.mapping import read_mapping

    opened = open_project(project)
    for file in files:
        if not file.is_file():
            reason = "This is a folder." if file.is_dir() else "There is no such file."
            fail(str(file), reason, "Name files of calls or of rows.", USED_WRONGLY)
    mapping = read_mapping(map) if map else None
    totals = {"read": 0, "imported": 0, "duplicates": 0, "rejected": 0}
    rejects: list[str] = []
    seconds = 0.0
    for file in files:
        with bar(file, quiet=as_json) as progress:
            result = import_file(
                opened.engine,
                file,
                rules=opened.rules,
                received_at=datetime.now(UTC),
                mapping=mapping,
                reject_to=opened.folder / "rejects" / reject_name(file, files),
                progress=progress,
                restart=restart,
            )
        for name in totals:
            totals[name] += getattr(result.counts, name)
        seconds += result.seconds
        if result.reject_file:
            rejects.append(str(result.reject_file))
    if as_json:
        print_json({**totals, "reject_file": rejects[0] if rejects else None, "seconds": round(seconds, 3),
                    "reject_files": rejects})  # fmt: skip
    else:
        rate = f", {totals['read'] / seconds:,.0f} a second" if seconds > 0.5 else ""
        OUT.print(
            f"Read {plural(totals['read'], 'row')}: [green]{totals['imported']:,} imported[/], "
            f"{plural(totals['duplicates'], 'duplicate')}, {totals['rejected']:,} rejected "
            f"({seconds:.1f} s{rate})."
        )
        for reject in rejects:
            ERROR.print(f"[yellow]Rejected rows, with line and reason:[/] {shown(Path(reject))}", soft_wrap=True)
            first = first_of(Path(reject))
            ERROR.print(Text(f"  The first, line {first['line']}: {first['reason']}"), soft_wrap=True)
    if totals["rejected"]:
        sys.exit(PROBLEMS)


def first_of(reject_file: Path) -> dict[str, Any]:
    """The first row of a reject file."""
    with reject_file.open(encoding="utf-8") as lines:
        told: dict[str, Any] = json.loads(next(lines))
    return told


def reject_name(file: Path, files: list[Path]) -> Path:
    """Where in `rejects/` a file's bad rows go: under its name, with its folders when another one has the same name."""
    alone = sum(other.name == file.name for other in files) == 1
    path = Path(file.name) if alone else Path(*file.resolve().parts[1:])
    return path if path.suffix == ".jsonl" else path.with_name(f"{path.name}.jsonl")


class bar:  # noqa: N801  reads as a word: with bar(file) as progress
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, file: Path, *, quiet: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.shown = not quiet and ERROR.is_terminal
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[told]}"), TimeRemainingColumn(), console=ERROR, transient=True,
            disable=not self.shown,
        )  # fmt: skip
        self.task = self.progress.add_task(file.name, total=file.stat().st_size or 1, told="")

    def __enter__(self) -> bar:
        self.progress.start()
        return self

    def __call__(self, done: int, total: int, counts: Counts) -> None:
        told = f"{counts.imported:,} rows" + (f", {counts.rejected:,} rejected" if counts.rejected else "")
        self.progress.update(self.task, completed=done, total=total or 1, told=told)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
