"""`winback outbox`: messages that failed, were not sent, or whose outcome is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.console import OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json

STATES = ("planned", "claimed", "sending", "accepted", "failed", "unknown", "assumed_sent", "skipped", "cancelled")

commands = typer.Typer(help="Messages that failed, were not sent, or whose outcome is unknown.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="outbox")


@commands.command("list")
def list_(
    state: Annotated[
        list[str] | None, typer.Option(help=f"Any of: {', '.join(STATES)}. Default: what went wrong.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason, like no_consent.")] = None,
    playbook: Annotated[str | None, typer.Option(help="Only of this playbook.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 100,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """List messages with their state and reason. Reads only."""
    from rich.table import Table

    from flows.project import open_project
    from ledger.report import outbox_rows
    from store.engine import read

    for name in state or ():
        if name not in STATES:
            fail("--state", f"`{name}` is not a state.", f"The states are {', '.join(STATES)}.", USED_WRONGLY)
    opened = open_project(project)
    with read(opened.engine) as connection:
        rows = outbox_rows(
            connection, states=state or ("failed", "unknown", "assumed_sent", "skipped"), reason=reason,
            playbook=playbook, limit=limit,
        )  # fmt: skip
    if as_json:
        print_json({"messages": [{name: getattr(row, name) for name in row.__slots__} for row in rows]})
        return
    if not rows:
        OUT.print("There is no such message.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("id", "person", "playbook", "message", "state", "reason", "due (UTC)"):
        whole = name not in ("message", "reason")
        table.add_column(name, justify="right" if name in ("id", "person") else "left", no_wrap=whole, overflow="fold",
                         min_width=13 if name == "reason" else None)  # fmt: skip
    for row in rows:
        why = " — ".join(part for part in (row.reason, row.detail) if part)
        table.add_row(
            str(row.id), str(row.profile_id), row.playbook, f"{row.channel} {row.template}", row.state, why,
            f"{row.due_at:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    OUT.print(table)
    OUT.print(f"[dim]{plural(len(rows), 'message')}.[/]")


@commands.command()
def resolve(
    ids: Annotated[list[int], typer.Argument(help="Ids from `winback outbox list`.")],
    sent: Annotated[bool, typer.Option("--sent/--not-sent", help="It went out, or it did not and may be SENT again.")],
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Say what became of messages whose outcome is unknown, after a look at the provider."""
    from flows.project import open_project
    from ledger import report
    from store.engine import write

    opened = open_project(project)
    with write(opened.engine) as connection:
        done = [id for id in ids if report.resolve(connection, id, sent=sent, as_of=datetime.now(UTC))]
    other = [id for id in ids if id not in done]
    if as_json:
        print_json({"resolved": done, "not_resolved": other})
    elif done:
        OUT.print(f"{plural(len(done), 'message')} taken as {'sent' if sent else 'not sent: the next run sends it'}.")
    if other:
        fail(
            ", ".join(map(str, other)),
            "There is no such message whose outcome is unknown.",
            "`winback outbox list --state unknown --state assumed_sent` lists those there are.",
            PROBLEMS,
        )
