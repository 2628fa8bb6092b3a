"""`winback plan`: who would enter, be sent what, and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.console import OUT, Json, ProjectFolder, moment, plural, print_json

if TYPE_CHECKING:
    from datetime import datetime

    from dsl.plan import Plan
    from flows.report import Report


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    playbooks: Annotated[list[str] | None, typer.Argument(help="Names of playbooks; default: all.")] = None,
    as_of: Annotated[str | None, typer.Option(help="As if it were this time, like 2026-11-20T09:00.")] = None,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="As if the first run took those who match already as seen.")
    ] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Say who would enter, be sent what, and leave, if the playbooks ran now. Sends nothing and keeps nothing."""
    from cli.reading import chosen
    from flows.project import open_project
    from flows.rehearsal import rehearsal

    opened = open_project(project)
    plans = chosen(opened, playbooks or [])
    at = moment(as_of, opened.settings.shop.time_zone)
    with rehearsal(opened, at) as stage:
        reports = [stage.play(one, only_new=only_new) for one in plans]
    if as_json:
        print_json({"as_of": at.isoformat(), "rebuilt": stage.rebuilt, "playbooks": [r.as_plan() for r in reports]})
        return
    if stage.rebuilt:
        told = (
            f"The store holds newer events: this is what it knew on {at:%Y-%m-%d %H:%M} UTC, rebuilt from its events,"
        )
        OUT.print(f"[yellow]{told} with nobody inside a playbook yet.[/]\n", soft_wrap=True)
    for one, report in zip(plans, reports, strict=True):
        tell(one, report, at)
    OUT.print("[dim]Nothing was sent, and nothing was kept.[/]")


def tell(one: Plan, report: Report, at: datetime) -> None:
    """One playbook's plan, for people: the playbook as it is written, with how many would pass each step."""
    from rich.table import Table

    from dsl.outline import outline
    from flows.report import because

    OUT.print(
        Text.assemble(
            (one.name, "bold"), ("  version ", "dim"), report.version, (f"  at {at:%Y-%m-%d %H:%M} UTC", "dim")
        )
    )
    if one.about:
        OUT.print(f"[italic]{one.about}[/]")
    entering = plural(report.entered, "person", "people")
    first = " (its first run: those who match already)" if report.first and report.entered else ""
    held = f", {report.held_out:,} of them held out" if report.held_out else ""
    others = f"Would leave: {report.left:,}. Inside now: {report.inside_before:,}."
    OUT.print(f"Would enter: [bold]{entering}[/]{held}{first}. {others}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=True, header_style="dim")
    table.add_column("step")
    table.add_column("people", justify="right")
    table.add_column("", style="dim")
    sends = {send.step: send for send in report.sends}
    for line in outline(one):
        told, count = "", ""
        if line.way is None and line.id in sends:
            send = sends[line.id]
            count = f"{send.sent:,}"
            refused = {**send.skipped, **send.delayed}
            told = ", ".join(f"{n:,} {because(reason)}" for reason, n in refused.items())
            told = f"not now: {told}" if told else ""
        elif line.way is None and line.id in report.steps:
            count = f"{report.steps[line.id]:,}"
        table.add_row("  " * line.depth + line.text, count, told)
    OUT.print(table)
    OUT.print()
