"""What the demo says at its end: the table of what happened, where the messages are, and one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.console import OUT, plural, shown

if TYPE_CHECKING:
    from flows.project import Project


def tell(project: Project, folder: Path, result: Mapping[str, Any], seconds: float) -> None:
    """The table of what happened, where the messages are, and one of them."""
    from dsl.outline import names
    from flows.report import because

    OUT.print()
    table = Table(title="Five days later", title_justify="left", box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    for name in ("people", "sent", "not sent"):
        table.add_column(name, justify="right")
    for book in result["playbooks"]:
        plan = project.compiled.plans[book["name"]]
        table.add_row(f"[bold]{plan.name}[/]")
        table.add_row("  entered", f"{book['entered']:,}")
        table.add_row("  [dim]of them held out, to compare with[/]", f"[dim]{book['held_out']:,}[/]")
        reasons: Counter[str] = Counter()
        called = names(plan, "USD")
        for step in plan.steps:
            if told := dict(book["sends"].get(step.id, {})):
                sent = told.pop("sent", 0)
                reasons.update(told)
                table.add_row(f"  {called[step.id]}", "", f"{sent:,}", f"{sum(told.values()) or '·'}")
        table.add_row("  reached the goal", f"{book['converted']:,}")
        for test in book["experiments"]:
            for arm in test["arms"]:
                table.add_row(f"  {test['name']}: {arm['name']}", f"{arm['people']:,}")
                table.add_row("  [dim]of them ordered[/]", f"[dim]{arm['converted']:,}[/]")
        why = ", ".join(f"{many} {because(reason)}" for reason, many in reasons.most_common())
        table.add_row(f"  [dim]not sent: {why}[/]" if why else "")
        table.add_row()
    OUT.print(table)
    files = sorted((folder / "outbox" / "email").rglob("*.eml"))
    if files:
        OUT.print()
        _message(files[0])
    here = shown(folder.absolute())
    written = plural(result["messages"], "message")
    if result["failed"]:
        OUT.print(f"\n[bold red]✗ {plural(result['failed'], 'message')} failed.[/] `winback outbox list` says why.")
    OUT.print(f"\n[bold green]✓[/] {written} written, nobody was sent anything ({seconds:.0f} s).")
    OUT.print(f"  messages    {here}/outbox/", soft_wrap=True)
    OUT.print(f"  playbooks   {here}/playbooks/      templates  {here}/templates/", soft_wrap=True)
    OUT.print(f"  next        cd {here} && winback plan", soft_wrap=True)
    OUT.print("              winback ui: the Prefect pages of these runs · winback outbox list")


def _message(path: Path) -> None:
    """One message as its reader sees it without pictures."""
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    text = body.get_content().strip() if body else ""
    lines = text.splitlines()
    head = Text.assemble(
        *(part for name in ("From", "To", "Subject") for part in ((f"{name}: ", "dim"), f"{message[name]}\n"))
    )
    told = "\n".join(lines[:22]) + ("\n…" if len(lines) > 22 else "")
    # Above the frame and not in it: a path is often longer than a terminal is wide, and is there to be copied.
    OUT.print(Text(shown(path.absolute()), style="dim"), soft_wrap=True)
    OUT.print(Panel(Text.assemble(head, "\n", told), border_style="dim", width=100))
