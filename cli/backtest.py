"""`winback backtest`: a playbook over stored history."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import USED_WRONGLY, Json, ProjectFolder, fail, moment, print_json

if TYPE_CHECKING:
    from flows.project import Project

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def register(app: typer.Typer) -> None:
    app.command("backtest")(backtest)


def backtest(
    playbook: Annotated[str, typer.Argument(help="The playbook's name.")],
    from_: Annotated[
        str | None, typer.Option("--from", help="Where to begin, like 2026-10-01; default: 30 days before the end.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Where to end; default: the newest event.")] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="Another playbook that runs beside it, or `all`; several times."),
    ] = None,
    first_run: Annotated[
        bool, typer.Option("--first-run", help="Let in those who match at the start already.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(help="Run every so long, like `1 hour`; default: the playbook's schedule.")
    ] = None,
    chart: Annotated[Path | None, typer.Option(help="Write the chart to this SVG file.")] = None,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Play a playbook over the store's history: who would have entered and been sent what, day by day. Sends nothing
    and keeps nothing."""
    from cli.reading import chosen
    from flows import backtest as history
    from flows.project import open_project

    opened = open_project(project)
    length = None if every is None else _length(every)
    if chart is not None and chart.suffix.lower() != ".svg":
        fail("--chart", f"`{chart}` does not end in .svg.", "The chart is an SVG file.", USED_WRONGLY)
    if chart is not None and not chart.absolute().parent.is_dir():
        # Not after some minutes of playing.
        fail(str(chart.parent), "There is no such folder.", "Make it, or write the chart elsewhere.", USED_WRONGLY)
    plans = chosen(opened, _names(opened, playbook, with_ or []))
    zone = opened.settings.shop.time_zone
    start, end = ((moment(text, zone, f"--{o}") if text else None) for o, text in (("from", from_), ("to", to)))
    asked = history.span(opened, start, end)
    with running(playbook, quiet=as_json) as progress:
        made = history.backtest(opened, plans, asked, every=length, first_run=first_run, progress=progress)
    if chart is not None:
        from flows.chart import svg

        chart.write_text(svg(made.played[0], period_days=made.period_days, heading=made.heading), "utf-8")
    if as_json:
        print_json({**made.as_json(), "chart": str(chart) if chart else None})
        return
    from cli.backtest_told import tell

    tell(made, others=sorted(opened.compiled.plans.keys() - {plan.name for plan in plans}), chart=chart)


def _names(opened: Project, playbook: str, beside: list[str]) -> list[str]:
    """The playbook that is asked for first, and each once."""
    others = sorted(opened.compiled.plans) if "all" in beside and "all" not in opened.compiled.plans else beside
    return list(dict.fromkeys([playbook, *others]))


def _length(text: str) -> timedelta:
    """`15 minutes`, `1 hour`, `2h`, `1 day`"""
    found = re.fullmatch(r"(\d{1,4})\s*(?:(m)(?:in(?:ute)?s?)?|(h)(?:ours?)?|(d)(?:ays?)?)", text.strip().lower())
    length = timedelta(**{_UNITS[next(filter(None, found.groups()[1:]))]: int(found[1])}) if found else timedelta()
    if not length:
        fail(
            "--every",
            f"`{text}` is not a length of time.",
            "Write it like `15 minutes`, `1 hour` or `1 day`.",
            USED_WRONGLY,
        )
    return length


class running:  # noqa: N801  reads as a word: with running("name") as progress
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        from cli.console import ERROR

        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs"),
            TimeRemainingColumn(), console=ERROR, transient=True, disable=quiet or not ERROR.is_terminal,
        )  # fmt: skip
        self.task = self.progress.add_task(name, total=None)

    def __enter__(self) -> running:
        self.progress.start()
        return self

    def __call__(self, done: int, total: int) -> None:
        self.progress.update(self.task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
