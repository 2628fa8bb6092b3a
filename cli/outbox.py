"""`winback outbox`: messages that failed, were not sent, or whose outcome is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.console import OUT, PROBLEMS, USED_WRONGLY, Json, ProjectFolder, fail, plural, print_json

if TYPE_CHECKING:
    from ledger.report import Whole

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


@commands.command()
def show(
    id: Annotated[int, typer.Argument(help="An id from `winback outbox list`.")],
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Show all that is known of one message, and what can be done about it. Reads only."""
    from flows.project import open_project
    from ledger.report import outbox_row
    from store.engine import read

    opened = open_project(project)
    with read(opened.engine) as connection:
        found = outbox_row(connection, id)
    if found is None:
        fail(str(id), "There is no message with this id.", "`winback outbox list` shows their ids.", PROBLEMS)
    if as_json:
        entry = {name: getattr(found.entry, name) for name in found.entry.__slots__}
        print_json({**entry, **{name: getattr(found, name) for name in found.__slots__ if name != "entry"}})
        return
    told = describe(found)
    width = max(map(len, told))
    for name, value in told.items():
        OUT.print(Text.assemble((f"{name:<{width}}  ", "dim"), value), soft_wrap=True)
    OUT.print(
        Text(WAYS_OUT[found.entry.state].format(id=id, person=found.entry.profile_id), style="cyan"), soft_wrap=True
    )


WAYS_OUT = {
    "planned": "It goes out by the first run after it is due, if nothing stands against it then.",
    "claimed": "A run has it in hand; if that has died, the next one takes it over.",
    "sending": "A run is sending it; if that has died, the next one finds out, or says that it is unknown.",
    "accepted": "The provider has taken it over. It is never sent again.",
    "failed": "It surely did not go out. When the cause is mended, `winback outbox replay {id}` queues it again.",
    "unknown": "It may have gone out, so it is not sent again by itself. Look at the provider for its key, then say "
    "`winback outbox resolve {id} --sent` or `--not-sent`.",
    "assumed_sent": "Nobody could say for a day, so it counts as sent. If the provider does not know its key, "
    "`winback outbox resolve {id} --not-sent` queues it again.",
    "skipped": "It is not sent any more: `winback profile show {person}` tells the whole journey.",
    "cancelled": "The person left before it was sent: `winback profile show {person}` tells the whole journey.",
}
"""What can be done about a message in each state."""


def describe(found: Whole) -> dict[str, str]:
    """A message line by line."""
    from flows.report import because

    row = found.entry
    told = {
        "message": f"{row.id}  {row.channel} {row.template}",
        "state": row.state + (f": {because(row.reason)}" if row.reason else ""),
        "said": row.detail,
        "person": f"profile {row.profile_id}",
        "playbook": f"{row.playbook}, version {found.version}",
        "step": row.step + (f", time {found.occurrence + 1}" if found.occurrence else ""),
        "queued": _at(found.planned_at),
        "due": _at(row.due_at),
        "late after": _at(found.expires_at) if row.state in ("planned", "claimed") else None,
        "settled": _at(row.settled_at),
        "tries": f"{row.attempts} refused for now" if row.attempts else None,
        "held by": f"{found.owner} until {_at(found.lease_until)}" if found.owner else None,
        "counts against limits": f"from {_at(found.counts_from)} on" if found.counts_from else None,
        "key": found.key,
        "provider's id": row.provider_id,
    }
    return {name: value for name, value in told.items() if value}


def _at(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else ""


@commands.command()
def replay(
    ids: Annotated[list[int] | None, typer.Argument(help="Ids from `winback outbox list --state failed`.")] = None,
    playbook: Annotated[str | None, typer.Option(help="All failed ones of this playbook.")] = None,
    reason: Annotated[str | None, typer.Option(help="All that failed for this reason, like render_error.")] = None,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Queue failed messages again, when what made them fail is mended: the next run SENDS them."""
    from flows.project import open_project
    from ledger import replay as again
    from store.engine import write

    if bool(ids) == bool(playbook or reason):
        which = "Both ids and --playbook or --reason." if ids else "Which messages?"
        fail(
            "winback outbox replay", which, "Give their ids, or --playbook or --reason for all of a kind.", USED_WRONGLY
        )
    opened = open_project(project)
    with write(opened.engine) as connection:
        wanted = ids or again.failed(connection, playbook=playbook, reason=reason)
        done = again.replay(connection, wanted, datetime.now(UTC))
    if as_json:
        print_json({"queued": list(done.queued), "refused": {str(id): state for id, state in done.refused.items()}})
    elif done.queued or not done.refused:
        many = plural(len(done.queued), "message")
        OUT.print(f"{many} queued again: the next run sends {'it' if len(done.queued) == 1 else 'them'}." if done.queued
                  else "There is no such message that failed.")  # fmt: skip
    if done.refused:
        doubtful = any(state in ("unknown", "assumed_sent") for state in done.refused.values())
        reasons = "\n".join(f"{id}: {state or 'there is no such message'}" for id, state in done.refused.items())
        fail(
            "winback outbox replay",
            f"Only what has failed can be queued again, and these have not.\n{reasons}",
            "What is unknown may have gone out: look at the provider, then `winback outbox resolve`." if doubtful
            else "`winback outbox list --state failed` shows those that have.",
            PROBLEMS,
        )  # fmt: skip
