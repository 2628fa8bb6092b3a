"""`winback check`: every mistake in the playbooks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.console import ERROR, OUT, PROBLEMS, Json, ProjectFolder, plural, print_json
from dsl.diagnostics import Diagnostic, render


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders; default: the project's playbooks.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How to print what was found.")] = Format.TEXT,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Say every mistake in the playbooks. Reads only."""
    from cli.reading import compiled_in

    home, result, texts = compiled_in(paths, project)
    told, notes = result.problems, tuple[str, ...]()
    if home.has_store():
        from flows.advice import advice

        told, notes = advice(home, result, datetime.now(UTC))
    problems = [p for p in told if p.span.file in texts]
    if as_json or format is Format.JSON:
        print_json({"problems": [as_dict(p) for p in problems], "notes": list(notes)})
    elif format is Format.GITHUB:
        for p in problems:
            sys.stdout.write(annotation(p) + "\n")
    else:
        tell(problems, texts)
        errors = sum(p.severity == "error" for p in problems)
        count = plural(len(texts), "file")
        if problems:
            summary = f"{plural(errors, 'error')}, {plural(len(problems) - errors, 'warning')} in {count}."
            ERROR.print(Text(summary, style="bold red" if errors else "bold yellow"))
        else:
            OUT.print(f"[bold green]✓[/] {count}, {plural(len(result.plans), 'playbook')}: no mistakes.")
        for note in notes:
            OUT.print(Text.assemble(("Note: ", "bold"), note), soft_wrap=True)
    if any(p.severity == "error" for p in problems):
        sys.exit(PROBLEMS)


def tell(problems: list[Diagnostic], texts: dict[str, str]) -> None:
    """The problems as a person reads them, on the error stream."""
    for p in problems:
        style = "red" if p.severity == "error" else "yellow"
        for number, line in enumerate(render(p, texts[p.span.file]).splitlines()):
            told = Text(line)
            if number == 0:
                told.stylize("bold")
            elif number == 2:
                told.stylize(style)
            elif line.lstrip().startswith("Hint:"):
                told.stylize("cyan")
            ERROR.print(told, soft_wrap=True)
        ERROR.print()


def as_dict(p: Diagnostic) -> dict[str, Any]:
    """A problem as `check --json` prints it."""
    return {
        "code": p.code,
        "severity": p.severity,
        "file": p.span.file,
        "line": p.span.line,
        "column": p.span.column,
        "end_line": p.span.end_line,
        "end_column": p.span.end_column,
        "message": p.message,
        "hint": p.hint,
    }


def annotation(p: Diagnostic) -> str:
    """A problem as a workflow command of GitHub Actions."""

    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    place = f"file={p.span.file},line={p.span.line},col={p.span.column},endColumn={p.span.end_column},title={p.code}"
    return f"::{p.severity} {place}::{escaped(p.message + (' ' + p.hint if p.hint else ''))}"
