"""`winback demo`: a whole small shop, its playbooks run as Prefect flows over some simulated days."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import ERROR, OUT, PROBLEMS, USED_WRONGLY, Json, fail, plural, print_json

if TYPE_CHECKING:
    from cli.demo.shop import Sent, Shop
    from dsl.plan import Plan
    from flows.project import Project
    from flows.report import Report

LIVE_DAYS = 5
TICK = timedelta(hours=18, minutes=30)
"""When the playbooks run each simulated day, UTC: after 10:00 everywhere in America, before Europe's quiet hours."""

PLAYED = ("abandoned_cart", "welcome")
"""The playbooks that the demo runs: the shop's people sign up and leave carts."""


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; made if it is not there.")] = Path(
        "winback-demo"
    ),
    customers: Annotated[int, typer.Option(min=200, max=100_000, help="How many customers the shop has.")] = 2400,
    seed: Annotated[int, typer.Option(help="Another number, another shop.")] = 7,
    as_json: Json = False,
) -> None:
    """Make a whole small shop, run its playbooks over five simulated days, and write the messages to a folder.

    Nobody is sent anything: the messages are files in the folder.
    """
    from cli.demo.telling import tell
    from cli.init import make
    from flows.project import open_project
    from flows.running import runner

    if folder.is_dir() and any(folder.iterdir()):
        way_out = "Name another, as in `winback demo my-shop`, or remove it."
        fail(str(folder), "This folder is not empty.", way_out, USED_WRONGLY)
    began = time.monotonic()
    say = _Voice(quiet=as_json)
    make(folder)
    project = open_project(folder)
    # The server takes seconds to start; the shop is made meanwhile.
    with runner(project) as running:
        with say.step("a shop, made by code"):
            shop = _shop(seed, customers)
            said = f"{plural(customers, 'customer')}, 60 days, {len(shop.history):,} events"
        say.done(said)
        with say.step("winback import"):
            counts = _import(project, folder / "events" / "history.jsonl", shop.history)
        say.done(f"{counts['imported']:,} events imported, {counts['rejected']:,} rejected ({counts['seconds']:.0f} s)")
        with say.step("winback check"):
            problems = project.compiled.problems
        say.done(f"{plural(len(project.compiled.plans), 'playbook')}, {plural(len(problems), 'problem')}")
        _plan(project, shop, say)
        days = list(_days(project, folder, shop, running, say))
    result = _result(project, days)
    if as_json:
        print_json({"folder": str(folder.absolute()), "seconds": round(time.monotonic() - began, 1), **result})
    else:
        tell(project, folder, result, time.monotonic() - began)
    if result["failed"]:
        sys.exit(PROBLEMS)


def _shop(seed: int, customers: int) -> Shop:
    from cli.demo.shop import generate

    made: Shop = generate(seed=seed, today=date.today(), customers=customers, live_days=LIVE_DAYS)  # noqa: DTZ011
    return made


def _import(project: Project, path: Path, calls: Sequence[dict[str, object]]) -> dict[str, float]:
    """Write calls as the file that a shop would hand over, and import it."""
    from profiles.files import import_file

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(call, ensure_ascii=False) + "\n" for call in calls), "utf-8")
    result = import_file(
        project.engine, path, rules=project.rules, received_at=datetime.now(UTC), mapping=None,
        reject_to=project.folder / "rejects" / path.name, progress=lambda *_: None,
    )  # fmt: skip
    return {"imported": result.counts.imported, "rejected": result.counts.rejected, "seconds": result.seconds}


def _plans(project: Project) -> list[Plan]:
    """The playbooks that the demo runs. The others wait for months of history, or for parcels that nobody here gets."""
    return [project.compiled.plans[name] for name in PLAYED]


def _plan(project: Project, shop: Shop, say: _Voice) -> None:
    from flows.rehearsal import rehearsal

    at = shop.live_from + TICK
    with say.step("winback plan"), rehearsal(project, at) as stage:
        reports = [stage.play(plan) for plan in _plans(project)]
    say.done(", ".join(f"{r.name}: {r.entered:,} would enter, {r.total('sent'):,} would be sent" for r in reports))


def _days(project: Project, folder: Path, shop: Shop, running: object, say: _Voice) -> Iterator[list[Report]]:
    """Each simulated day: what people did until then is imported, and the playbooks run."""
    from cli.demo.shop import reactions
    from flows.running import Runner
    from flows.watch import Parameters

    assert isinstance(running, Runner)
    since = shop.live_from
    for day in range(LIVE_DAYS):
        at = shop.live_from + timedelta(days=day) + TICK
        with say.step(f"day {day + 1}: winback run --as-of {at:%Y-%m-%dT%H:%M}Z"):
            answers = reactions(_sent(project), shop, seed=shop.seed, until=at)
            fresh = [call for call in answers if call["timestamp"] >= since.isoformat()[:19]]
            calls = sorted([*shop.between(since, at), *fresh], key=lambda call: (call["timestamp"], call["messageId"]))
            _import(project, folder / "events" / f"day-{day + 1}.jsonl", calls)
            since = at
            reports = [running.run(plan, Parameters(as_of=at)) for plan in _plans(project)]
        say.done("; ".join(f"{r.name} {r.headline}" for r in reports))
        yield reports


def _sent(project: Project) -> list[Sent]:
    """What went out so far, as the shop's people remember it."""
    from sqlalchemy import and_, select

    from cli.demo.shop import Sent
    from store.clock import instant
    from store.engine import read
    from store.schema import assignments, outbox, profiles

    variants = and_(assignments.c.profile_id == outbox.c.profile_id, assignments.c.playbook == outbox.c.playbook)
    with read(project.engine) as connection:
        rows = connection.execute(
            select(profiles.c.user_id, outbox.c.template, outbox.c.settled_at, assignments.c.variant, outbox.c.step)
            .join(profiles, profiles.c.id == outbox.c.profile_id)
            .outerjoin(assignments, variants)
            .where(outbox.c.state == "accepted", profiles.c.user_id.is_not(None))
            .order_by(outbox.c.id)
        )
        return [
            Sent(
                user_id=row.user_id, template=row.template, at=instant(row.settled_at),
                variant=row.variant if row.variant and f"/{row.variant}/" in f"/{row.step}" else None,
            )
            for row in rows
        ]  # fmt: skip


def _result(project: Project, days: Sequence[Sequence[Report]]) -> dict[str, object]:
    """The five days together, from the ledger."""
    from dsl.plan import Experiment
    from experiments.measure import arms
    from flows.expressions import measured
    from ledger.report import counts
    from store.engine import read

    at = days[-1][0].as_of
    playbooks = []
    with read(project.engine) as connection:
        for plan in _plans(project):
            name = plan.name
            now = counts(connection, name)
            tests = [
                {"name": step.name, "arms": [{"name": arm.name, "people": arm.people, "converted": arm.converted}
                 for arm in arms(connection, step, where=measured(step, as_of=at, zone="UTC"), as_of=at)]}
                for step in plan.steps if isinstance(step, Experiment)
            ]  # fmt: skip
            sends: dict[str, dict[str, int]] = {}
            for (step, state, reason), many in now.messages.items():
                told = sends.setdefault(step, {})
                key = "sent" if state == "accepted" else reason or state
                told[key] = told.get(key, 0) + many
            playbooks.append(
                {"name": name, "entered": now.entered, "held_out": now.held_out, "converted": now.converted,
                 "converted_held_out": now.converted_held_out, "inside": sum(now.inside.values()), "sends": sends,
                 "experiments": tests}
            )  # fmt: skip
    return {
        "as_of": at.isoformat(),
        "playbooks": playbooks,
        "messages": sum(r.total("sent") for d in days for r in d),
        "failed": sum(r.total("failed") for d in days for r in d),
    }


class _Voice:
    """Says each step while it goes on, and what came of it."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.name = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.name = name
        if self.quiet:
            yield
            return
        with ERROR.status(f"[bold]{name}[/] …"):
            yield

    def done(self, result: str) -> None:
        if not self.quiet:
            OUT.print(f"[green]✓[/] [bold]{self.name}[/]  {result}", soft_wrap=True)
