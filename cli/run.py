"""`winback run`: one tick of a playbook, as a Prefect flow."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.console import OUT, PROBLEMS, Json, ProjectFolder, moment, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flows.audiences import Synced
    from flows.project import Project
    from flows.report import Report


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    playbooks: Annotated[list[str], typer.Argument(help="Names of playbooks and audiences.")],
    as_of: Annotated[
        str | None, typer.Option(help="As if it were this time; not before the newest event or the last run.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but send and keep.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Send at most so many messages; the next run goes on.")
    ] = None,
    only_new: Annotated[
        bool, typer.Option("--only-new", help="First run: take those who match already as seen.")
    ] = False,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Run one tick of the playbooks, and bring the audiences up to date, as Prefect flows. SENDS what is due, by the
    connectors that are set."""
    from cli.reading import chosen_with_audiences
    from flows.project import open_project

    opened = open_project(project)
    plans, audiences = chosen_with_audiences(opened, playbooks)
    at = moment(as_of, opened.settings.shop.time_zone) if as_of else None
    from flows.running import run_all
    from flows.watch import Parameters

    asked = Parameters(dry_run=dry_run, as_of=at, limit=limit, only_new=only_new)
    reports, synced = run_all(opened, plans, audiences, asked)
    if as_json:
        told = {"playbooks": [r.as_run() for r in reports], "audiences": [s.as_run() for s in synced]}
        print_json({"dry_run": dry_run, **told})
    else:
        if reports:
            tell(reports, dry_run=dry_run)
        for audience in synced:
            tell_audience(audience, dry_run=dry_run)
        if not dry_run:
            explain_trouble(opened, reports)
        explain_left_behind(opened)
    if any(r.total("failed") or r.total("unknown") or r.trouble for r in reports) or any(
        s.told.trouble for s in synced
    ):
        sys.exit(PROBLEMS)


def tell_audience(audience: Synced, *, dry_run: bool) -> None:
    """What became of an audience, in two or three lines."""
    OUT.print(f"Audience [bold]{audience.name}[/]: {audience.headline}")
    if dry_run:
        OUT.print("[dim]A dry run: nobody was told, and nothing was kept.[/]")
        return
    told = audience.told
    OUT.print(f"[dim]The service was told of {told.added:,} added and {told.removed:,} removed.[/]")
    if audience.without_consent:
        OUT.print(f"[dim]{audience.without_consent:,} it is not told of — no consent to ads, or no address[/]")
    if told.trouble:
        OUT.print(f"[yellow]{told.trouble.rstrip('.')}. The next run goes on.[/]", soft_wrap=True)


def explain_trouble(opened: Project, reports: Sequence[Report]) -> None:
    """What connectors said of messages that are kept for later or failed, each sentence once: place and way out."""
    from ledger.report import outbox_rows
    from store.engine import read

    said: dict[str, None] = {}
    for report in reports:
        if report.trouble or report.total("failed"):
            with read(opened.engine) as connection:
                rows = outbox_rows(connection, states=("planned", "failed", "unknown"), playbook=report.name, limit=100)
            said |= dict.fromkeys(row.detail for row in rows if row.detail)
    for sentence in list(said)[:5]:
        OUT.print(Text(f"  {sentence}", style="yellow"), soft_wrap=True)
    if said:
        hint = "  Hint: `winback outbox list --state failed --state planned` lists the messages."
        OUT.print(Text(hint, style="cyan"), soft_wrap=True)


def explain_left_behind(opened: Project) -> None:
    """Who waits in playbooks that the project no longer has: no run of theirs would tell."""
    from cli.reviewing import tell_left_behind
    from ledger.report import left_behind
    from store.engine import read

    with read(opened.engine) as connection:
        tell_left_behind(left_behind(connection, list(opened.compiled.plans)))


def beside_messages(report: Report) -> Iterator[str]:
    """What the steps did beside sending, a sentence each."""
    from flows.report import because
    from ledger.rows import UNKNOWN

    for made in report.records:
        if made.made:
            yield f"{made.made:,} — {made.verb} {made.noun}{f' for {made.team}' if made.team else ''}"
    for each in report.audiences:
        if each.added or each.removed:
            yield f"{each.added:,} added to audience {each.name}, {each.removed:,} removed, {each.members:,} members"
    for step, people in report.enrolled.items():
        yield f"{people:,} enrolled in {step.rpartition('enroll:')[2].partition('.')[0]}"
    for reason, people in report.ended.items():
        if reason.startswith(UNKNOWN):
            yield f"{people:,} left — {because(reason)}"


def tell(reports: Sequence[Report], *, dry_run: bool) -> None:
    """What the ticks did, as a table and sentences."""
    from rich.table import Table

    from flows.report import because

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("playbook", no_wrap=True)
    columns = {
        "entered": [r.entered for r in reports],
        "held out": [r.held_out for r in reports],
        "left": [r.left for r in reports],
        "sent": [r.total("sent") for r in reports],
        "failed": [r.total("failed") for r in reports],
        "in doubt": [r.total("unknown") + r.in_doubt for r in reports],
        "not sent": [sum(r.reasons("skipped").values()) for r in reports],
        "later": [sum(r.reasons("delayed").values()) for r in reports],
        "waiting": [r.inside for r in reports],
    }
    # What went wrong has a column only when something did: a table of 80 characters has no room for zeros.
    columns = {name: counts for name, counts in columns.items() if any(counts) or name not in ("failed", "in doubt")}
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for r, *counts in zip(reports, *columns.values(), strict=True):
        table.add_row(f"[bold]{r.name}[/]", *(f"{n:,}" if n else "[dim]·[/]" for n in counts))
    OUT.print(table)
    for r in reports:
        if r.paused_at:
            told = (
                f"{r.name} is paused since {r.paused_at:%Y-%m-%d %H:%M} UTC: `winback resume {r.name}` lets it go on."
            )
            OUT.print(Text(told, style="yellow"), soft_wrap=True)
        for kind, heading in (("skipped", "not sent"), ("delayed", "later")):
            for reason, count in r.reasons(kind).items():
                OUT.print(f"[dim]{r.name}, {heading}:[/] {count:,} — {because(reason)}")
        for told in beside_messages(r):
            OUT.print(f"[dim]{r.name}:[/] {told}")
        for sentence in r.trouble:
            OUT.print(f"[yellow]{sentence}[/]", soft_wrap=True)
    if dry_run:
        OUT.print("[dim]A dry run: nothing was sent, and nothing was kept.[/]")
