"""The journey that the fault tests play, what its people do, and what each of them must get.

A round takes a day. Of three rounds one queues a message and writes a field; one queues a record and a message, adds to
an audience and waits for an event, which half of the people do, and answers each half otherwise; one takes out of the
audience and enrolls in another playbook, which sends two messages a day apart.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert

from connectors.contract import Manifest
from connectors.email_smtp import SmtpConnector, smtp_settings
from flows.project import Project, open_project
from flows.world import World, world
from store.engine import write
from store.schema import consents
from tests.acceptance.project import EMAIL, project
from tests.ledger.shop import DAY, NOON, happens, people

PLAYBOOKS = ("rounds", "other")
ONE_ROUND = (
    """
  send email m{r}
  set progress = {r}
  wait 1 day
""",
    """
  create task for sales:
    note = "round {r}"
  add to audience keen
  send email m{r}
  wait for checkout_started where round is {r} up to 1 day
  if has checkout_started in the last 23 hours:
    send email yes{r}
  otherwise:
    send email no{r}
""",
    """
  remove from audience keen
  experiment round{r}:
    variant a 50%:
      send email m{r}
    variant b 50%:
      send email m{r}
  enroll in other
  wait 1 day
""",
)
HEAD = """
field progress is number

audience keen on facebook:
  about "Whom the rounds add."

playbook other:
  start on order_refunded
  enter every time
  send email o0
  wait 1 day
  send email o1

playbook rounds:
  start when cart.total > $5
  enter once
"""


def text(rounds: int) -> str:
    """The playbooks."""
    return HEAD + "".join(ONE_ROUND[r % 3].format(r=r) for r in range(rounds))


def make(folder: Path, *, rounds: int, store: str | None = None, playbooks: str | None = None) -> Project:
    """A project with the journey, or with other playbooks that send its messages."""
    made = project(folder, playbooks or text(rounds))
    if store is not None:
        toml = folder / "winback.toml"
        toml.write_text(toml.read_text().replace("sqlite:///winback.db", store))
    names = [f"{kind}{r}" for r in range(rounds) for kind in ("m", "yes", "no")]
    for name in (*names, "o0", "o1"):
        made.write(f"templates/email/{name}.html", EMAIL.replace("subject: Hello", f"subject: {name}"))
    return open_project(folder)


def fill(engine: Engine, *, count: int, days: int) -> None:
    """That many people, every other of whom starts a checkout each evening."""
    with write(engine) as connection:
        ids = people(connection, count)
        agreed = [
            {"profile_id": id, "channel": "ads", "topic": "marketing", "granted": True, "source": "test", "at": 0}
            for id in ids
        ]
        connection.execute(insert(consents), agreed)
        for day in range(days):
            for person in ids[::2]:
                happens(connection, person, "checkout_started", evening(day), round=day)


def noon(day: int) -> datetime:
    """When the tick of a day is."""
    return NOON + day * DAY


def evening(day: int) -> datetime:
    return NOON + day * DAY + timedelta(hours=11)


def due(count: int, rounds: int, last_day: int) -> Counter[tuple[str, str]]:
    """How often each (address, subject) was due to have come by the tick of `last_day`."""
    expected: Counter[tuple[str, str]] = Counter()
    for person in range(1, count + 1):
        address = f"p{person}@example.com"
        for r in range(min(rounds, last_day + 1)):
            expected[address, f"m{r}"] += 1
            if r % 3 == 1 and r + 1 <= last_day:
                expected[address, f"yes{r}" if person % 2 else f"no{r}"] += 1
            if r % 3 == 2:
                expected[address, "o0"] += 1
                if r + 1 <= last_day:
                    expected[address, "o1"] += 1
    return expected


def told(folder: Path, audience: str = "keen") -> set[str]:
    """Whom the advertising service knows in an audience, as hashes."""
    known: set[str] = set()
    path = folder / f"outbox/audiences/{audience}.jsonl"
    for line in path.read_text().splitlines() if path.exists() else ():
        change = json.loads(line)
        (known.add if change["op"] == "add" else known.discard)(change["email_sha256"])
    return known


def tasks(count: int, rounds: int, last_day: int) -> int:
    """How many records were due by then."""
    return count * sum(r % 3 == 1 for r in range(min(rounds, last_day + 1)))


def at_work(opened: Project, port: int, *, careless: bool = False, ahead: timedelta = timedelta()) -> World:
    """The project's world with the production SMTP connector. `careless`: unknown messages are sent again, as most
    tools do. `ahead`: its clock on the wall goes so much before others'."""
    connector = (Careless if careless else SmtpConnector)(smtp_settings(f"smtp://127.0.0.1:{port}"))
    made = world(opened)
    return replace(
        made,
        connectors={**made.connectors, "email": connector},
        wall=lambda: datetime.now(UTC) + ahead,
    )


class Careless(SmtpConnector):
    """Says that a second try does no harm, which is not so."""

    @property
    def manifest(self) -> Manifest:
        return replace(super().manifest, repeatable=True, batch=10)
