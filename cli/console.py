"""How commands speak: to people on a terminal, to programs as JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

PROBLEMS = 1
USED_WRONGLY = 2

OUT = Console(highlight=False)
ERROR = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
ProjectFolder = Annotated[
    Path | None, typer.Option("--project", envvar="WINBACK_PROJECT", help="The project's folder; default: this one.")
]


def fail(place: str, reason: str, way_out: str, code: int) -> NoReturn:
    """Say what went wrong on the error stream, and end with `code`. A reason may have several lines."""
    first, *rest = reason.splitlines()
    ERROR.print(Text.assemble(("Error: ", "bold red"), f"{place}: {first}"), soft_wrap=True)
    for line in rest:
        ERROR.print(Text(f"  {line}"), soft_wrap=True)
    ERROR.print(Text(f"  Hint: {way_out}", style="cyan"), soft_wrap=True)
    sys.exit(code)


def say(text: str | Text, *, indent: int = 0, hanging: int = 0, style: str = "") -> None:
    """Prose for people, `indent` columns in, broken between words at the edge of the terminal; the lines after the
    first begin `hanging` columns further in."""
    whole = Text.from_markup(text, style=style) if isinstance(text, str) else text
    for number, line in enumerate(whole.wrap(OUT, max(20, OUT.width - indent - hanging))):
        line.rstrip()
        OUT.print(Text(" " * (indent + (hanging if number else 0))).append_text(line), soft_wrap=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def moment(text: str | None, zone: str, option: str = "--as-of") -> datetime:
    """The instant a person wrote, `2026-11-20`, `2026-11-20T09:00` (in `zone`) or with a zone; None: now."""
    from zoneinfo import ZoneInfo

    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        way_out = "Write it like 2026-11-20, 2026-11-20T09:00 or 2026-11-20T09:00+01:00."
        fail(option, f"`{text}` is not a time.", way_out, USED_WRONGLY)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return os.path.relpath(path) if len(os.path.relpath(path)) < len(str(path)) else str(path)
    except ValueError:
        return str(path)


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 person`, `2 people`, `1,200 messages`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
