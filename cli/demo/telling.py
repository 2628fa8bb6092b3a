"""What the demo says at its end: the table of what happened, where the messages are, and one of them."""

from __future__ import annotations

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
    from dsl.outline import label
    from flows.report import because

    OUT.print()
    table = Table(
        title="What happened in five days", title_justify="left", box=None, pad_edge=False, header_style="dim"
    )
    for name in ("", "people", "sent", "not sent"):
        table.add_column(name, justify="left" if name in ("", "not sent") else "right")
    for book in result["playbooks"]:
        plan = project.compiled.plans[book["name"]]
        table.add_row(f"[bold]{plan.name}[/]")
        table.add_row(
            "  entered", f"{book['entered']:,}", "", f"[dim]{book['held_out']:,} of them held out, to compare with[/]"
        )
        for step in plan.steps:
            told = dict(book["sends"].get(step.id, {}))
            if told:
                sent = told.pop("sent", 0)
                why = ", ".join(f"{n:,} {because(reason)}" for reason, n in sorted(told.items()))
                table.add_row(f"  {label(step, 'USD')}{_arm(step.id)}", "", f"{sent:,}", f"[dim]{why}[/]")
        table.add_row("  reached the goal", f"{book['converted']:,}", "",
                      f"[dim]and {book['converted_held_out']:,} of the held out[/]")  # fmt: skip
        for test in book["experiments"]:
            for arm in test["arms"]:
                share = f"{arm['converted'] / arm['people']:.1%}" if arm["people"] else "–"
                ordered = f"[dim]{arm['converted']:,} ordered ({share}): too few people for a verdict[/]"
                table.add_row(f"  {test['name']}: {arm['name']}", f"{arm['people']:,}", "", ordered)
    OUT.print(table)
    files = sorted((folder / "outbox" / "email").rglob("*.eml"))
    if files:
        OUT.print()
        _message(files[0])
    here = shown(folder.absolute())
    written = plural(result["messages"], "message")
    OUT.print(f"\n[bold green]✓[/] {written} written, nobody was sent anything ({seconds:.0f} s).")
    OUT.print(f"  messages    {here}/outbox/", soft_wrap=True)
    OUT.print(f"  playbooks   {here}/playbooks/      templates  {here}/templates/", soft_wrap=True)
    OUT.print(f"  next        cd {here} && winback plan", soft_wrap=True)
    OUT.print("              winback explain abandoned_cart · winback outbox list · winback ui (the Prefect pages)")


def _arm(step: str) -> str:
    parts = step.split("/")
    return f" [dim]({parts[-2]})[/]" if len(parts) > 2 else ""


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
    OUT.print(
        Panel(
            Text.assemble(head, "\n", told),
            title=shown(path.absolute()),
            title_align="left",
            border_style="dim",
            width=100,
        )
    )
