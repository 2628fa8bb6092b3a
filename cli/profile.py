"""`winback profile`: one person, all that is known, and why each message went or did not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cli.console import OUT, PROBLEMS, Json, ProjectFolder, fail, print_json

if TYPE_CHECKING:
    from flows.timeline import Biography, Journey

MARKS: Mapping[tuple[str, str | None], tuple[str, str]] = {
    ("message", "accepted"): ("✉", "green"),
    ("message", "assumed_sent"): ("✉", "yellow"),
    ("message", "skipped"): ("✗", "yellow"),
    ("message", "cancelled"): ("✗", "yellow"),
    ("message", "failed"): ("✗", "red"),
    ("message", "unknown"): ("?", "yellow"),
    ("message", None): ("…", "yellow"),
    ("record", "accepted"): ("✓", "green"),
    ("record", None): ("…", "yellow"),
    ("entered", None): ("→", ""),
    ("left", None): ("■", ""),
    ("goal", None): ("★", "green"),
    ("branch", None): ("◆", ""),
    ("experiment", None): ("◆", ""),
    ("wait", None): ("·", "dim"),
}
"""By what happened, and the state of a message: a mark, and how the line looks."""

commands = typer.Typer(
    help="One person: all that is known, and why each message went or did not.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(commands, name="profile")


@commands.callback()
def profile() -> None:
    # Typer makes a command of a group that has only one; this keeps it a group.
    pass


@commands.command()
def show(
    id: Annotated[str, typer.Argument(help="A user id, an e-mail address, a phone number, or the store's own id.")],
    events: Annotated[int, typer.Option(min=0, help="At most so many events, the newest first.")] = 20,
    as_json: Json = False,
    project: ProjectFolder = None,
) -> None:
    """Show who somebody is, what they did, and what the playbooks did with them. Reads only."""
    from zoneinfo import ZoneInfo

    from flows.project import open_project
    from flows.timeline import biography, find
    from store.engine import read

    opened = open_project(project)
    with read(opened.engine) as connection:
        found = find(connection, id)
        if not found:
            way_out = "Name a user id, an e-mail address, or a phone number like +4712345678."
            fail(id, "The store knows nobody by this.", way_out, PROBLEMS)
        shop = opened.settings.shop
        person = biography(
            connection, found[0], currency=shop.currency, newest=events, zone=ZoneInfo(shop.time_zone)
        )  # fmt: skip
    if as_json:
        print_json(as_dict(person))
    else:
        tell(person, opened.settings.shop.currency)


def as_dict(person: Biography) -> dict[str, Any]:
    """A person as `profile show --json` prints them."""
    return {
        "id": person.id,
        "fields": {name: _json(value) for name, value in person.fields.items()},
        "custom": dict(person.custom),
        "identities": [{"kind": kind, "value": value} for kind, value in person.identities],
        "consents": [
            {"channel": channel, "topic": topic, "granted": granted, "source": source, "at": at.isoformat()}
            for channel, topic, granted, source, at in person.consents
        ],
        "suppressed": [
            {"channel": channel, "reason": reason, "at": at.isoformat()} for channel, reason, at in person.suppressed
        ],
        "assignments": [
            {"playbook": playbook, "experiment": experiment, "variant": variant, "at": at.isoformat()}
            for playbook, experiment, variant, at in person.assignments
        ],
        "events": [{"at": at.isoformat(), "name": name, "properties": dict(told)} for at, name, told in person.events],
        "playbooks": [_journey(journey) for journey in person.journeys],
    }


def _journey(journey: Journey) -> dict[str, Any]:
    plain = ("playbook", "version", "state", "holdout", "entered_at", "ended_at", "next_step", "next_at")
    each = ("at", "what", "text", "step", "state", "reason", "detail")
    return {
        **{name: _json(getattr(journey, name)) for name in plain},
        "happened": [
            {name: _json(getattr(one, name)) for name in each}
            | {"way": one.way, "values": {name: _json(value) for name, value in one.values.items()}}
            for one in journey.happened
        ],
    }


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def tell(person: Biography, currency: str) -> None:
    """A person, for people."""
    from dsl.wording import money

    names = [str(person.fields[name]) for name in ("first_name", "last_name") if name in person.fields]
    OUT.print(Text.assemble((" ".join(names) or "Somebody", "bold"), (f"  profile {person.id}", "dim")))
    section("Known")
    for name, value in person.fields.items():
        if name not in ("first_name", "last_name"):
            amount = name in ("cart.total", "orders.value", "orders.average", "orders.last_total")
            row(name, money(round(value), currency) if amount else _told(value))
    for name, value in person.custom.items():
        row(name, _told(value))
    for kind, value in person.identities:
        if kind == "anonymous_id":
            row("anonymous id", value)
    section("Consent")
    for channel, topic, granted, source, at in person.consents:
        row(f"{channel}, {topic}", f"{'yes' if granted else 'no'}, by {source}, {_told(at)}")
    if not person.consents:
        OUT.print("  none is recorded", style="dim")
    for channel, reason, at in person.suppressed:
        row(channel, f"suppressed since {_told(at)}: {reason.replace('_', ' ')}")
    section(f"Events, the newest {len(person.events)}" if person.events else "Events")
    wide = max((len(name) for _, name, _ in person.events), default=0)
    # Into a file or a pipe goes more of what a search may look for.
    room = max(20, OUT.width - wide - 26) if OUT.is_terminal else 100
    for at, name, properties in person.events:
        told = _properties(properties, room)
        OUT.print(Text.assemble((f"  {_told(at)}  ", "dim"), f"{name:<{wide}}  ", (told, "dim")), soft_wrap=True)
    if not person.events:
        OUT.print("  none", style="dim")
    section("Playbooks")
    if not person.journeys:
        OUT.print("  has not been in any", style="dim")
    for journey in person.journeys:
        state = {"active": "inside", "done": "finished", "left": "left"}[journey.state]
        goes_on = f", goes on {_told(journey.next_at)}" if journey.next_at else ""
        OUT.print(
            Text.assemble("  ", (journey.playbook, "bold"), (f"  version {journey.version}  ", "dim"), state, goes_on)
        )
        before: datetime | None = None
        for one in journey.happened:
            # A line has a mark for what it is, so that messages stand out among the steps.
            mark, style = MARKS.get((one.what, one.state), MARKS.get((one.what, None), ("·", "")))
            when = _told(one.at) if one.at != before else ""
            before, code = one.at, (f"  {one.reason}" if one.reason and one.what == "message" else "", "dim")
            OUT.print(Text.assemble((f"    {when:<20}  ", "dim"), (f"{mark} {one.text}", style), code), soft_wrap=True)
            if one.because:
                OUT.print(Text(f"{'':26}  {one.because}", style="dim"), soft_wrap=True)
            if one.detail:
                OUT.print(Text(f"{'':26}  {one.detail}", style="dim"), soft_wrap=True)


def section(title: str) -> None:
    OUT.print(Text(f"\n{title}", style="bold"))


def row(name: str, value: str) -> None:
    OUT.print(Text.assemble((f"  {name:<24}", "dim"), value), soft_wrap=True)


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _properties(properties: Mapping[str, Any], room: int) -> str:
    told = ", ".join(f"{name} {_told(value)}" for name, value in properties.items())
    return told if len(told) <= room else told[: room - 1] + "…"
